"""What hunter.io answers, as it documents it and as it should not; from a server on this machine."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from sixty import Unavailable
from sixty.crm import Findings, Subject
from sixty_contacts.settings import ContactSettings
from sixty_contacts.sources.hunter import Hunter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from sixty.testing import Organisation

KEY = "a-secret-key"
PERSON = {
    "id": "a1c2",
    "name": {"fullName": "Jane Doe", "givenName": "Jane", "familyName": "Doe"},
    "email": "jane@acme.example",
    "location": "Oslo, Norway",
    "geo": {"city": "Oslo", "state": "Oslo", "stateCode": None, "country": "Norway", "countryCode": "NO"},
    "employment": {"domain": "acme.example", "name": "Acme", "title": "Head of Sales", "role": "sales"},
    "facebook": {"handle": None},
    "github": {"handle": None, "id": None},
    "twitter": {"handle": "janedoe", "followers": None},
    "linkedin": {"handle": "jane-doe"},
    "phone": "+47 22 00 00 00",
}
COMPANY = {
    "name": "Acme",
    "domain": "acme.example",
    "category": {"sector": "Industrials", "industry": "Machinery"},
    "metrics": {"employees": 120, "annualRevenue": None, "estimatedAnnualRevenue": 5_000_000},
    "linkedin": {"handle": "company/acme"},
}
BOTH = {"data": {"person": PERSON, "company": COMPANY}, "meta": {"email": "jane@acme.example"}}
JANE = Subject(first_name="Jane", last_name="Doe", email="jane@acme.example")


@dataclass
class Server:
    """Answers every request alike, and keeps what it was asked."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        try:
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
            given = {"content-type": "application/json", "content-length": str(len(self.body)), **self.headers}
            lines = [f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in given.items())]
            writer.write("\r\n".join((*lines, "connection: close", "", "")).encode() + self.body)
            await writer.drain()
        except ConnectionError:
            pass  # the client has heard enough
        finally:
            writer.close()


