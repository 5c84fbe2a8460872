"""The protocol's methods over the call path, the same for every transport and era. Nothing of HTTP is imported here."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    EmptyResult,
    InputRequiredResult,
    PromptReference,
    SetLevelRequestParams,
)

from sixty.call import call_tool
from sixty.conversation import NO_REPLIES
from sixty.errors import Unauthenticated, Unavailable, UnknownTool
from sixty.request import Request
from sixty.server.caller import CALLER
from sixty.server.contents import completed, contents, messages
from sixty.server.listing import Listing
from sixty.server.refusals import nothing_at, protocol_error, refused
from sixty.server.rounds import LEVEL, SessionChannel, answered, connection_state
from sixty.server.subscriptions import Subscriptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp.server.context import ServerRequestContext
    from mcp.server.models import InitializationOptions
    from mcp_types import (
        CallToolRequestParams,
        CompleteRequestParams,
        GetPromptRequestParams,
        PaginatedRequestParams,
        ReadResourceRequestParams,
    )

    from sixty.conversation import Replies
    from sixty.directory import Principal
    from sixty.host import Host
    from sixty.offers import OfferKind
    from sixty.outcome import Outcome

__all__ = [
    "IDEMPOTENCY_KEY",
    "NAME",
    "SixtyServer",
    "request_of",
]

NAME = "sixty-crm-mcp"
IDEMPOTENCY_KEY = "sixty/idempotency-key"
"""The key of `_meta` under which a client sends a key of its own; a call repeated with it is not done twice."""
TRACEPARENT = "traceparent"
"""The key of `_meta` under which a client sends the trace that it is in."""
STATE_LIVES = 3600.0
"""Seconds that somebody may take to answer a question."""

_NOTHING_THERE = ("not_found", "forbidden", "invalid")
"""What a reader is told alike: that nothing is at this address, for them."""

INSTRUCTIONS = """\
Sixty is a sales CRM. You see the tools that the user you act for may use, and the records that this user may see.

