"""How figures are shown. What cannot be known is absent, and `insufficient_data` says what is missing."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sixty import Money, Result, ShownId
from sixty.crm import Stage

__all__ = [
    "Advance",
    "Busiest",
    "ConversionRates",
    "Definition",
    "Heatmap",
    "Image",
    "Member",
    "NextAction",
    "Overall",
    "PipelineMetrics",
    "Proposed",
    "StageStanding",
    "Stalled",
    "Standing",
    "TeamPerformance",
    "Velocity",
]

Share = Annotated[float, Field(ge=0, le=1)]
"""A rate or a bound of its interval, to four places."""
Missing = dict[str, str]
"""What is missing, by the name of the figure that is absent for it."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Definition(_Value):
    """What was counted, and what not."""

    window: dict[str, date] | None = None
    """The first and the last day, both included."""
    timezone: str
    date_field: str
    counted: str
    left_out: dict[str, int]
    """How many were not counted, by reason; 0 where there are none."""
    rules: list[str]
    """How each figure is computed, in sentences."""


class Standing(_Value):
    """Open deals at one moment."""

    count: int
    value: Money | None = None
    """Of those of known value; absent where nobody knows the value of any."""
    weighted_value: Money | None = None
    mean_age_days: float | None = None
    mean_days_in_stage: float | None = None


class _Staged(_Value):
    stage: Stage


class StageStanding(Standing, _Staged):
    """Those in one stage."""


class Velocity(_Value):
    """What the pipeline yields in a day: open deals by mean won value by win rate, over the mean days to win."""

    value_per_day: Money | None = None
    open_deals: int
    won: int
    lost: int
    mean_won_value: Money | None = None
    win_rate: Share | None = None
    low: Share | None = None
    high: Share | None = None
    mean_days_to_win: float | None = None


class NextAction(_Value):
    """What usually came last before deals went on from a stage."""

    type: str
    """Of the activity."""
    share: Share
    """Of the deals that went on after an activity in the stage."""
    deals: int
    """How many went on after one of this type."""
    of: int
    """How many went on after an activity of any type."""


class Proposed(_Value):
    """A call of a tool that the caller may make."""

    tool: str
    arguments: dict[str, Any]


class Stalled(_Value):
    """An open deal that has been in its stage for longer than nine in ten of the deals that were won."""

    deal_id: ShownId
    title: str
    owner_id: ShownId | None = None
    owner: str | None = None
    stage: Stage
    value: Money | None = None
    days_in_stage: float
    usual_days: float
    """The 90th percentile of the stays in this stage of deals that were won."""
    ratio: float
    days_since_activity: float | None = None
    """Absent without any activity that the caller can see."""
    reasons: list[str]
    next_action: NextAction | None = None
    task: Proposed | None = None
    """The task to make, where the caller may make one."""


class PipelineMetrics(Result):
    """What `get_pipeline_metrics` answers."""

    as_of: datetime
    stages: list[StageStanding]
    totals: Standing
    velocity: Velocity
    stalled: list[Stalled] | None = None
    """The worst ten; absent for a past day."""
    stalled_count: int | None = None
    """All of them."""
    definition: Definition
    insufficient_data: Missing | None = None


class Advance(_Value):
    """From one stage to the next."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True, validate_by_name=True)

    from_stage: Annotated[Stage, Field(alias="from")]
    to_stage: Annotated[Stage, Field(alias="to")]
    entered: int
    converted: int
    rate: Share | None = None
    low: Share | None = None
    high: Share | None = None


class Overall(_Value):
    """The deals of a cohort as a whole."""

    deals: int
    won: int
    lost: int
    open: int
    win_rate: Share | None = None
    """Won, of those that are won or lost."""
    low: Share | None = None
    high: Share | None = None
    won_share: Share | None = None
    """Won, of all of them."""
    won_share_low: Share | None = None
    won_share_high: Share | None = None
    mean_days_to_win: float | None = None


class ConversionRates(Result):
    """What `calculate_conversion_rates` answers."""

    stages: list[Advance]
    overall: Overall
    definition: Definition
    insufficient_data: Missing | None = None


class Member(_Value):
    """Somebody's deals and activities; without `user_id`, those of nobody or of all together."""

    user_id: ShownId | None = None
    name: str
    team: str | None = None
    created: int
    won: int
    lost: int
    won_value: Money | None = None
    mean_won_value: Money | None = None
    win_rate: Share | None = None
    low: Share | None = None
    high: Share | None = None
    mean_days_to_win: float | None = None
    open: int
    open_value: Money | None = None
    weighted_open_value: Money | None = None
    activities: dict[str, int] | None = None
    """Completed ones by type; absent where the caller may not see theirs, or nobody keeps any."""


class TeamPerformance(Result):
    """What `get_team_performance` answers."""

    members: list[Member]
    team: Member
    definition: Definition
    insufficient_data: Missing | None = None


class Busiest(_Value):
    """The hour of the week with the most activities, the earliest of several."""

    weekday: str
    hour: int
    count: int


class Image(_Value):
    """The chart that stands behind the result, as an image."""

    name: str
    alt: str
    """What it shows, in words."""
    mime_type: str


class Heatmap(Result):
    """What `get_activity_heatmap` answers: activities by weekday, Monday first, and hour."""

    heatmap: list[list[int]]
    busiest: Busiest | None = None
    total: int
    image: Image | None = None
    definition: Definition
    insufficient_data: Missing | None = None
