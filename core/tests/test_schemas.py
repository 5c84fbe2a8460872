"""Schemas small enough for an agent's context, and errors that name the value and the rule."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from sixty import Arguments, Day, Limit, Moment, Money, Page, Record, RecordId, Result, Text, Tool
from sixty.errors import Invalid, PluginError
from sixty.schemas import schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class Stage(StrEnum):
    OPEN = "open"
    WON = "won"


class Updates(Arguments):
    title: Text | None = None
    stage: Stage | None = None


class Everything(Arguments):
    record_id: RecordId
    title: Text
    value: Annotated[Money, Field(gt=0, le=10_000_000)] | None = None
    stage: Stage = Stage.OPEN
    status: Literal["a", "b"] | None = None
    day: Day | None = Field(None, description="Such as today")
    at: Moment | None = None
    limit: Limit = 25
    updates: Updates | None = None
    names: list[Text] = Field(default=[], max_length=3)
    flag: bool = False
    either: int | bool | None = None


class Shown(Record):
    title: str
    value: Money | None = None


class Found(Page):
    """This is for the author."""

    deals: list[Shown]


def test_arguments_are_plain() -> None:
    text = {"type": "string", "minLength": 1, "maxLength": 255}
    assert schema_of(Everything, "validation") == {
        "type": "object",
        "additionalProperties": False,
        "required": ["record_id", "title"],
        "properties": {
            "record_id": {"type": "string", "format": "uuid"},
            "title": text,
            "value": {"type": "number", "exclusiveMinimum": 0, "maximum": 10_000_000},
            "stage": {"type": "string", "enum": ["open", "won"], "default": "open"},
            "status": {"type": "string", "enum": ["a", "b"]},
            "day": {"type": "string", "description": "Such as today"},
            "at": {"type": "string", "description": "ISO 8601 with an offset, today, tomorrow, +3_days or +2_weeks"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 200, "default": 25},
            "updates": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"title": text, "stage": {"type": "string", "enum": ["open", "won"]}},
            },
            "names": {"type": "array", "items": text, "maxItems": 3, "default": []},
            "flag": {"type": "boolean", "default": False},
            "either": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]},
        },
    }


def test_results_say_what_a_client_gets() -> None:
    schema = schema_of(Found, "serialization")
    assert schema["type"] == "object"
    assert "description" not in schema
    deal = schema["properties"]["deals"]["items"]
    assert deal["properties"]["value"] == {"type": "number"}
    assert deal["properties"]["created_at"] == {"type": "string", "format": "date-time"}
    assert "value" not in deal["required"]
    assert {"deals", "count", "total", "message"} <= set(schema["required"])
    assert "next_cursor" not in schema["required"]


async def handler(args: Any, call: Any) -> None:
    """Do nothing."""


TOOL = Tool("try_it", "Try it", handler, None, "read", Everything)
WHAT_IDS_ARE = "ids are UUIDs, taken from an earlier answer or found with search_crm"
DAYS = "2027-03-31, today, tomorrow, +3_days or +2_weeks"
GOOD = {"record_id": "01a20443-858c-7175-95d9-427f7dccbc49", "title": "x"}


def refused(arguments: Mapping[str, Any]) -> Invalid:
    with pytest.raises(Invalid) as caught:
        TOOL.parse({**GOOD, **arguments}, {})
    return caught.value


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"value": 25_000_000}, "value must be at most 10000000, got 25000000"),
        ({"value": -1}, "value must be greater than 0, got -1"),
        ({"value": "12"}, "value must be a number, such as 50000 or 1999.99, got '12'"),
        ({"value": 1.005}, "value must be a number with at most two decimals, got 1.005"),
        ({"value": float("nan")}, "value must be a number with at most two decimals, got 'nan'"),
        ({"value": True}, "value must be a number, such as 50000 or 1999.99, got True"),
        ({"value": 10**400}, "value must be at most 10000000, got 'a number of 398 digits'"),
        ({"stage": "closed"}, "stage must be 'open' or 'won', got 'closed'"),
        ({"title": ""}, "title must have at least 1 character, got ''"),
        ({"title": "   "}, "title must not be empty, got '   '"),
        ({"title": 7}, "title must be text, got 7"),
        ({"title": "a\x00"}, "title must not contain the null character, got 'a\\x00'"),
        ({"title": "x" * 256}, f"title must have at most 255 characters, got '{'x' * 79}…'"),
        ({"limit": 0}, "limit must be at least 1, got 0"),
        ({"limit": 2.5}, "limit must be a whole number, got 2.5"),
        ({"limit": "10"}, "limit must be a whole number, got '10'"),
        ({"record_id": "7"}, f"record_id is not an id; {WHAT_IDS_ARE}, got '7'"),
        ({"flag": "yes"}, "flag must be a valid boolean, got 'yes'"),
        ({"names": ["a", ""]}, "names.1 must have at least 1 character, got ''"),
        ({"names": "a"}, "names must be a valid array, got 'a'"),
        ({"updates": {"titel": "x"}}, "unknown argument 'updates.titel'; did you mean 'title'?"),
        ({"updates": 3}, "updates must be an object, got 3"),
        ({"day": "someday"}, f"day must be a day such as {DAYS}, got 'someday'"),
        ({"lmit": 3}, "unknown argument 'lmit'; did you mean 'limit'?"),
    ],
)  # fmt: skip
def test_a_message_names_the_argument_the_rule_and_the_value(arguments: Mapping[str, Any], message: str) -> None:
    assert refused(arguments).message == message


def test_all_problems_are_told_at_once_the_first_in_detail() -> None:
    error = refused({"limit": 500, "value": 0, "nonsense": 1})
    assert error.message.count(";") == 2
    assert error.details == {"field": "value", "given": 0, "allowed": {"gt": 0}}


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(Invalid, match="the argument 'record_id' is missing; the argument 'title' is missing"):
        TOOL.parse({}, {})


def test_arguments_that_are_no_object_are_refused() -> None:
    with pytest.raises(Invalid):
        TOOL.parse(["x"], {})  # type: ignore[arg-type]


class Tree(BaseModel):
    children: list[Tree] = []


class Forest(Result):
    tree: Tree


def test_a_model_that_contains_itself_is_refused_when_the_tool_is_checked() -> None:
    with pytest.raises(PluginError, match="the model Forest contains itself; give the tool a plain JSON Schema"):
        Tool("grow", "Grow", handler, None, "read", Everything, Forest).check()


def test_what_json_has_no_type_for_comes_as_json_writes_it() -> None:
    class Sets(Arguments):
        stages: set[Stage]
        pair: tuple[int, int]
        day: date

    tool = Tool("try_sets", "Try sets", handler, None, "read", Sets)
    parsed = tool.parse({"stages": ["open", "open"], "pair": [1, 2], "day": "2026-03-02"}, {})
    assert (parsed.stages, parsed.pair, parsed.day) == ({Stage.OPEN}, (1, 2), date(2026, 3, 2))
    with pytest.raises(Invalid):
        tool.parse({"stages": ["open"], "pair": ["1", 2], "day": "2026-03-02"}, {})


def test_the_default_of_an_argument_that_may_be_left_empty_is_shown() -> None:
    class Sized(Arguments):
        size: int | None = 5

    assert schema_of(Sized, "validation")["properties"] == {"size": {"type": "integer", "default": 5}}
