"""Receivers that fail, hang, go away, ask for patience, answer too much, or are not who they say they are."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from receiving import closes, floods, hangs, receiving, says

from sixty.tables import jobs
from sixty.webhooks import sending

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Names
    from receiving import Receiver

    from sixty.testing import Organisation

DELIVERY = sa.select(jobs).where(jobs.c.name == "core.deliver")


@pytest.fixture
def database_url(request: pytest.FixtureRequest, sqlite_templates: Any, tmp_path: Path, plugins: Any) -> str:
    # what a receiver does is the same on both databases
    url: str = sqlite_templates.copy(plugins, tmp_path / "sixty.db")
    return url


async def tried(sixty: Organisation, api: Callable[..., Any], url: str) -> dict[str, Any]:
    """The job of an event that was tried once."""
    await (await api("user")).post(url=url, events=["*"])
    await sixty.as_role("user").call("add_note", text="Budget")
    await sixty.work()
    (job,) = await sixty.rows(DELIVERY)
    return job


def pause(sixty: Organisation, job: dict[str, Any]) -> float:
    """Seconds until the next try."""
    seconds: float = (job["due_at"] - sixty.clock()).total_seconds()
    return seconds


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_any_2xx_is_success(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver, status: int
) -> None:
    receiver.answers = [says(status, b"" if status == 204 else b"Thanks")]
    assert (await tried(sixty, api, receiver.url))["state"] == "done"


@pytest.mark.parametrize("status", [301, 302, 308, 400, 401, 404, 500, 503])
async def test_anything_else_is_tried_again(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver, status: int
) -> None:
    async with receiving() as elsewhere:
        receiver.answers = [says(status, b"Not\x00 now\r\n", location=elsewhere.url)]
        job = await tried(sixty, api, receiver.url)
        assert job["state"] == "waiting"
        assert job["error"] == f"the receiver answered {status}: Not now"
        assert 5 <= pause(sixty, job) <= 5.5
        assert elsewhere.requests == []  # a redirect is not followed
    sixty.clock.advance(timedelta(seconds=6))
    await sixty.work()
    assert [job["state"] for job in await sixty.rows(DELIVERY)] == ["done"]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("wanted", "seconds"),
    [
        ("120", 120),
        ("1", 5),  # the plan's own pause is longer
        ("999999999999", 86_400),
        (format_datetime(datetime(2026, 3, 2, 9, 40, tzinfo=UTC), usegmt=True), 600),
        (format_datetime(datetime(2027, 3, 2, 9, 40, tzinfo=UTC), usegmt=True), 86_400),
        (format_datetime(datetime(2025, 3, 2, 9, 40, tzinfo=UTC), usegmt=True), 5),
        ("soon", 5),
        ("-3", 5),
    ],
)
async def test_a_receiver_that_asks_for_patience_is_given_it(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver, *, status: int, wanted: str, seconds: int
) -> None:
    receiver.answers = [says(status, retry_after=wanted)]
    job = await tried(sixty, api, receiver.url)
    assert job["state"] == "waiting"
    assert seconds <= pause(sixty, job) <= seconds * 1.1


async def test_a_receiver_that_is_gone_is_disabled_at_once(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answers = [says(410, b"No such workflow")]
    job = await tried(sixty, api, receiver.url)
    assert (job["state"], job["attempts"]) == ("failed", 1)
    (webhook,) = (await (await api("user")).get())["webhooks"]
    assert webhook["state"] == "disabled"
    reason = "note.added was not received in 1 try: the receiver answered 410: No such workflow"
    assert webhook["disabled_reason"] == reason
    assert reason in caplog.text
    await sixty.as_role("user").call("add_note", text="Later")
    await sixty.work()
    assert len(receiver.requests) == 1


async def test_a_receiver_that_hangs_is_waited_for_and_no_longer(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (sending.CONNECTING, sending.WHOLE) == (5, 15)
    monkeypatch.setattr(sending, "WHOLE", 0.1)
    receiver.answers = [hangs]
    job = await tried(sixty, api, receiver.url)
    assert (job["state"], job["error"]) == ("waiting", "no answer within 0.1 seconds")


async def test_a_receiver_that_hangs_in_the_middle_of_a_refusal_is_heard_so_far(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "WORDS", 0.1)

    async def stops(receiver: Receiver, writer: Any) -> None:
        writer.write(b"HTTP/1.1 500 Oh\r\ncontent-length: 100\r\n\r\nWe are")
        await hangs(receiver, writer)

    receiver.answers = [stops]
    assert (await tried(sixty, api, receiver.url))["error"] == "the receiver answered 500: We are"


async def test_a_receiver_that_closes_without_an_answer_is_tried_again(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    receiver.answers = [closes]
    job = await tried(sixty, api, receiver.url)
    assert job["state"] == "waiting"
    assert job["error"].startswith("no answer: Server disconnected")


async def test_nobody_listens(sixty: Organisation, api: Callable[..., Any]) -> None:
    async with receiving() as gone:
        url = gone.url
    job = await tried(sixty, api, url)
    assert (job["state"], job["error"]) == ("waiting", "no answer: All connection attempts failed")


@pytest.mark.parametrize(("status", "state"), [(500, "waiting"), (200, "done")])
async def test_of_a_huge_answer_hardly_anything_is_read(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver, status: int, state: str
) -> None:
    receiver.answers = [floods(100_000_000, status)]
    job = await tried(sixty, api, receiver.url)
    assert job["state"] == state
    await receiver.left.wait()  # the connection was closed on it
    assert receiver.taken < 10_000_000  # what the system itself keeps in between
    assert len(job["error"] or "") < 1_100


def certified(folder: Path, name: str) -> Path:
    """A certificate that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = folder / "certificate.pem"
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(private + certificate.public_bytes(pem))
    return path


class TestTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path, names: Names) -> Path:
        names.answers["hooks.example"] = names.answers["other.example"] = ["127.0.0.1"]
        return certified(tmp_path, "hooks.example")

    @pytest.fixture
    def context(self, certificate: Path) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        return context

    @pytest.fixture
    def _believed(self, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        sending.trusted.cache_clear()
        yield
        sending.trusted.cache_clear()

    async def test_a_certificate_that_nobody_vouches_for_is_not_believed(
        self, sixty: Organisation, api: Callable[..., Any], context: ssl.SSLContext
    ) -> None:
        async with receiving(context) as receiver:
            job = await tried(sixty, api, receiver.url.replace("127.0.0.1", "hooks.example"))
            assert job["state"] == "waiting"
            assert "CERTIFICATE_VERIFY_FAILED" in job["error"]
            assert receiver.requests == []

    @pytest.mark.usefixtures("_believed")
    async def test_the_name_is_asked_for_and_checked_although_the_address_is_connected_to(
        self, sixty: Organisation, api: Callable[..., Any], context: ssl.SSLContext
    ) -> None:
        asked: list[str | None] = []
        context.sni_callback = lambda _, name, __: asked.append(name)
        async with receiving(context) as receiver:
            job = await tried(sixty, api, receiver.url.replace("127.0.0.1", "hooks.example"))
            assert (job["error"], job["state"]) == (None, "done")
            assert receiver.texts == ["Budget"]
            assert asked == ["hooks.example"]

    @pytest.mark.usefixtures("_believed")
    async def test_a_certificate_of_another_name_is_not_believed(
        self, sixty: Organisation, api: Callable[..., Any], context: ssl.SSLContext
    ) -> None:
        async with receiving(context) as receiver:
            job = await tried(sixty, api, receiver.url.replace("127.0.0.1", "other.example"))
            assert "CERTIFICATE_VERIFY_FAILED" in job["error"]
            assert receiver.requests == []
