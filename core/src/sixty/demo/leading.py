"""The part of the tour that is about figures: last year's pipeline comes in from a file, and is read and answered.

Each step is taken where the packs that it needs are installed.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp.types import ImageContent, ResourceLink, TextResourceContents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sixty.demo.guide import Caller, Guide

__all__ = ["Place", "lead"]

LAST_YEAR = Path(__file__).with_name("last_crm.csv")
"""The pipeline of 2025 as another CRM has written it: 96 lines, of which one cannot be true."""
_YEAR = {"start": "2025-01-01", "end": "2025-12-31"}
_LINES, _BAD = 96, 1
_HOURS = range(7, 20)
_SHADES = " .:-=+*#%@"
_PNG = b"\x89PNG\r\n\x1a\n"

_MAPPING = (
    ("--key", "No."),
    ("--set", "title={Product} for {Customer|somebody}"),
    ("--map", "company_name=Customer"),
    ("--map", "owner=Seller"),
    ("--map", "value=Amount"),
    ("--map", "stage=Phase"),
    ("--value", "stage.Lead=sql"),
    ("--value", "stage.Offer sent=opportunity"),
    ("--value", "stage.Negotiation=verbal"),
    ("--value", "stage.Won=signed"),
    ("--value", "stage.Lost=,status=lost"),
    ("--map", "lost_reason=Why lost"),
    ("--map", "opened_at=Opened"),
    ("--map", "sql_at=Opened"),
    ("--map", "opportunity_at=Offer"),
    ("--map", "verbal_at=Negotiation"),
    ("--map", "closed_at=Closed"),
    ("--date-format", "%d.%m.%Y"),
    ("--decimal", ","),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the demo lives."""

    database_url: str
    folder: Path
    """Where files may be saved."""


async def lead(guide: Guide, admin: Caller, place: Place) -> None:
    """Every step has been taken for which the tools are there."""
    await _import(guide, admin, place)
    tools = await admin.tools()
    if "calculate_conversion_rates" in tools:
        await _conversion(guide, admin)
    if "generate_reports" in tools:
        await _report(guide, admin, place.folder)
    if {"get_activity_heatmap", "create_activity"} <= tools:
        await _heatmap(guide, admin)


async def _import(guide: Guide, admin: Caller, place: Place) -> None:
    guide.step(f"{admin} imports last year's pipeline from the CRM that the team has left")
    rejects = place.folder / "last_crm.rejected.csv"
    words = ["import", "deals", str(LAST_YEAR), "--user", admin.email, "--rejects", str(rejects)]
    words += [word for pair in _MAPPING for word in pair]
    command = [shlex.join([*words[:2], LAST_YEAR.name, *words[3:5]])]
    command += [f"      {option} {shlex.quote(value)}" for option, value in _MAPPING]
    guide.tell("> sixty " + " \\\n   ".join(command), style="cyan")
    status, printed = await _run(words, place.database_url)
    guide.list(printed)
    rejected = rejects.read_text(encoding="utf-8-sig") if rejects.exists() else ""
    right = status == 1 and f"{_LINES - _BAD} made, {_BAD} rejected" in printed[0] and "before opened_at" in rejected
    guide.expect(
        "all are in but one, which was closed before it was opened", right, {"status": status, "said": printed}
    )
    _, again = await _run(words, place.database_url)
    unchanged = f"{_LINES - _BAD} unchanged" in again[0]
    guide.expect("the same file again changes nothing", unchanged, again)


async def _run(words: Sequence[str], database_url: str) -> tuple[int, list[str]]:
    """The exit status of a command, and the lines that it printed. No setting of the environment reaches it."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SIXTY_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from sixty_command import main; main()", *words),
        env={**environ, "SIXTY_DATABASE_URL": database_url, "PYTHONIOENCODING": "utf-8"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    return process.returncode or 0, printed.decode().splitlines() or [""]


async def _conversion(guide: Guide, admin: Caller) -> None:
    guide.step(f"{admin} asks what became of the deals of last year")
    told = await admin.call("calculate_conversion_rates", **_YEAR)
    guide.list(_rate(stage) for stage in told["stages"] if "rate" in stage)
    overall = told["overall"]
    adds_up = overall["won"] + overall["lost"] + overall["open"] == overall["deals"]
    between = all(stage["low"] <= stage["rate"] <= stage["high"] for stage in told["stages"] if "rate" in stage)
    guide.expect("won, lost and open add up, and each rate has its interval", adds_up and between, told)


async def _report(guide: Guide, admin: Caller, folder: Path) -> None:
    guide.step(f"{admin} has a report of the pipeline made, with its chart")
    told, blocks = await admin.call_whole("generate_reports", report="pipeline", format="html")
    images = [base64.b64decode(block.data) for block in blocks if isinstance(block, ImageContent)]
    links = [block for block in blocks if isinstance(block, ResourceLink)]
    guide.expect("there is an image, and a link to the whole file", len(images) == len(links) == 1, told)
    (page,) = (await admin.client.read_resource(links[0].uri)).contents
    text = page.text if isinstance(page, TextResourceContents) else ""
    chart, report = folder / "pipeline.png", folder / "pipeline.html"
    chart.write_bytes(images[0])
    report.write_text(text, encoding="utf-8")
    guide.list((f"saved {chart.name} ({len(images[0]):,} bytes)", f"saved {report.name} ({len(text):,} characters)"))
    whole = images[0].startswith(_PNG) and text.rstrip().endswith("</html>")
    guide.expect("both can be opened", whole, {"image": images[0][:8].hex(), "text": text[-80:]})


async def _heatmap(guide: Guide, admin: Caller) -> None:
    guide.step(f"{admin} asks when the team works")
    told = await admin.call("get_activity_heatmap", start="-26_weeks", end="yesterday")
    rows = told["heatmap"]
    most = max(max(row) for row in rows) or 1
    guide.list(
        f"{day}  {''.join(_SHADES[-(-row[hour] * (len(_SHADES) - 1) // most)] for hour in _HOURS)}"
        for day, row in zip(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), rows, strict=True)
    )
    total = sum(map(sum, rows))
    guide.expect("every completed activity is in one of the hours", total == told["total"] > 0, told)


def _rate(stage: Mapping[str, Any]) -> str:
    share = f"{stage['rate']:.0%} ({stage['low']:.0%} to {stage['high']:.0%})"
    return f"{stage['from']:<12} -> {stage['to']:<12} {stage['converted']:>3} of {stage['entered']:>3}  {share}"
