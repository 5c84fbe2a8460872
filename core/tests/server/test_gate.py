"""The door of the HTTP endpoint: who is let in, and what the others are told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import jwt
import pytest
import sqlalchemy as sa

from sixty.auth import mint
from sixty.config import Settings
from sixty.errors import Unauthenticated
from sixty.people import list_keys, revoke_key
from sixty.server import refused
from sixty.server.http import app
from sixty.server.trust import Trust, is_loopback
from sixty.tables import audit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.audit import Entry
    from sixty.testing import Organisation


async def token(sixty: Organisation, **changed: Any) -> str:
    """A token of the user in the role `user`, with some claims changed."""
    uma = (await sixty.directory()).users_by_email["uma.user@example.com"]
    good = mint(sixty.host.settings, uma, 600, datetime.now(UTC))
    claims = jwt.decode(good, options={"verify_signature": False}) | changed
    return jwt.encode(claims, sixty.host.settings.jwt_secret, algorithm="HS256")


async def test_a_token_is_let_in(raw: Any, sixty: Organisation) -> None:
    raw.key = await token(sixty)
    assert (await raw.list()).status_code == 200


async def test_without_a_credential_one_learns_where_to_get_one(raw: Any, url: str) -> None:
    answer = await raw.list(Authorization=None)
    challenge = answer.headers["www-authenticate"]
    assert answer.status_code == 401
    assert f'resource_metadata="{url}/.well-known/oauth-protected-resource/mcp"' in challenge
    assert "echo:rule echo:say" in challenge
    assert "error=" not in challenge


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": datetime.now(UTC) - timedelta(minutes=5)}, "expired"),
        ({"aud": "another service"}, "another audience"),
        ({"sub": "nobody"}, "nobody here has the subject"),
    ],
)
async def test_a_bad_token_is_refused_and_the_reason_said(
    raw: Any, sixty: Organisation, claims: dict[str, Any], why: str
) -> None:
    raw.key = await token(sixty, **claims)
    answer = await raw.list()
    assert answer.status_code == 401
    assert why in answer.json()["error"]["message"]
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer a.b.c", "Bearer é".encode(), "sk60_x"])
async def test_what_is_no_token_is_refused(raw: Any, value: str | bytes) -> None:
    assert (await raw.list(Authorization=value)).status_code == 401


async def test_a_revoked_key_is_refused_on_the_next_request(raw: Any, sixty: Organisation) -> None:
    assert (await raw.list()).status_code == 200
    key = next(key for key in await list_keys(sixty.host.database) if key.name == "user")
    await revoke_key(sixty.host.database, key.id, now=sixty.clock())
    assert (await raw.list()).status_code == 401


async def test_a_refused_credential_is_audited_without_being_written_down(raw: Any, sixty: Organisation) -> None:
    await raw.list(Authorization="Bearer sk60_not-a-key")
    await raw.list(Authorization=None)
    await sixty.host.audit.flush()
    lines = await sixty.rows(sa.select(audit))
    assert {(line["tool"], line["outcome"], line["address"]) for line in lines} == {
        ("authenticate", "unauthenticated", "127.0.0.1")
    }
    assert sorted(line["arguments"]["reason"] for line in lines) == ["missing", "unknown_key"]
    assert "not-a-key" not in str(lines)


async def test_a_thousand_refusals_are_two_lines(
    raw: Any, sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        await raw.list(Authorization=None)
    await sixty.host.audit.flush()
    assert await sixty.count(audit) == 1
    monkeypatch.setattr(refused, "WINDOW", 0.0)
    await raw.list(Authorization=None)
    await sixty.host.audit.flush()
    times = [line["arguments"].get("times") for line in await sixty.rows(sa.select(audit).order_by(audit.c.seq))]
    assert times == [None, 4, None]


async def test_the_last_refusals_are_told_although_nobody_is_refused_after_them(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused, "WINDOW", 0.01)
    told: asyncio.Queue[Entry] = asyncio.Queue()
    monkeypatch.setattr(sixty.host.audit, "later", told.put_nowait)
    door = refused.Refused(sixty.host)
    for _ in range(3):
        door.add(Unauthenticated("no", reason="missing"), "192.0.2.1", 0.0)
    async with asyncio.timeout(5):
        assert [(await told.get()).arguments.get("times") for _ in range(2)] == [None, 2]


async def test_who_comes_from_everywhere_fills_no_memory(sixty: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused, "ADDRESSES", 2)
    door = refused.Refused(sixty.host)
    for number in range(10):
        door.add(Unauthenticated("no", reason="missing"), f"192.0.2.{number}", 0.0)
    await sixty.host.audit.close()
    lines = await sixty.rows(sa.select(audit).order_by(audit.c.seq))
    told = [(line["address"], line["arguments"].get("times")) for line in lines]
    assert told == [("192.0.2.0", None), ("192.0.2.1", None), ("192.0.2.2", None), (None, 7)]


class TestTooOften:
    @pytest.fixture
    def environ(self) -> Mapping[str, str]:
        return {"SIXTY_RATE_AUTH": "2/minute"}

    async def test_who_guesses_is_slowed_down(self, raw: Any) -> None:
        for _ in range(2):
            assert (await raw.list(Authorization="Bearer sk60_guess")).status_code == 401
        answer = await raw.list(Authorization="Bearer sk60_guess")
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 61
        assert answer.json()["error"]["data"]["code"] == "rate_limited"

    async def test_who_asks_without_a_credential_is_not_guessing(self, raw: Any) -> None:
        for _ in range(4):
            assert (await raw.list(Authorization=None)).status_code == 401


async def test_another_host_is_refused_before_the_credential_is_looked_at(raw: Any) -> None:
    answer = await raw.list(Host="evil.example", Authorization=None)
    assert answer.status_code == 421
    assert "SIXTY_ALLOWED_HOSTS" in answer.json()["error"]["message"]
    metadata = await raw.http.get("/.well-known/oauth-protected-resource/mcp", headers={"Host": "evil.example"})
    assert metadata.status_code == 421


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost.evil.example", "null", "localhost"])
async def test_a_web_page_from_elsewhere_is_refused(raw: Any, origin: str) -> None:
    assert (await raw.list(Origin=origin)).status_code == 403


@pytest.mark.parametrize("origin", ["http://localhost:6274", "https://127.0.0.1", "http://[::1]:3000"])
async def test_a_web_page_from_this_machine_is_accepted(raw: Any, origin: str) -> None:
    assert (await raw.list(Origin=origin)).status_code == 200


async def test_a_header_that_decides_is_sent_once(raw: Any) -> None:
    headers = [*raw.headers("tools/list", None).items(), ("Authorization", "Bearer other")]
    answer = await raw.http.post("/mcp", headers=headers, json={})
    assert answer.status_code == 400
    assert "authorization" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("host", "accepted"),
    [
        ("localhost", True),
        ("127.0.0.1:8060", True),
        ("[::1]:8060", True),
        ("CRM.example.com", True),
        ("crm.example.com:443", True),
        ("proxy.internal:8060", True),
        ("10.0.0.5:8060", True),
        ("crm.example.com.evil.example", False),
        ("localhost.", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_a_host_is_trusted_by_its_name(host: str, accepted: bool) -> None:  # noqa: FBT001 - a case
    settings = Settings(public_url="https://crm.example.com", allowed_hosts=("proxy.internal:8060",))
    assert Trust(settings, "10.0.0.5").accepts_host(host.encode()) is accepted


def test_every_address_is_no_name_of_the_server() -> None:
    assert not Trust(Settings(), "0.0.0.0").accepts_host(b"0.0.0.0")  # noqa: S104 - not bound


def test_the_origins_of_the_settings_and_of_the_public_address_are_trusted() -> None:
    trust = Trust(Settings(public_url="https://crm.example.com/", allowed_origins=("https://app.example.com/",)), "::")
    assert trust.accepts_origin(b"https://app.example.com")
    assert trust.accepts_origin(b"https://crm.example.com")
    assert not trust.accepts_origin(b"http://crm.example.com")


@pytest.mark.parametrize(
    ("address", "answer"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("host", False)],  # noqa: S104
)
def test_what_only_this_machine_reaches(address: str, answer: bool) -> None:  # noqa: FBT001 - a case
    assert is_loopback(address) is answer


async def test_the_metadata_names_the_resource_as_the_client_reaches_it(raw: Any, url: str) -> None:
    for path in ("", "/mcp"):
        document = (await raw.http.get(f"/.well-known/oauth-protected-resource{path}")).json()
        assert document["resource"] == f"{url}/mcp"
        assert document["bearer_methods_supported"] == ["header"]
        assert {"echo:say", "echo:rule"} <= set(document["scopes_supported"])
        assert "authorization_servers" not in document


class TestBehindAProxy:
    @pytest.fixture
    def environ(self) -> Mapping[str, str]:
        return {"SIXTY_PUBLIC_URL": "https://crm.example.com/", "SIXTY_JWT_ISSUER": "https://id.example.com"}

    async def test_the_public_address_and_the_issuer_are_named(self, raw: Any) -> None:
        document = (await raw.http.get("/.well-known/oauth-protected-resource/mcp")).json()
        assert document["resource"] == "https://crm.example.com/mcp"
        assert document["authorization_servers"] == ["https://id.example.com"]
        challenge = (await raw.list(Authorization=None)).headers["www-authenticate"]
        assert 'resource_metadata="https://crm.example.com/.well-known/oauth-protected-resource/mcp"' in challenge


async def test_while_the_directory_is_away_the_client_is_asked_to_come_back(
    raw: Any, sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sixty.errors import Unavailable  # noqa: PLC0415 - this test alone

    async def fail(*_: object) -> None:
        raise Unavailable("the database is away")

    monkeypatch.setattr(sixty.host.authenticator, "authenticate", fail)
    answer = await raw.list()
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


async def test_a_server_that_does_not_run_any_more_asks_to_come_back(sixty: Organisation, raw: Any) -> None:
    stopped = app(sixty.host)
    await stopped.start()
    await stopped.stop()
    raw.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(stopped), base_url="http://localhost")
    answer = await raw.list()
    assert (answer.status_code, answer.headers["connection"]) == (503, "close")
