"""Asking the sources, all at once and each with patience of its own: what one of them does is no harm to the others."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from sixty import SixtyError, Unavailable
from sixty.crm import Findings
from sixty_contacts.sources.fitting import fitting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sixty import Extended
    from sixty.crm import Enricher, Subject

__all__ = ["PATIENCE", "SourceReport", "ask"]

PATIENCE = 20.0
"""Seconds that one source has for its answer."""
_logger = logging.getLogger(__name__)


class SourceReport(BaseModel):
    """How it went with a source: `nothing` if it knows nothing, `unavailable` if it cannot be asked."""

    model_config = ConfigDict(frozen=True)

    source: str
    status: Literal["ok", "nothing", "unavailable", "failed"]
    reason: str | None = None
    retry_after: int | None = None


async def ask(sources: Sequence[Extended[Enricher]], subject: Subject) -> list[tuple[SourceReport, Findings]]:
    """What each source knows and how it went, in the order given. Never raises."""
    return await asyncio.gather(*(_ask(source, subject) for source in sources))


async def _ask(extended: Extended[Enricher], subject: Subject) -> tuple[SourceReport, Findings]:
    source = extended.value.source
    try:
        async with asyncio.timeout(PATIENCE):
            found = fitting(await extended.value.enrich(subject, extended.settings))
    except Unavailable as error:
        wait = error.details.get("retry_after")
        return SourceReport(source=source, status="unavailable", reason=error.message, retry_after=wait), Findings()
    except TimeoutError:
        reason = f"{source} has not answered within {PATIENCE:g} seconds; try again later"
    except SixtyError as error:
        reason = error.message
    except Exception:
        _logger.exception("the source %s failed", source)
        reason = f"{source} gave no answer that can be used; try again later"
    else:
        known = bool(found.contact or found.social_profiles or found.company)
        return SourceReport(source=source, status="ok" if known else "nothing"), found
    return SourceReport(source=source, status="failed", reason=reason), Findings()
