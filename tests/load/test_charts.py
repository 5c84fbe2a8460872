"""Charts are drawn from what a Prometheus answered, and what it did not answer is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # benchmarks are no distribution
pytest.importorskip("matplotlib", reason="it comes with the analytics pack")

from benchmarks.charts import Answers, draw, rows
from benchmarks.watched import queries


def test_a_row_is_drawn_and_each_query_without_data_is_told(tmp_path: Path) -> None:
    asked = [query for query in queries() if rows().get(query.panel) == "Redis"]
    metric = {"instance": "127.0.0.1:1", "stage": "sql", "status": "success"}
    series = [{"metric": metric, "values": [[1_000 + at, str(at)] for at in range(10)]}]
    answers = Answers([(query, series if place else []) for place, query in enumerate(asked)], {"127.0.0.1:1": "one"})

    pictures = draw(answers, tmp_path / "charts")

    assert [picture.name for picture in pictures] == ["redis.png"]
    assert pictures[0].read_bytes().startswith(b"\x89PNG")
    assert answers.missing == [f"no data for {asked[0].panel}: {asked[0].expression}"]
