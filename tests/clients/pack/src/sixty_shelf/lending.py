"""Something for everybody, of each kind that is listed: whoever is connected is told of each list."""

from __future__ import annotations

from sixty import Arguments, Call, Prompt, Resource, Result, Text, Tool, hookimpl, prompt, resource, tool


class Nothing(Arguments):
    """No arguments."""


class Loan(Arguments):
    """What somebody takes home."""

    title: Text


@tool("lend_book", permission=None, effect="read")
async def lend_book(args: Loan, call: Call) -> Result:
    """Lend a book."""
    return Result(message=f"Bring {args.title} back in time")


@resource("lending://terms", name="terms", permission=None, mime_type="text/plain")
async def terms(args: Nothing, call: Call) -> str:
    """How long a book is lent."""
    return "Four weeks."


@prompt("remind", permission=None)
async def remind(args: Loan, call: Call) -> str:
    """Ask for a book back."""
    return f"Ask politely for {args.title}"


@hookimpl
def sixty_tools() -> list[Tool]:
    """One."""
    return [lend_book]


@hookimpl
def sixty_resources() -> list[Resource]:
    """One."""
    return [terms]


@hookimpl
def sixty_prompts() -> list[Prompt]:
    """One."""
    return [remind]
