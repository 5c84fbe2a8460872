"""The peers: an echo tool on each, as its own documentation shows it, with one and the same web server in front.

`python -m benchmarks.peers NAME PORT` serves one over HTTP, `… NAME stdio` over its standard streams, and `… NAME PORT
FILE` one that lists the tools in this file as well. Each is imported only when it is asked for, so that starting one
costs what it costs its users. Logs are off: a peer's default logging slows it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.applications import Starlette
    from starlette.requests import Request

__all__ = ["command"]


def command(name: str, *where: str) -> list[str]:
    """The command that serves a peer: on a port, or on `stdio`."""
    return [sys.executable, "-m", __name__, name, *where]


def mcpserver() -> Any:
    """(a) The SDK's `MCPServer`."""
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("echo", log_level="ERROR")

    @server.tool()
    async def echo(text: str) -> str:
        """Say it again."""
        return text

    return server


def lowlevel(more: Sequence[dict[str, Any]] = ()) -> Any:
    """(b) The SDK's low-level `Server`, told its schema so that a call does not list all tools first."""
    from mcp import types
    from mcp.server.lowlevel import Server

    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    tools = [types.Tool(name="echo", description="Say it again.", input_schema=schema)]
    tools += [types.Tool.model_validate(tool) for tool in more]

    async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools)

    async def call_tool(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        text = (params.arguments or {})["text"]
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)])

    return Server("echo", on_list_tools=list_tools, on_call_tool=call_tool, get_tool_input_schema={"echo": schema}.get)


def fastmcp(more: Sequence[dict[str, Any]] = ()) -> Any:
    """(c) FastMCP."""
    os.environ.setdefault("FASTMCP_LOG_LEVEL", "ERROR")
    from fastmcp import FastMCP
    from fastmcp.tools import Tool

    server = FastMCP("echo")

    @server.tool
    async def echo(text: str) -> str:
        """Say it again."""
        return text

    for tool in more:
        schemas = {"parameters": tool["inputSchema"], "output_schema": tool.get("outputSchema")}
        listed = Tool(name=tool["name"], description=tool["description"], annotations=tool["annotations"], **schemas)
        server.add_tool(listed)
    return server


def starlette() -> Starlette:
    """(d) No protocol at all: Starlette reads JSON and answers JSON of the same shape."""
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def echo(request: Request) -> JSONResponse:
        message = await request.json()
        content = [{"type": "text", "text": message["params"]["arguments"]["text"]}]
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": {"content": content}})

    return Starlette(routes=[Route("/mcp", echo, methods=["POST"])])


def http_app(name: str, more: Sequence[dict[str, Any]]) -> Any:
    """The peer as an ASGI application that answers calls with plain JSON at `/mcp`."""
    if name == "starlette":
        return starlette()
    if name == "fastmcp":
        return fastmcp(more).http_app(json_response=True, stateless_http=True)
    server = mcpserver() if name == "mcpserver" else lowlevel(more)
    return server.streamable_http_app(json_response=True, stateless_http=True)


def serve_http(name: str, port: int, more: Sequence[dict[str, Any]]) -> None:
    """Serve a peer until the process is ended, with the settings that Sixty's own server uses."""
    import uvicorn

    app = http_app(name, more)
    uvicorn.run(app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", access_log=False, log_config=None)


def serve_stdio(name: str) -> None:
    """Serve a peer on the standard streams until they are closed."""
    if name == "fastmcp":
        fastmcp().run("stdio", show_banner=False)
    else:
        mcpserver().run("stdio")


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    peer, where, *files = sys.argv[1:]
    if where == "stdio":
        serve_stdio(peer)
    else:
        serve_http(peer, int(where), [tool for file in files for tool in json.loads(Path(file).read_text())])
