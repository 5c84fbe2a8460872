"""What a pack offers to clients, of whatever kind: a name, a permission, typed arguments and a handler.

The call path knows nothing else of a tool, a resource, a prompt or a completion.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import orjson
from pydantic import BaseModel, PydanticUserError, ValidationError

from sixty.errors import Invalid, PluginError
from sixty.schemas import invalid, schema_of

if TYPE_CHECKING:
    from sixty.views import View

__all__ = ["EFFECTS", "METHODS", "Effect", "Handler", "Offer", "OfferKind", "model_of", "parsed"]

OfferKind = Literal["tool", "resource", "prompt", "completion"]
Effect = Literal["read", "create", "update", "destroy"]
EFFECTS: Mapping[Effect, Mapping[str, bool]] = {
    "read": {"readOnlyHint": True},
    "create": {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False},
    "update": {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True},
    "destroy": {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True},
}
"""What each effect promises to a client, as MCP annotations. The kernel refuses a `read` that writes."""

METHODS: Mapping[OfferKind, str] = {
    "tool": "tools/call",
    "resource": "resources/read",
    "prompt": "prompts/get",
    "completion": "completion/complete",
}
"""The method of MCP by which each kind is called."""

Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, eq=False)
class Offer:
    """What the call path needs of whatever is called."""

    kind: ClassVar[OfferKind]

    name: str
    description: str
    handler: Handler
    permission: str | None
    """`resource:action`; None where the handler itself asks for the permissions of what it touches."""
    effect: Effect
    arguments: type[BaseModel] | Mapping[str, Any]
    """A pydantic model, or a JSON Schema of type object; the handler then gets a dict."""
    result: type[BaseModel] | Mapping[str, Any] | None = None
    rate: str = "standard"
    """`standard`, `strict` or `bulk`, or a rate of its own such as `30/minute`."""
    open_world: bool = False
    """Whether it talks to the world outside; it then opens its own transactions with `call.transaction()`."""
    interactive: bool = False
    """Whether it asks the person, or the model, at the client; it is then run anew with each answer."""
    needs: tuple[View, ...] = ()
    """Views without which it is not offered."""
    aggregates: bool = False
    """Whether it shows figures over records: it then sees the narrower of its own scope and theirs."""

    def __post_init__(self) -> None:
        if not self.description:
            msg = f"the {self.kind} {self.name} has no description: write a docstring"
            raise PluginError(msg)
        if self.effect not in EFFECTS:
            msg = f"the {self.kind} {self.name} has the effect {self.effect!r}; it must be one of {', '.join(EFFECTS)}"
            raise PluginError(msg)

    @cached_property
    def input_schema(self) -> Mapping[str, Any]:
        """The JSON Schema of the arguments."""
        return self.arguments if isinstance(self.arguments, Mapping) else schema_of(self.arguments, "validation")

    @cached_property
    def output_schema(self) -> Mapping[str, Any] | None:
        """The JSON Schema of a successful result."""
        if self.result is None or isinstance(self.result, Mapping):
            return self.result
        return schema_of(self.result, "serialization")

    @cached_property
    def wire(self) -> dict[str, Any]:
        """The offer as a list shows it."""
        raise NotImplementedError

    @cached_property
    def _validator(self) -> Any:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - only offers with a schema of their own need it

        return Draft202012Validator(self.input_schema)

    def check(self) -> None:
        """Raise `PluginError` unless both schemas can be had and are valid; called when the plugin loads."""
        try:
            _ = self.wire
        except PydanticUserError as error:
            msg = f"the {self.kind} {self.name} has a model that has no JSON Schema: {error}"
            raise PluginError(msg) from error
        for schema in (self.arguments, self.result):
            if isinstance(schema, Mapping):
                from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 - as above

                try:
                    Draft202012Validator.check_schema(schema)
                except SchemaError as error:
                    msg = f"the {self.kind} {self.name} has a bad JSON Schema: {error.message}"
                    raise PluginError(msg) from error
                if schema.get("type") != "object":
                    msg = f"the {self.kind} {self.name} has a JSON Schema that is not of type object"
                    raise PluginError(msg)

    def parse(self, arguments: Mapping[str, Any], context: Mapping[str, Any]) -> Any:
        """The validated arguments: a model, or a dict where there is a JSON Schema. `Invalid` says what is wrong."""
        if isinstance(self.arguments, Mapping):
            try:
                orjson.dumps(arguments)
            except (TypeError, ValueError) as error:
                raise Invalid(f"the arguments cannot be written as JSON: {error}") from None
            first = min(self._validator.iter_errors(arguments), key=lambda error: list(error.path), default=None)
            if first is not None:
                field = ".".join(str(part) for part in first.path) or None
                raise Invalid(f"{field or 'the arguments'}: {first.message[:300]}", field=field)
            return dict(arguments)
        return parsed(self.arguments, arguments, context)


def parsed(model: type[BaseModel], arguments: Mapping[str, Any], context: Mapping[str, Any]) -> Any:
    """The arguments as `model` has them. `Invalid` says what is wrong with them."""
    try:
        return model.model_validate(arguments, context=dict(context))
    except ValidationError as error:
        return _parsed_json(model, arguments, dict(context), error)


def _parsed_json(
    model: type[BaseModel], arguments: Mapping[str, Any], context: dict[str, Any], first: ValidationError
) -> Any:
    """The arguments, looked at as the JSON they were: there a text can be an enum and a list can be a set."""
    try:
        return model.model_validate_json(json.dumps(arguments), context=context)
    except ValidationError as error:
        broken = error.errors(include_url=False)[0]["type"] == "json_invalid"  # such as half a character
        raise invalid(first if broken else error, model.model_fields) from None
    except (TypeError, ValueError):  # it was no JSON after all
        raise invalid(first, model.model_fields) from None


def model_of(function: Handler, what: str) -> type[BaseModel]:
    """The model of a handler's arguments; `what` it is for stands in a `PluginError`."""
    if not iscoroutinefunction(function):
        msg = f"{what} must be an async function"
        raise PluginError(msg)
    arguments = typing.get_type_hints(function, localns={"Call": object, "Work": object}).get("args")
    if not (isinstance(arguments, type) and issubclass(arguments, BaseModel)):
        msg = f"{what} must take `args` with a model as its type"
        raise PluginError(msg)
    return arguments
