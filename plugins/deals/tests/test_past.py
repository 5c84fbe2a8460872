"""What a line of another system says of a deal's past, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sixty import Invalid
from sixty_deals.past import Past, Stay, Told, past
from sixty_deals.rules import STAGES, path_of

UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def day(number: int, hour: int = 0) -> datetime:
    """A day of January 2025, or after it."""
    return datetime(2025, 1, 1, hour, tzinfo=UTC) + timedelta(days=number - 1)


def of(before: Past | None = None, **told: Any) -> Past:
    return past(Told(**told), NOW, UTC_ZONE, before)


def stays(deal: Past) -> list[tuple[str, datetime, datetime | None]]:
    return [(stay.stage, stay.entered_at, stay.left_at) for stay in deal.stays]


def refused(field: str, **told: Any) -> str:
    with pytest.raises(Invalid) as error:
        of(**told)
    assert error.value.details["field"] == field
    return str(error.value)


def test_a_deal_has_the_stays_whose_dates_are_known() -> None:
    entered = {"verbal": day(20), "sql": day(1), "opportunity": day(10)}
    deal = of(stage="signed", entered=entered, closed_at=day(30))
    assert stays(deal) == [
        ("sql", day(1), day(10)),
        ("opportunity", day(10), day(20)),
        ("verbal", day(20), day(30)),
        ("signed", day(30), None),
    ]
    assert [stay.from_stage for stay in deal.stays] == [None, "sql", "opportunity", "verbal"]
    assert (deal.status, deal.opened_at, deal.closed_at) == ("won", day(1), day(30))
    assert deal.columns["path"] == "sql opportunity verbal signed"
    assert deal.columns["stage_entered_at"] == day(30)


def test_a_stage_that_was_skipped_is_not_made_up() -> None:
    deal = of(stage="signed", opened_at=day(1), closed_at=day(9))
    assert stays(deal) == [("signed", day(9), None)]


def test_a_deal_without_any_date_is_there_since_now() -> None:
    assert stays(of(stage="sql")) == [("sql", NOW, None)]
    won = of(stage="signed")
    assert (won.status, won.opened_at, won.closed_at) == ("won", NOW, None)
    lost = of(status="lost")
    assert (lost.stage, lost.status, lost.closed_at) == ("sql", "lost", None)


def test_a_deal_that_was_lost_stays_in_the_last_stage_that_is_known() -> None:
    deal = of(status="lost", opened_at=day(1), entered={"opportunity": day(5)}, closed_at=day(9), lost_reason="dear")
    assert stays(deal) == [("opportunity", day(5), None)]
    assert (deal.status, deal.closed_at, deal.lost_reason) == ("lost", day(9), "dear")


def test_the_present_stage_begins_when_the_deal_was_opened_if_nobody_knows_better() -> None:
    assert stays(of(stage="verbal", opened_at=day(3))) == [("verbal", day(3), None)]
    deal = of(stage="verbal", opened_at=day(1), entered={"sql": day(1), "opportunity": day(4)})
    assert stays(deal)[-1] == ("verbal", day(4), None)


def test_it_was_opened_on_the_first_day_that_is_known() -> None:
    assert of(stage="sql", created_at=day(2)).opened_at == day(2)
    assert of(stage="verbal", entered={"verbal": day(8)}, created_at=day(2)).opened_at == day(2)
    assert of(stage="sql", opened_at=day(5)).opened_at == day(5)


def test_what_happens_at_the_same_time_is_in_the_order_of_the_pipeline() -> None:
    deal = of(stage="verbal", entered=dict.fromkeys(("verbal", "sql", "opportunity"), day(1)))
    assert [stay.stage for stay in deal.stays] == ["sql", "opportunity", "verbal"]


def test_a_day_without_a_time_is_not_before_a_moment_of_that_day() -> None:
    deal = of(stage="signed", opened_at=day(1, 15), entered={"opportunity": day(1)}, closed_at=day(1))
    assert stays(deal) == [("opportunity", day(1, 15), day(1, 15)), ("signed", day(1, 15), None)]
    midnight = datetime(2025, 1, 31, 23, tzinfo=UTC)  # of the first of February
    berlin = past(
        Told(stage="sql", status="lost", opened_at=midnight + timedelta(hours=9), closed_at=midnight), NOW, BERLIN
    )
    assert berlin.closed_at == berlin.opened_at
    won = of(stage="signed", opened_at=day(1), entered={"signed": day(2, 8)}, closed_at=day(2))
    assert (won.closed_at, won.stays[-1].entered_at) == (day(2, 8), day(2, 8))


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("closed_at", {"stage": "signed", "opened_at": day(5), "closed_at": day(3)}),
        ("closed_at", {"stage": "sql", "closed_at": day(3)}),
        ("closed_at", {"stage": "signed", "closed_at": NOW + timedelta(days=2)}),
        ("opened_at", {"stage": "sql", "opened_at": NOW + timedelta(days=2)}),
        ("sql_at", {"stage": "sql", "opened_at": day(1), "entered": {"sql": NOW + timedelta(days=2)}}),
        ("sql_at", {"stage": "sql", "opened_at": day(3), "entered": {"sql": day(1)}}),
        ("verbal_at", {"stage": "verbal", "status": "lost", "entered": {"verbal": day(4)}, "closed_at": day(3)}),
        ("stage", {"stage": "sql", "entered": {"sql": day(1), "opportunity": day(2)}}),
        ("stage", {}),
        ("status", {"stage": "signed", "status": "lost"}),
        ("status", {"stage": "signed", "status": "open"}),
        ("status", {"stage": "sql", "status": "won"}),
        ("lost_reason", {"stage": "sql", "lost_reason": "too dear"}),
        ("stages", {"stage": "sql", "opened_at": day(1), "stays": [Stay("verbal", day(3)), Stay("sql", day(2))]}),
    ],
)
def test_what_contradicts_itself_is_refused(field: str, told: dict[str, Any]) -> None:
    assert refused(field, **told)


def test_a_line_without_a_stage_is_told_which_there_are() -> None:
    assert "sql, opportunity, verbal, signed" in refused("stage")


def test_stays_that_are_given_count_as_they_are() -> None:
    given_stays = [Stay("verbal", day(1), day(2), None, "came so"), Stay("sql", day(2), None, "verbal")]
    deal = of(stage="sql", opened_at=day(1), stays=given_stays, entered={"opportunity": day(1)})
    assert list(deal.stays) == given_stays
    assert deal.columns["path"] == "verbal sql"
    signed = of(status="won", stays=[Stay("signed", day(4))])
    assert (signed.closed_at, signed.opened_at) == (None, day(4))
    assert of(stays=[Stay("verbal", day(4))]).stage == "verbal"


# of a deal that is there

OPEN = of(stage="opportunity", opened_at=day(1), entered={"sql": day(1), "opportunity": day(5)})


def test_a_line_that_says_nothing_new_leaves_the_past_as_it_was() -> None:
    assert of(OPEN) == OPEN
    assert of(OPEN, stage="opportunity", entered={"sql": day(1), "opportunity": day(5)}, opened_at=day(1)) == OPEN


def test_another_stage_is_a_new_stay_at_the_date_given_or_now() -> None:
    dated = of(OPEN, stage="verbal", entered={"verbal": day(9)})
    assert stays(dated) == [("sql", day(1), day(5)), ("opportunity", day(5), day(9)), ("verbal", day(9), None)]
    assert of(OPEN, stage="verbal").stays[-1].entered_at == NOW
    won = of(OPEN, status="won", closed_at=day(12))
    assert stays(won)[-1] == ("signed", day(12), None)
    assert (won.stage, won.status) == ("signed", "won")


def test_a_deal_that_is_lost_now_keeps_its_stage() -> None:
    lost = of(OPEN, status="lost", lost_reason="gone quiet")
    assert (lost.stage, lost.status, lost.closed_at, lost.lost_reason) == ("opportunity", "lost", NOW, "gone quiet")
    assert lost.stays == OPEN.stays
    assert of(lost, status="lost") == lost
    assert of(lost) == lost
    assert of(lost, status="open").closed_at is None


def test_a_won_deal_that_is_lost_after_all_was_lost_somewhere_else() -> None:
    won = of(OPEN, status="won", closed_at=day(12))
    lost = of(won, status="lost", closed_at=day(20))
    assert (lost.stage, lost.status) == ("sql", "lost")
    assert stays(lost)[-1] == ("sql", day(20), None)


def test_a_date_that_is_mended_moves_the_stay() -> None:
    mended = of(OPEN, entered={"opportunity": day(7)})
    assert stays(mended) == [("sql", day(1), day(7)), ("opportunity", day(7), None)]


# in general

moments = st.integers(0, 400).map(day)


@settings(max_examples=200)
@given(
    stage=st.none() | st.sampled_from(STAGES),
    status=st.sampled_from([None, "open", "won", "lost"]),
    opened_at=st.none() | moments,
    closed_at=st.none() | moments,
    entered=st.dictionaries(st.sampled_from(STAGES), moments),
)
def test_whatever_a_line_says_the_past_is_in_order_or_refused(**told: Any) -> None:
    try:
        deal = of(**told)
    except Invalid as error:
        assert error.details["field"]  # noqa: PT017 - most of what is made up is refused, and says where
        return
    times = [stay.entered_at for stay in deal.stays]
    assert times == sorted(times)
    assert deal.opened_at <= times[0]
    assert times[-1] <= (deal.closed_at or NOW)
    assert deal.stays[-1].stage == deal.stage
    assert (deal.stage == "signed") == (deal.status == "won")
    assert deal.closed_at is None or deal.status != "open"
    assert [stay.left_at for stay in deal.stays] == [*times[1:], None]
    assert all(one.stage != other.stage and other.from_stage == one.stage for one, other in pairwise(deal.stays))
    known = {(stay.stage, stay.entered_at) for stay in deal.stays}
    assert set(told["entered"].items()) <= known
    assert deal.columns["path"] == path_of(stay.stage for stay in deal.stays)
    assert of(deal) == deal
    assert of(deal, **told) == deal
    assert of(**replace_stays(deal)) == deal


def replace_stays(deal: Past) -> dict[str, Any]:
    """What an export says of a deal."""
    return {
        "stage": deal.stage,
        "status": deal.status,
        "opened_at": deal.opened_at,
        "closed_at": deal.closed_at,
        "stays": [replace(stay) for stay in deal.stays],
    }
