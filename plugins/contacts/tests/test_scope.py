"""What one may not read of contacts and companies is neither in the way nor told, nor changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from narrowed import narrowed

from sixty import Forbidden, NotFound

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

ANN = {"first_name": "Ann", "last_name": "Lee", "email": "ann@acme.example", "company_name": "Acme"}


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("contacts", narrowed),)


async def add(who: Client, **given: Any) -> dict[str, Any]:
    return await who.call("create_contact", **{**ANN, **given})


async def test_a_contact_that_one_may_not_read_does_not_exist(sixty: Organisation) -> None:
    hidden = await add(sixty.as_role("admin"))
    user = sixty.as_role("user")
    unknown = "there is no contact .* that you can see; search_contacts finds the right id"
    with pytest.raises(NotFound, match=unknown):
        await user.call("update_contact", contact_id=hidden["contact_id"], updates={"role": "CEO"})
    with pytest.raises(NotFound, match="there is no company"):
        await user.call("update_company", company_id=hidden["company_id"], updates={"size": 5})
    assert (await user.call("search_contacts", query="Ann"))["message"] == "There are no contacts that you can see"
    assert (await user.call("search_contacts", query="Acme"))["total"] == 0


async def test_it_is_not_in_the_way_of_the_same_email_and_company(sixty: Organisation) -> None:
    hidden = await add(sixty.as_role("admin"))
    own = await add(sixty.as_role("user"))
    assert own["contact_id"] != hidden["contact_id"]
    assert own["company_id"] != hidden["company_id"]
    assert own["message"] == 'Contact "Ann Lee" created at the new company Acme'
    seen = await sixty.as_role("manager").call("search_contacts", company_name="Acme")
    assert seen["total"] == 2  # the admin of the same team too


async def test_a_manager_sees_and_changes_those_of_the_team_alone(sixty: Organisation) -> None:
    stranger = await sixty.user("Sue", team="South")
    theirs, ours = await add(stranger), await add(sixty.as_role("user"))
    manager = sixty.as_role("manager")
    await manager.call("update_contact", contact_id=ours["contact_id"], updates={"role": "CEO"})
    with pytest.raises(NotFound):
        await manager.call("update_contact", contact_id=theirs["contact_id"], updates={"role": "CEO"})
    found = await manager.call("search_contacts")
    assert [contact["id"] for contact in found["contacts"]] == [ours["contact_id"]]


async def test_one_may_not_give_a_contact_to_somebody_out_of_reach(sixty: Organisation) -> None:
    admin = sixty.as_role("admin").user_id
    with pytest.raises(Forbidden, match="the owner of a contact: your scope for contacts:create is own"):
        await add(sixty.as_role("user"), owner_id=admin)
    made = await add(sixty.as_role("user"))
    with pytest.raises(Forbidden, match="your scope for contacts:update is own"):
        await sixty.as_role("user").call("update_contact", contact_id=made["contact_id"], updates={"owner_id": admin})


async def test_a_company_that_one_may_not_read_is_not_named(sixty: Organisation) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    made = await add(user)
    await admin.call("update_company", company_id=made["company_id"], updates={"owner_id": admin.user_id})
    found = await user.call("search_contacts")
    assert "company_name" not in found["contacts"][0]
    assert (await user.call("search_contacts", query="Acme"))["total"] == 1  # by the address, not by the company
    assert (await user.call("search_contacts", company_name="Acme"))["total"] == 0


async def test_merging_takes_the_right_to_write_each_of_them(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    ours, theirs = await add(user), await add(sixty.as_role("admin"), email="ann.lee@acme.example")
    with pytest.raises(NotFound, match="there is no contact"):
        await user.call("merge_contacts", primary_id=ours["contact_id"], duplicate_ids=[theirs["contact_id"]])
    with pytest.raises(NotFound, match="there is no contact"):
        await user.call("merge_contacts", primary_id=theirs["contact_id"], duplicate_ids=[ours["contact_id"]])
