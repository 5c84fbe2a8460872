"""The same figures, computed by DuckDB from the plain rows. Nothing of the pack is used here."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

import duckdb
from ledger import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger import Activity, Deal

ORDER = {stage: place for place, stage in enumerate(WEIGHTS)}
_TABLES = """
CREATE TABLE deals (
    id TEXT, owner TEXT, stage TEXT, status TEXT, cents BIGINT, opened TIMESTAMP, closed TIMESTAMP, entered TIMESTAMP
);
CREATE TABLE stays (deal TEXT, place INT, stage TEXT, stage_place INT, entered TIMESTAMP, departed TIMESTAMP);
CREATE TABLE activities (id TEXT, owner TEXT, deal TEXT, type TEXT, status TEXT, happened TIMESTAMP);
CREATE TABLE weights (stage TEXT, weight DECIMAL(3, 2));
CREATE MACRO seconds(moment) AS CAST(floor(epoch(moment)) AS BIGINT);
"""


def _plain(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


class Reckoning:
    """What can be said of these deals and activities."""

    def __init__(self, deals: Iterable[Deal], activities: Iterable[Activity]) -> None:
        self._database = duckdb.connect(config={"threads": 1})
        self._database.execute(_TABLES)
        self._fill("weights", [list(pair) for pair in WEIGHTS.items()])
        known = list(deals)
        self._fill("deals", [self._deal(deal) for deal in known])
        self._fill("stays", [stay for deal in known for stay in self._stays(deal)])
        self._fill(
            "activities",
            [[one.id, one.owner_id, one.deal_id, one.type, one.status, _plain(one.at)] for one in activities],
        )

    def close(self) -> None:
        """Nothing more can be said."""
        self._database.close()

    def _deal(self, deal: Deal) -> list[Any]:
        cents = None if deal.value is None else int(deal.value * 100)
        moments = [_plain(moment) for moment in (deal.opened, deal.closed, deal.stays[-1][1])]
        return [deal.id, deal.owner_id, deal.stage, deal.status, cents, *moments]

    def _stays(self, deal: Deal) -> list[list[Any]]:
        ends = [*(entered for _, entered in deal.stays[1:]), None]
        return [
            [deal.id, place, stage, ORDER[stage], _plain(entered), _plain(ends[place])]
            for place, (stage, entered) in enumerate(deal.stays)
        ]

    def _fill(self, table: str, rows: list[list[Any]]) -> None:
        if rows:
            self._database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)  # noqa: S608

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """The rows of a query."""
        plain = {name: _plain(value) if isinstance(value, datetime) else value for name, value in values.items()}
        found = self._database.execute(query, {name: plain[name] for name in plain if f"${name}" in query})
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def standing(self, moment: datetime, *, past: bool) -> dict[str, dict[str, Any]]:
        """Open deals by stage: from the deals as they are, or from every stay as it was just before a past moment."""
        now = "SELECT stage, cents, opened, entered FROM deals WHERE status = 'open'"
        then = """
            SELECT stays.stage, cents, opened, stays.entered FROM stays JOIN deals ON deals.id = stays.deal
            WHERE stays.entered < $moment AND (departed IS NULL OR departed >= $moment) AND stays.stage != 'signed'
            AND NOT (status = 'lost' AND (closed IS NULL OR closed < $moment))
        """
        query = f"""
            SELECT stage, count(*) AS deals, sum(cents) AS cents, sum(cents * weight) AS weighted,
                avg(seconds($moment) - seconds(opened)) / 86400 AS age,
                avg(seconds($moment) - seconds(entered)) / 86400 AS stay
            FROM ({then if past else now}) JOIN weights USING (stage) GROUP BY ROLLUP (stage)
        """  # noqa: S608 - the two above
        return {row["stage"] or "all": row for row in self.rows(query, moment=moment)}

    def closed(self, start: datetime, end: datetime) -> dict[str, Any]:
        """What was won and lost, and how fast."""
        (row,) = self.rows(
            """
            SELECT count(*) FILTER (status = 'won') AS won, count(*) FILTER (status = 'lost') AS lost,
                avg(cents) FILTER (status = 'won') / 100 AS mean_value,
                avg(seconds(closed) - seconds(opened)) FILTER (status = 'won' AND closed >= opened) / 86400 AS days
            FROM deals WHERE closed >= $start AND closed < $end
            """,
            start=start,
            end=end,
        )
        return row

    def usual(self) -> dict[str, float]:
        """The 90th percentile of the stays of won deals, in seconds, by stage."""
        found = self.rows(
            """
            SELECT stays.stage, quantile_cont(seconds(departed) - seconds(stays.entered), 0.9) AS usual
            FROM stays JOIN deals ON deals.id = stays.deal
            WHERE status = 'won' AND closed IS NOT NULL AND departed IS NOT NULL
            GROUP BY stays.stage HAVING count(*) >= 5 AND usual > 0
            """
        )
        return {row["stage"]: row["usual"] for row in found}

    def stalled(self, now: datetime, usual: dict[str, float]) -> list[dict[str, Any]]:
        """All that have been in their stage for longer than is usual there, the worst first."""
        self._database.execute("CREATE OR REPLACE TEMP TABLE usual (stage TEXT, seconds DOUBLE)")
        self._fill("usual", [list(pair) for pair in usual.items()])
        return self.rows(
            """
            SELECT deals.id, deals.stage, (seconds($now) - seconds(entered)) / usual.seconds AS ratio,
                (seconds($now) - seconds(max(happened))) / 86400 AS idle
            FROM deals JOIN usual USING (stage)
                LEFT JOIN activities ON deal = deals.id AND activities.status = 'completed'
            WHERE deals.status = 'open'
            GROUP BY deals.id, deals.stage, entered, usual.seconds
            HAVING round(ratio, 9) > 1 ORDER BY round(ratio, 9) DESC, idle DESC NULLS FIRST, deals.id
            """,
            now=now,
        )

    def before_moving_on(self, stage: str) -> dict[str, int]:
        """Of the moves forwards from a stage, how many had which type of activity last before them, in the stay."""
        found = self.rows(
            """
            SELECT type, count(*) AS moves FROM (
                SELECT last(type ORDER BY happened, activities.id) AS type
                FROM stays
                    JOIN stays AS following ON following.deal = stays.deal AND following.place = stays.place + 1
                    JOIN activities ON activities.deal = stays.deal AND status = 'completed'
                        AND happened >= stays.entered AND happened < stays.departed
                WHERE stays.stage = $stage AND following.stage_place > stays.stage_place
                GROUP BY stays.deal, stays.place
            ) GROUP BY type
            """,
            stage=stage,
        )
        return {row["type"]: row["moves"] for row in found}

    def advances(self, cohort: str, start: datetime, end: datetime) -> dict[str, tuple[int, int]]:
        """By stage: how many deals were ever in it, and how many in a later one after that."""
        field = "opened" if cohort == "created" else "closed"
        found = self.rows(
            f"""
            WITH first AS (
                SELECT deal, stays.stage, stage_place, min(place) AS place FROM stays JOIN deals ON deals.id = deal
                WHERE {field} >= $start AND {field} < $end GROUP BY ALL
            )
            SELECT stage, count(*) AS entered, count(*) FILTER (EXISTS (
                SELECT 1 FROM stays AS later WHERE later.deal = first.deal AND later.place > first.place
                AND later.stage_place > first.stage_place
            )) AS converted FROM first GROUP BY stage
            """,  # noqa: S608 - one of the two above
            start=start,
            end=end,
        )
        return {row["stage"]: (row["entered"], row["converted"]) for row in found}

    def outcomes(self, cohort: str, start: datetime, end: datetime) -> dict[str, Any]:
        """What became of a cohort."""
        field = "opened" if cohort == "created" else "closed"
        (row,) = self.rows(
            f"""
            SELECT count(*) AS deals,
                count(*) FILTER (status = 'won') AS won, count(*) FILTER (status = 'lost') AS lost,
                avg(seconds(closed) - seconds(opened)) FILTER (status = 'won' AND closed >= opened) / 86400 AS days
            FROM deals WHERE {field} >= $start AND {field} < $end
            """,  # noqa: S608 - one of the two above
            start=start,
            end=end,
        )
        return row

    def members(self, start: datetime, end: datetime) -> dict[str | None, dict[str, Any]]:
        """The deals of each owner."""
        found = self.rows(
            """
            SELECT owner, count(*) FILTER (opened >= $start AND opened < $end) AS created,
                count(*) FILTER (status = 'won' AND closed >= $start AND closed < $end) AS won,
                count(*) FILTER (status = 'lost' AND closed >= $start AND closed < $end) AS lost,
                sum(cents) FILTER (status = 'won' AND closed >= $start AND closed < $end) AS won_cents,
                avg(seconds(closed) - seconds(opened)) FILTER (
                    status = 'won' AND closed >= $start AND closed < $end AND closed >= opened
                ) / 86400 AS days,
                count(*) FILTER (status = 'open') AS open,
                sum(cents) FILTER (status = 'open') AS open_cents,
                sum(cents * weight) FILTER (status = 'open') AS weighted
            FROM deals JOIN weights USING (stage) GROUP BY owner
            """,
            start=start,
            end=end,
        )
        return {row["owner"]: row for row in found}

    def done(self, start: datetime, end: datetime) -> dict[tuple[str | None, str], int]:
        """Completed activities by owner and type."""
        found = self.rows(
            """
            SELECT owner, type, count(*) AS activities FROM activities
            WHERE status = 'completed' AND happened >= $start AND happened < $end GROUP BY owner, type
            """,
            start=start,
            end=end,
        )
        return {(row["owner"], row["type"]): row["activities"] for row in found}

    def heatmap(self, start: datetime, end: datetime, zone: str) -> dict[tuple[int, int], int]:
        """Completed activities by weekday, Monday being 0, and hour."""
        found = self.rows(
            """
            SELECT isodow(there) - 1 AS day, hour(there) AS hour, count(*) AS activities FROM (
                SELECT (happened AT TIME ZONE 'UTC') AT TIME ZONE $zone AS there FROM activities
                WHERE status = 'completed' AND happened >= $start AND happened < $end
            ) GROUP BY ALL
            """,
            start=start,
            end=end,
            zone=zone,
        )
        return {(row["day"], row["hour"]): row["activities"] for row in found}


def money(cents: Any) -> float | None:
    """Cents, and fractions of them, as an amount rounded half to even; None stays None."""
    return None if cents is None else float((Decimal(cents) / 100).quantize(Decimal("0.01"), ROUND_HALF_EVEN))
