"""Prompts that people start, and the completion of what they type into prompts and addresses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from sixty.offers import Offer, model_of
from sixty.values import Arguments

if TYPE_CHECKING:
    from collections.abc import Callable

    from sixty.offers import Handler, OfferKind
    from sixty.views import View

__all__ = ["Completing", "Completion", "Prompt", "completion", "prompt"]


@dataclass(frozen=True, eq=False)
class Prompt(Offer):
    """One prompt. Make it with `@prompt`."""

    kind: ClassVar[OfferKind] = "prompt"

    @cached_property
    def wire(self) -> dict[str, Any]:
        """The prompt as `prompts/list` shows it."""
        required = self.input_schema.get("required", ())
        arguments = [
            {"name": name, "description": field.get("description", ""), "required": name in required}
            for name, field in self.input_schema.get("properties", {}).items()
        ]
        return {"name": self.name, "description": self.description, "arguments": arguments}


class Completing(Arguments):
    """What somebody has typed so far."""

    value: str = Field("", max_length=200)
    arguments: dict[str, str] = Field(default_factory=dict)
    """The arguments that are filled in already, by name."""


@dataclass(frozen=True, eq=False)
class Completion(Offer):
    """Completes one argument. Make it with `@completion`."""

    kind: ClassVar[OfferKind] = "completion"

    @cached_property
    def wire(self) -> dict[str, Any]:
        """Nothing: completions are listed nowhere."""
        return {}


def prompt(
    name: str,
    *,
    permission: str | None,
    interactive: bool = False,
    rate: str = "standard",
    needs: tuple[View, ...] = (),
    aggregates: bool = False,
) -> Callable[[Handler], Prompt]:
    """A prompt made from an async function `(args, call)`; its docstring is the description.

    It returns a text, which the user then says, or a list of texts and of MCP's `PromptMessage`s. `needs` and
    `aggregates` are those of a tool.
    """

    def decorate(function: Handler) -> Prompt:
        return Prompt(
            name=name,
            description=cleandoc(function.__doc__ or ""),
            handler=function,
            permission=permission,
            effect="read",
            arguments=model_of(function, f"the prompt {name}"),
            rate=rate,
            interactive=interactive,
            needs=needs,
            aggregates=aggregates,
        )

    return decorate


def completion(
    argument: str, *, permission: str | None, of: str | None = None, rate: str = "off"
) -> Callable[[Handler], Completion]:
    """The completion of `argument`, wherever it is asked for, or only in the prompt or address `of`.

    The function takes `args: Completing` and returns the values that begin with, or are meant by, `args.value`.
    """

    def decorate(function: Handler) -> Completion:
        return Completion(
            name=argument if of is None else f"{of}#{argument}",
            description=cleandoc(function.__doc__ or ""),
            handler=function,
            permission=permission,
            effect="read",
            arguments=model_of(function, f"the completion of {argument}"),
            rate=rate,
        )

    return decorate
