"""`/webhooks`: subscriptions by plain HTTP and JSON, for who is no MCP client. Each request is one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from sixty.call import call_tool
from sixty.errors import Invalid, Unauthenticated
from sixty.outcome import Outcome
from sixty.request import Request
from sixty.server.bodies import read_body
from sixty.server.caller import CALLER
from sixty.server.replies import reply
from sixty.webhooks.failures import list_webhook_failures, replay_webhook
from sixty.webhooks.managing import (
    create_webhook,
    delete_webhook,
    get_webhook,
    list_webhook_events,
    list_webhooks,
    rotate_webhook,
    update_webhook,
)
from sixty.webhooks.trying import try_webhook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import Receive, Scope, Send

    from sixty.host import Host
    from sixty.tools import Tool

__all__ = ["PATH", "Webhooks", "refuse_plainly"]

PATH = "/webhooks"

_STATUSES = {
    "invalid": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "rate_limited": 429,
    "internal": 500,
    "unavailable": 503,
}
_CODES = {status: code for code, status in _STATUSES.items()}
_UNCACHED = (b"cache-control", b"no-store")
_OF_ALL: dict[tuple[str, ...], dict[str, Tool]] = {
    (): {"GET": list_webhooks, "POST": create_webhook},
    ("events",): {"GET": list_webhook_events},
}
_OF_ONE: dict[tuple[str, ...], dict[str, Tool]] = {
    (): {"GET": get_webhook, "PATCH": update_webhook, "DELETE": delete_webhook},
    ("rotate",): {"POST": rotate_webhook},
    ("test",): {"POST": try_webhook},
    ("failures",): {"GET": list_webhook_failures},
    ("replay",): {"POST": replay_webhook},
}
"""Which call is made at which path below `/webhooks/{id}`, by method."""


class Webhooks:
    """`/webhooks` behind the gate."""

    def __init__(self, host: Host, max_body: int) -> None:
        self._host = host
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of a caller that the gate has let through."""
        path, method = scope["path"], scope["method"]
        tools, place = _found(path)
        if (tool := tools.get(method)) is None:
            await _refuse_path(send, path, tools)
            return
        body = await read_body(dict(scope["headers"]), receive, self._max_body)
        if body is None:
            message = f"the request is larger than {self._max_body} bytes; send less at once"
            await _refuse(send, 413, {"code": "invalid", "message": message})
            return
        try:
            outcome = await self._called(tool, {**_object(body), **place})
        except (Invalid, Unauthenticated) as error:
            outcome = Outcome.of({"error": error.to_json()}, is_error=True)
        await _answer(send, tool, outcome)

    async def _called(self, tool: Tool, arguments: Mapping[str, Any]) -> Outcome:
        caller = CALLER.get()
        request = Request(
            tool=tool.name,
            arguments=arguments,
            principal=caller.principal,
            token=caller.token,
            transport=caller.transport,
            address=caller.address,
            idempotency_key=caller.idempotency_key,
            traceparent=caller.traceparent,
            offer=tool,
        )
        return await call_tool(self._host, request)


async def refuse_plainly(
    send: Send,
    status: int,
    _code: int,
    message: str,
    headers: Iterable[tuple[bytes, bytes]] = (),
    data: Mapping[str, Any] | None = None,
) -> None:
    """Send a refusal in the form of this interface: `{"error": {"code", "message", …}}`."""
    await _refuse(send, status, data or {"code": _CODES.get(status, "invalid"), "message": message}, headers)


async def _refuse(
    send: Send, status: int, error: Mapping[str, Any], headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    await reply(send, status, orjson.dumps({"error": error}), headers)


def _found(path: str) -> tuple[Mapping[str, Tool], Mapping[str, str]]:
    """The calls that can be made at a path, by method, and what the path says itself; nothing if there are none."""
    parts = tuple(part for part in path.removeprefix(PATH).split("/") if part)
    if parts in _OF_ALL:
        return _OF_ALL[parts], {}
    return _OF_ONE.get(parts[1:], {}), {"id": parts[0]}


def _object(body: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise Invalid(f"the body is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise Invalid("the body must be a JSON object")
    return content


async def _refuse_path(send: Send, path: str, tools: Mapping[str, Tool]) -> None:
    if not tools:
        await _refuse(send, 404, {"code": "not_found", "message": f"nothing is at {path[:80]}"})
        return
    error = {"code": "invalid", "message": f"{path} takes {' and '.join(tools)}"}
    await _refuse(send, 405, error, [(b"allow", ", ".join(tools).encode())])


async def _answer(send: Send, tool: Tool, outcome: Outcome) -> None:
    content = outcome.structured
    if outcome.is_error:
        error = content["error"]
        wait = [(b"retry-after", b"%d" % error["retry_after"])] if "retry_after" in error else []
        await _refuse(send, _STATUSES.get(error["code"], 500), error, wait)
        return
    if outcome.blocks:  # a new secret, which is in no result that is kept
        content = {**content, "secret": outcome.blocks[0]["text"]}
    await reply(send, 201 if tool is create_webhook else 200, orjson.dumps(content), [_UNCACHED])
