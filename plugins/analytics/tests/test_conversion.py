"""What converts, as its words and its edges go; that its counts are right is shown in `test_properties`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from ledger import Deal, keep

from sixty import Invalid, NotFound
from sixty.testing.clock import MORNING
from sixty_analytics.intervals import rate

if TYPE_CHECKING:
    from sixty.testing import Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"


def through(*stages: str, day: float = 30, **given: Any) -> Deal:
    """A deal that entered these stages, one a day, the first so many days ago."""
    return Deal(
        stays=tuple((stage, MORNING - timedelta(days=day - place)) for place, stage in enumerate(stages)), **given
    )


async def rates(sixty: Organisation, **arguments: Any) -> dict[str, Any]:
    return await sixty.as_role("admin").call("calculate_conversion_rates", **arguments)


def shares(told: dict[str, Any]) -> list[tuple[int, int]]:
    return [(stage["entered"], stage["converted"]) for stage in told["stages"]]


async def test_a_window_with_nothing_in_it_has_counts_and_no_rates(sixty: Organisation) -> None:
    told = await rates(sixty, start="2024-01-01", end="2024-12-31")
    assert told["message"] == "No deal that you can see was created from 2024-01-01 to 2024-12-31 (UTC)"
    assert told["insufficient_data"] == {"deals": told["message"]}
    assert told["overall"] == {"deals": 0, "won": 0, "lost": 0, "open": 0}
    assert [(stage["from"], stage["to"]) for stage in told["stages"]] == [
        ("sql", "opportunity"),
        ("opportunity", "verbal"),
        ("verbal", "signed"),
    ]
    assert not any({"rate", "low", "high"} & set(stage) for stage in told["stages"])


async def test_a_window_in_the_future_says_that_it_has_not_begun(sixty: Organisation) -> None:
    told = await rates(sixty, start="+1_days", end="+10_days")
    assert told["message"].endswith("(UTC), which has not begun")


async def test_a_skipped_stage_counts_as_converted_and_so_does_a_deal_that_came_back(sixty: Organisation) -> None:
    await keep(sixty, through("sql", "verbal"), through("sql", "opportunity", "sql"), through("opportunity"))
    told = await rates(sixty)
    assert shares(told) == [(2, 2), (2, 0), (1, 0)]
    assert told["stages"][0]["rate"] == 1
    assert "3 deals are still open and may yet go on" in told["definition"]["rules"][-1]


async def test_a_later_stage_counts_only_after_the_first_time_in_one(sixty: Organisation) -> None:
    await keep(sixty, through("verbal", "sql"))
    assert shares(await rates(sixty)) == [(1, 0), (0, 0), (1, 0)]


async def test_one_deal_has_a_rate_with_a_wide_interval(sixty: Organisation) -> None:
    await keep(sixty, through("sql", "opportunity", "verbal", "signed", value=Decimal(1)))
    told = await rates(sixty)
    assert told["message"] == (
        "1 deal created from 2025-03-03 to 2026-03-02 (UTC): 1 won, 0 lost, 0 open; win rate 100.0%"
    )
    assert [(stage["rate"], stage["low"], stage["high"]) for stage in told["stages"]] == [(1, 0.2065, 1)] * 3
    assert (told["overall"]["mean_days_to_win"], told["overall"]["won_share"]) == (3, 1)
    assert "insufficient_data" not in told


async def test_when_all_were_lost_the_rate_is_nought_and_known(sixty: Organisation) -> None:
    await keep(sixty, *(through("sql", "opportunity", lost=True) for _ in range(10)))
    told = await rates(sixty, cohort="closed")
    assert (told["overall"]["win_rate"], told["overall"]["low"], told["overall"]["high"]) == (0, 0, 0.2775)
    assert told["insufficient_data"] == {
        "mean_days_to_win": "none of the deals was won",
        "stages.verbal": "none of the deals was ever in verbal",
    }


async def test_deals_closed_nobody_knows_when_are_left_out_and_counted(sixty: Organisation) -> None:
    await keep(sixty, through("sql", lost=True, undated=True), through("sql", lost=True), through("sql"))
    told = await rates(sixty, cohort="closed")
    assert (told["overall"]["deals"], told["definition"]["left_out"]["no_closed_at"]) == (1, 1)
    assert (await rates(sixty))["overall"] | {"win_rate": 0} == {
        **told["overall"],
        "deals": 3,
        "lost": 2,
        "open": 1,
        "high": 0.6576,
        "won_share_high": 0.5615,
    }


async def test_a_deal_won_before_it_was_opened_has_no_cycle_time(sixty: Organisation) -> None:
    await keep(sixty, through("signed", day=9, opened_at=MORNING - timedelta(days=3)))
    told = await rates(sixty)
    assert "mean_days_to_win" not in told["overall"]
    assert told["definition"]["left_out"]["no_days_to_win"] == 1


async def test_nothing_closed_yet_leaves_the_win_rate_open(sixty: Organisation) -> None:
    await keep(sixty, through("sql"))
    assert (await rates(sixty))["insufficient_data"]["win_rate"] == "none of 1 deal is won or lost yet"


async def test_bad_windows_and_owners_are_refused(sixty: Organisation) -> None:
    with pytest.raises(Invalid, match="start must not be after end: 2027-01-01 is after 2026-03-02, which is today"):
        await rates(sixty, start="2027-01-01")
    with pytest.raises(Invalid, match="2026-02-02 is after 2026-02-01"):
        await rates(sixty, start="2026-02-02", end="2026-02-01")
    with pytest.raises(NotFound, match="owner_id"):
        await rates(sixty, owner_id=NOBODY)


async def test_all_time_begins_with_the_first_day_of_all(sixty: Organisation) -> None:
    await keep(sixty, through("sql", day=9000))
    assert (await rates(sixty, start="0001-01-01", end="9999-12-31"))["overall"]["deals"] == 1
    assert (await rates(sixty, end="0001-03-01"))["overall"]["deals"] == 0


@pytest.mark.parametrize(
    ("successes", "trials", "expected"),
    [
        (0, 0, (None, None, None)),
        (0, 20, (0.0, 0.0, 0.1611)),
        (1, 29, (0.0345, 0.0061, 0.1718)),
        (81, 263, (0.308, 0.2553, 0.3662)),
        (15, 148, (0.1014, 0.0624, 0.1605)),
    ],
)
def test_intervals_are_those_that_newcombe_published(
    successes: int, trials: int, expected: tuple[float | None, ...]
) -> None:
    # R. G. Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I
    assert tuple(rate(successes, trials)) == expected
