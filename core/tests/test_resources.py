"""What a resource must be, to be offered at all."""

from __future__ import annotations

import pytest

from sixty import Arguments, Call, resource
from sixty.errors import PluginError
from sixty.prompts import prompt


class OneThing(Arguments):
    id: str


def declared(uri: str, record: str | None = None) -> None:
    @resource(uri, name="thing", permission=None, record=record)
    async def thing(args: OneThing, call: Call) -> str:
        """A thing."""
        return args.id

    thing.check()


def test_a_template_and_its_arguments_have_the_same_names() -> None:
    declared("desk://things/{id}")
    with pytest.raises(PluginError, match=r"variables \['name'\] and the arguments \['id'\]"):
        declared("desk://things/{name}")


@pytest.mark.parametrize(
    ("uri", "says"), [("desk://things/{id", "no URI template"), ("things/{id}", "needs a scheme, such as crm://")]
)
def test_a_bad_address_is_refused(uri: str, says: str) -> None:
    with pytest.raises(PluginError, match=says):
        declared(uri)


def test_the_record_it_watches_is_one_of_its_variables() -> None:
    declared("desk://things/{id}", record="id")
    with pytest.raises(PluginError, match="watches the record 'thing_id', which is none of its variables"):
        declared("desk://things/{id}", record="thing_id")


def test_it_is_an_async_function_with_arguments_and_a_description() -> None:
    with pytest.raises(PluginError, match="must be an async function"):
        resource("desk://x", name="x", permission=None)(lambda _args, _call: None)  # type: ignore[arg-type, return-value]

    async def without(call: Call) -> str:
        """Say nothing."""
        return ""

    with pytest.raises(PluginError, match="must take `args`"):
        resource("desk://x", name="x", permission=None)(without)
    with pytest.raises(PluginError, match="the prompt x must take `args`"):
        prompt("x", permission=None)(without)

    async def mute(args: OneThing, call: Call) -> str:
        return ""

    with pytest.raises(PluginError, match="the resource desk://x has no description"):
        resource("desk://x", name="x", permission=None)(mute)
