"""The settings of the pack: which automations run."""

from __future__ import annotations

from pydantic import Field

from sixty import PackSettings

__all__ = ["TaskSettings"]


class TaskSettings(PackSettings):
    """Read from `SIXTY_TASKS_…`, or from the table `[tasks]` of the settings file."""

    set_due_dates: bool = Field(
        default=True, description="Whether a task without a due date is given one by its priority."
    )
    follow_up_proposals: bool = Field(
        default=True, description="Whether a proposal that was sent makes a task to follow up on it."
    )
    send_meeting_notes: bool = Field(
        default=True, description="Whether a meeting that was held makes a task to send the notes."
    )
