"""The tools of the pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty_deals.tools.forecasting import forecast_revenue
from sixty_deals.tools.history import get_deal_history
from sixty_deals.tools.searching import search_deals
from sixty_deals.tools.writing import create_deal, delete_deal, move_deal_stage, split_deal_revenue, update_deal

if TYPE_CHECKING:
    from sixty import Tool

__all__ = ["TOOLS"]

TOOLS: tuple[Tool, ...] = (
    create_deal,
    update_deal,
    delete_deal,
    move_deal_stage,
    split_deal_revenue,
    search_deals,
    forecast_revenue,
    get_deal_history,
)
