"""Somebody at the client of a test, who answers what tools ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes import desk, notes

from sixty.conversation import MissingCapability

if TYPE_CHECKING:
    from sixty.testing import Organisation


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("notes", notes), ("desk", desk))


async def test_forms_are_filled_in_with_what_the_test_says(sixty: Organisation) -> None:
    person = sixty.as_role("user").answering(sure=True, reason="because")
    assert (await person.call("ask_twice"))["answers"] == ["True", "because"]


async def test_or_as_plainly_as_they_allow(sixty: Organisation) -> None:
    sure, reason = (await sixty.as_role("user").answering().call("ask_twice"))["answers"]
    assert sure == "True"
    assert len(reason) >= 3


async def test_the_model_says_little_and_no_folder_is_open(sixty: Organisation) -> None:
    assert (await sixty.as_role("user").answering().call("ask_model"))["answers"] == ["Hello"]


async def test_an_answer_that_never_fits_ends_the_call(sixty: Organisation) -> None:
    outcome = await sixty.as_role("user").answering(sure="perhaps").outcome("ask_twice")
    assert outcome.structured["error"]["code"] == "unavailable"


async def test_nobody_is_asked_unless_the_test_says_so(sixty: Organisation) -> None:
    with pytest.raises(MissingCapability, match="elicitation"):
        await sixty.as_role("user").call("ask_twice")


async def test_what_they_are_told_is_kept(sixty: Organisation) -> None:
    client = sixty.as_role("user").answering()
    await client.call("talk", level="warning")
    assert client.person is not None
    assert client.person.told == [("progress", 1, 2, "half"), ("log", "warning", {"text": "something"}, "talk")]
