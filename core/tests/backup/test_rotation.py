"""Which backups are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sixty.backup.manifest import Name
from sixty.backup.rotation import Keep, superfluous

FROM = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 3 * 365 * 24).map(lambda hours: FROM + timedelta(hours=hours))
backups = st.lists(moments.map(lambda at: Name.new("0123abcd", at)), max_size=40, unique_by=lambda it: it.name)
counts = st.integers(0, 8)
keeps = st.builds(Keep, counts, counts, counts)


@settings(deadline=None)
@given(backups=backups, keep=keeps)
def test_the_newest_is_kept_and_of_the_latest_days_weeks_and_months_the_last(backups: list[Name], keep: Keep) -> None:
    gone = {it.name for it in superfluous(backups, keep)}
    kept = [it for it in backups if it.name not in gone]
    assert gone <= {it.name for it in backups}
    assert len(kept) <= max(1, sum(keep))
    if backups:
        newest = max(it.made_at for it in backups)
        assert newest in {it.made_at for it in kept}
    days = sorted({it.made_at.date() for it in backups}, reverse=True)[: keep.daily]
    months = sorted({(it.made_at.year, it.made_at.month) for it in backups}, reverse=True)[: keep.monthly]
    for day in days:
        last = max(it.made_at for it in backups if it.made_at.date() == day)
        assert last in {it.made_at for it in kept}
    for month in months:
        last = max(it.made_at for it in backups if (it.made_at.year, it.made_at.month) == month)
        assert last in {it.made_at for it in kept}


@settings(deadline=None)
@given(backups=backups, keep=keeps)
def test_what_was_kept_is_kept_again(backups: list[Name], keep: Keep) -> None:
    gone = {it.name for it in superfluous(backups, keep)}
    assert superfluous([it for it in backups if it.name not in gone], keep) == []


def test_a_year_of_nights_leaves_seven_days_four_weeks_and_six_months() -> None:
    kept: list[Name] = []
    for night in range(365):
        kept.append(Name.new("0123abcd", FROM + timedelta(days=night, hours=2)))
        gone = {it.name for it in superfluous(kept, Keep(7, 4, 6))}
        kept = [it for it in kept if it.name not in gone]
    assert [f"{it.made_at:%m-%d}" for it in kept] == [
        *("07-31", "08-31", "09-30", "10-31", "11-30", "12-13", "12-20"),
        *("12-25", "12-26", "12-27", "12-28", "12-29", "12-30", "12-31"),
    ]


@settings(deadline=None)
@given(name=st.text(max_size=50) | st.from_regex(r"sixty-[0-9a-f]{8}-\d{8}T\d{12}Z\.zip", fullmatch=True))
def test_only_names_that_were_made_here_are_those_of_backups(name: str) -> None:
    found = Name.parse(name)
    assert found is None or f"{found.made_at:%Y%m%dT%H%M%S%fZ}" in name


@settings(deadline=None)
@given(at=moments)
def test_a_name_says_when_its_backup_was_made(at: datetime) -> None:
    name = Name.new("0123abcd", at)
    assert Name.parse(name.name) == name
