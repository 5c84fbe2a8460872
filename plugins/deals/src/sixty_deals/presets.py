"""How the exports of other CRMs name what a deal has, and what their usual stages mean here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty.exchange import Preset

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PRESETS"]

_SQL = {"stage": "sql"}
_OPPORTUNITY = {"stage": "opportunity"}
_VERBAL = {"stage": "verbal"}
_WON = {"stage": "signed", "status": "won"}
_LOST = {"status": "lost"}
"""In which stage it was lost, the stage does not say."""

_TIMES = ("%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%m/%d/%Y")

HUBSPOT = Preset(
    key="Record ID",
    columns={
        "title": ("Deal Name",),
        "company_name": ("Associated Company (Primary)", "Associated Company", "Company name"),
        "value": ("Amount", "Amount in company currency"),
        "stage": ("Deal Stage",),
        "lost_reason": ("Closed Lost Reason",),
        "close_date": ("Close Date",),
        "notes": ("Deal Description", "Description"),
        "monthly_mrr": ("Monthly recurring revenue",),
        "opened_at": ("Create Date",),
        "created_at": ("Create Date",),
        "owner": ("Deal owner", "Owner"),
        "team": ("HubSpot Team",),
        "sql_at": ("Date entered 'Appointment Scheduled (Sales Pipeline)'", "Date entered Appointment Scheduled"),
        "opportunity_at": (
            "Date entered 'Presentation Scheduled (Sales Pipeline)'",
            "Date entered Presentation Scheduled",
        ),
        "verbal_at": ("Date entered 'Contract Sent (Sales Pipeline)'", "Date entered Contract Sent"),
        "signed_at": ("Date entered 'Closed Won (Sales Pipeline)'", "Date entered Closed Won"),
    },
    values={
        "stage": {
            "appointment scheduled": _SQL,
            "appointmentscheduled": _SQL,
            "qualified to buy": _SQL,
            "qualifiedtobuy": _SQL,
            "presentation scheduled": _OPPORTUNITY,
            "presentationscheduled": _OPPORTUNITY,
            "decision maker bought-in": _OPPORTUNITY,
            "decisionmakerboughtin": _OPPORTUNITY,
            "contract sent": _VERBAL,
            "contractsent": _VERBAL,
            "closed won": _WON,
            "closedwon": _WON,
            "closed lost": _LOST,
            "closedlost": _LOST,
        }
    },
    dates=_TIMES,
)
"""The deals of HubSpot, with the stages of its sales pipeline."""

SALESFORCE = Preset(
    key="Opportunity ID",
    columns={
        "title": ("Opportunity Name", "Name"),
        "company_name": ("Account Name", "Account: Account Name", "Account.Name"),
        "value": ("Amount",),
        "stage": ("Stage", "StageName"),
        "lost_reason": ("Loss Reason", "Closed Lost Reason", "Reason Lost"),
        "close_date": ("Close Date", "CloseDate"),
        "notes": ("Description",),
        "opened_at": ("Created Date", "CreatedDate"),
        "created_at": ("Created Date", "CreatedDate"),
        "owner": ("Opportunity Owner", "Opportunity Owner: Full Name", "Owner.Name"),
        "owner_email": ("Opportunity Owner Email", "Opportunity Owner: Email", "Owner.Email"),
        "team": ("Owner Role",),
    },
    values={
        "stage": {
            "prospecting": _SQL,
            "qualification": _SQL,
            "needs analysis": _OPPORTUNITY,
            "value proposition": _OPPORTUNITY,
            "id. decision makers": _OPPORTUNITY,
            "perception analysis": _OPPORTUNITY,
            "proposal/price quote": _OPPORTUNITY,
            "proposal": _OPPORTUNITY,
            "negotiation/review": _VERBAL,
            "negotiation": _VERBAL,
            "closed won": _WON,
            "closed lost": _LOST,
        }
    },
    dates=_TIMES,
)
"""The opportunities of Salesforce, as a report or the data export has them, with its usual stages."""

PIPEDRIVE = Preset(
    key="Deal - ID",
    columns={
        "title": ("Deal - Title", "Title"),
        "company_name": ("Deal - Organization", "Organization", "Organization - Name"),
        "value": ("Deal - Value", "Value"),
        "stage": ("Deal - Stage", "Stage"),
        "status": ("Deal - Status", "Status"),
        "lost_reason": ("Deal - Lost reason", "Lost reason"),
        "expected_close_date": ("Deal - Expected close date", "Expected close date"),
        "opened_at": ("Deal - Deal created", "Deal - Add time", "Deal created"),
        "created_at": ("Deal - Deal created", "Deal - Add time", "Deal created"),
        "won_at": ("Deal - Won time", "Won time"),
        "lost_at": ("Deal - Lost time", "Lost time"),
        "close_date": ("Deal - Deal closed on", "Deal - Closed on", "Deal closed on"),
        "owner": ("Deal - Owner", "Owner"),
    },
    values={
        "stage": {
            "lead in": _SQL,
            "qualified": _SQL,
            "contact made": _SQL,
            "demo scheduled": _OPPORTUNITY,
            "proposal made": _OPPORTUNITY,
            "negotiations started": _VERBAL,
        },
        "status": {"won": {"status": "won", "stage": "signed"}},
    },
    dates=_TIMES,
)
"""The deals of Pipedrive, where a deal that is won or lost keeps its stage; with the stages of its first pipeline."""

PRESETS: Mapping[str, Preset] = {"hubspot": HUBSPOT, "salesforce": SALESFORCE, "pipedrive": PIPEDRIVE}
