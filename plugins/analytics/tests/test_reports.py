"""Reports: made by the tool, read by address, in every format, of what the reader may see."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ledger
import pytest
from ledger import Activity, Deal, keep
from mcp.shared.exceptions import MCPError
from report_pages import Page, of_csv, of_json, of_xlsx, pixels

from sixty import Forbidden, Invalid, Unavailable
from sixty.people import add_team, add_user
from sixty.testing.clock import MORNING
from sixty_analytics import plugin
from sixty_analytics.formats import FORMATS, MIME_TYPES
from sixty_analytics.reports import NAMES
from sixty_analytics.targets import Holder, Target, set_target

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

FORMULA = "=cmd|' /C calc'!A0"
DAY = timedelta(days=1)


def ago(days: float) -> datetime:
    return MORNING - timedelta(days=days)


async def fill(sixty: Organisation) -> None:
    """A year of a small organisation, some of whose names a spreadsheet would run."""
    await add_team(sixty.host.database, "=1+1")
    sums = await add_user(sixty.host.database, email="sum@example.com", name="@SUM", team="=1+1", now=sixty.clock())
    owners = [sixty.as_role("user").user_id, sixty.as_role("manager").user_id, sums.id, None]
    kept: list[Deal | Activity] = []
    for number in range(24):
        begun = ago(300 - number * 12)
        stays = [("sql", begun), ("opportunity", begun + 3 * DAY), ("verbal", begun + 8 * DAY)][: number % 3 + 1]
        if number % 4 == 0:
            stays = [*stays[:1], ("signed", begun + 20 * DAY)]
        deal = Deal(
            tuple(stays),
            owner_id=owners[number % 4],
            value=Decimal(1000 * number + 50) / 100 if number % 5 else None,
            lost=number % 6 == 5,
            closed_at=begun + 30 * DAY,
            title=FORMULA if number % 7 == 0 else f"Deal {number}",
            expected_close_date=(MORNING + (number - 8) * 9 * DAY).date() if number % 8 else None,
        )
        kept.append(deal)
        for place in range(number % 3 + 1):
            of_type = ("call", "meeting", "email")[place]
            at = begun + timedelta(days=place + 1, hours=number)
            kept.append(Activity(min(at, MORNING), owners[number % 4], of_type, deal_id=deal.id))
    await keep(sixty, *kept)
    for holder, amount in ((Holder(), 100), (Holder(user_id=sums.id), 10)):
        for period in ("2026-03", "2026-Q1", "2026"):
            await set_target(sixty.host, Target(period, holder, Decimal(amount)))


async def read(client: Client, uri: str) -> str | bytes:
    async with client.connected() as connected:
        (content,) = (await connected.read_resource(uri)).contents
    assert content.mime_type == MIME_TYPES[uri.rpartition(".")[2]]  # type: ignore[index]
    return content.text if hasattr(content, "text") else b64decode(content.blob)


def numbers(rows: list[list[Any]]) -> list[list[Any]]:
    """Rows as the texts that CSV has of them."""
    return [["" if cell is None else str(cell) for cell in row] for row in rows]


@pytest.mark.parametrize("full", [False, True], ids=["empty", "full"])
@pytest.mark.parametrize("name", NAMES)
async def test_a_report_is_the_same_in_every_format(sixty: Organisation, name: str, *, full: bool) -> None:
    if full:
        await fill(sixty)
    admin = sixty.as_role("admin")
    outcome = await admin.outcome("generate_reports", report=name, format="json")
    assert not outcome.is_error, outcome.structured
    image, link = outcome.blocks
    assert (image["type"], image["mimeType"]) == ("image", "image/png")
    assert pixels(b64decode(image["data"]))[0] == 1000
    file = outcome.structured["file"]
    shown = {key: link[key] for key in ("type", "uri", "name", "mimeType")}
    assert shown == {
        "type": "resource_link",
        "uri": file["uri"],
        "name": file["name"],
        "mimeType": "application/json",
    }
    files = {form: await read(admin, file["uri"].removesuffix("json") + form) for form in FORMATS}
    content = json.loads(files["json"])
    tables = of_json(str(files["json"]))
    for table, brief in zip(content["tables"], outcome.structured["report"]["tables"], strict=True):
        assert (brief["name"], brief["row_count"]) == (table["name"], len(table["rows"]))
        assert brief["rows"] == table["rows"][:25]
        assert table["definition"]
    book = files["xlsx"]
    assert isinstance(book, bytes)
    sheets = of_xlsx(book)
    assert list(sheets) == list(tables)
    for title, rows in tables.items():
        assert [[cell for cell in row if cell is not None] for row in sheets[title]] == [
            [cell for cell in row if cell is not None] for row in rows
        ]
    for title, rows in of_csv(str(files["csv"]), list(tables)).items():
        assert [[cell.removeprefix("'") for cell in row] for row in rows] == numbers(tables[title])
    page = Page(str(files["html"]))
    assert [heading["id"] for heading in page.all("h2")] == [table["name"] for table in content["tables"]]
    assert "http" not in str(files["html"]).replace("http-equiv", "")
    alternatives = [image["alt"] for image in page.all("img")]
    assert alternatives[0] == outcome.structured["image"]["alt"]
    if not full:
        assert all(". No" in str(each) for each in alternatives)
        cells = [cell for rows in tables.values() for row in rows for cell in row]
        assert all(cell in (None, 0) or isinstance(cell, str) for cell in cells)


async def test_texts_that_would_run_are_texts_in_every_format(sixty: Organisation) -> None:
    await fill(sixty)
    admin = sixty.as_role("admin")
    name = (await admin.call("generate_reports", report="performance", format="csv"))["file"]["uri"]
    text = str(await read(admin, name))
    assert "\r\n'@SUM,'=1+1," in text
    assert "'@SUM" not in str(await read(admin, name.replace(".csv", ".html")))
    members = of_xlsx(bytes(await read(admin, name.replace(".csv", ".xlsx"))))["Members"]  # type: ignore[arg-type]
    assert ["@SUM", "=1+1"] in [row[:2] for row in members]


async def test_who_reads_a_report_sees_their_own_scope_whoever_made_it(sixty: Organisation) -> None:
    await fill(sixty)
    admin, manager = sixty.as_role("admin"), sixty.as_role("manager")
    made = await admin.call("generate_reports", report="performance", format="json")
    uri = made["file"]["uri"]
    whole, part = [of_json(str(await read(who, uri)))["Members"] for who in (admin, manager)]
    assert [row[0] for row in whole] == [
        "@SUM",
        "Ada Admin",
        "Max Manager",
        "Uma User",
        "nobody",
        "everybody whose deals you can see",
    ]
    assert [row[0] for row in part] == ["Ada Admin", "Max Manager", "Uma User", "everybody whose deals you can see"]
    assert part[:3] == whole[1:4]
    async with sixty.as_role("user").connected() as client:
        assert "generate_reports" not in {tool.name for tool in (await client.list_tools()).tools}
        assert not (await client.list_resource_templates()).resource_templates or all(
            "reports" not in found.uri_template for found in (await client.list_resource_templates()).resource_templates
        )
        with pytest.raises(MCPError):
            await client.read_resource(uri)
    with pytest.raises(Forbidden):
        await sixty.as_role("user").call("generate_reports", report="performance", format="json")


async def test_a_link_has_its_days_and_stays_about_them(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    stuck = Deal((("sql", ago(50)),), value=Decimal(700))
    await keep(sixty, stuck, Deal((("sql", ago(40)), ("signed", ago(20))), value=Decimal(100)))
    uri = (await admin.call("generate_reports", report="pipeline", format="json"))["file"]["uri"]
    assert uri == "crm://reports/pipeline/2025-12-03/2026-03-02/report.json"
    today = of_json(str(await read(admin, uri)))
    sixty.clock.advance(3 * DAY)
    await keep(sixty, Deal((("sql", sixty.clock()),), value=Decimal(9)))
    later = of_json(str(await read(admin, uri)))
    assert today["Stages"][0][:4] == later["Stages"][0][:4] == ["sql", 1, 700, 70]
    assert today["Movement"] == later["Movement"] == [["created", 2, 800, 0], ["won", 1, 100, 0], ["lost", 0, None, 0]]
    assert "Stalled deals" not in later
    past = await admin.call("generate_reports", report="pipeline", format="json", start="2025-06-01", end="2026-01-20")
    assert past["report"]["tables"][0]["rows"][0]["count"] == 1
    assert past["file"]["name"] == "pipeline-2025-06-01-2026-01-20.json"


@pytest.mark.parametrize("name", NAMES)
async def test_a_year_with_nothing_in_it_is_a_whole_report(sixty: Organisation, name: str) -> None:
    await fill(sixty)
    admin = sixty.as_role("admin")
    made = await admin.call("generate_reports", report=name, format="html", start="2019-01-01", end="2019-12-31")
    assert (made["report"]["start"], made["report"]["end"]) == ("2019-01-01", "2019-12-31")
    assert ". No" in made["image"]["alt"]
    assert "2019" in made["message"]


async def test_a_window_that_cannot_be_is_refused(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    for name in NAMES:
        for start, end in (("2026-02-01", "2026-01-01"), ("2010-01-01", "2026-01-01")):
            with pytest.raises(Invalid) as refused:
                await admin.call("generate_reports", report=name, format="csv", start=start, end=end)
            assert refused.value.details["field"] == "start"
    with pytest.raises(Invalid, match="pipeline"):
        await admin.call("generate_reports", report="pipelines", format="csv")


@pytest.mark.parametrize(
    "path",
    [
        "pipelines/2026-01-01/2026-02-01/report.csv",
        "pipeline/2026-01-01/2026-02-01/report.pdf",
        "pipeline/2026-13-01/2026-02-01/report.csv",
        "pipeline/2026-02-01/2026-01-01/report.csv",
        "pipeline/2026-02-01/report.csv",
    ],
)
async def test_nothing_is_at_an_address_that_is_none(sixty: Organisation, path: str) -> None:
    async with sixty.as_role("admin").connected() as client:
        with pytest.raises(MCPError):
            await client.read_resource(f"crm://reports/{path}")


async def test_the_pipeline_is_read_by_address(sixty: Organisation) -> None:
    uma = sixty.as_role("user").user_id
    await keep(sixty, Deal((("sql", ago(50)),), value=Decimal(700)), Deal((("sql", ago(5)),), uma, Decimal(1)))
    for role, value in (("admin", 701), ("manager", 1)):
        async with sixty.as_role(role).connected() as client:
            (content,) = (await client.read_resource("crm://pipeline")).contents
        assert json.loads(content.text)["totals"]["value"] == value  # type: ignore[union-attr]


async def test_activities_are_told_by_type_week_owner_and_hour(sixty: Organisation) -> None:
    uma = sixty.as_role("user").user_id
    monday = datetime(2026, 2, 16, 0, 0, tzinfo=UTC)
    given = [("call", monday, uma), ("call", monday - timedelta(microseconds=1), uma), ("email", monday + DAY, None)]
    await keep(sixty, *(Activity(at, owner, of_type) for of_type, at, owner in given))
    made = await sixty.as_role("admin").call(
        "generate_reports", report="activity", format="json", start="2026-02-10", end="2026-03-01"
    )
    tables = {table["name"]: table["rows"] for table in made["report"]["tables"]}
    assert tables["types"] == [{"type": "call", "all": 2}, {"type": "email", "all": 1}]
    assert tables["weeks"] == [
        {"from": "2026-02-09", "all": 1, "call": 1, "email": 0},
        {"from": "2026-02-16", "all": 2, "call": 1, "email": 1},
        {"from": "2026-02-23", "all": 0, "call": 0, "email": 0},
    ]
    assert tables["owners"] == [
        {"owner": "Uma User", "all": 2, "call": 2, "email": 0},
        {"owner": "nobody", "all": 1, "call": 0, "email": 1},
    ]
    assert [row["weekday"] for row in tables["hours"] if sum(map(int, list(row.values())[1:]))] == [
        "Monday",
        "Tuesday",
        "Sunday",
    ]


async def test_a_long_time_is_told_by_month(sixty: Organisation) -> None:
    await keep(sixty, Activity(datetime(2024, 1, 31, 23, 59, tzinfo=UTC)), Activity(MORNING))
    made = await sixty.as_role("admin").call(
        "generate_reports", report="activity", format="json", start="2024-01-15", end="2026-03-02"
    )
    months = next(table["rows"] for table in made["report"]["tables"] if table["name"] == "months")
    assert months[0] == {"from": "2024-01", "all": 1, "call": 1}
    assert {row["from"] for row in months if row["all"]} == {"2024-01", "2026-03"} - {"2026-03"}
    file = of_json(str(await read(sixty.as_role("admin"), made["file"]["uri"])))["Months"]
    assert (len(file), file[-1]) == (27, ["2026-03", 1, 1])


async def test_a_heatmap_comes_with_its_picture(sixty: Organisation) -> None:
    await keep(sixty, Activity(ago(1)))
    outcome = await sixty.as_role("admin").outcome("get_activity_heatmap")
    (image,) = outcome.blocks
    assert pixels(b64decode(image["data"]))[0] == 1000
    assert outcome.structured["image"] == {
        "name": "heatmap.png",
        "alt": "Completed activities by weekday and hour. The highest: Sunday 09: 1.",
        "mime_type": "image/png",
    }


@pytest.mark.parametrize("plugins", [(("ledger", ledger.pack), ("analytics", plugin))])
@pytest.mark.usefixtures("plugins")
async def test_without_activities_only_their_report_is_not_there(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    for name in NAMES:
        if name != "activity":
            await admin.call("generate_reports", report=name, format="csv")
    with pytest.raises(Unavailable, match="nobody keeps activities here"):
        await admin.call("generate_reports", report="activity", format="csv")