@asynccontextmanager
async def answering(
    content: Any = BOTH, status: int = 200, *, at: socket.socket | None = None, **headers: str
) -> AsyncIterator[Server]:
    """A server on this machine with this answer."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    server = Server(status, body, {name.replace("_", "-"): value for name, value in headers.items()})
    listening = await asyncio.start_server(server.serve, sock=at or socket.create_server(("127.0.0.1", 0)))
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v2"
    async with listening:
        yield server


async def ask(server: Server, subject: Subject = JANE) -> Findings:
    settings = ContactSettings(hunter_api_key=SecretStr(KEY), hunter_url=server.url)
    return await Hunter().enrich(subject, settings)


def errors(status: int, id_: str) -> dict[str, Any]:
    return {"errors": [{"id": id_, "code": status, "details": "Something about it"}]}


async def test_a_documented_answer_is_understood() -> None:
    async with answering() as server:
        found = await ask(server)
    assert found.contact == {
        "role": "Head of Sales",
        "phone": "+47 22 00 00 00",
        "linkedin_url": "https://www.linkedin.com/in/jane-doe",
        "city": "Oslo",
        "region": "Oslo",
        "country": "Norway",
    }
    assert found.social_profiles == {"linkedin": "https://www.linkedin.com/in/jane-doe", "twitter": "janedoe"}
    assert found.company == {
        "name": "Acme",
        "domain": "acme.example",
        "industry": "Machinery",
        "size": 120,
        "revenue": 5_000_000,
    }


async def test_the_address_goes_out_and_the_key_in_a_header_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with answering() as server:
        await ask(server)
    (request,) = server.asked
    assert request.startswith("GET /v2/combined/find?email=jane%40acme.example HTTP/1.1")
    assert f"x-api-key: {KEY}" in request.lower()
    assert "Jane" not in request
    assert KEY not in caplog.text
    assert KEY not in repr(ContactSettings(hunter_api_key=SecretStr(KEY)))


async def test_where_anybody_has_an_address_only_the_person_is_asked_for() -> None:
    async with answering({"data": {**PERSON, "linkedin": {"handle": "in/jane-doe/"}}}) as server:
        found = await ask(server, Subject(first_name="Jane", last_name="Doe", email="jane@gmail.com"))
    assert "/v2/people/find?" in server.asked[0]
    assert found.social_profiles["linkedin"] == "https://www.linkedin.com/in/jane-doe"
    assert found.company == {}


async def test_a_range_of_employees_stays_a_range_and_amounts_in_words_are_left_out() -> None:
    company = {**COMPANY, "metrics": {"employees": "51-200", "annualRevenue": "$10M", "estimatedAnnualRevenue": True}}
    async with answering({"data": {"person": PERSON, "company": company}}) as server:
        found = (await ask(server)).company
    assert set(found) == {"name", "domain", "industry", "size"}
    assert found["size"] == "51-200"


@pytest.mark.parametrize("data", [{}, {"person": None, "company": None}, {"person": [], "company": "Acme"}])
async def test_what_is_not_there_is_nothing(data: dict[str, Any]) -> None:
    async with answering({"data": data}) as server:
        assert await ask(server) == Findings()


async def test_nobody_at_the_address_is_nothing() -> None:
    async with answering(errors(404, "not_found"), 404) as server:
        assert await ask(server) == Findings()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "does not accept this e-mail address"),
        (401, "check SIXTY_CONTACTS_HUNTER_API_KEY"),
        (403, "asked too often"),
        (422, "does not accept this e-mail address"),
        (429, "allows no more for now"),
        (451, "has asked hunter not to tell"),
        (500, "hunter answered 500; try again later"),
        (503, "hunter answered 503; try again later"),
        (204, "hunter answered 204"),
    ],
)
async def test_a_refusal_says_what_to_do(status: int, said: str) -> None:
    async with answering(errors(status, "x"), status) as server:
        with pytest.raises(Unavailable, match=said) as caught:
            await ask(server)
    assert "retry_after" not in caught.value.details


@pytest.mark.parametrize(
    ("given", "understood"),
    [("120", 120), ("999999999", 86_400), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), ("9" * 5000, None)],
)
async def test_how_long_to_wait_is_passed_on(given: str, understood: int | None) -> None:
    async with answering(errors(429, "x"), 429, retry_after=given) as server:
        with pytest.raises(Unavailable) as caught:
            await ask(server)
    assert caught.value.details.get("retry_after") == understood


async def test_a_redirect_is_not_followed() -> None:
    async with answering() as elsewhere, answering(b"", 302, location=elsewhere.url) as server:
        with pytest.raises(Unavailable, match="hunter answered 302"):
            await ask(server)
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff\xfe", b"[]", b'"data"', b"null", b'{"data": []}', b"{}", b"[" * 500_000]
)
async def test_nonsense_is_an_error(body: bytes) -> None:
    async with answering(body) as server:
        with pytest.raises((ValueError, TypeError, RecursionError)):
            await ask(server)


async def test_too_much_is_not_read() -> None:
    async with answering(b'"' + b"x" * 10_000_000 + b'"') as server:
        with pytest.raises(ValueError, match="more than 1000000 bytes"):
            await ask(server)
    async with answering(gzip.compress(b'"' + b"x" * 10_000_000 + b'"'), content_encoding="gzip") as server:
        with pytest.raises(ValueError, match="more than 1000000 bytes"):
            await ask(server)


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with answering() as server:
        pass
    for url in (server.url, "no address", "http://[", "ftp://127.0.0.1/"):
        with pytest.raises(Unavailable, match="hunter cannot be reached"):
            await ask(Server(url=url))


async def test_without_a_key_it_says_which_setting_it_needs() -> None:
    with pytest.raises(Unavailable, match="set SIXTY_CONTACTS_HUNTER_API_KEY"):
        await Hunter().enrich(JANE, ContactSettings())


class TestThroughTheTool:
    """With the key and the address in the settings."""

    @pytest.fixture
    def place(self) -> Iterator[socket.socket]:
        """Where the server will be."""
        with socket.create_server(("127.0.0.1", 0)) as place:
            yield place

    @pytest.fixture
    def environ(self, place: socket.socket) -> Mapping[str, str]:
        url = f"http://127.0.0.1:{place.getsockname()[1]}/v2/"
        return {"SIXTY_CONTACTS_HUNTER_API_KEY": KEY, "SIXTY_CONTACTS_HUNTER_URL": url}

    async def test_what_hunter_knows_is_filled_in(self, sixty: Organisation, place: socket.socket) -> None:
        user = sixty.as_role("user")
        made = await user.call(
            "create_contact", first_name="Jane", last_name="Doe", email="jane@acme.example", company_name="Acme"
        )
        async with answering(at=place):
            found = await user.call("enrich_contact", contact_id=made["contact_id"], sources=["hunter"])
        assert found["sources"] == [{"source": "hunter", "status": "ok"}]
        assert found["contact"]["role"] == "Head of Sales"
        assert found["contact"]["address"] == {"city": "Oslo", "region": "Oslo", "country": "Norway"}
        assert found["contact"]["company_name"] == "Acme"
        assert found["enrichment_data"]["company_insights"] == {
            "industry": "Machinery",
            "size": 120,
            "revenue": 5_000_000,
        }
        gone = await user.call("enrich_contact", contact_id=made["contact_id"], sources=["hunter", "internal"])
        assert [report["status"] for report in gone["sources"]] == ["unavailable", "ok"]
        assert gone["contact"] == found["contact"]
        assert KEY not in str(gone)
