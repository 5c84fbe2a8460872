"""Who sends the message that is being handled: handed from the transport to the protocol's handlers.

The SDK's streams carry the context of each message, so what is set for one message is seen by its handler alone.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sixty.errors import Unauthenticated

if TYPE_CHECKING:
    from sixty.directory import Principal
    from sixty.host import Host

__all__ = ["CALLER", "Caller", "principal_now"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who it is: `principal`, if authenticated for this very message; without one, whoever `token` is at each call."""

    principal: Principal | None = None
    token: str | None = None
    transport: str = "memory"
    address: str | None = None
    idempotency_key: str | None = None
    traceparent: str | None = None
    """The trace that this message came in, if its transport has said so."""
    expires_at: int | None = None
    """The second, in Unix time, at which `token` ends, if it does."""

    @property
    def credential(self) -> str | None:
        """What tells callers apart who have to be authenticated each for themselves."""
        return self.token if self.token is not None or self.principal is None else self.principal.user_id


CALLER: ContextVar[Caller] = ContextVar("sixty_caller", default=Caller())  # noqa: B039 - it is frozen


async def principal_now(host: Host, caller: Caller) -> Principal:
    """Who `caller` is at this moment, whatever was found when the message came.

    Raises what `Authenticator.authenticate` does.
    """
    if caller.token is not None or caller.principal is None:
        return await host.authenticator.authenticate(caller.token)
    directory = await host.identity.directory()  # somebody for whom a server without credentials acts
    principal = directory.principal(caller.principal.user_id)
    if principal is None:
        raise Unauthenticated("this account is gone or disabled; ask an administrator", reason="disabled")
    return principal
