"""Who sees items, and who does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sixty.testing import Organisation


async def test_things_are_seen_by_the_team_and_by_nobody_else(sixty: Organisation) -> None:
    author, colleague = sixty.as_role("user"), await sixty.user("Tom", team="North")
    stranger = await sixty.user("Sue", team="South")

    added = await author.call("add_thing", title="The first")

    assert (await colleague.call("find_things"))["things"] == [added["thing"]]
    assert (await stranger.call("find_things"))["total"] == 0
