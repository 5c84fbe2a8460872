"""The settings of the pack: what it logs by itself."""

from __future__ import annotations

from pydantic import Field

from sixty import PackSettings

__all__ = ["ActivitySettings"]


class ActivitySettings(PackSettings):
    """Read from `SIXTY_ACTIVITIES_…`, or from the table `[activities]` of the settings file."""

    log_proposals: bool = Field(
        default=True,
        description="Whether a deal that moves from `sql` to `opportunity` logs a `proposal_sent` activity.",
    )
