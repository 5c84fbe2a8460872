"""The protocol's methods over the call path, the same for every transport and era. Nothing of HTTP is imported here."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from mcp.server.lowlevel import NotificationOptions, Server
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from sixty.call import call_tool
from sixty.context import Request
from sixty.errors import Unauthenticated, Unavailable, UnknownTool
from sixty.server.caller import CALLER
from sixty.server.listing import Listing
from sixty.server.refusals import protocol_error
from sixty.server.subscriptions import Subscriptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp.server.context import ServerRequestContext
    from mcp.server.models import InitializationOptions
    from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams

    from sixty.directory import Principal
    from sixty.host import Host

__all__ = [
    "IDEMPOTENCY_KEY",
    "NAME",
    "SixtyServer",
    "request_of",
]

NAME = "sixty-crm-mcp"
IDEMPOTENCY_KEY = "sixty/idempotency-key"
"""The key of `_meta` under which a client sends a key of its own; a call repeated with it is not done twice."""

INSTRUCTIONS = """\
Sixty is a sales CRM. You see the tools that the user you act for may use, and the records that this user may see.

- Ids are UUIDs. Take them from results; never make one up. Search before you create, so that nothing is there twice.
- Every result has `success` and a `message`. After an error read `error.message`: it says what to do next.
- A list shows one page: `total` counts everything that matches, `next_cursor` leads to the next page.
- A call that changed something returns a `change_id`; `undo_change` takes it back.
- Pass on what the message says about records that you may not see or change. Do not try to work around it.
"""


class SixtyServer(Server[dict[str, Any]]):
    """The SDK's server, with the tools that the host holds at each moment."""

    def __init__(self, host: Host) -> None:
        self.subscriptions = Subscriptions(host)
        super().__init__(
            NAME,
            title="Sixty CRM",
            version=version("sixty-core"),
            instructions=INSTRUCTIONS,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_subscriptions_listen=self.subscriptions.listen,
            on_subscribe_resource=self.subscriptions.subscribe,
            on_unsubscribe_resource=self.subscriptions.unsubscribe,
            get_tool_input_schema=self._input_schema,
        )
        # the kernel observes each call itself; a span that nobody collects would cost a tenth of every message
        self.middleware[:] = [self.subscriptions.remember]
        self.host = host
        self.listing = Listing(host, self.server_info_stamp)

    def create_initialization_options(
        self, notification_options: NotificationOptions | None = None, *others: Any, **more: Any
    ) -> InitializationOptions:
        """What the era of handshakes is told of this server: that it tells when any of its lists changes."""
        told = notification_options or NotificationOptions(True, True, True)  # noqa: FBT003 - all three of its lists
        return super().create_initialization_options(told, *others, **more)

    async def _list_tools(
        self, _context: ServerRequestContext, params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        if params is not None and params.cursor is not None:
            raise MCPError(code=INVALID_PARAMS, message="the list of tools is one page: ask for it without a cursor")
        result: Any = self.listing.result(await self._principal())  # the SDK takes a dict, and says so elsewhere
        return result  # type: ignore[no-any-return]

    async def _call_tool(self, context: ServerRequestContext, params: CallToolRequestParams) -> CallToolResult:
        info = context.session.client_params
        client = info.client_info.model_dump() if info is not None else None
        try:
            request = request_of(params.name, params.arguments, context.meta, client)
            outcome = await call_tool(self.host, request)
        except (Unauthenticated, UnknownTool) as error:
            raise protocol_error(error) from None
        result: Any = {
            "content": [{"type": "text", "text": outcome.text}],
            "structuredContent": outcome.structured,
            "isError": outcome.is_error,
            "resultType": "complete",
        }
        return result  # type: ignore[no-any-return]

    async def _principal(self) -> Principal:
        """The caller, as of now."""
        caller = CALLER.get()
        if caller.principal is not None:
            return caller.principal
        try:
            return await self.host.authenticator.authenticate(caller.token)
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
    return Request(
        tool=tool,
        arguments=arguments if arguments is not None else {},
        principal=caller.principal,
        token=caller.token,
        transport=caller.transport,
        client=f"{client.get('name')}/{client.get('version')}" if client else None,
        address=caller.address,
        idempotency_key=key,
    )
