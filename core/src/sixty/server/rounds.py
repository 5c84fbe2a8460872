"""The client of one call: told of progress, and asked, in the way of its era.

In the newest era a question ends the call with `input_required` and the client calls again with the answers. In the
handshake era the server asks over the session and runs the call again itself. A handler sees no difference.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mcp.server.connection import allowed_log_levels
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    INVALID_PARAMS,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CreateMessageRequest,
    CreateMessageResult,
    ElicitRequest,
    ElicitResult,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    LoggingMessageNotification,
    LoggingMessageNotificationParams,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from sixty.conversation import InputRequired, MissingCapability, Replies, settled
from sixty.server.refusals import UNAVAILABLE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from mcp.server.context import ServerRequestContext
    from mcp_types import LoggingLevel
    from pydantic import BaseModel

    from sixty.conversation import Level
    from sixty.outcome import Outcome

__all__ = ["LEVELS", "SessionChannel", "answered"]

LEVELS: tuple[LoggingLevel, ...] = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
"""From the least to the most urgent."""
LEVEL = "sixty/log-level"
"""Where a session's state holds the level that its client has set."""

_REQUESTS: Mapping[str, tuple[type[BaseModel], type[BaseModel]]] = {
    "elicitation/create": (ElicitRequest, ElicitResult),
    "sampling/createMessage": (CreateMessageRequest, CreateMessageResult),
    "roots/list": (ListRootsRequest, ListRootsResult),
}


class SessionChannel:
    """A call's client, over the SDK's session."""

    def __init__(self, context: ServerRequestContext[Any, Any]) -> None:
        self._context = context
        self._session = context.session

    def can(self, capability: str) -> bool:
        """Whether the client has declared it."""
        declared = self._session.client_capabilities
        return declared is not None and getattr(declared, capability, None) is not None

    async def progress(self, done: float, total: float | None, message: str | None) -> None:
        """Send a progress notification, if the request has a token for them."""
        await self._session.report_progress(done, total, message)

    async def log(self, level: Level, data: Any, logger: str) -> None:
        """Send a line on this request's stream, if the client has asked for lines of that level."""
        context, version = self._context, self._session.protocol_version
        wanted = allowed_log_levels(version, context.meta)
        if version not in MODERN_PROTOCOL_VERSIONS:
            least = connection_state(context).get(LEVEL, "info")
            wanted = frozenset(LEVELS[LEVELS.index(least) :])
        if level in wanted:
            params = LoggingMessageNotificationParams(level=level, data=data, logger=logger)
            await self._session.send_notification(LoggingMessageNotification(params=params), context.request_id)


def connection_state(context: ServerRequestContext[Any, Any]) -> dict[str, Any]:
    """What is remembered about a connection as long as it lives."""
    return context.session._connection.state  # noqa: SLF001 - the SDK has no other handle


async def answered(
    context: ServerRequestContext[Any, Any], params: Any, run: Callable[[Replies], Awaitable[Outcome]]
) -> Outcome | InputRequiredResult:
    """What `run` comes to, given what the client has answered in earlier rounds and, in the handshake era, in this one.

    `MCPError` where the client lacks a capability. A call that asks without end is given up.
    """
    given = {key: _wire(answer) for key, answer in (params.input_responses or {}).items()}
    replies = Replies.unsealed(params.request_state, given)
    try:
        if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            return await settled(run, partial(_asked, context), replies)
        try:
            return await run(replies)
        except InputRequired as needed:
            requests = {key: _request(request) for key, request in needed.requests.items()}
            return InputRequiredResult(input_requests=requests, request_state=needed.replies.sealed())
    except MissingCapability as error:
        lacking: dict[str, dict[str, Any]] = {name: {} for name in error.capabilities}
        required = {"requiredCapabilities": lacking}
        raise MCPError(code=MISSING_REQUIRED_CLIENT_CAPABILITY, message=str(error), data=required) from None


async def _asked(context: ServerRequestContext[Any, Any], needed: InputRequired) -> Mapping[str, Any]:
    """The client's answers, over the session."""
    answers = {}
    related = ServerMessageMetadata(related_request_id=context.request_id)
    for key, request in needed.requests.items():
        result_type = _REQUESTS[request["method"]][1]
        try:
            answers[key] = _wire(await context.session.send_request(_request(request), result_type, metadata=related))
        except NoBackChannelError:
            raise MCPError(code=UNAVAILABLE, message="the client cannot be asked on this connection") from None
        except ValidationError as error:
            raise MCPError(code=INVALID_PARAMS, message=f"the client's answer to {key} is malformed: {error}") from None
    return answers


def _request(request: Mapping[str, Any]) -> Any:
    return _REQUESTS[request["method"]][0].model_validate(request)


def _wire(answer: Any) -> dict[str, Any]:
    shown: dict[str, Any] = answer.model_dump(mode="json", by_alias=True, exclude_none=True)
    return shown
