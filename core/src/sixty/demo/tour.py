"""A tour of the demo organisation, by the official MCP client over HTTP. Each answer is compared with what it must be.

It knows the tools of the deals pack by name, as every client does, and nothing else of it.
"""

from __future__ import annotations

import json
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from rich.console import Console

    from sixty.demo.loading import Badge
    from sixty.permissions import Role

__all__ = ["tour"]

PATIENCE = 30.0
"""Seconds that an answer may take."""
_logger = logging.getLogger(__name__)


async def tour(url: str, badges: Mapping[Role, Badge], today: date, console: Console) -> bool:
    """The tour has been printed; whether every step came out as expected. It ends at the first that did not."""
    guide = _Guide(console)
    try:
        async with _connected(url, badges["user"], guide) as seller, _connected(url, badges["admin"], guide) as admin:
            await _lead(guide, seller, admin, today)
    except Exception as error:
        if not guide.failed:
            guide.cross("the server answers", error)
            _logger.exception("the tour broke off")
    return not guide.failed


async def _lead(guide: _Guide, seller: _Caller, admin: _Caller, today: date) -> None:
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


@dataclass(frozen=True, slots=True)
class _Caller:
    """One person's connection; what they ask and are told is printed."""

    client: Client
    name: str
    guide: _Guide

    def __str__(self) -> str:
        return self.name.partition(" ")[0]

    async def tools(self) -> set[str]:
        """The names of all tools that they are shown."""
        return {tool.name for tool in (await self.client.list_tools()).tools}

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The answer; the tour ends if it is an error."""
        answer, is_error = await self._ask(tool, arguments)
        self.guide.tell(json.dumps(answer["error"]) if is_error else answer["message"])
        if is_error:
            self.guide.expect(f"{tool} succeeds", False, answer)  # noqa: FBT003 - it does not hold
        return answer

    async def attempt(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The answer, whatever it is."""
        answer, _ = await self._ask(tool, arguments)
        self.guide.tell(json.dumps(answer))
        return answer

    async def _ask(self, tool: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        self.guide.tell(f"> {tool} {json.dumps(arguments)}", style="cyan")
        result = await self.client.call_tool(tool, arguments)
        return result.structured_content or {}, result.is_error


@asynccontextmanager
async def _connected(url: str, badge: Badge, guide: _Guide) -> AsyncIterator[_Caller]:
    headers = {"Authorization": f"Bearer {badge.key}"}
    # no proxy of the environment may come between this machine and itself
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False, timeout=PATIENCE) as http,
        Client(streamable_http_client(url, http_client=http), read_timeout_seconds=PATIENCE) as client,
    ):
        yield _Caller(client, badge.user.name, guide)


class _Unexpected(Exception):
    """The tour ends here."""


class _Guide:
    """Prints the tour."""

    def __init__(self, console: Console) -> None:
        self.failed = False
        self._console = console
        self._steps = 0

    def step(self, title: str) -> None:
        """Say what is tried next."""
        self._steps += 1
        self._console.print(f"\n{self._steps}. {title}", style="bold")

    def tell(self, line: str, style: str | None = None) -> None:
        """Print what was asked or answered."""
        self._console.print(f"   {line}", style=style)

    def list(self, lines: Iterable[str]) -> None:
        """Print what an answer has in it."""
        for line in lines:
            self.tell(f"  {line}")

    def expect(self, what: str, holds: bool, got: Any) -> None:  # noqa: FBT001 - a fact, not an option
        """Tick it off, or show what came in its place and end the tour."""
        if not holds:
            self.cross(what, got)
            raise _Unexpected
        self._console.print(f"   {self._sign('✓', 'ok:')} {what}", style="green")

    def cross(self, what: str, got: Any) -> None:
        """Say what was expected, and what came."""
        self.failed = True
        self._console.print(f"   {self._sign('✗', 'FAILED:')} expected: {what}", style="bold red")
        self.tell(f"got: {got if isinstance(got, Exception) else json.dumps(got)}")

    def _sign(self, sign: str, plain: str) -> str:
        return plain if self._console.options.ascii_only else sign


def _end_of_quarter(day: date) -> date:
    following = day.month - (day.month - 1) % 3 + 3
    return date(day.year + following // 13, (following - 1) % 12 + 1, 1) - timedelta(days=1)


def _money(amount: float) -> str:
    return f"{amount:,.2f}"


def _line(entry: Mapping[str, Any]) -> str:
    """An entry of a history: when, who, what."""
    change = entry["to"] if entry["from"] is None else f"{entry['from']} -> {entry['to']}"
    return f"{entry['at'][:19].replace('T', ' ')}  {entry['by']:<14} {entry['field']}: {change}"
