"""What a transport has decoded, and what is known of a call from its beginning."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

from sixty.audit import Entry
from sixty.conversation import NO_REPLIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sixty.conversation import Channel, Replies
    from sixty.directory import Principal
    from sixty.offers import Offer, OfferKind

__all__ = ["Request", "Trace"]


@dataclass(frozen=True, slots=True)
class Request:
    """What a transport has decoded. Either `principal` is known already, or `token` is still to be authenticated."""

    tool: str
    arguments: Mapping[str, Any]
    principal: Principal | None = None
    token: str | None = None
    transport: str = "memory"
    client: str | None = None
    address: str | None = None
    idempotency_key: str | None = None
    kind: OfferKind = "tool"
    """What `tool` names: the name of a tool or prompt, or the address of a resource as it was declared."""
    channel: Channel | None = None
    """The client, where the transport can reach it while the call runs."""
    replies: Replies = NO_REPLIES
    """What the client has answered to the questions of earlier rounds."""
    traceparent: str | None = None
    """The trace that the caller is in, as the W3C has it."""
    offer: Offer | None = None
    """What is called, where it is not on offer to clients: for what the process does itself. No transport sets it."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of a call from its beginning, for its line in the audit trail."""

    call_id: str
    at: datetime
    started: float
    request: Request

    def line(
        self,
        principal: Principal | None,
        tool: Offer | None,
        outcome: str,
        message: str | None,
        records: Mapping[str, str],
    ) -> Entry:
        """The line for a call that ends now."""
        request = self.request
        return Entry(
            call_id=self.call_id,
            at=self.at,
            user_id=principal.user_id if principal is not None else None,
            tool=request.tool,
            effect=tool.effect if tool is not None else None,
            outcome=outcome,
            message=message,
            arguments=request.arguments,
            records=records,
            transport=request.transport,
            client=request.client,
            address=request.address,
            microseconds=round((perf_counter() - self.started) * 1e6),
            kind=request.kind,
        )
