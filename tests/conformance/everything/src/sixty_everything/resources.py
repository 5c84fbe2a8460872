"""Resources: a text, bytes, a template, and one to subscribe to."""

from __future__ import annotations

from base64 import b64decode

from sixty import Arguments, Call, resource
from sixty_everything.contents import IMAGE, Nothing


class OneOfMany(Arguments):
    """The variable of the template."""

    id: str


@resource("test://static-text", name="static-text", permission="everything:use", mime_type="text/plain")
async def static_text(args: Nothing, call: Call) -> str:
    """A text."""
    return "This is the content of the static text resource."


@resource("test://static-binary", name="static-binary", permission="everything:use", mime_type="image/png")
async def static_binary(args: Nothing, call: Call) -> bytes:
    """An image."""
    return b64decode(IMAGE)


@resource("test://template/{id}/data", name="template", permission="everything:use")
async def template(args: OneOfMany, call: Call) -> dict[str, object]:
    """One of many."""
    return {"id": args.id, "templateTest": True, "data": f"Data for ID: {args.id}"}


@resource("test://watched-resource", name="watched-resource", permission="everything:use", mime_type="text/plain")
async def watched(args: Nothing, call: Call) -> str:
    """A text to subscribe to."""
    return "Watched resource content"


RESOURCES = [static_text, static_binary, template, watched]
