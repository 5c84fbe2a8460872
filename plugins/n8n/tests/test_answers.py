"""What n8n answers when something is wrong, and what an agent is told."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from fake_n8n import KEY, FakeN8n, Reply, Request

from sixty import Invalid, Unavailable
from sixty_n8n import api
from sixty_n8n.settings import N8nSettings

if TYPE_CHECKING:
    import socket

    from sixty.testing import Organisation


def refusing(status: int, message: str | None = None, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Reply({} if message is None else {"message": message}, status, named)


@pytest.mark.parametrize(
    ("status", "message", "said"),
    [
        (401, "unauthorized", "does not accept the key: check SIXTY_N8N_API_KEY"),
        (403, "Forbidden", r"may not do this \(Forbidden\): it needs the scopes workflow:list"),
        (404, "Not Found", "n8n has no public API at this address: check SIXTY_N8N_URL"),
        (429, None, "asked too often"),
        (302, None, "n8n answered 302"),
        (500, "Database is locked", r"n8n answered 500 \(Database is locked\); try again later"),
        (503, None, "n8n answered 503; try again later"),
    ],
)
async def test_a_refusal_says_what_to_do(
    sixty: Organisation, n8n: FakeN8n, status: int, message: str | None, said: str
) -> None:
    n8n.instead = refusing(status, message)
    with pytest.raises(Unavailable, match=said):
        await sixty.as_role("manager").call("list_workflows")


async def test_a_cursor_that_n8n_does_not_know_is_the_callers_mistake(sixty: Organisation, n8n: FakeN8n) -> None:
    n8n.instead = refusing(400, "An invalid cursor was provided")
    with pytest.raises(Invalid, match=r"does not accept this \(An invalid cursor was provided\)"):
        await sixty.as_role("manager").call("list_workflows", cursor="x")


@pytest.mark.parametrize(("given", "understood"), [("120", 120), ("999999999", 86_400), ("soon", None)])
async def test_how_long_to_wait_is_passed_on(
    sixty: Organisation, n8n: FakeN8n, given: str, understood: int | None
) -> None:
    n8n.instead = refusing(429, retry_after=given)
    with pytest.raises(Unavailable) as caught:
        await sixty.as_role("manager").call("list_workflows")
    assert caught.value.details.get("retry_after") == understood


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"\xff\xfe", b"[]", b"null", b'{"data": {}}', b'{"data": [], "nextCursor": 1}', b"[" * 200_000],
)
async def test_what_is_no_answer_of_n8ns_is_taken_for_another_server(
    sixty: Organisation, n8n: FakeN8n, content: bytes
) -> None:
    n8n.instead = lambda _: Reply(content)
    with pytest.raises(Unavailable, match="what answers is not n8n's public API: check that SIXTY_N8N_URL"):
        await sixty.as_role("manager").call("list_workflows")


@pytest.mark.parametrize("is_packed", [False, True])
async def test_too_much_is_not_read(sixty: Organisation, n8n: FakeN8n, *, is_packed: bool) -> None:
    body = json.dumps({"data": ["x" * 11_000_000]}).encode()
    reply = Reply(gzip.compress(body), headers={"content-encoding": "gzip"}) if is_packed else Reply(body)
    n8n.instead = lambda _: reply
    with pytest.raises(Unavailable, match="more than 10000000 bytes, and is not read; ask for fewer"):
        await sixty.as_role("manager").call("list_workflows")


async def test_an_answer_that_does_not_come_is_not_waited_for(
    sixty: Organisation, n8n: FakeN8n, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()

    async def hang(_request: Request) -> Reply:
        await released.wait()
        return Reply({})

    n8n.instead = hang
    monkeypatch.setattr(api, "PATIENCE", 0.05)
    with pytest.raises(Unavailable, match="has not answered within"):
        await sixty.as_role("manager").call("list_workflows")
    released.set()


async def test_nobody_there_is_unavailable(sixty: Organisation, place: socket.socket) -> None:
    place.close()
    with pytest.raises(Unavailable, match="n8n cannot be reached"):
        await sixty.as_role("manager").call("list_workflows")


async def test_a_proxy_of_the_environment_never_sees_the_key(
    sixty: Organisation, n8n: FakeN8n, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await sixty.as_role("manager").call("list_workflows"))["count"] == 0
    assert n8n.asked[0].headers["x-n8n-api-key"] == KEY


def test_the_keys_are_not_shown() -> None:
    settings = N8nSettings.model_validate(
        {"url": "https://n8n.example.com", "api_key": KEY, "webhook_token": "a-token"}
    )
    assert KEY not in repr(settings)
    assert "a-token" not in repr(settings)


@pytest.mark.parametrize(
    "url",
    ["n8n", "ftp://n8n.example.com", "https://", "https://me:secret@n8n.example.com", "http://h:port", "http://h/?a=b"],
)
def test_what_is_no_address_of_n8n_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="write the address of n8n"):
        N8nSettings.model_validate({"url": url})
