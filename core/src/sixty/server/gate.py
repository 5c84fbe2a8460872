"""The door of the HTTP endpoint: whoever passes is a principal, authenticated anew for each request.

A credential that is revoked, an account that is disabled and a role that has changed count from the next request on.
There is no 403 here: what somebody may do stands in Sixty's own tables, so no other token of theirs would help.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import orjson

from sixty.audit import Entry
from sixty.errors import RateLimited, Unauthenticated, Unavailable
from sixty.ids import new_id
from sixty.server.caller import CALLER, Caller
from sixty.server.refusals import RATE_LIMITED, UNAUTHENTICATED, UNAVAILABLE
from sixty.server.replies import SOON, Refuse, refuse, reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from sixty.directory import Principal
    from sixty.host import Host

__all__ = ["METADATA_PATH", "Gate", "Metadata"]

METADATA_PATH = "/.well-known/oauth-protected-resource"


class Metadata:
    """What a client must know to get a token (RFC 9728)."""

    def __init__(self, host: Host, path: str) -> None:
        self._host = host
        self._path = path

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the document."""
        settings = self._host.settings
        document: dict[str, Any] = {
            "resource": self._base(scope) + self._path,
            "resource_name": "Sixty CRM",
            "scopes_supported": self.scopes(),
            "bearer_methods_supported": ["header"],
        }
        if settings.jwt_issuer is not None:
            document["authorization_servers"] = [settings.jwt_issuer]
        await reply(send, 200, orjson.dumps(document), [(b"cache-control", b"no-cache")])

    def scopes(self) -> list[str]:
        """Every permission that a loaded pack knows."""
        return sorted(self._host.registry.permissions)

    def challenge(self, scope: Scope, error: Unauthenticated) -> bytes:
        """The `WWW-Authenticate` of a refusal. A request without a credential is told no error (RFC 6750)."""
        parts = {"resource_metadata": f"{self._base(scope)}{METADATA_PATH}{self._path}"}
        if error.details.get("reason") != "missing":
            parts |= {"error": "invalid_token", "error_description": error.message}
        if scopes := self.scopes():
            parts["scope"] = " ".join(scopes)
        return b"Bearer " + ", ".join(f'{name}="{_quotable(value)}"' for name, value in parts.items()).encode("ascii")

    def _base(self, scope: Scope) -> str:
        """The address under which the client reaches this server, without a slash at its end."""
        if (public := self._host.settings.public_url) is not None:
            return public.rstrip("/").removesuffix(self._path)
        host = dict(scope["headers"]).get(b"host", b"localhost").decode("latin-1")
        return f"{scope['scheme'].replace('ws', 'http')}://{host}"


class Gate:
    """Lets requests through whose credential is accepted."""

    def __init__(
        self, app: ASGIApp, host: Host, metadata: Metadata, anonymous_as: str | None = None, refuse: Refuse = refuse
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._host = host
        self._metadata = metadata
        self._anonymous_as = anonymous_as

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its caller, or refuse it."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        address = scope["client"][0] if scope.get("client") else None
        try:
            caller = await self._caller(headers, address)
        except RateLimited as error:
            wait = [(b"retry-after", b"%d" % error.retry_after)]
            await self._refuse(send, 429, RATE_LIMITED, error.message, wait, error.to_json())
        except Unauthenticated as error:
            challenge = [(b"www-authenticate", self._metadata.challenge(scope, error))]
            await self._refuse(send, 401, UNAUTHENTICATED, error.message, challenge, error.to_json())
        except Unavailable as error:
            await self._refuse(send, 503, UNAVAILABLE, error.message, [SOON], error.to_json())
        else:
            reset = CALLER.set(caller)
            try:
                await self._app(scope, receive, send)
            finally:
                CALLER.reset(reset)

    async def _caller(self, headers: Mapping[bytes, bytes], address: str | None) -> Caller:
        """Whose request it is. Refused credentials are counted and audited; the absence of one is not."""
        authorization, key = headers.get(b"authorization"), headers.get(b"idempotency-key")
        idempotency_key = key.decode("latin-1") if key is not None else None
        traced = headers.get(b"traceparent")
        traceparent = traced.decode("latin-1") if traced is not None else None
        if authorization is None and self._anonymous_as is not None:
            principal = await _anonymous(self._host, self._anonymous_as)
            return Caller(principal, None, "http", address, idempotency_key, traceparent)
        host, started = self._host, perf_counter()
        if address is not None:
            host.limits.check_address(address)
        try:
            token = _bearer(authorization)
            principal = await host.authenticator.authenticate(token)
            expires_at = host.authenticator.expires_at(token) if token is not None else None
            return Caller(principal, token, "http", address, idempotency_key, traceparent, expires_at)
        except Unauthenticated as error:
            if authorization is not None:
                if address is not None:
                    host.limits.record_failure(address)
                entry = _refused(host, error, address, perf_counter() - started)
                host.audit.later(entry)
                host.observe(entry)
            raise


async def _anonymous(host: Host, email: str) -> Principal:
    directory = await host.identity.directory()
    user = directory.users_by_email.get(email.lower())
    principal = directory.principal(user.id) if user is not None else None
    if principal is None:
        raise Unauthenticated(f"this server acts as {email} for everyone, and that account is gone or disabled")
    return principal


def _bearer(authorization: bytes | None) -> str | None:
    """The token of an Authorization header, or None. Another scheme counts as a token that nobody knows."""
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer":
        raise Unauthenticated("send the credential as `Authorization: Bearer …`", reason="scheme")
    return token.strip().decode("latin-1")


def _refused(host: Host, error: Unauthenticated, address: str | None, seconds: float) -> Entry:
    return Entry(
        call_id=new_id(),
        at=host.clock(),
        user_id=None,
        tool="authenticate",
        effect=None,
        outcome=error.code,
        message=error.message,
        arguments={"reason": error.details.get("reason")},
        records={},
        transport="http",
        client=None,
        address=address,
        microseconds=round(seconds * 1e6),
    )


def _quotable(text: str) -> str:
    """What may stand between the quotes of a header's parameter."""
    return text.encode("ascii", "replace").decode().replace("\\", "'").replace('"', "'")
