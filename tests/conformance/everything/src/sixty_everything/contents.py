"""Tools that answer with every kind of content, tell how far they are, fail, or change what is offered."""

from __future__ import annotations

from functools import partial

from mcp_types import AudioContent, EmbeddedResource, ImageContent, TextResourceContents
from pydantic import Field

from sixty import Arguments, Call, Conflict, tool

IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
"""One red pixel, a PNG."""
AUDIO = "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA=="
"""Silence, a WAV."""


trying = partial(tool, permission="everything:use", effect="read", rate="off")
"""A tool of this pack."""


class Nothing(Arguments):
    """No arguments."""


class Region(Arguments):
    """An argument that clients repeat in a header."""

    region: str = Field("nowhere", json_schema_extra={"x-mcp-header": "Region"})


ADDRESS = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
"""The keywords of draft 2020-12 that must reach the client as they are; the suite prescribes this schema."""


def image() -> ImageContent:
    """The red pixel."""
    return ImageContent(data=IMAGE, mime_type="image/png")


def embedded(uri: str, mime_type: str, text: str) -> EmbeddedResource:
    """A text that goes with a result."""
    return EmbeddedResource(resource=TextResourceContents(uri=uri, mime_type=mime_type, text=text))


@trying("test_simple_text")
async def test_simple_text(args: Nothing, call: Call) -> None:
    """Answer with a text."""
    call.attach("This is a simple text response for testing.")


@trying("test_image_content")
async def test_image_content(args: Nothing, call: Call) -> None:
    """Answer with an image."""
    call.attach(image())


@trying("test_audio_content")
async def test_audio_content(args: Nothing, call: Call) -> None:
    """Answer with a sound."""
    call.attach(AudioContent(data=AUDIO, mime_type="audio/wav"))


@trying("test_embedded_resource")
async def test_embedded_resource(args: Nothing, call: Call) -> None:
    """Answer with a resource inside the result."""
    call.attach(embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."))


@trying("test_multiple_content_types")
async def test_multiple_content_types(args: Nothing, call: Call) -> None:
    """Answer with a text, an image and a resource."""
    call.attach("Multiple content types test:")
    call.attach(image())
    call.attach(embedded("test://mixed-content-resource", "application/json", '{"test": "data", "value": 123}'))


@trying("test_tool_with_logging")
async def test_tool_with_logging(args: Nothing, call: Call) -> None:
    """Log three lines."""
    for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await call.client.log("info", line)
    call.attach("Tool with logging executed successfully")


@trying("test_logging_tool")
async def test_logging_tool(args: Nothing, call: Call) -> None:
    """Log a line of each level."""
    await call.client.log("debug", "Debug message")
    await call.client.log("info", "Info message")
    await call.client.log("warning", "Warning message")
    await call.client.log("error", "Error message")
    call.attach("Logged")


@trying("test_tool_with_progress")
async def test_tool_with_progress(args: Nothing, call: Call) -> None:
    """Report progress three times."""
    for done in (0, 50, 100):
        await call.client.progress(done, 100, f"Completed step {done} of 100")
    call.attach("Done")


@trying("test_error_handling")
async def test_error_handling(args: Nothing, call: Call) -> None:
    """Fail."""
    raise Conflict("This tool intentionally returns an error for testing")


@trying("test_x_mcp_header")
async def test_x_mcp_header(args: Region, call: Call) -> None:
    """Answer with the region."""
    call.attach(f"region={args.region}")


@trying("json_schema_2020_12_tool", input_schema=ADDRESS)
async def json_schema_2020_12_tool(args: object, call: Call) -> None:
    """Take arguments that only JSON Schema can describe."""
    call.attach("Accepted")


@trying("test_reconnection")
async def test_reconnection(args: Nothing, call: Call) -> None:
    """Answer; Sixty keeps no events for clients that come back, so the stream stays open instead."""
    await call.client.log("info", "Before the answer")
    call.attach("Reconnection test completed")


async def _come_or_go(call: Call) -> None:
    if call.host.pack("passing") is None:
        await call.host.enable("passing")
    else:
        await call.host.disable("passing")


@trying("test_trigger_tool_change", open_world=True)
async def test_trigger_tool_change(args: Nothing, call: Call) -> None:
    """Enable or disable a pack with a tool."""
    await _come_or_go(call)
    call.attach("tool list changed")


@trying("test_trigger_prompt_change", open_world=True)
async def test_trigger_prompt_change(args: Nothing, call: Call) -> None:
    """Enable or disable a pack with a prompt."""
    await _come_or_go(call)
    call.attach("prompt list changed")


TOOLS = [
    test_simple_text,
    test_image_content,
    test_audio_content,
    test_embedded_resource,
    test_multiple_content_types,
    test_tool_with_logging,
    test_logging_tool,
    test_tool_with_progress,
    test_error_handling,
    test_x_mcp_header,
    json_schema_2020_12_tool,
    test_reconnection,
    test_trigger_tool_change,
    test_trigger_prompt_change,
]
