"""The protocol's ways to listen: listen streams in the newest era, sessions in the era of handshakes.

What is told, and when, is `notify.py`'s to find out.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import (
    SUBSCRIPTION_ID_META_KEY,
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
    event_matches,
    event_to_notification,
)
from mcp_types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    EmptyResult,
    SubscriptionFilter,
    SubscriptionsAcknowledgedNotification,
    SubscriptionsAcknowledgedNotificationParams,
    SubscriptionsListenResult,
)

from sixty.errors import Unauthenticated, Unavailable
from sixty.server.caller import CALLER, principal_now
from sixty.server.leases import Leases
from sixty.server.notify import Listener, Listeners
from sixty.server.refusals import protocol_error

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from mcp.server.connection import Connection
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp_types import SubscribeRequestParams, SubscriptionsListenRequestParams, UnsubscribeRequestParams

    from sixty.host import Host

__all__ = ["Subscriptions"]

LISTS = (ToolsListChanged(), PromptsListChanged(), ResourcesListChanged())
MOST_RESOURCES = 1_000
"""Resources that one stream or session may listen to."""
_LISTENER = "sixty.listener"


class Subscriptions:
    """Handlers of what a client sends to listen, and a middleware that knows each session."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._streams = Leases("listen streams")
        self.connections = Leases("connections")
        """What carries messages for longer than a request: each transport holds a lease for each of these."""
        self.listeners = Listeners(host, self._streams, self.connections)
        self._sessions: dict[str, Connection] = {}
        self._reachable: set[str] = set()

    async def listen(
        self, context: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Serve one listen stream: tell first what is listened to, then what changes, and at last that this is all."""
        wanted = _honored(params.notifications)
        meta = {SUBSCRIPTION_ID_META_KEY: context.request_id}

        async def tell(event: ServerEvent) -> None:
            await context.session.send_notification(event_to_notification(event, meta), context.request_id)

        ended = asyncio.Event()
        try:
            listener = await self._listener()
            with self._streams.hold(listener.caller, ended.set):
                self.listeners.add(listener, [kind for kind in LISTS if event_matches(wanted, frozenset(), kind)])
                try:
                    await self.listeners.watch(listener, wanted.resource_subscriptions or ())
                    acknowledged = SubscriptionsAcknowledgedNotificationParams(notifications=wanted, meta=meta)
                    await context.session.send_notification(
                        SubscriptionsAcknowledgedNotification(params=acknowledged), context.request_id
                    )
                    listener.open(tell)
                    await ended.wait()
                finally:
                    self.listeners.remove(listener)
        except (Unauthenticated, Unavailable) as error:
            raise protocol_error(error) from None
        return SubscriptionsListenResult(meta=meta)

    async def subscribe(self, context: ServerRequestContext[Any, Any], params: SubscribeRequestParams) -> EmptyResult:
        """The session is told when the resource changes."""
        listener = _session(context)
        _check_number({*listener.uris, params.uri})
        try:
            await self.listeners.watch(listener, [params.uri])
        except Unavailable as error:
            raise protocol_error(error) from None
        return EmptyResult()

    async def unsubscribe(
        self, context: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams
    ) -> EmptyResult:
        """The session is told of the resource no more."""
        _session(context).ignore(ResourceUpdated(params.uri))
        return EmptyResult()

    async def remember(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Middleware: a session listens from its handshake on to all lists, and is told from `initialized` on."""
        result = await call_next(ctx)
        connection = _connection(ctx)
        listener: Listener | None = connection.state.get(_LISTENER)
        if ctx.method == "initialize" and listener is None:
            await self._begin(connection)
        elif listener is not None:
            listener.caller = CALLER.get()
            if listener.is_behind:
                await self.listeners.catch_up(listener)
            if ctx.method == "notifications/initialized":
                self._open(connection)
        return result

    @contextmanager
    def reachable(self, session_id: str) -> Iterator[None]:
        """The session has a stream on which it can be told, for the length of the block."""
        self._reachable.add(session_id)
        if (connection := self._sessions.get(session_id)) is not None:
            self._open(connection)
        try:
            yield
        finally:
            self._reachable.discard(session_id)
            if (connection := self._sessions.get(session_id)) is not None:
                connection.state[_LISTENER].close()

    def watching(self) -> AbstractAsyncContextManager[None]:
        """For the length of the block the host says when something may have changed."""
        return self._host.watching(self.listeners)

    async def close(self) -> None:
        """Every listen stream has sent its last frame, and every connection has ended."""
        await self._streams.close()
        await self.connections.close()

    async def _listener(self) -> Listener:
        caller = CALLER.get()
        return Listener(caller, caller.principal or await principal_now(self._host, caller))

    async def _begin(self, connection: Connection) -> None:
        try:
            listener = await self._listener()
        except (Unauthenticated, Unavailable) as error:
            raise protocol_error(error) from None
        connection.state[_LISTENER] = listener
        if connection.session_id is not None:
            self._sessions[connection.session_id] = connection
        self.listeners.add(listener, LISTS)
        connection.exit_stack.callback(self._forget, connection)

    def _forget(self, connection: Connection) -> None:
        self.listeners.remove(connection.state[_LISTENER])
        if connection.session_id is not None:
            self._sessions.pop(connection.session_id, None)

    def _open(self, connection: Connection) -> None:
        """The session can be told, if it has said that it is ready and there is a stream that leads to it."""
        leads_there = connection.session_id is None or connection.session_id in self._reachable
        if leads_there and connection.initialized.is_set():

            async def tell(event: ServerEvent) -> None:
                params = {"uri": event.uri} if isinstance(event, ResourceUpdated) else None
                await connection.notify(event_to_notification(event, {}).method, params)

            connection.state[_LISTENER].open(tell)


def _connection(context: ServerRequestContext[Any, Any]) -> Connection:
    """The SDK's connection: it outlives the message, and is known by nothing that is public."""
    return context.session._connection  # noqa: SLF001 - as it says


def _session(context: ServerRequestContext[Any, Any]) -> Listener:
    listener: Listener | None = _connection(context).state.get(_LISTENER)
    if listener is None:
        raise MCPError(code=INVALID_REQUEST, message="this connection has not sent `initialize`")
    return listener


def _honored(wanted: SubscriptionFilter) -> SubscriptionFilter:
    """What is wanted and nothing else: neither `false` nor an empty list."""
    uris = list(dict.fromkeys(wanted.resource_subscriptions or ()))
    _check_number(uris)
    return SubscriptionFilter(
        tools_list_changed=wanted.tools_list_changed or None,
        prompts_list_changed=wanted.prompts_list_changed or None,
        resources_list_changed=wanted.resources_list_changed or None,
        resource_subscriptions=uris or None,
    )


def _check_number(uris: Collection[str]) -> None:
    if len(uris) > MOST_RESOURCES:
        raise MCPError(
            code=INVALID_PARAMS, message=f"at most {MOST_RESOURCES} resources can be listened to, got {len(uris)}"
        )
