"""A receiver on loopback, which the settings allow, and people who speak to `/webhooks` by plain HTTP."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import shouts
from fakes import notes
from receiving import receiving

from sixty.people import add_key
from sixty.server.http import app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from receiving import Receiver

    from sixty.testing import Organisation
    from sixty.testing.organisation import Client


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("notes", notes), ("shouts", shouts))


@pytest.fixture
def environ() -> Mapping[str, str]:
    return {"SIXTY_WEBHOOK_NETWORKS": "127.0.0.0/8"}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@dataclass
class Names:
    """What names resolve to: each lookup takes the next answer, and the last one stays."""

    answers: dict[str, list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names, real = Names(), socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host not in names.answers:
            return real(host, port, *args, **options)
        names.asked.append(host)
        answers = names.answers[host]
        addresses = (answers.pop(0) if len(answers) > 1 else answers[0]).split()
        return [(0, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


@dataclass
class Api:
    """One person's way to `/webhooks`."""

    http: httpx2.AsyncClient

    async def ask(self, method: str, path: str = "", body: Any = None, **headers: str) -> httpx2.Response:
        """The answer, whatever it is."""
        return await self.http.request(method, f"/webhooks{path}", json=body, headers=headers)

    async def get(self, path: str = "") -> Any:
        """What is there."""
        return (await self.ask("GET", path)).raise_for_status().json()

    async def post(self, path: str = "", **body: Any) -> Any:
        """What came of it."""
        return (await self.ask("POST", path, body)).raise_for_status().json()

    async def patch(self, path: str, **body: Any) -> Any:
        """What came of it."""
        return (await self.ask("PATCH", path, body)).raise_for_status().json()


@pytest.fixture
async def api(sixty: Organisation) -> AsyncIterator[Callable[..., Any]]:
    """`await api("user")`, or `await api(somebody)`: who speaks by HTTP."""
    transport = httpx2.ASGITransport(app(sixty.host))
    async with AsyncExitStack() as clients:

        async def of(who: str | Client) -> Api:
            client = sixty.as_role(who) if isinstance(who, str) else who
            email = (await client.principal()).email
            _, key = await add_key(sixty.host.database, email, "api", now=sixty.clock())
            headers = {"Authorization": f"Bearer {key}"}
            http = httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers)
            return Api(await clients.enter_async_context(http))

        yield of
