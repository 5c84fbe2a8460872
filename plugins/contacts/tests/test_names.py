"""What two spellings of a company's name have in common."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sixty_contacts.names import beginning, name_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller & Söhne GmbH", "MULLER SOHNE"),
        ("Müller und Söhne GmbH & Co. KG", "Muller & Sohne"),
        ("Acme, Inc.", "acme"),
        ("Acme Ltd", "ACME LIMITED"),
        ("Nestlé S.A.", "Nestle"),
        ("L'Oréal SA", "l oreal"),
        ("Ørsted A/S", "Ørsted"),
        ("Żabka Polska Sp. z o.o.", "zabka polska"),
        ("AT&T Corp.", "AT & T"),
        ("  Acme \t Robotics ", "acme robotics"),
    ],
)
def test_spellings_of_a_name_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Acme", "Acme Robotics"), ("AG", "SE"), ("🙂", "🙃"), ("Inc", "Acme Inc"), ("李", "王")]
)
def test_other_names_have_other_keys(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@given(st.text(min_size=1, max_size=255).filter(str.strip))
def test_every_name_has_a_key_that_fits_and_stays(name: str) -> None:
    key = name_key(name)
    assert key
    assert len(key) <= 255
    assert name_key(name.strip()) == key


def test_a_pattern_takes_nothing_for_a_wildcard() -> None:
    assert beginning("Acme GmbH") == "acme%"
    assert beginning("%") == "/%%"
    assert beginning("_") == "/_%"
    assert beginning("/") == "//%"
