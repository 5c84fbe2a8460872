"""How a person is found in a text, and nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sixty.erasing.values import Values

ANN = Values(["ann@example.com", "+49 30 1234567", "Ann Lee", "https://example.com/in/annlee", "Ann", "12", ""])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("mail ANN@Example.com.", "mail [erased]."),
        ("joann@example.com, ann@example.com.au and x.ann@example.com", None),
        ("call +49 (30) 12345-67 or 49301234567", "call [erased] or [erased]"),
        ("at home (030) 1234567, 0049 30 123 45 67", "at home [erased], [erased]"),
        ("order 493012345678 or 12345", None),
        ("Ann  Lee and ann\nlee", "[erased] and [erased]"),
        ("Joann Leeds, Ann Leeds", None),
        ("see https://example.com/in/annlee now", "see [erased] now"),
        ("Ann said so", None),
    ],
)
def test_only_the_person_is_taken_out(text: str, left: str | None) -> None:
    assert ANN.without(text) == (text if left is None else left)
    assert ANN.are_in(text) is (left is not None)


def test_what_many_share_is_not_looked_for() -> None:
    assert ANN.ignored == ("12", "Ann")


@pytest.mark.parametrize("site", ["https://example.com", "https://example.com/", "example.com", "www.example.com"])
def test_a_site_where_many_have_pages_is_left_alone(site: str) -> None:
    assert Values([site]).ignored == (site,)


@pytest.mark.parametrize("page", ["https://example.com/in/ann", "example.com/in/ann", "https://example.com/in/ann/"])
def test_a_page_of_somebodys_is_looked_for(page: str) -> None:
    assert Values([page]).without(f"see {page} now") == "see [erased] now"


def test_values_are_found_at_any_depth_and_in_names() -> None:
    deep = {"a": [1, None, {"ann lee": {"b": "by Ann Lee"}}]}
    assert ANN.are_in(deep)
    assert ANN.without(deep) == {"a": [1, None, {"[erased]": {"b": "by [erased]"}}]}


def test_without_values_nothing_is_found() -> None:
    assert not Values([]).are_in("Ann Lee")
    assert Values([]).without("Ann Lee") == "Ann Lee"


@given(st.text(max_size=40), st.text(max_size=40))
def test_nothing_of_it_is_left_whatever_stands_around(before: str, after: str) -> None:
    text = f"{before} ann@example.com {after}"
    assert not ANN.are_in(ANN.without(text))
