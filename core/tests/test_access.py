"""Why somebody may or may not call a tool or touch a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sixty.errors import Forbidden, NotFound
from sixty.ids import new_id
from sixty.people import add_grant

if TYPE_CHECKING:
    from sixty.testing import Organisation


async def test_everybody_may_ask_about_themselves(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    answer = await user.call("explain_access", tool="remove_note")
    assert answer["allowed"] is False
    assert answer["message"] == "Uma User may not call remove_note"
    assert "remove_note needs notes:delete; Uma User holds it with the scope none" in answer["because"]
    assert "Uma User has the role user" in answer["because"]
    assert (await user.call("explain_access", tool="add_note"))["allowed"] is True
    assert (await user.call("explain_access"))["message"] == "This is what Uma User may do"
    assert (await user.call("explain_access", tool="get_record"))["allowed"] is True


async def test_only_admins_may_ask_about_others(sixty: Organisation) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    with pytest.raises(Forbidden, match="you may ask about yourself only"):
        await user.call("explain_access", user_id=admin.user_id)
    with pytest.raises(NotFound, match="there is no active user"):
        await admin.call("explain_access", user_id=new_id())
    answer = await admin.call("explain_access", user_id=user.user_id, tool="merge_notes")
    assert answer["message"] == "Uma User may not call merge_notes"


async def test_a_record_is_explained_action_by_action(sixty: Organisation) -> None:
    user, admin, dan = sixty.as_role("user"), sixty.as_role("admin"), await sixty.user("Dan")
    note = (await admin.call("add_note", text="Ada's"))["note"]["id"]
    await add_grant(sixty.host.database, "dan@example.com", "notes:read", known=sixty.host.registry.permissions)
    answer = await admin.call("explain_access", user_id=dan.user_id, record_id=note)
    assert answer["allowed"] is True
    assert "Dan has the role user and no team" in answer["because"]
    assert "the note belongs to Ada Admin" in answer["because"]
    assert "notes:read: scope all, which reaches it" in answer["because"]
    assert "notes:update: scope own, which does not reach it" in answer["because"]
    answer = await admin.call("explain_access", user_id=user.user_id, record_id=note)
    assert (answer["allowed"], answer["message"]) == (False, "Uma User may not read this record")


async def test_a_record_that_one_may_not_see_is_not_explained(sixty: Organisation) -> None:
    note = (await sixty.as_role("admin").call("add_note", text="Ada's"))["note"]["id"]
    answer = await sixty.as_role("user").call("explain_access", record_id=note)
    assert answer["allowed"] is False
    assert f"there is no record {note} that you can see" in answer["because"]


async def test_an_unknown_tool_is_explained_with_the_nearest(sixty: Organisation) -> None:
    answer = await sixty.as_role("user").call("explain_access", tool="ad_note")
    assert "there is no tool ad_note; did you mean 'add_note'?" in answer["because"]
