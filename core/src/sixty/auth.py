"""From a credential to a principal: API keys and JSON Web Tokens.

A token says who somebody is and nothing more: role, team and grants come from the directory, on each call. No
credential is ever logged, passed on or repeated in an error.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sixty.errors import ConfigError, Conflict, Invalid, Unauthenticated
from sixty.jwks import ALGORITHMS, Jwks
from sixty.people import KEY_PREFIX, add_user, key_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt import PyJWK, PyJWTError

    from sixty.config import Settings
    from sixty.directory import Directory, Identity, Principal, User
    from sixty.storage.database import Reader

__all__ = ["Authenticator", "mint"]

LEEWAY = 5
"""Seconds by which the clocks of an identity provider and of this machine may differ."""
LONGEST = 16_384
"""Characters of a credential at the most; a longer one is not looked at."""
REMEMBERED = 4096
"""Verified tokens that are remembered at the most."""


@dataclass(frozen=True, slots=True)
class _Verified:
    """What a token said when its signature was checked."""

    subject: str
    email: str | None
    expires_at: int
    key: PyJWK | None
    """The published key that signed it; None where it was signed with our own secret."""


class Authenticator:
    """Accepts the credentials that the settings allow."""

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self._settings = settings
        self._identity = identity
        self._jwks = Jwks(settings.jwt_jwks_url) if settings.jwt_jwks_url is not None else None
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()

    async def authenticate(self, token: str | None, reader: Reader | None = None) -> Principal:
        """The principal whose credential this is, by the directory as `reader` sees it, or newer.

        `Unauthenticated` says in general terms why it is not accepted, with a word for it in `reason`.
        `Unavailable` while the keys of the identity provider cannot be had.
        """
        if not token:
            raise _refused("missing", "no credential was sent; send an API key or a token as `Authorization: Bearer …`")
        if len(token) > LONGEST or not token.isascii() or not token.isprintable():
            raise _refused("malformed", "the credential is neither an API key nor a token")
        if token.startswith(KEY_PREFIX):
            directory = await self._identity.directory(reader)
            key = directory.keys.get(key_hash(token))
            if key is None:
                raise _refused("unknown_key", "the API key is unknown or was revoked")
            return _enabled(directory, key.user_id)
        verified = await self._verify(token)
        directory = await self._identity.directory(reader)
        user = _user_of(directory, verified)
        if user is None:
            directory = await self._provisioned(verified)
            user = _user_of(directory, verified)
        if user is None:
            raise _refused("unknown_subject", "nobody here has the subject of this token; ask an administrator")
        return _enabled(directory, user.id)

    def expires_at(self, token: str) -> int | None:
        """The second, in Unix time, at which a token that was just accepted ends; None for an API key."""
        verified = self._verified.get(_digest(token))
        return verified.expires_at if verified is not None else None

    async def close(self) -> None:
        """Release what fetching keys has opened."""
        if self._jwks is not None:
            await self._jwks.close()

    async def _verify(self, token: str) -> _Verified:
        digest = _digest(token)
        verified = self._verified.get(digest)
        if verified is not None and verified.expires_at > time.time() and await self._is_published(verified.key):
            self._verified.move_to_end(digest)
            return verified
        self._verified.pop(digest, None)
        verified = await self._decode(token)
        self._verified[digest] = verified
        if len(self._verified) > REMEMBERED:
            self._verified.popitem(last=False)
        return verified

    async def _is_published(self, key: PyJWK | None) -> bool:
        """Whether the key of a token that is remembered is still good: its owner may have withdrawn it."""
        if key is None or self._jwks is None:
            return True
        return await self._jwks.key(key.key_id, key.algorithm_name) is key

    async def _decode(self, token: str) -> _Verified:
        import jwt  # noqa: PLC0415 - only who sends a token needs it

        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise _refused("malformed", "the credential is neither an API key nor a token") from None
        key, algorithm = await self._key_for(header)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._settings.jwt_audience,
                issuer=self._settings.jwt_issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "aud", "sub"], "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            raise _not_accepted(error) from None
        email = claims.get("email")
        usable = isinstance(email, str) and claims.get("email_verified") is not False
        return _Verified(
            subject=claims["sub"],
            email=email if usable else None,
            expires_at=int(claims["exp"]),
            key=None if isinstance(key, str) else key,
        )

    async def _key_for(self, header: Mapping[str, Any]) -> tuple[str | PyJWK, str]:
        """The key for a token with this header, and the one algorithm that may have been used with it.

        Our secret and the published keys have no algorithm in common, so no public key is ever taken for a secret.
        """
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm == "HS256" and self._settings.jwt_secret is not None:
            return self._settings.jwt_secret, "HS256"
        if algorithm in ALGORITHMS and self._jwks is not None:
            key = await self._jwks.key(kid, algorithm)
            if key is None:
                raise _refused("unknown_key", "the token is signed with a key that its issuer does not publish")
            return key, algorithm
        raise _refused("algorithm", "the token is signed in a way that is not accepted here")

    async def _provisioned(self, verified: _Verified) -> Directory:
        """The newest directory, in which the bearer is a user if the settings and their token allow it."""
        if self._settings.auto_provision and verified.email is not None:
            # another call was faster, or the address is somebody's: the directory will tell
            with suppress(Conflict, Invalid):
                await add_user(
                    self._identity.database, email=verified.email, subject=verified.subject, now=datetime.now(UTC)
                )
        return await self._identity.directory()


def mint(settings: Settings, user: User, ttl: int, now: datetime) -> str:
    """A token with which `user` is known for `ttl` seconds from `now` on. `ConfigError` without a secret to sign it."""
    import jwt  # noqa: PLC0415 - as above

    if settings.jwt_secret is None:
        raise ConfigError("tokens are signed with SIXTY_JWT_SECRET, which is not set; an API key needs no secret")
    issued_at = int(now.timestamp())
    claims = {
        "sub": user.subject if user.subject is not None else user.id,
        "aud": settings.jwt_audience,
        "iat": issued_at,
        "exp": issued_at + ttl,
    }
    if settings.jwt_issuer is not None:
        claims["iss"] = settings.jwt_issuer
    return jwt.encode(claims, settings.jwt_secret, algorithm="HS256")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _user_of(directory: Directory, verified: _Verified) -> User | None:
    """The user whose token it is.

    Ids are for tokens signed with our own secret: whoever publishes keys must not choose among our users by id.
    """
    user = directory.users_by_subject.get(verified.subject)
    if user is None and verified.key is None:
        user = directory.users.get(verified.subject)
    return user


def _enabled(directory: Directory, user_id: str) -> Principal:
    principal = directory.principal(user_id)
    if principal is None:
        raise _refused("disabled", "this account is disabled; ask an administrator")
    return principal


def _refused(reason: str, message: str) -> Unauthenticated:
    return Unauthenticated(message, reason=reason)


def _not_accepted(error: PyJWTError) -> Unauthenticated:
    """What may be said of a token that was not accepted."""
    import jwt  # noqa: PLC0415 - as above

    if isinstance(error, jwt.MissingRequiredClaimError):
        return _refused("claim", f"the token has no `{error.claim}`")
    for kind, reason, message in (
        (jwt.ExpiredSignatureError, "expired", "the token has expired; get a new one"),
        (jwt.ImmatureSignatureError, "not_yet_valid", "the token is not valid yet"),
        (jwt.InvalidAudienceError, "audience", "the token is meant for another audience"),
        (jwt.InvalidIssuerError, "issuer", "the token comes from another issuer"),
        (jwt.InvalidSignatureError, "signature", "the signature of the token is wrong"),
    ):
        if isinstance(error, kind):
            return _refused(reason, message)
    return _refused("malformed", "the credential is neither an API key nor a token")
