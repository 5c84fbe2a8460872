"""What hunter.io knows, by its documented API (v2). One request for each person, and the key is in no address.

`combined/find` answers `{"data": {"person": …, "company": …}}`, and `people/find` the person alone, which is asked
where anybody may have an address at the domain. What cannot be read as it is documented is left out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sixty import Unavailable
from sixty.crm import Findings
from sixty_contacts.emails import company_domain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from httpx2 import Response

    from sixty.crm import Subject
    from sixty_contacts.settings import ContactSettings

__all__ = ["Hunter"]

PATIENCE = 10.0
"""Seconds to connect, and between two pieces of an answer."""
_LARGEST = 1_000_000
"""Bytes of an answer; a person with a company has some thousand."""
_LONGEST_WAIT = 86_400
_OK = 200
_UNKNOWN = 404
_KEY = "SIXTY_CONTACTS_HUNTER_API_KEY"
_REFUSALS: Mapping[int, str] = {
    400: "hunter does not accept this e-mail address",
    401: f"hunter does not accept the key; check {_KEY}",
    403: "hunter is asked too often at the moment; try again later",
    422: "hunter does not accept this e-mail address",
    429: "the plan at hunter allows no more for now; try again later, or upgrade it",
    451: "this person has asked hunter not to tell about them",
}
"""What its documented answers mean."""


class Hunter:
    """Asks hunter.io, if there is a key."""

    source = "hunter"

    async def enrich(self, subject: Subject, settings: ContactSettings) -> Findings:
        """What hunter knows of the person, and of the company whose address they have.

        `ValueError` or `TypeError` for an answer that is none of its own.
        """
        if settings.hunter_api_key is None:
            msg = f"hunter needs a key: set {_KEY}"
            raise Unavailable(msg)
        alone = company_domain(subject.email) is None
        url = f"{settings.hunter_url.rstrip('/')}/{'people' if alone else 'combined'}/find"
        answer = await _get(url, subject.email, settings.hunter_api_key.get_secret_value())
        if answer is None:
            return Findings()
        content = json.loads(answer)
        data = content.get("data") if isinstance(content, dict) else None
        if not isinstance(data, dict):
            msg = "the answer of hunter has no data"
            raise TypeError(msg)
        return _findings(data, {}) if alone else _findings(_part(data, "person"), _part(data, "company"))


async def _get(url: str, email: str, key: str) -> bytes | None:
    """The answer, or None if nobody is known at this address. `ValueError` if it is too much."""
    from httpx2 import AsyncClient, HTTPError, InvalidURL  # noqa: PLC0415 - only who has a key needs it

    try:
        async with (
            AsyncClient(timeout=PATIENCE, follow_redirects=False) as client,
            client.stream("GET", url, params={"email": email}, headers={"X-API-KEY": key}) as response,
        ):
            if response.status_code == _UNKNOWN:
                return None
            if response.status_code != _OK:
                raise _refusal(response)
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > _LARGEST:
                    msg = f"hunter answers with more than {_LARGEST} bytes"
                    raise ValueError(msg)
    except (HTTPError, InvalidURL) as error:
        msg = f"hunter cannot be reached ({type(error).__name__}); try again later"
        raise Unavailable(msg) from error
    return bytes(body)


def _refusal(response: Response) -> Unavailable:
    status = response.status_code
    wait = response.headers.get("retry-after", "")
    seconds = min(int(wait), _LONGEST_WAIT) if wait.isascii() and wait.isdigit() and len(wait) <= 9 else None  # noqa: PLR2004
    return Unavailable(_REFUSALS.get(status, f"hunter answered {status}; try again later"), retry_after=seconds)


def _findings(person: Mapping[str, Any], company: Mapping[str, Any]) -> Findings:
    geo, metrics = _part(person, "geo"), _part(company, "metrics")
    networks = {name: _text(_part(person, name), "handle") for name in ("linkedin", "twitter", "github", "facebook")}
    if networks["linkedin"] is not None:
        networks["linkedin"] = f"https://www.linkedin.com/in/{networks['linkedin'].strip('/').removeprefix('in/')}"
    return Findings(
        contact=_known(
            role=_text(_part(person, "employment"), "title"),
            phone=_text(person, "phone"),
            linkedin_url=networks["linkedin"],
            city=_text(geo, "city"),
            region=_text(geo, "state"),
            country=_text(geo, "country"),
        ),
        social_profiles=_known(**networks),
        company=_known(
            name=_text(company, "name"),
            domain=_text(company, "domain"),
            industry=_text(_part(company, "category"), "industry"),
            size=_number(metrics.get("employees")) or _text(metrics, "employees"),
            revenue=_number(metrics.get("annualRevenue")) or _number(metrics.get("estimatedAnnualRevenue")),
        ),
    )


def _part(value: Any, name: str) -> Mapping[str, Any]:
    """The object of that name, or nothing."""
    part = value.get(name) if isinstance(value, dict) else None
    return part if isinstance(part, dict) else {}


def _text(part: Mapping[str, Any], name: str) -> str | None:
    value = part.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _number(value: Any) -> int | None:
    """A number, or None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _known(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
