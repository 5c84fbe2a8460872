"""Prompts: plain, with arguments, with a resource, with an image, and one that asks first; and a completion."""

from __future__ import annotations

from mcp_types import PromptMessage
from pydantic import BaseModel

from sixty import Arguments, Call, Completing, completion, prompt
from sixty_everything.contents import Nothing, embedded, image

_WORDS = ("paris", "park", "party")


class Two(Arguments):
    """Two texts."""

    arg1: str
    arg2: str


class Embedding(Arguments):
    """The resource to embed."""

    resourceUri: str  # noqa: N815 - the suite's name


class Context(BaseModel):
    """A form that asks for a context."""

    context: str


@prompt("test_simple_prompt", permission="everything:use")
async def test_simple_prompt(args: Nothing, call: Call) -> str:
    """A plain text."""
    return "This is a simple prompt for testing."


@prompt("test_prompt_with_arguments", permission="everything:use")
async def test_prompt_with_arguments(args: Two, call: Call) -> str:
    """A text with two arguments in it."""
    return f"Prompt with arguments: arg1='{args.arg1}', arg2='{args.arg2}'"


@prompt("test_prompt_with_embedded_resource", permission="everything:use")
async def test_prompt_with_embedded_resource(args: Embedding, call: Call) -> list[object]:
    """A resource, and a text about it."""
    block = embedded(args.resourceUri, "text/plain", "Embedded resource content for testing.")
    return [PromptMessage(role="user", content=block), "Please process the embedded resource above."]


@prompt("test_prompt_with_image", permission="everything:use")
async def test_prompt_with_image(args: Nothing, call: Call) -> list[object]:
    """An image, and a text about it."""
    return [PromptMessage(role="user", content=image()), "Please analyze the image above."]


@prompt("test_input_required_result_prompt", permission="everything:use", interactive=True)
async def test_input_required_result_prompt(args: Nothing, call: Call) -> str:
    """A prompt that asks what it is about."""
    answer = await call.client.ask("What context should the prompt use?", Context, key="user_context")
    return f"Use the following context: {answer.content.context if answer.content else 'none'}"


@completion("arg1", permission="everything:use", of="test_prompt_with_arguments")
async def words(args: Completing, call: Call) -> list[str]:
    """Complete a word."""
    return [word for word in _WORDS if word.startswith(args.value)]


PROMPTS = [
    test_simple_prompt,
    test_prompt_with_arguments,
    test_prompt_with_embedded_resource,
    test_prompt_with_image,
    test_input_required_result_prompt,
]
COMPLETIONS = [words]
