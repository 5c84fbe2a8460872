"""`python -m benchmarks [PART]`: run a part, print what came of it, and write it to `benchmarks/results/PART.json`."""

from __future__ import annotations

import json
import sys
from importlib import import_module

from benchmarks.options import Options
from benchmarks.report import RESULTS
from benchmarks.turns import say

PARTS = ("calls", "lists", "listeners", "cycles", "duplicates", "scale", "imports", "outbox", "load")


def main() -> int:
    """Run the part; the exit status is 1 if something failed that may not, since figures with errors mean nothing."""
    options = Options.parse(PARTS, __doc__)
    RESULTS.mkdir(exist_ok=True)
    report = import_module(f"benchmarks.{options.part}").measured(options)
    report.show()
    (RESULTS / f"{options.part}.json").write_text(json.dumps(report.to_json(), indent=2) + "\n")
    for failure in report.failures:
        say(f"FAILED: {failure}")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
