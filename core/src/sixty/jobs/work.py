"""What a job is given: what caused it, which try this is, and tools to call."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sixty.call import call_tool
from sixty.errors import Unauthenticated, raised
from sixty.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sixty.host import Host
    from sixty.registry import Pack

__all__ = ["Work"]


@dataclass(frozen=True, slots=True)
class Work:
    """One try of a job. It runs in no transaction, so it may wait for the world outside."""

    id: str
    """The job's id: the same in each try, and unlike any other. What is sent carries it, so that twice is once."""
    name: str
    attempt: int
    """Which try this is, from 1."""
    enqueued_at: datetime
    """When it was enqueued: the same in each try."""
    user_id: str | None
    """Who caused it; None for a schedule."""
    call_id: str | None
    """The call that caused it, as history and audit have it."""
    host: Host
    pack: Pack
    args: Any = None
    """The payload, as the job's model."""
    error: str | None = None
    """Why it has failed, for `failed`; and why the try before this one did."""
    _calls: Counter[str] = field(default_factory=Counter)

    @property
    def now(self) -> datetime:
        """The moment that it is."""
        return self.host.clock()

    @property
    def settings(self) -> Any:
        """The settings of the pack that owns the job."""
        return self.pack.settings

    async def call(
        self, tool: str, arguments: Mapping[str, Any] | None = None, *, user_id: str | None = None
    ) -> dict[str, Any]:
        """The result of a tool, called as whoever caused the job, or as `user_id`. An error is raised by its class.

        Each call has an idempotency key, made of the job's id and of how often this tool was called before: what an
        earlier try has done is answered again and not done again. So give the same arguments in each try.
        """
        caller = user_id or self.user_id
        if caller is None:
            raise LookupError(f"nobody has caused the job {self.name}: say for whom it calls {tool}, `user_id=…`")
        principal = (await self.host.identity.directory()).principal(caller)
        if principal is None:
            raise Unauthenticated(f"the account {caller} is disabled, or was never there", reason="disabled")
        self._calls[tool] += 1
        request = Request(
            tool=tool,
            arguments=dict(arguments or {}),
            principal=principal,
            transport="job",
            client=self.name,
            idempotency_key=f"job:{self.id}:{tool}:{self._calls[tool]}",
        )
        outcome = await call_tool(self.host, request)
        if outcome.is_error:
            answer = outcome.structured["error"]
            raise raised(answer) or RuntimeError(f"{tool}: {answer['message']}")
        return outcome.structured
