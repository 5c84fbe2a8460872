"""Tools: what a pack offers to agents to call, and the decorator that makes one from an async function."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import cleandoc, iscoroutinefunction
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from sixty.errors import PluginError
from sixty.offers import EFFECTS, Handler, Offer

if TYPE_CHECKING:
    from sixty.offers import Effect, OfferKind
    from sixty.views import View

__all__ = ["Tool", "tool"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, eq=False)
class Tool(Offer):
    """One tool. Make it with `@tool`, or directly when the arguments are a plain JSON Schema."""

    kind: ClassVar[OfferKind] = "tool"

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            msg = f"the tool name {self.name!r} must be snake_case, at most 64 characters"
            raise PluginError(msg)
        super().__post_init__()

    @cached_property
    def wire(self) -> dict[str, Any]:
        """The tool as `tools/list` shows it."""
        shown: dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "inputSchema": self.input_schema,
            "annotations": {**EFFECTS[self.effect], "openWorldHint": self.open_world},
        }
        if self.effect == "destroy" and self.open_world:  # nobody can promise that for the world
            shown["annotations"]["idempotentHint"] = False
        if self.output_schema is not None:
            shown["outputSchema"] = _or_error(self.output_schema)
        return shown


_ERROR = {
    "type": "object",
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
    "required": ["code", "message"],
}


def _or_error(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a result, or of the error in its place: there are clients that hold errors to the schema as well.

    One that says already what it is besides is left as it is.
    """
    properties = result.get("properties", {})
    if "anyOf" in result or "error" in properties:
        return result
    either = [{"required": list(result.get("required", ()))}, {"required": ["error"]}]
    shape = {name: content for name, content in result.items() if name != "required"}
    return {**shape, "properties": {**properties, "error": _ERROR}, "anyOf": either}


def tool(
    name: str,
    *,
    permission: str | None,
    effect: Effect,
    rate: str = "standard",
    open_world: bool = False,
    interactive: bool = False,
    needs: tuple[View, ...] = (),
    aggregates: bool = False,
    input_schema: Mapping[str, Any] | None = None,
    output_schema: Mapping[str, Any] | None = None,
) -> Callable[[Handler], Tool]:
    """A tool made from an async function `(args, call)`.

    Its docstring is the description; the annotations of `args` and of the return value give the schemas, unless
    they are given as JSON Schemas. Raises `PluginError` for a function that cannot be a tool.
    """

    def decorate(function: Handler) -> Tool:
        if not iscoroutinefunction(function):
            msg = f"the tool {name} must be an async function"
            raise PluginError(msg)
        hints = typing.get_type_hints(function, localns={"Call": object})
        arguments, result = input_schema or hints.get("args"), output_schema or hints.get("return")
        if arguments is None:
            msg = f"the tool {name} must take `args` with a model as its type, or be given an input_schema"
            raise PluginError(msg)
        if not isinstance(result, Mapping) and not (isinstance(result, type) and issubclass(result, BaseModel)):
            result = None
        return Tool(
            name=name,
            description=cleandoc(function.__doc__ or ""),
            handler=function,
            permission=permission,
            effect=effect,
            arguments=arguments,
            result=result,
            rate=rate,
            open_world=open_world,
            interactive=interactive,
            needs=needs,
            aggregates=aggregates,
        )

    return decorate
