"""Making tools: what can be one, and what is refused when it is made or loaded."""

from __future__ import annotations

from typing import Any

import pytest

from sixty import Arguments, Call, Result, Tool, tool
from sixty.errors import PluginError


class Nothing(Arguments):
    pass


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
        "outputSchema": do_it.output_schema,
        "annotations": {
            "readOnlyHint": False,
            "destructiveHint": False,
            "idempotentHint": True,
            "openWorldHint": True,
        },
    }


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
