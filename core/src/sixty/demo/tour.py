"""A tour of the demo organisation, by the official MCP client over HTTP. Each answer is compared with what it must be.

It knows the tools of the packs by name, as every client does, and nothing else of them.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sixty.demo import desk, leading
from sixty.demo.guide import Guide, connected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from sixty.demo.guide import Caller
    from sixty.demo.loading import Badge
    from sixty.permissions import Role

__all__ = ["tour"]

_logger = logging.getLogger(__name__)


async def tour(url: str, badges: Mapping[Role, Badge], today: date, console: Console, place: leading.Place) -> bool:
    """The tour has been printed; whether every step came out as expected. It ends at the first that did not."""
    guide = Guide(console)
    try:
        async with connected(url, badges["user"], guide) as seller, connected(url, badges["admin"], guide) as admin:
            await _lead(guide, seller, admin, today)
            await desk.lead(guide, seller, admin)
            await leading.lead(guide, admin, place)
    except Exception as error:
        if not guide.failed:
            guide.cross("the server answers", error)
            _logger.exception("the tour broke off")
    return not guide.failed


async def _lead(guide: Guide, seller: Caller, admin: Caller, today: date) -> None:
    guide.step(f"{seller.name} (user) and {admin.name} (admin) connect")
    offered, all_tools = await seller.tools(), await admin.tools()
    guide.tell(f"MCP {seller.client.protocol_version}: {len(offered)} tools for {seller}, {len(all_tools)} for {admin}")
    guide.expect("deals can be created: their pack is installed", "create_deal" in offered, sorted(offered))
    guide.expect("delete_deal is shown to the admin alone", {"delete_deal"} <= all_tools - offered, sorted(offered))

    guide.step(f"{seller} creates a deal")
    made = await seller.call(
        "create_deal",
        title="Enterprise License",
        company_name="Acme",
        value=50_000,
        stage="opportunity",
        expected_close_date=_end_of_quarter(today).isoformat(),
    )
    deal_id, stands = made["deal_id"], (made["deal"]["stage"], made["deal"]["value"])
    guide.expect("it is in opportunity and worth 50,000", stands == ("opportunity", 50_000), made)

    guide.step(f"{seller} searches")
    found = await seller.call("search_deals", query="enterprise acme")
    guide.list(f'"{deal["title"]}" of {deal["company_name"]}, {_money(deal["value"])}' for deal in found["deals"])
    guide.expect("the new deal is found first", [deal["id"] for deal in found["deals"][:1]] == [deal_id], found)

    guide.step(f"{seller} forecasts")
    forecast = await seller.call("forecast_revenue", period="quarter")
    breakdown = forecast["breakdown"]
    guide.list(f"{stage:<12} {_money(expected):>14}" for stage, expected in breakdown.items())
    adds_up = abs(sum(breakdown.values()) - forecast["forecast"]) < 1 <= forecast["deal_count"]
    counts = breakdown["opportunity"] >= 50_000 * forecast["definition"]["weights"]["opportunity"]
    guide.expect("the stages add up, and opportunity has its part of the new deal", adds_up and counts, forecast)

    guide.step(f"{seller} tries to delete it")
    refused = await seller.attempt("delete_deal", deal_id=deal_id)
    guide.expect("the server refuses: forbidden", refused.get("error", {}).get("code") == "forbidden", refused)

    guide.step(f"{seller} moves it by mistake, and takes that back")
    moved = await seller.call("move_deal_stage", deal_id=deal_id, stage="verbal")
    await seller.call("undo_change", change_id=moved["change_id"])
    now = await seller.call("get_record", id=deal_id)
    back = (moved["deal"]["stage"], now["record"]["stage"]) == ("verbal", "opportunity")
    guide.expect("it was in verbal and is in opportunity again", back, now)

    guide.step(f"{admin} splits the revenue")
    split = await admin.call("split_deal_revenue", deal_id=deal_id, monthly_mrr=4_000, one_off_revenue=38_000)
    guide.expect("its lifetime value is 3 x 4,000 + 38,000 = 50,000", split["deal"]["ltv"] == 50_000, split)  # noqa: PLR2004 - the sum of the sentence

    guide.step(f"{admin} looks at the history")
    told = await admin.call("get_deal_history", deal_id=deal_id)
    guide.list(_line(entry) for entry in told["history"])
    who = {(entry["by"], entry["field"], entry["to"]) for entry in told["history"]}
    moves = {(seller.name, "stage", "verbal"), (seller.name, "stage", "opportunity")}
    complete = moves | {(seller.name, "record", "created"), (admin.name, "monthly_mrr", 4_000)} <= who
    guide.expect("it says who did what, the mistake and its undoing included", complete, told)


def _end_of_quarter(day: date) -> date:
    following = day.month - (day.month - 1) % 3 + 3
    return date(day.year + following // 13, (following - 1) % 12 + 1, 1) - timedelta(days=1)


def _money(amount: float) -> str:
    return f"{amount:,.2f}"


def _line(entry: Mapping[str, Any]) -> str:
    """An entry of a history: when, who, what."""
    change = entry["to"] if entry["from"] is None else f"{entry['from']} -> {entry['to']}"
    return f"{entry['at'][:19].replace('T', ' ')}  {entry['by']:<14} {entry['field']}: {change}"
