"""A pack that comes and goes: `test_trigger_tool_change` and `test_trigger_prompt_change` enable and disable it."""

from __future__ import annotations

from sixty import Arguments, Call, Prompt, Tool, hookimpl, prompt, tool


class Nothing(Arguments):
    """No arguments."""


@tool("test_dynamic_tool", permission=None, effect="read")
async def test_dynamic_tool(args: Nothing, call: Call) -> None:
    """Do nothing, and be gone soon."""


@prompt("test_dynamic_prompt", permission=None)
async def test_dynamic_prompt(args: Nothing, call: Call) -> str:
    """Say nothing, and be gone soon."""
    return "Nothing."


@hookimpl
def sixty_tools() -> list[Tool]:
    return [test_dynamic_tool]


@hookimpl
def sixty_prompts() -> list[Prompt]:
    return [test_dynamic_prompt]