- Ids are UUIDs. Take them from results; never make one up. Search before you create, so that nothing is there twice.
- Every result has `success` and a `message`. After an error read `error.message`: it says what to do next.
- A list shows one page: `total` counts everything that matches, `next_cursor` leads to the next page.
- A call that changed something returns a `change_id`; `undo_change` takes it back.
- Pass on what the message says about records that you may not see or change. Do not try to work around it.
"""


class SixtyServer(Server[dict[str, Any]]):
    """The SDK's server, with what the host offers at each moment."""

    def __init__(self, host: Host) -> None:
        self.subscriptions = Subscriptions(host)
        super().__init__(
            NAME,
            title="Sixty CRM",
            version=version("sixty-core"),
            instructions=INSTRUCTIONS,
            on_list_tools=self._list,
            on_list_prompts=self._list,
            on_list_resources=self._list,
            on_list_resource_templates=self._list,
            on_call_tool=self._call_tool,
            on_read_resource=self._read_resource,
            on_get_prompt=self._get_prompt,
            on_completion=self._complete,
            on_subscriptions_listen=self.subscriptions.listen,
            on_subscribe_resource=self.subscriptions.subscribe,
            on_unsubscribe_resource=self.subscriptions.unsubscribe,
            get_tool_input_schema=self._input_schema,
        )
        self.add_request_handler("logging/setLevel", SetLevelRequestParams, self._set_level)
        # the kernel observes each call itself; a span that nobody collects would cost a tenth of every message
        sealing = RequestStateSecurity(keys=[host.secret], ttl=STATE_LIVES, bind_principal=_who)
        self.middleware[:] = [self.subscriptions.remember, RequestStateBoundary(sealing, default_audience=NAME)]
        self.host = host
        self.listing = Listing(host, self.server_info_stamp)

    def create_initialization_options(
        self, notification_options: NotificationOptions | None = None, *others: Any, **more: Any
    ) -> InitializationOptions:
        """What the era of handshakes is told of this server: that it tells when any of its lists changes."""
        told = notification_options or NotificationOptions(True, True, True)  # noqa: FBT003 - all three of its lists
        return super().create_initialization_options(told, *others, **more)

    async def _list(self, context: ServerRequestContext, params: PaginatedRequestParams | None) -> Any:
        if params is not None and params.cursor is not None:
            raise MCPError(code=INVALID_PARAMS, message="every list is one page: ask for it without a cursor")
        return self.listing.result(context.method, await self._principal())

    async def _call_tool(self, context: ServerRequestContext, params: CallToolRequestParams) -> Any:
        try:
            outcome = await self._answered(context, params, "tool", params.name, params.arguments)
        except UnknownTool as error:
            raise protocol_error(error) from None
        if isinstance(outcome, InputRequiredResult):
            return outcome
        result: dict[str, Any] = {"content": outcome.content, "isError": outcome.is_error, "resultType": "complete"}
        if outcome.text:
            result["structuredContent"] = outcome.structured
        return result

    async def _read_resource(self, context: ServerRequestContext, params: ReadResourceRequestParams) -> Any:
        uri = str(params.uri)
        found = self.host.registry.resource_at(uri)
        if found is None:
            raise nothing_at(uri, context.protocol_version)
        resource, arguments = found

        try:
            outcome = await self._answered(context, params, "resource", resource.name, arguments)
        except UnknownTool:
            raise nothing_at(uri, context.protocol_version) from None
        if isinstance(outcome, InputRequiredResult):
            return outcome
        if outcome.is_error:
            if outcome.structured["error"]["code"] in _NOTHING_THERE:
                raise nothing_at(uri, context.protocol_version)
            raise refused(outcome)
        return contents(resource, uri, outcome.value)

    async def _get_prompt(self, context: ServerRequestContext, params: GetPromptRequestParams) -> Any:
        prompt = self.host.registry.offers["prompt"].get(params.name)

        try:
            outcome = await self._answered(context, params, "prompt", params.name, params.arguments)
        except UnknownTool as error:
            raise protocol_error(error) from None
        if isinstance(outcome, InputRequiredResult):
            return outcome
        if outcome.is_error:
            raise refused(outcome)
        return messages(prompt.description if prompt is not None else "", outcome.value)

    async def _complete(self, context: ServerRequestContext, params: CompleteRequestParams) -> Any:
        of = params.ref.name if isinstance(params.ref, PromptReference) else params.ref.uri
        offered = self.host.registry.offers["completion"]
        name = next((it for it in (f"{of}#{params.argument.name}", params.argument.name) if it in offered), None)
        if name is None:
            return completed(())
        known = params.context.arguments if params.context is not None else None
        arguments = {"value": params.argument.value, "arguments": known or {}}
        try:
            outcome = await self._run(context, "completion", name, arguments, NO_REPLIES)
        except UnknownTool:
            return completed(())
        return completed(() if outcome.is_error else outcome.value)

    async def _set_level(self, context: ServerRequestContext, params: SetLevelRequestParams) -> EmptyResult:
        connection_state(context)[LEVEL] = params.level
        return EmptyResult()

    async def _answered(
        self,
        context: ServerRequestContext,
        params: Any,
        kind: OfferKind,
        name: str,
        arguments: Mapping[str, Any] | None,
    ) -> Outcome | InputRequiredResult:
        """Call what may ask its client."""

        async def run(replies: Replies) -> Outcome:
            return await self._run(context, kind, name, arguments, replies)

        return await answered(context, params, run)

    async def _run(
        self,
        context: ServerRequestContext,
        kind: OfferKind,
        name: str,
        arguments: Mapping[str, Any] | None,
        replies: Replies,
    ) -> Outcome:
        """Call what is offered, with the client of this message at hand."""
        info = context.session.client_params
        client = info.client_info.model_dump() if info is not None else None
        request = request_of(name, arguments, context.meta, client)
        channel = SessionChannel(context)
        try:
            return await call_tool(self.host, replace(request, kind=kind, channel=channel, replies=replies))
        except Unauthenticated as error:
            raise protocol_error(error) from None

    async def _principal(self) -> Principal:
        """The caller, as of now, and by the packs that are wanted now."""
        caller = CALLER.get()
        try:
            principal = caller.principal or await self.host.authenticator.authenticate(caller.token)
            return await self.host.current(principal)
        except (Unauthenticated, Unavailable) as error:
            raise protocol_error(error) from None

    def _input_schema(self, name: str) -> Mapping[str, Any] | None:
        tool = self.host.registry.tools.get(name)
        return tool.input_schema if tool is not None else None


def request_of(
    tool: str, arguments: Mapping[str, Any] | None, meta: Mapping[str, Any] | None, client: Mapping[str, Any] | None
) -> Request:
    """The kernel's request for a decoded `tools/call`. `MCPError` if the idempotency key is no text."""
    caller = CALLER.get()
    key = meta.get(IDEMPOTENCY_KEY, caller.idempotency_key) if meta else caller.idempotency_key
    if key is not None and not isinstance(key, str):
        raise MCPError(code=INVALID_PARAMS, message=f"_meta[{IDEMPOTENCY_KEY!r}] must be a string")
    traceparent = meta.get(TRACEPARENT, caller.traceparent) if meta else caller.traceparent
    return Request(
        tool=tool,
        arguments=arguments if arguments is not None else {},
        principal=caller.principal,
        token=caller.token,
        transport=caller.transport,
        client=f"{client.get('name')}/{client.get('version')}" if client else None,
        address=caller.address,
        idempotency_key=key,
        traceparent=traceparent if isinstance(traceparent, str) else None,
    )


def _who(_context: ServerRequestContext) -> str | None:
    """Whom a question's state is bound to: nobody else can answer with it."""
    caller = CALLER.get()
    return caller.principal.user_id if caller.principal is not None else caller.token
