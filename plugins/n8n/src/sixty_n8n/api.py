"""n8n's public API, as far as the tools need it: workflows and executions, read."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from sixty import Invalid, Unavailable
from sixty_n8n.answers import OK, Silence, ask

if TYPE_CHECKING:
    from sixty_n8n.answers import Answer
    from sixty_n8n.settings import N8nSettings

__all__ = ["Api", "explained"]

PATIENCE = 15.0
"""Seconds that an answer may take."""
_LARGEST = 10_000_000
"""Bytes of an answer: a page of workflows carries all their nodes."""
_QUOTED = 300
"""Characters of an explanation of n8n's that are passed on."""
_LONGEST_WAIT = 86_400
_BAD, _UNAUTHORIZED, _FORBIDDEN, _MISSING, _TOO_MANY = 400, 401, 403, 404, 429


class TooMuch(Unavailable):
    """An answer is larger than it may be."""


class Api:
    """The public API at the address in the settings. `Unavailable` names the settings that are missing."""

    def __init__(self, settings: N8nSettings) -> None:
        missing = [f"SIXTY_N8N_{name.upper()}" for name in ("url", "api_key") if getattr(settings, name) is None]
        if settings.url is None or settings.api_key is None:
            msg = f"n8n is not configured: whoever runs this server has to set {' and '.join(missing)}"
            raise Unavailable(msg)
        self.url = settings.url
        self.webhook_token = settings.webhook_token
        self._headers = {"X-N8N-API-KEY": settings.api_key.get_secret_value(), "Accept": "application/json"}

    async def workflows(self, **filters: str | int | None) -> tuple[list[dict[str, Any]], str | None]:
        """A page of workflows, and where the next one begins."""
        return await self._page("workflows", excludePinnedData="true", **filters)

    async def workflow(self, workflow_id: str) -> dict[str, Any] | None:
        """One workflow with its nodes, or None if there is none that the key may see."""
        return await self._one("workflows", workflow_id, excludePinnedData="true")

    async def executions(self, **filters: str | int | None) -> list[dict[str, Any]]:
        """Executions, newest first, without their data."""
        return (await self._page("executions", **filters))[0]

    async def execution(self, execution_id: str, *, data: bool) -> dict[str, Any] | None:
        """One execution, with what went through its nodes if asked for and if it is not too much.

        None if it is not kept, or not for this key.
        """
        if data:
            with suppress(TooMuch):
                return await self._one("executions", execution_id, includeData="true")
        return await self._one("executions", execution_id)

    async def _page(self, what: str, **parameters: str | int | None) -> tuple[list[dict[str, Any]], str | None]:
        answer = await self._get(what, parameters)
        if answer.status == _MISSING:
            msg = "n8n has no public API at this address: check SIXTY_N8N_URL, and that the API is switched on there"
            raise Unavailable(msg)
        content = _content(answer)
        rows, cursor = content.get("data"), content.get("nextCursor")
        if not isinstance(rows, list) or not (cursor is None or isinstance(cursor, str)):
            raise _strange()
        return [row for row in rows if isinstance(row, dict)], cursor

    async def _one(self, what: str, its_id: str, **parameters: str | None) -> dict[str, Any] | None:
        answer = await self._get(f"{what}/{quote(its_id, safe='')}", parameters)
        return None if answer.status == _MISSING else _content(answer)

    async def _get(self, path: str, parameters: dict[str, Any]) -> Answer:
        given = urlencode({name: value for name, value in parameters.items() if value is not None})
        url = f"{self.url}/api/v1/{path}{'?' if given else ''}{given}"
        try:
            return await ask("GET", url, headers=self._headers, patience=PATIENCE, largest=_LARGEST)
        except Silence as error:
            msg = f"n8n has not answered within {PATIENCE:g} seconds ({error}); try again later"
            raise Unavailable(msg) from error


def _content(answer: Answer) -> dict[str, Any]:
    """The object that n8n answers; what it refuses is raised."""
    if answer.status not in OK:
        raise _refusal(answer)
    if answer.body is None:
        msg = f"the answer of n8n has more than {_LARGEST} bytes, and is not read; ask for fewer at once, with limit"
        raise TooMuch(msg)
    try:
        content = answer.json()
    except ValueError:
        raise _strange() from None
    if not isinstance(content, dict):
        raise _strange()
    return content


def _refusal(answer: Answer) -> Invalid | Unavailable:
    status, why = answer.status, explained(answer)
    wait = answer.headers.get("retry-after", "")
    seconds = min(int(wait), _LONGEST_WAIT) if wait.isascii() and wait.isdigit() and len(wait) <= 9 else None  # noqa: PLR2004
    if status == _BAD:
        return Invalid(f"n8n does not accept this{why}; take ids and cursors from earlier answers")
    if status == _UNAUTHORIZED:
        return Unavailable("n8n does not accept the key: check SIXTY_N8N_API_KEY, and that the key has not expired")
    if status == _FORBIDDEN:
        return Unavailable(
            f"the key for n8n may not do this{why}: it needs the scopes "
            "workflow:list, workflow:read, execution:list and execution:read"
        )
    if status == _TOO_MANY:
        return Unavailable("n8n is asked too often at the moment; try again later", retry_after=seconds)
    return Unavailable(f"n8n answered {status}{why}; try again later", retry_after=seconds)


def explained(answer: Answer) -> str:
    """What n8n says about an answer, to put behind a statement; empty if it says nothing."""
    try:
        content = answer.json()
    except ValueError:
        return ""
    said = content.get("message") if isinstance(content, dict) else None
    return f" ({said[:_QUOTED]})" if isinstance(said, str) and said else ""


def _strange() -> Unavailable:
    return Unavailable("what answers is not n8n's public API: check that SIXTY_N8N_URL is the address of n8n itself")
