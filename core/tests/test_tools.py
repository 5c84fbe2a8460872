"""Making tools: what can be one, and what is refused when it is made or loaded."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sixty import Arguments, Call, Result, Tool, tool
from sixty.errors import PluginError


class Nothing(Arguments):
    pass


class Found(Result):
    count: int


def test_a_tool_takes_its_words_and_schemas_from_its_function() -> None:
    @tool("do_it", permission="things:do", effect="update", open_world=True)
    async def do_it(args: Nothing, call: Call) -> Result:
        """Do it.

        And say so.
        """

    assert do_it.wire == {
        "name": "do_it",
        "description": "Do it.\n\nAnd say so.",
        "inputSchema": {"type": "object", "properties": {}, "additionalProperties": False},
        "outputSchema": do_it.wire["outputSchema"],
        "annotations": {
            "readOnlyHint": False,
            "destructiveHint": False,
            "idempotentHint": True,
            "openWorldHint": True,
        },
    }


def test_what_destroys_in_the_world_outside_is_not_said_to_be_the_same_twice() -> None:
    @tool("launch", permission="things:do", effect="destroy", open_world=True)
    async def launch(args: Nothing, call: Call) -> Result:
        """Launch it."""

    @tool("forget", permission="things:do", effect="destroy")
    async def forget(args: Nothing, call: Call) -> Result:
        """Forget it."""

    assert launch.wire["annotations"]["idempotentHint"] is False
    assert forget.wire["annotations"]["idempotentHint"] is True


def test_the_schema_that_clients_see_fits_results_and_errors_and_nothing_else() -> None:
    @tool("look", permission=None, effect="read")
    async def look(args: Nothing, call: Call) -> Found:
        """Look."""
        raise NotImplementedError

    seen = Draft202012Validator(look.wire["outputSchema"])
    error = {"success": False, "error": {"code": "invalid", "message": "No", "field": "count"}}
    assert seen.is_valid({"success": True, "message": "Found", "count": 1})
    assert seen.is_valid(error)
    assert not seen.is_valid({"success": True, "message": "Found"})
    assert not seen.is_valid({"success": False, "error": {"code": "invalid"}})
    assert not Draft202012Validator(look.output_schema).is_valid(error)  # the tool itself does not return any


def test_a_schema_of_alternatives_is_shown_as_it_is() -> None:
    either = {"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}

    @tool("look", permission=None, effect="read", output_schema=either)
    async def look(args: Nothing, call: Call) -> dict[str, int]:
        """Look."""
        raise NotImplementedError

    assert look.wire["outputSchema"] is either


@pytest.mark.parametrize("name", ["", "Do", "do-it", "1st", "do it", "x" * 65])
def test_a_name_is_snake_case(name: str) -> None:
    with pytest.raises(PluginError, match="must be snake_case"):

        @tool(name, permission=None, effect="read")
        async def do_it(args: Nothing, call: Call) -> None:
            """Do it."""


def test_a_tool_has_a_description() -> None:
    with pytest.raises(PluginError, match="has no description: write a docstring"):

        @tool("do_it", permission=None, effect="read")
        async def do_it(args: Nothing, call: Call) -> None:
            pass


def test_a_tool_has_one_of_the_effects() -> None:
    with pytest.raises(PluginError, match="it must be one of read, create, update, destroy"):

        @tool("do_it", permission=None, effect="delete")  # type: ignore[arg-type]
        async def do_it(args: Nothing, call: Call) -> None:
            """Do it."""


def test_a_tool_is_an_async_function_with_typed_arguments() -> None:
    with pytest.raises(PluginError, match="must be an async function"):

        @tool("do_it", permission=None, effect="read")
        def do_it(args: Nothing, call: Call) -> None:  # type: ignore[arg-type]
            """Do it."""

    with pytest.raises(PluginError, match="must take `args` with a model as its type"):

        @tool("do_it", permission=None, effect="read")
        async def do_that(call: Call) -> None:
            """Do it."""


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "objekt"}, "bad JSON Schema"),
        ({"type": "array"}, "not of type object"),
        ({"type": "object", "properties": {"a": 3}}, "bad JSON Schema"),
    ],
)
def test_a_bad_json_schema_is_found_when_the_tool_is_checked(schema: dict[str, Any], message: str) -> None:
    async def handler(args: Any, call: Any) -> None:
        """Do nothing."""

    with pytest.raises(PluginError, match=message):
        Tool("do_it", "Do it", handler, None, "read", schema).check()
    with pytest.raises(PluginError, match=message):
        Tool("do_it", "Do it", handler, None, "read", {"type": "object"}, schema).check()
