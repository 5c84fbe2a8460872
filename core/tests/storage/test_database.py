"""What the kernel asks of a database, on both alike."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sixty.ids import new_id
from sixty.storage.columns import Cents, Id, Instant, Json
from sixty.storage.database import IntegrityViolation, StaleWrite, StorageUnavailable, open_database
from sixty.storage.functions import epoch
from sixty.storage.statements import Write
from sixty.tables import records, state, teams, users

if TYPE_CHECKING:
    from sixty.storage.database import Database

ADD_TEAM = sa.insert(teams)
NAMES = sa.select(teams.c.name).order_by(teams.c.name)


def team(name: str) -> Write:
    return Write(ADD_TEAM, {"id": new_id(), "name": name})


async def names(database: Database) -> list[str]:
    async with database.snapshot() as reader:
        return [row["name"] for row in await reader.rows(NAMES)]


async def test_after_analyzing_the_planner_knows_how_many_rows_there_are(database: Database) -> None:
    await database.apply([team(str(number)) for number in range(100)])
    await database.analyze()
    if database.dialect_name == "sqlite":
        (known,) = await database.rows(sa.text("SELECT stat FROM sqlite_stat1 WHERE idx = 'sqlite_autoindex_teams_2'"))
        assert known["stat"].split()[0] == "100"
    else:
        (known,) = await database.rows(sa.text("SELECT reltuples AS rows FROM pg_class WHERE relname = 'teams'"))
        assert known["rows"] == 100


async def test_a_burst_is_all_or_nothing(database: Database) -> None:
    await database.apply([team("a"), team("b")])
    with pytest.raises(IntegrityViolation):
        await database.apply([team("c"), team("a")])
    raised = sa.update(teams).where(teams.c.name == "nobody").values(name="x")
    with pytest.raises(StaleWrite):
        await database.apply([team("d"), Write(raised, {}, expect=1)])
    with pytest.raises(StaleWrite):
        await database.apply([Write(sa.update(teams).values(name=teams.c.name), {}, expect=1), team("e")])
    assert await names(database) == ["a", "b"]


async def test_a_dangling_pointer_is_refused(database: Database) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    row = {"id": new_id(), "kind": "x", "owner_id": new_id(), "version": 1, "created_at": now, "updated_at": now}
    with pytest.raises(IntegrityViolation):
        await database.apply([Write(sa.insert(records), {**row, "deleted_at": None, "merged_into": None})])


async def test_a_snapshot_stands_still(database: Database) -> None:
    async with database.snapshot() as reader:
        assert await reader.rows(NAMES) == []
        await database.apply([team("a")])
        assert await reader.rows(NAMES) == []
        assert await reader.row(NAMES) is None


async def test_a_cancelled_burst_is_there_or_not_but_never_by_halves(database: Database) -> None:
    for steps in range(30):
        burst = asyncio.create_task(database.apply([team(f"a{steps}"), team(f"b{steps}")]))
        for _ in range(steps):
            await asyncio.sleep(0)
        burst.cancel()
        await asyncio.gather(burst, return_exceptions=True)
    written = await names(database)
    assert {name[1:] for name in written if name[0] == "a"} == {name[1:] for name in written if name[0] == "b"}
    await database.apply([team("still serves")])


async def test_a_cancelled_reader_leaves_its_connection_usable(database: Database) -> None:
    async def read(steps: int) -> None:
        async with database.snapshot() as reader:
            for _ in range(steps):
                await reader.rows(NAMES)

    for steps in range(20):
        reading = asyncio.create_task(read(5))
        for _ in range(steps):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    assert await asyncio.gather(*(names(database) for _ in range(40))) == [[]] * 40


async def test_a_transaction_that_loses_against_another_is_stale_not_lost(database: Database) -> None:
    await database.apply([Write(sa.insert(state), {"name": "counter", "value": 0})])
    bump = sa.update(state).where(state.c.name == "counter", state.c.value == sa.bindparam("seen"))
    bump = bump.values(value=state.c.value + 1)

    async def count() -> bool:
        async with database.snapshot() as reader:
            (row,) = await reader.rows(sa.select(state).where(state.c.name == "counter"))
        try:
            await database.apply([Write(bump, {"seen": row["value"]}, expect=1)])
        except StaleWrite:
            return False
        return True

    won = sum(await asyncio.gather(*(count() for _ in range(30))))
    async with database.snapshot() as reader:
        (row,) = await reader.rows(sa.select(state).where(state.c.name == "counter"))
    assert row["value"] == won >= 1


values = sa.Table(
    "odd_values",
    sa.MetaData(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", Instant),
    sa.Column("cents", Cents),
    sa.Column("json", Json),
    sa.Column("day", sa.Date),
    sa.Column("number", sa.Integer),
    sa.Column("float", sa.Float),
    sa.Column("flag", sa.Boolean),
    sa.Column("exact", sa.Numeric(12, 4)),
    sa.Column("order", sa.Text),
)
text = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
scalars = st.integers(-(2**53), 2**53) | text | st.booleans() | st.none()
zones = st.sampled_from([UTC, timezone(timedelta(hours=9))])
moments = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=zones)  # noqa: DTZ001 - bounds of a strategy
rows = st.fixed_dictionaries(
    {
        "at": st.none() | moments,
        "cents": st.none() | st.integers(-(10**14), 10**14).map(lambda cents: Decimal(cents) / 100),
        "json": st.none() | st.dictionaries(text, scalars, max_size=3) | st.lists(scalars),
        "day": st.none() | st.dates(date(1, 1, 1)),
        "number": st.none() | st.integers(-(2**31), 2**31 - 1),
        "float": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "flag": st.none() | st.booleans(),
        "exact": st.none() | st.decimals(-(10**7), 10**7, places=4),
        "order": st.none() | text,
    }
)  # fmt: skip


async def test_values_come_back_as_they_went(database: Database) -> None:
    dialect = database._compiler.dialect
    await database.apply([Write(sa.text(str(sa.schema.CreateTable(values).compile(dialect=dialect))), {})])
    loop = asyncio.get_running_loop()
    insert, select = sa.insert(values), sa.select(values).where(values.c.id == sa.bindparam("wanted", type_=Id))

    async def check(row: dict[str, object]) -> None:
        row_id = new_id()
        await database.apply([Write(insert, {"id": row_id, **row})])
        async with database.snapshot() as reader:
            assert await reader.rows(select, {"wanted": row_id}) == [{"id": row_id, **row}]

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(rows)
    def examples(row: dict[str, object]) -> None:
        asyncio.run_coroutine_threadsafe(check(row), loop).result()

    await asyncio.to_thread(examples)


async def test_a_list_may_be_bound_to_in(database: Database) -> None:
    await database.apply([team("a"), team("b"), team("c")])
    wanted = sa.select(teams.c.name).where(teams.c.name.in_(["a", "c", "x"])).order_by(teams.c.name)
    async with database.snapshot() as reader:
        assert [row["name"] for row in await reader.rows(wanted)] == ["a", "c"]


async def test_a_value_that_a_statement_needs_and_does_not_get_is_our_bug(database: Database) -> None:
    async with database.snapshot() as reader:
        with pytest.raises(KeyError):
            await reader.rows(sa.select(users).where(users.c.email == sa.bindparam("wanted")))


async def test_a_postgres_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(StorageUnavailable):
        await open_database("postgresql+asyncpg://nobody@127.0.0.1:1/nowhere")


async def test_a_shared_read_sees_everything_written_before_it_was_asked_for(database: Database) -> None:
    async def write_and_read(name: str) -> list[str]:
        await database.apply([team(name)])
        return [row["name"] for row in await database.shared(NAMES)]

    written = [f"team {number}" for number in range(12)]
    seen = await asyncio.gather(*(write_and_read(name) for name in written))
    assert all(name in found for name, found in zip(written, seen, strict=True))


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
        datetime(2026, 3, 2, 9, 30, 59, 999_499, UTC),
        datetime(2026, 3, 2, 9, 30, 59, 999_500, UTC),
        datetime(2026, 3, 2, 9, 30, 59, 999_999, UTC),
        datetime(1969, 12, 31, 23, 59, 59, 500_000, UTC),
        datetime(2, 1, 1, tzinfo=UTC),
    ],
)
async def test_the_epoch_of_a_moment_is_cut_off_to_the_second(database: Database, moment: datetime) -> None:
    given = sa.select(epoch(sa.bindparam("moment", type_=Instant)).label("seconds"))
    (row,) = await database.rows(given, {"moment": moment})
    assert row["seconds"] == (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
