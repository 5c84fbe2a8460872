"""A client of the protocol as a process, on the official Python SDK. Its argument says how to connect.

It reads lines of JSON, `[verb, …arguments]`, and answers each with a line: `{"answer": …}`, or `{"error": …}` with a
message. Its first line is the answer of who has connected: the revision of the protocol. Whenever it is told
something there is a line `{"told": "notifications/…"}`, with the address where it is about a resource.
"""

from __future__ import annotations

import asyncio
import json
import sys
import warnings
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from mcp import Client, MCPDeprecationWarning, MCPError, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.message import SessionMessage
from mcp_types import PromptReference, ResourceUpdatedNotification, jsonrpc_message_adapter
from websockets.asyncio.client import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from mcp.client._transport import TransportStreams


@asynccontextmanager
async def websocket_client(url: str, headers: Mapping[str, str]) -> AsyncIterator[TransportStreams]:
    """A WebSocket as a transport: the SDK has none."""
    received, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write, sent = anyio.create_memory_object_stream[SessionMessage](0)

    async def receive() -> None:
        async with received:
            async for text in socket:
                await received.send(SessionMessage(jsonrpc_message_adapter.validate_json(text)))

    async def send() -> None:
        async for item in sent:
            await socket.send(item.message.model_dump_json(by_alias=True, exclude_unset=True))

    opening = connect(url, subprotocols=["mcp"], additional_headers=headers)
    async with opening as socket, anyio.create_task_group() as pumps:
        pumps.start_soon(receive)
        pumps.start_soon(send)
        yield read, write
        pumps.cancel_scope.cancel()


def transport_of(how: Mapping[str, Any]) -> Any:
    """What `Client` connects to."""
    if how["transport"] == "stdio":
        return StdioServerParameters(command=how["command"], args=["serve"], env=how["env"])
    url, headers = how["url"], {"Authorization": f"Bearer {how['token']}"}
    if how["transport"] == "http":
        return streamable_http_client(f"{url}/mcp", http_client=create_mcp_http_client(headers))
    if how["transport"] == "sse":
        return sse_client(f"{url}/sse", headers)
    return websocket_client(f"{url.replace('http', 'ws')}/ws", headers)


def say(**line: Any) -> None:
    """Print a line."""
    print(json.dumps(line), flush=True)  # noqa: T201 - what it is for


async def heard(message: Any) -> None:
    """Print what the client is told."""
    if isinstance(message, Exception):
        raise message
    about = [str(message.params.uri)] if isinstance(message, ResourceUpdatedNotification) else []
    say(told=" ".join([message.method, *about]))


class Verbs:
    """What a client can be asked to do."""

    def __init__(self, client: Client, streams: AsyncExitStack) -> None:
        self._client = client
        self._streams = streams

    async def tools(self) -> list[str]:
        return [tool.name for tool in (await self._client.list_tools()).tools]

    async def prompts(self) -> list[str]:
        return [prompt.name for prompt in (await self._client.list_prompts()).prompts]

    async def resources(self) -> list[str]:
        return [resource.uri for resource in (await self._client.list_resources()).resources]

    async def templates(self) -> list[str]:
        return [template.uri_template for template in (await self._client.list_resource_templates()).resource_templates]

    async def call(self, name: str, arguments: dict[str, Any]) -> Any:
        return json.loads((await self._client.call_tool(name, arguments)).content[0].text)

    async def read(self, uri: str) -> Any:
        return (await self._client.read_resource(uri)).contents[0].text

    async def prompt(self, name: str, arguments: dict[str, str]) -> Any:
        return (await self._client.get_prompt(name, arguments)).messages[0].content.text

    async def complete(self, name: str, argument: str, value: str) -> list[str]:
        ref = PromptReference(type="ref/prompt", name=name)
        return (await self._client.complete(ref, {"name": argument, "value": value})).completion.values

    async def listen(self, *uris: str) -> None:
        if self._client.protocol_version >= "2026":
            lists = dict.fromkeys(("tools_list_changed", "prompts_list_changed", "resources_list_changed"), True)
            await self._streams.enter_async_context(self._client.listen(**lists, resource_subscriptions=uris))
            return
        for uri in uris:
            await self._client.subscribe_resource(uri)


async def main(how: Mapping[str, Any]) -> None:
    """Answer until the input ends."""
    mode = "auto" if how["era"] == "modern" else "legacy"
    async with Client(transport_of(how), mode=mode, message_handler=heard) as client, AsyncExitStack() as streams:
        verbs = Verbs(client, streams)
        say(answer=client.protocol_version)
        while line := await asyncio.to_thread(sys.stdin.readline):
            verb, *rest = json.loads(line)
            try:
                say(answer=await getattr(verbs, verb)(*rest))
            except MCPError as error:
                say(error=str(error))


if __name__ == "__main__":
    warnings.simplefilter("ignore", MCPDeprecationWarning)  # older servers are subscribed to in the older way
    asyncio.run(main(json.loads(sys.argv[1])))
