"""The settings of the pack: how probable it is that a deal in each stage is won."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import Field

from sixty import PackSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty_deals.rules import Stage

__all__ = ["DealSettings"]


class DealSettings(PackSettings):
    """Read from `SIXTY_DEALS_…`, or from the table `[deals]` of the settings file."""

    probability_sql: Decimal = Field(Decimal("0.10"), ge=0, le=1, description="The weight of a deal in `sql`.")
    probability_opportunity: Decimal = Field(
        Decimal("0.30"), ge=0, le=1, description="The weight of a deal in `opportunity`."
    )
    probability_verbal: Decimal = Field(Decimal("0.75"), ge=0, le=1, description="The weight of a deal in `verbal`.")
    probability_signed: Decimal = Field(Decimal("1.00"), ge=0, le=1, description="The weight of a deal in `signed`.")

    @property
    def weights(self) -> Mapping[Stage, Decimal]:
        """The probability of each stage, from 0 to 1."""
        return {
            "sql": self.probability_sql,
            "opportunity": self.probability_opportunity,
            "verbal": self.probability_verbal,
            "signed": self.probability_signed,
        }
