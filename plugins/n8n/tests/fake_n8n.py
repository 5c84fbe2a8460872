"""An n8n on this machine: its public API and its webhooks, with the shapes that n8n documents and really has.

What a workflow does when its webhook is called is a function that a test gives.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Mapping

__all__ = ["KEY", "FakeN8n", "Reply", "Request", "running", "webhook"]

KEY = "an-api-key"
_STARTED = "2026-03-02T09:00:00.000Z"


@dataclass(frozen=True)
class Request:
    """What n8n was asked."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What it answers: JSON, or the bytes as they are."""

    content: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The whole answer."""
        is_raw = isinstance(self.content, bytes)
        body = self.content if is_raw else json.dumps(self.content).encode()
        given = {"content-type": "application/json; charset=utf-8", "content-length": str(len(body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in given.items())]
        return "\r\n".join((*lines, "connection: close", "", "")).encode() + body


Act = Callable[[Request], Reply | Awaitable[Reply]]


def webhook(path: str = "start", **parameters: Any) -> dict[str, Any]:
    """A Webhook node."""
    node = {"id": "n1", "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2.1, "webhookId": "w1"}
    return {**node, "position": [0, 0], "parameters": {"httpMethod": "POST", "path": path, **parameters}}


@dataclass
class FakeN8n:
    """It is asked over HTTP at `url`; everything else is for the test."""

    url: str = ""
    workflows: dict[str, dict[str, Any]] = field(default_factory=dict)
    executions: list[dict[str, Any]] = field(default_factory=list)
    acts: dict[str, Act] = field(default_factory=dict)
    """What is done when `POST /webhook/start` is asked for; a path without one is not registered."""
    instead: Callable[[Request], Reply | Awaitable[Reply] | None] | None = None
    """What the API answers in place of everything else, where it is not None."""
    asked: list[Request] = field(default_factory=list)

    def add(self, name: str, *nodes: dict[str, Any], active: bool = True, **more: Any) -> str:
        """A workflow is there; its id."""
        workflow_id = more.pop("id", f"Wf{len(self.workflows) + 1:014}")
        workflow = {
            "id": workflow_id,
            "name": name,
            "active": active,
            "isArchived": False,
            "nodes": list(nodes),
            "connections": {},
            "settings": {"executionOrder": "v1"},
            "tags": [],
            "createdAt": _STARTED,
            "updatedAt": _STARTED,
        }
        self.workflows[workflow_id] = {**workflow, **more}
        return workflow_id

    def record(self, workflow_id: str, request: Request | None = None, **more: Any) -> dict[str, Any]:
        """A run of the workflow, which began with the request, is kept: it can still be changed."""
        given = {} if request is None else dict(request.headers)
        items = more.pop("items", [])
        result = {
            "runData": {
                "Webhook": [{"data": {"main": [[{"json": {"headers": given}}]]}}],
                "Last": [{"data": {"main": [[{"json": item} for item in items]]}}],
            },
            "lastNodeExecuted": "Last",
        }
        if "error" in more:
            result["error"] = more.pop("error")
        execution = {
            "id": str(1000 + len(self.executions)),
            "finished": True,
            "mode": "webhook",
            "status": "success",
            "startedAt": _STARTED,
            "stoppedAt": _STARTED,
            "workflowId": workflow_id,
            "waitTill": None,
            "workflowData": {"id": workflow_id, "name": self.workflows[workflow_id]["name"]},
            "data": {"resultData": result},
            **more,
        }
        self.executions.append(execution)
        return execution

    def runs(self, workflow_id: str, *, answer: Any = None, **more: Any) -> None:
        """When the workflow's webhook is called, it runs and is recorded so, and answers at once."""

        def act(request: Request) -> Reply:
            self.record(workflow_id, request, **more)
            return answer if isinstance(answer, Reply) else Reply(answer or {"message": "Workflow was started"})

        (node,) = (node for node in self.workflows[workflow_id]["nodes"] if node["type"].endswith(".webhook"))
        given = node["parameters"]
        self.acts[f"{given.get('httpMethod', 'GET')} /webhook/{given['path']}"] = act

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            method, target, _ = head[0].split(" ")
            parts = urlsplit(target)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            request = Request(method, parts.path, query, headers, body)
            self.asked.append(request)
            reply = self._reply(request)
            writer.write((reply if isinstance(reply, Reply) else await reply).encoded())
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has heard enough
        finally:
            writer.close()

    def _reply(self, request: Request) -> Reply | Awaitable[Reply]:
        if not request.path.startswith("/api/v1/"):
            act = self.acts.get(f"{request.method} {request.path}")
            missing = f'The requested webhook "{request.method} {request.path}" is not registered.'
            return act(request) if act is not None else Reply({"code": 404, "message": missing}, 404)
        if self.instead is not None and (reply := self.instead(request)) is not None:
            return reply
        if request.headers.get("x-n8n-api-key") != KEY:
            return Reply({"message": "unauthorized"}, 401)
        what, _, its_id = request.path.removeprefix("/api/v1/").partition("/")
        if what == "workflows":
            return self._one(self.workflows.get(its_id)) if its_id else self._workflows(request.query)
        if its_id:
            found = next((run for run in self.executions if run["id"] == its_id), None)
            return self._one(found if found is None else _without_data(found, request.query))
        return self._executions(request.query)

    @staticmethod
    def _one(found: Any) -> Reply:
        return Reply({"message": "Not Found"}, 404) if found is None else Reply(found)

    def _workflows(self, query: Mapping[str, str]) -> Reply:
        active, name = query.get("active"), query.get("name", "").lower()
        found = [
            workflow
            for workflow in self.workflows.values()
            if name in workflow["name"].lower() and active in (None, str(workflow["active"]).lower())
        ]
        begin, limit = int(query.get("cursor", "0")), int(query.get("limit", "100"))
        end = begin + limit
        return Reply({"data": found[begin:end], "nextCursor": str(end) if end < len(found) else None})

    def _executions(self, query: Mapping[str, str]) -> Reply:
        status = query.get("status")
        found = [
            _without_data(run, query)
            for run in reversed(self.executions)
            if run["workflowId"] == query.get("workflowId")
            and (run["status"] == status if status is not None else run["status"] != "running")
        ]
        return Reply({"data": found[: int(query.get("limit", "100"))], "nextCursor": None})


def _without_data(run: Mapping[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    """A run as it is shown; its data only to those who ask for it."""
    heavy = () if query.get("includeData") == "true" else ("data", "workflowData")
    return {name: value for name, value in run.items() if name not in heavy}


@asynccontextmanager
async def running(at: socket.socket | None = None) -> AsyncIterator[FakeN8n]:
    """One that runs on a port of this machine, or on `at`."""
    fake = FakeN8n()
    place = {"sock": at} if at is not None else {"host": "127.0.0.1", "port": 0}
    server = await asyncio.start_server(fake.serve, **place)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield fake
