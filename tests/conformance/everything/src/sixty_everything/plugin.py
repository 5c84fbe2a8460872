"""The fixtures of the conformance suite, as a third party would write them: nothing but what `sixty` exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty import Permissions, hookimpl
from sixty_everything import asking, contents, prompts, resources

if TYPE_CHECKING:
    from sixty import Completion, Prompt, Resource, Tool


@hookimpl
def sixty_permissions() -> list[Permissions]:
    return [
        Permissions(
            "everything", actions={"use": "Try every feature of the protocol"}, grants={"user": ("everything:use",)}
        )
    ]


@hookimpl
def sixty_tools() -> list[Tool]:
    return [*contents.TOOLS, *asking.TOOLS]


@hookimpl
def sixty_resources() -> list[Resource]:
    return resources.RESOURCES


@hookimpl
def sixty_prompts() -> list[Prompt]:
    return prompts.PROMPTS


@hookimpl
def sixty_completions() -> list[Completion]:
    return prompts.COMPLETIONS
