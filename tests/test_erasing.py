"""A contact who is erased is gone from every pack, and what others own stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty.audit.verifying import verify
from sixty.erasing import erasing
from sixty.erasing.erasing import erase
from sixty.erasing.subjects import subject_of

if TYPE_CHECKING:
    import pytest

    from sixty.testing import Organisation

JOE = {"first_name": "Joëlle", "last_name": "Dupont", "email": "joelle@acme.example", "phone": "+33 1 23 45 67 89"}
NAMES = ("Joëlle Dupont", "joelle@acme.example", "+33123456789", "1 23 45 67", "joelle dupont")


async def everything(sixty: Organisation) -> str:
    packs = [pack for pack in sixty.host.registry.packs.values() if pack.tables is not None]
    tables = [table for pack in packs for table in (pack.tables.metadata.sorted_tables if pack.tables else ())]
    return str([await sixty.rows(sa.select(table)) for table in tables]).casefold()


async def test_a_contact_is_erased_from_deals_activities_tasks_and_companies(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "SETTLED", 0.0)
    admin = sixty.as_role("admin")
    contact = (await admin.call("create_contact", **JOE, company_name="Acme"))["contact_id"]
    other = await admin.call("create_contact", first_name="Joelle", last_name="Dupond", email="j.dupond@acme.example")
    await admin.call("merge_contacts", primary_id=contact, duplicate_ids=[other["contact_id"]])
    notes = "Joëlle Dupont (joelle@acme.example) wants a call on 01 23 45 67 89, or +33 1 23456789"
    deal = await admin.call("create_deal", title="Pilot", company_name="Acme", notes=notes, contact_id=contact)
    await admin.call("create_activity", type="call", description="Spoke to Joëlle Dupont", contact_id=contact)
    await admin.call("create_task", title="Send Joëlle Dupont the offer", contact_id=contact)
    await admin.call("search_contacts", query="Dupont")
    await sixty.host.audit.flush()

    await erase(sixty.host, await subject_of(sixty.host, "contact", "joelle@acme.example"))

    left = await everything(sixty)
    for name in (*NAMES, "dupond"):
        assert name.casefold() not in left, name
    found = (await admin.call("search_deals", query="pilot"))["deals"][0]
    assert found["notes"] == "[erased] ([erased]) wants a call on [erased], or [erased]"
    assert found["contact_id"] == contact
    history = await admin.call("get_deal_history", deal_id=deal["deal_id"])
    assert history["stages"]
    tasks = (await admin.call("search_tasks", query="offer"))["tasks"]
    assert [task["title"] for task in tasks] == ["Send [erased] the offer"]
    assert (await verify(sixty.host)).findings == []
