"""Credentials: which are accepted, and for each way to be wrong, why it is refused."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, RSAAlgorithm

from sixty import auth, jwks
from sixty.auth import Authenticator, mint
from sixty.config import Settings
from sixty.directory import Identity
from sixty.errors import ConfigError, Unauthenticated, Unavailable
from sixty.people import add_key, add_user, disable_user, list_users, revoke_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from sixty.directory import User
    from sixty.storage.database import Database

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MEANINGLESS = 16
"""Characters below which a credential may be part of a sentence by chance."""
SECRET = "a secret that is long enough for HS256"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())


def published(key: Any, kid: str | None, **members: Any) -> dict[str, Any]:
    """The public half of a key, as a key set shows it."""
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), **({"kid": kid} if kid else {}), **members}


class Issuer:
    """An identity provider's key set on loopback."""

    def __init__(self) -> None:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                self.send_response(issuer.status)
                self.end_headers()
                self.wfile.write(issuer.body if issuer.body is not None else json.dumps({"keys": issuer.keys}).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.keys: list[Any] = [published(RSA, "first")]
        self.body: bytes | None = None
        self.status = 200
        self.asked = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    thread = threading.Thread(target=issuer.server.serve_forever, args=(0.01,))
    thread.start()
    yield issuer
    issuer.server.shutdown()
    thread.join()
    issuer.server.server_close()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
async def ada(database: Database) -> User:
    return await add_user(database, email="ada@example.com", subject="auth0|ada", now=NOW)


class Door:
    """Authenticators on one database, closed at the end."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.opened: list[Authenticator] = []

    def open(self, **configured: Any) -> Authenticator:
        identity = Identity(self.database, dict)
        self.opened.append(Authenticator(Settings(**configured), identity))
        return self.opened[-1]


@pytest.fixture
async def door(database: Database) -> AsyncIterator[Door]:
    door = Door(database)
    yield door
    for authenticator in door.opened:
        await authenticator.close()


def token(key: Any = SECRET, algorithm: str = "HS256", kid: str | None = None, **claims: Any) -> str:
    """A token that is good but for `claims`; None leaves one out."""
    now = int(datetime.now(UTC).timestamp())
    content = {"sub": "auth0|ada", "aud": "sixty", "iat": now, "exp": now + 3600, **claims}
    headers = {"kid": kid} if kid is not None else None
    return jwt.encode({k: v for k, v in content.items() if v is not None}, key, algorithm, headers)


async def reason(authenticator: Authenticator, credential: str | None) -> str:
    """Why a credential is refused; `accepted` if it is not."""
    try:
        await authenticator.authenticate(credential)
    except Unauthenticated as error:
        refusal = error.to_json()
    else:
        return "accepted"
    assert not credential or credential not in str(refusal.values()) or len(credential) < MEANINGLESS
    return str(refusal["reason"])


# API keys


async def test_an_api_key_stands_for_its_user(door: Door, ada: User) -> None:
    _, secret = await add_key(door.database, "ada@example.com", "n8n", now=NOW)
    assert (await door.open().authenticate(secret)).user_id == ada.id


async def test_a_revoked_key_is_refused_on_the_next_call(door: Door, ada: User) -> None:
    authenticator = door.open()
    key, secret = await add_key(door.database, "ada@example.com", "n8n", now=NOW)
    assert await reason(authenticator, secret) == "accepted"
    await revoke_key(door.database, key.id, now=NOW)
    assert await reason(authenticator, secret) == "unknown_key"


async def test_a_disabled_user_is_refused_on_the_next_call_with_a_key_and_with_a_token(door: Door, ada: User) -> None:
    authenticator = door.open(jwt_secret=SECRET)
    _, secret = await add_key(door.database, "ada@example.com", "n8n", now=NOW)
    signed = token()
    assert await reason(authenticator, secret) == "accepted"
    assert await reason(authenticator, signed) == "accepted"
    await disable_user(door.database, "ada@example.com", now=NOW)
    assert await reason(authenticator, secret) == "disabled"
    assert await reason(authenticator, signed) == "disabled"


@pytest.mark.parametrize("credential", [None, ""])
async def test_no_credential_is_missing(door: Door, credential: str | None) -> None:
    assert await reason(door.open(), credential) == "missing"


async def test_a_key_that_nobody_has_is_unknown(door: Door, ada: User) -> None:
    assert await reason(door.open(), "sk60_guessed") == "unknown_key"


# tokens signed with our own secret


async def test_a_minted_token_is_accepted_until_it_expires(
    door: Door, ada: User, clock: time_machine.Traveller
) -> None:
    authenticator = door.open(jwt_secret=SECRET, jwt_issuer="https://issuer.example")
    minted = mint(Settings(jwt_secret=SECRET, jwt_issuer="https://issuer.example"), ada, 60, NOW)
    assert (await authenticator.authenticate(minted)).user_id == ada.id
    assert authenticator.expires_at(minted) == int(NOW.timestamp()) + 60
    clock.shift(60 + auth.LEEWAY)
    assert await reason(authenticator, minted) == "expired"
    assert authenticator.expires_at(minted) is None


async def test_a_token_that_ended_by_a_clock_set_ahead_is_accepted_once_that_is_right(
    door: Door, ada: User, clock: time_machine.Traveller
) -> None:
    authenticator = door.open(jwt_secret=SECRET)
    minted = mint(Settings(jwt_secret=SECRET), ada, 3600, NOW)
    clock.shift(86_400)
    assert await reason(authenticator, minted) == "expired"
    clock.shift(-86_400)
    assert (await authenticator.authenticate(minted)).user_id == ada.id


async def test_a_minted_token_of_a_user_without_subject_names_the_id(door: Door, database: Database) -> None:
    grace = await add_user(database, email="grace@example.com", now=NOW)
    configured = Settings(jwt_secret=SECRET)
    minted = mint(configured, grace, 60, datetime.now(UTC))
    assert (await door.open(jwt_secret=SECRET).authenticate(minted)).user_id == grace.id


def test_without_a_secret_no_token_is_minted(ada: User) -> None:
    with pytest.raises(ConfigError, match="SIXTY_JWT_SECRET"):
        mint(Settings(), ada, 60, NOW)


NOW_SECONDS = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, "accepted"),
        ({"aud": ["another", "sixty"]}, "accepted"),
        ({"exp": NOW_SECONDS - auth.LEEWAY + 1}, "accepted"),
        ({"exp": NOW_SECONDS - auth.LEEWAY}, "expired"),
        ({"exp": None}, "claim"),
        ({"exp": "tomorrow"}, "malformed"),
        ({"exp": float("inf")}, "malformed"),
        ({"nbf": NOW_SECONDS + auth.LEEWAY}, "accepted"),
        ({"nbf": NOW_SECONDS + auth.LEEWAY + 1}, "not_yet_valid"),
        ({"iat": NOW_SECONDS + 600}, "not_yet_valid"),
        ({"aud": None}, "claim"),
        ({"aud": "another"}, "audience"),
        ({"aud": 60}, "audience"),
        ({"iss": None}, "claim"),
        ({"iss": "https://mallory.example"}, "issuer"),
        ({"sub": None}, "claim"),
        ({"sub": "auth0|mallory"}, "unknown_subject"),
        ({"sub": ""}, "unknown_subject"),
    ],
)
async def test_each_claim_is_checked(
    door: Door, ada: User, clock: time_machine.Traveller, claims: dict[str, Any], expected: str
) -> None:
    authenticator = door.open(jwt_secret=SECRET, jwt_issuer="https://issuer.example")
    assert await reason(authenticator, token(**{"iss": "https://issuer.example", **claims})) == expected


async def test_a_subject_that_is_no_text_is_refused(door: Door, ada: User) -> None:
    header, _, _ = token().split(".")
    signed = f"{header}.{_encoded({'sub': 60, 'aud': 'sixty', 'exp': 4102444800})}"
    signature = hmac.digest(SECRET.encode(), signed.encode(), "sha256")
    assert await reason(door.open(jwt_secret=SECRET), f"{signed}.{_base64(signature)}") == "malformed"


async def test_a_token_without_signature_is_refused(door: Door, ada: User, issuer: Issuer) -> None:
    authenticator = door.open(jwt_secret=SECRET, jwt_jwks_url=issuer.url)
    unsigned = token("", "none")
    assert await reason(authenticator, unsigned) == "algorithm"
    _, payload, _ = unsigned.split(".")
    for spelling in ("None", "NONE", "nOnE", ""):
        assert await reason(authenticator, f"{_encoded({'alg': spelling})}.{payload}.") in ("algorithm", "malformed")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_our_secret_signs_with_hs256_only(door: Door, ada: User, algorithm: str) -> None:
    long_secret = SECRET * 4
    assert await reason(door.open(jwt_secret=long_secret), token(long_secret, algorithm)) == "algorithm"


async def test_a_token_signed_with_another_secret_is_refused(door: Door, ada: User) -> None:
    assert (
        await reason(door.open(jwt_secret=SECRET), token("another secret of sufficient length ......")) == "signature"
    )


async def test_a_token_is_refused_where_no_secret_is_set(door: Door, ada: User) -> None:
    assert await reason(door.open(), token()) == "algorithm"


async def test_a_token_is_read_once_and_its_user_looked_up_each_time(
    door: Door, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    authenticator = door.open(jwt_secret=SECRET)
    signed = token()
    first = await authenticator.authenticate(signed)
    monkeypatch.setattr(jwt, "decode", None)
    assert (await authenticator.authenticate(signed)).user_id == first.user_id


async def test_only_so_many_tokens_are_remembered_and_the_one_in_use_stays(
    door: Door, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "REMEMBERED", 3)
    authenticator = door.open(jwt_secret=SECRET)
    used, *others = (token(jti=str(number)) for number in range(6))
    for other in others:
        await authenticator.authenticate(used)
        await authenticator.authenticate(other)
    remembered = [authenticator.expires_at(credential) is not None for credential in (used, *others)]
    assert remembered == [True, False, False, False, True, True]


# tokens of an identity provider


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256")])
async def test_a_token_signed_with_a_published_key_is_accepted(
    door: Door, ada: User, issuer: Issuer, key: Any, algorithm: str
) -> None:
    issuer.keys = [published(OTHER_RSA, "other"), published(key, "mine")]
    authenticator = door.open(jwt_jwks_url=issuer.url)
    assert (await authenticator.authenticate(token(key, algorithm, "mine"))).user_id == ada.id


@pytest.mark.parametrize("secret", [None, SECRET])
async def test_a_public_key_is_never_taken_for_a_secret(
    door: Door, ada: User, issuer: Issuer, secret: str | None
) -> None:
    authenticator = door.open(jwt_jwks_url=issuer.url, jwt_secret=secret)
    pem = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for public in (pem, json.dumps(published(RSA, "first")).encode()):
        claims = {"sub": "auth0|ada", "aud": "sixty", "exp": 4102444800}
        signed = f"{_encoded({'alg': 'HS256', 'kid': 'first'})}.{_encoded(claims)}"
        forged = f"{signed}.{_base64(hmac.digest(public, signed.encode(), 'sha256'))}"
        assert await reason(authenticator, forged) in ("algorithm", "signature")


async def test_a_symmetric_key_in_a_key_set_is_never_used(door: Door, ada: User, issuer: Issuer) -> None:
    issuer.keys = [{**HMACAlgorithm.to_jwk(SECRET, as_dict=True), "kid": "oct"}]
    authenticator = door.open(jwt_jwks_url=issuer.url)
    assert await reason(authenticator, token(SECRET, "HS256", "oct")) == "algorithm"
    assert await reason(authenticator, token(RSA, "RS256", "oct")) == "unknown_key"


async def test_an_asymmetric_token_is_refused_where_no_keys_are_published(door: Door, ada: User) -> None:
    assert await reason(door.open(jwt_secret=SECRET), token(RSA, "RS256", "first")) == "algorithm"


async def test_a_token_signed_by_somebody_else_under_a_published_id_is_refused(
    door: Door, ada: User, issuer: Issuer
) -> None:
    assert await reason(door.open(jwt_jwks_url=issuer.url), token(OTHER_RSA, "RS256", "first")) == "signature"


async def test_an_algorithm_that_the_key_is_not_for_is_refused(door: Door, ada: User, issuer: Issuer) -> None:
    issuer.keys = [published(RSA, "first"), published(EC, "ec")]
    authenticator = door.open(jwt_jwks_url=issuer.url)
    assert await reason(authenticator, token(RSA, "RS256", "ec")) == "unknown_key"
    assert await reason(authenticator, token(EC, "ES256", "first")) == "unknown_key"
    assert await reason(authenticator, token(RSA, "RS512", "first")) == "algorithm"
    assert await reason(authenticator, token(RSA, "PS256", "first")) == "algorithm"


async def test_a_new_key_is_fetched_when_a_token_names_it_but_not_again_and_again(
    door: Door, ada: User, issuer: Issuer, clock: time_machine.Traveller
) -> None:
    authenticator = door.open(jwt_jwks_url=issuer.url)
    assert await reason(authenticator, token(RSA, "RS256", "first")) == "accepted"
    issuer.keys = [published(RSA, "first"), published(OTHER_RSA, "second")]
    rotated = token(OTHER_RSA, "RS256", "second")
    for _ in range(5):
        assert await reason(authenticator, rotated) == "unknown_key"
    assert issuer.asked == 1
    clock.shift(jwks.REFETCH)
    assert await reason(authenticator, rotated) == "accepted"
    assert await reason(authenticator, token(RSA, "RS256", "first")) == "accepted"
    assert issuer.asked == 2


async def test_a_withdrawn_key_is_refused_soon_for_tokens_that_were_accepted_too(
    door: Door, ada: User, issuer: Issuer, clock: time_machine.Traveller
) -> None:
    authenticator = door.open(jwt_jwks_url=issuer.url)
    signed = token(RSA, "RS256", "first")
    assert await reason(authenticator, signed) == "accepted"
    issuer.keys = []
    assert await reason(authenticator, signed) == "accepted"
    clock.shift(jwks.FRESH)
    assert await reason(authenticator, signed) == "unknown_key"


async def test_many_callers_at_once_fetch_the_keys_once(door: Door, ada: User, issuer: Issuer) -> None:
    authenticator = door.open(jwt_jwks_url=issuer.url)
    signed = [token(RSA, "RS256", "first", jti=str(number)) for number in range(10)]
    assert await asyncio.gather(*(reason(authenticator, each) for each in signed)) == ["accepted"] * 10
    assert issuer.asked == 1


@pytest.mark.parametrize("body", [b"not JSON", b"[]", b"{}", b'{"keys": "none"}'])
async def test_an_answer_that_is_no_key_set_is_as_good_as_none(
    door: Door, ada: User, issuer: Issuer, body: bytes
) -> None:
    issuer.body = body
    with pytest.raises(Unavailable):
        await door.open(jwt_jwks_url=issuer.url).authenticate(token(RSA, "RS256", "first"))


async def test_a_key_set_is_read_past_what_is_no_key_for_us(door: Door, ada: User, issuer: Issuer) -> None:
    issuer.keys = [
        "not a key",
        {"kty": "RSA", "kid": "broken", "n": "?", "e": "AQAB"},
        {"kty": "RSA", "kid": "incomplete"},
        {"kty": ["RSA"], "crv": {}},
        published(RSA, "for encryption", use="enc"),
        published(RSA, "for RS512", alg="RS512"),
        published(ec.generate_private_key(ec.SECP384R1()), "another curve"),
        published(OTHER_RSA, "second", use="sig", alg="RS256"),
    ]
    authenticator = door.open(jwt_jwks_url=issuer.url)
    assert await reason(authenticator, token(OTHER_RSA, "RS256", "second")) == "accepted"
    assert await reason(authenticator, token(RSA, "RS256", "for encryption")) == "unknown_key"
    assert await reason(authenticator, token(RSA, "RS256", "for RS512")) == "unknown_key"


async def test_a_weak_key_is_refused_though_published(door: Door, ada: User, issuer: Issuer) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - it is refused
    issuer.keys = [published(weak, "weak")]
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        signed = token(weak, "RS256", "weak")
    assert await reason(door.open(jwt_jwks_url=issuer.url), signed) == "malformed"


async def test_a_token_without_key_id_gets_the_only_key_that_fits(door: Door, ada: User, issuer: Issuer) -> None:
    issuer.keys = [published(RSA, "first"), published(EC, "ec")]
    assert await reason(door.open(jwt_jwks_url=issuer.url), token(RSA, "RS256")) == "accepted"
    issuer.keys = [published(RSA, "first"), published(OTHER_RSA, "second")]
    assert await reason(door.open(jwt_jwks_url=issuer.url), token(RSA, "RS256")) == "unknown_key"


async def test_while_no_keys_can_be_fetched_the_answer_is_unavailable_and_then_all_is_well(
    door: Door, ada: User, issuer: Issuer, clock: time_machine.Traveller
) -> None:
    issuer.status = 503
    authenticator = door.open(jwt_jwks_url=issuer.url)
    signed = token(RSA, "RS256", "first")
    for _ in range(5):
        with pytest.raises(Unavailable):
            await authenticator.authenticate(signed)
    assert issuer.asked == 1
    issuer.status = 200
    clock.shift(jwks.RETRY)
    assert await reason(authenticator, signed) == "accepted"


async def test_nobody_answering_is_unavailable(door: Door, ada: User, issuer: Issuer) -> None:
    issuer.server.server_close()
    with pytest.raises(Unavailable):
        await door.open(jwt_jwks_url=issuer.url).authenticate(token(RSA, "RS256", "first"))


async def test_keys_stay_good_for_a_while_when_their_address_does_not_answer(
    door: Door, ada: User, issuer: Issuer, clock: time_machine.Traveller
) -> None:
    authenticator = door.open(jwt_jwks_url=issuer.url)
    signed = token(RSA, "RS256", "first", exp=NOW_SECONDS + 10 * jwks.PATIENCE)
    assert await reason(authenticator, signed) == "accepted"
    issuer.status = 500
    clock.shift(jwks.FRESH)
    assert await reason(authenticator, signed) == "accepted"
    clock.shift(jwks.PATIENCE)
    with pytest.raises(Unavailable):
        await authenticator.authenticate(signed)


async def test_an_identity_provider_cannot_choose_among_our_users_by_id(
    door: Door, database: Database, issuer: Issuer
) -> None:
    grace = await add_user(database, email="grace@example.com", role="admin", now=NOW)
    forged = token(RSA, "RS256", "first", sub=grace.id, email="mallory@example.com")
    assert await reason(door.open(jwt_jwks_url=issuer.url), forged) == "unknown_subject"
    assert await reason(door.open(jwt_jwks_url=issuer.url, auto_provision=True), forged) == "unknown_subject"
    assert await list_users(database) == [grace]


# unknown subjects


async def test_an_unknown_subject_becomes_a_user_where_the_settings_say_so(
    door: Door, database: Database, issuer: Issuer
) -> None:
    authenticator = door.open(jwt_jwks_url=issuer.url, auto_provision=True)
    signed = token(RSA, "RS256", "first", sub="auth0|new", email="New@Example.com", role="admin")
    principal = await authenticator.authenticate(signed)
    assert (principal.email, principal.role, principal.team_id) == ("new@example.com", "user", None)
    assert (await authenticator.authenticate(signed)).user_id == principal.user_id
    assert [user.subject for user in await list_users(database)] == ["auth0|new"]


async def test_many_first_calls_at_once_make_one_user(door: Door, database: Database) -> None:
    authenticator = door.open(jwt_secret=SECRET, auto_provision=True)
    signed = token(sub="auth0|new", email="new@example.com")
    principals = await asyncio.gather(*(authenticator.authenticate(signed) for _ in range(5)))
    assert len({principal.user_id for principal in principals}) == 1
    assert len(await list_users(database)) == 1


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"email": "ada@example.com"},
        {"email": "not an address"},
        {"email": 60},
        {"email": "new@example.com", "email_verified": False},
    ],
)
async def test_an_unknown_subject_without_an_address_of_its_own_is_refused(
    door: Door, database: Database, ada: User, claims: dict[str, Any]
) -> None:
    authenticator = door.open(jwt_secret=SECRET, auto_provision=True)
    assert await reason(authenticator, token(sub="auth0|new", **claims)) == "unknown_subject"
    assert await list_users(database) == [ada]


# garbage


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _encoded(value: Any) -> str:
    return _base64(json.dumps(value).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
HEADERS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("kid", "typ", "crit", "b64"), JSON) | {"alg": JSON | st.just("HS256")}
)
CLAIMS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("sub", "aud", "exp", "nbf", "iat", "iss", "jti", "email"), JSON)
)


@st.composite
def signed_garbage(draw: st.DrawFn) -> str:
    """A token with a good signature and with any header and claims at all."""
    signed = f"{_encoded(draw(HEADERS))}.{_encoded(draw(CLAIMS | JSON))}"
    return f"{signed}.{_base64(hmac.digest(SECRET.encode(), signed.encode(), 'sha256'))}"


@given(credential=st.text() | st.from_regex(r"(sk60_|eyJ)?[\w.=-]*", fullmatch=True) | signed_garbage())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_garbage_is_refused_and_never_repeated(door: Door, ada: User, credential: str) -> None:
    assert await reason(door.open(jwt_secret=SECRET, auto_provision=True), credential) != "accepted"


@pytest.mark.parametrize(
    "credential",
    ["Bearer x", "a.b.c", "....", "é" * 50, "\x00", "x" * (auth.LONGEST + 1), _encoded([[]] * 3) + ".e30.", "[" * 9000],
)
async def test_what_is_no_credential_is_malformed(door: Door, ada: User, credential: str) -> None:
    assert await reason(door.open(jwt_secret=SECRET), credential) == "malformed"


async def test_a_deeply_nested_token_is_refused(door: Door, ada: User) -> None:
    nested = _base64(b"[" * 9000)
    assert await reason(door.open(jwt_secret=SECRET), f"{nested}.e30.") == "malformed"


def test_the_leeway_is_small() -> None:
    assert timedelta(seconds=auth.LEEWAY) <= timedelta(seconds=5)
