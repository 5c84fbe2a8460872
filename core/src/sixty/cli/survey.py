"""What the packs in a folder ask for, as JSON: `python -m sixty.cli.survey FOLDER`.

It is a process of its own, so that nothing of a pack is loaded where it is not installed yet.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import redirect_stdout
from importlib.metadata import distributions
from typing import Any

from sixty.errors import OperatorError
from sixty.lifecycle import GROUP, load_in_time

__all__ = ["survey"]


async def survey(folder: str) -> list[dict[str, Any]]:
    """Each pack in the folder: its name and distribution, and its terms, or why it cannot be loaded."""
    found: list[dict[str, Any]] = []
    for distribution in distributions(path=[folder]):
        for entry in distribution.entry_points.select(group=GROUP):
            what: dict[str, Any] = {
                "name": entry.name,
                "distribution": distribution.name,
                "version": distribution.version,
            }
            try:
                what["terms"] = (await load_in_time(entry.name, entry, os.environ)).terms.to_json()
            except OperatorError as error:
                what["problem"] = str(error)
            found.append(what)
    return found


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    with redirect_stdout(sys.stderr):  # a pack may print what it likes
        brought = asyncio.run(survey(sys.argv[1]))
    print(json.dumps(brought))  # noqa: T201 - it is what this process is for
