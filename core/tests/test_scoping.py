"""What a scope means, everywhere alike."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes.notes import NOTE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sixty.errors import Forbidden, NotFound
from sixty.ids import new_id
from sixty.ledger import Ledger, Origin
from sixty.people import add_grant, add_team
from sixty.storage.statements import Write
from sixty.tables import grants, state, users
from sixty.unit import UnitOfWork

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation


async def texts(client: Client) -> set[str]:
    return {note["text"] for note in (await client.call("find_notes", limit=200))["notes"]}


async def add(client: Client, text: str, **arguments: Any) -> str:
    note: dict[str, str] = (await client.call("add_note", text=text, **arguments))["note"]
    return note["id"]


async def add_ownerless(sixty: Organisation, text: str) -> str:
    """A note that belongs to nobody, as an import may leave one."""
    now, registry = sixty.clock(), sixty.host.registry
    row = dict.fromkeys(NOTE.fields) | {"id": new_id(), "owner_id": None, "version": 1, "text": text, "mood": "calm"}
    async with UnitOfWork(sixty.host.database) as unit:
        origin = Origin(new_id(), sixty.as_role("admin").user_id, now, "notes:create")
        Ledger(unit, registry).insert(NOTE, row | {"created_at": now, "updated_at": now}, origin)
        await unit.commit()
    return str(row["id"])


async def grant(client: Client, permission: str) -> Client:
    sixty = client.organisation
    user = (await sixty.directory()).users[client.user_id]
    await add_grant(sixty.host.database, user.email, permission, known=sixty.host.registry.permissions)
    return client


async def test_own_reaches_what_one_owns_and_nothing_else(sixty: Organisation) -> None:
    ann, bob = await sixty.user("Ann", team="South"), await sixty.user("Bob", team="South")
    mine, theirs = await add(ann, "mine"), await add(bob, "theirs")
    assert await texts(ann) == {"mine"}
    assert (await ann.call("read_note", note_id=mine))["note"]["text"] == "mine"
    with pytest.raises(NotFound, match="find_notes finds the right id"):
        await ann.call("read_note", note_id=theirs)
    assert [hit["id"] for hit in (await ann.call("search_crm", query="theirs"))["results"]] == []


async def test_team_reaches_what_a_colleague_owns(sixty: Organisation) -> None:
    ann, boss = await sixty.user("Ann", team="South"), await sixty.user("Boss", role="manager", team="South")
    note = await add(ann, "Ann's")
    await add(sixty.as_role("user"), "from the North")
    assert await texts(boss) == {"Ann's"}
    await boss.call("edit_note", note_id=note, updates={"text": "the boss was here"})


async def test_all_reaches_everything(sixty: Organisation) -> None:
    await add(await sixty.user("Ann", team="South"), "South")
    await add(await sixty.user("Dan"), "in no team")
    await add_ownerless(sixty, "nobody's")
    assert await texts(sixty.as_role("admin")) == {"South", "in no team", "nobody's"}


async def test_a_record_whose_owner_is_in_no_team_is_only_in_all(sixty: Organisation) -> None:
    dan, boss = await sixty.user("Dan"), await sixty.user("Boss", role="manager")  # neither is in a team
    note = await add(dan, "in no team")
    assert await texts(boss) == set()
    assert await texts(sixty.as_role("manager")) == set()
    assert await texts(dan) == {"in no team"}
    with pytest.raises(NotFound):
        await boss.call("read_note", note_id=note)


async def test_a_record_without_an_owner_is_only_in_all(sixty: Organisation) -> None:
    note = await add_ownerless(sixty, "nobody's")
    assert await texts(sixty.as_role("manager")) == set()
    with pytest.raises(NotFound):
        await sixty.as_role("manager").call("get_record", id=note)
    reader = await grant(await sixty.user("Reader"), "notes:read")
    with pytest.raises(Forbidden, match="it belongs to nobody"):
        await reader.call("edit_note", note_id=note, updates={"text": "mine"})


async def test_team_means_the_owners_team_of_today(sixty: Organisation) -> None:
    ann = await sixty.user("Ann", team="South")
    await add(ann, "Ann's")
    assert await texts(sixty.as_role("manager")) == set()
    north = next(team.id for team in (await sixty.directory()).teams.values() if team.name == "North")
    await sixty.host.database.apply([
        Write(sa.update(users).where(users.c.id == ann.user_id).values(team_id=north), {}),
        Write(sa.update(state).values(value=state.c.value + 1), {}),
    ])  # fmt: skip
    assert await texts(sixty.as_role("manager")) == {"Ann's"}


async def test_what_is_readable_but_not_writable_is_forbidden_and_says_whose_it_is(sixty: Organisation) -> None:
    ann, bob = await sixty.user("Ann Smith"), await grant(await sixty.user("Bob"), "notes:read")
    note = await add(ann, "Ann's")
    with pytest.raises(Forbidden, match="you may not update this note: it belongs to Ann Smith") as caught:
        await bob.call("edit_note", note_id=note, updates={"text": "Bob's"})
    assert caught.value.details["owner_id"] == ann.user_id
    with pytest.raises(Forbidden, match="may not call remove_note"):
        await bob.call("remove_note", note_id=note)
    with pytest.raises(Forbidden, match="may not delete a note"):
        await bob.call("delete_record", id=note)


async def test_a_wider_scope_to_write_than_to_read_reaches_only_what_is_readable(sixty: Organisation) -> None:
    ann, bob = await sixty.user("Ann"), await grant(await sixty.user("Bob"), "notes:update")
    with pytest.raises(NotFound):
        await bob.call("edit_note", note_id=await add(ann, "Ann's"), updates={"text": "Bob's"})


async def test_creating_for_others_needs_them_within_ones_own_write_scope(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    cal = await sixty.user("Cal", team="South")
    await add(manager, "for a colleague", owner_id=user.user_id)
    assert await texts(user) == {"for a colleague"}
    with pytest.raises(Forbidden, match="you may not make Cal the owner of a note"):
        await add(manager, "for a stranger", owner_id=cal.user_id)
    with pytest.raises(Forbidden, match="you may not make Max Manager the owner"):
        await add(user, "for the boss", owner_id=manager.user_id)
    await add(sixty.as_role("admin"), "for anybody", owner_id=cal.user_id)
    with pytest.raises(NotFound, match="there is no user"):
        await add(user, "for nobody", owner_id=new_id())


async def test_giving_away_needs_the_new_owner_within_ones_own_write_scope(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    cal = await sixty.user("Cal", team="South")
    note = await add(user, "a present")
    with pytest.raises(Forbidden, match="you may not make Max Manager the owner"):
        await user.call("edit_note", note_id=note, updates={"owner_id": manager.user_id})
    with pytest.raises(Forbidden, match="you may not make Cal the owner"):
        await manager.call("edit_note", note_id=note, updates={"owner_id": cal.user_id})
    await manager.call("edit_note", note_id=note, updates={"owner_id": manager.user_id})
    assert await texts(user) == set()


async def test_pointing_at_a_record_needs_the_right_to_read_it_and_no_more(sixty: Organisation) -> None:
    ann, bob = await sixty.user("Ann"), await sixty.user("Bob")
    target = await add(ann, "Ann's")
    with pytest.raises(NotFound, match="about_id: there is no record"):
        await add(bob, "about Ann's", about_id=target)
    await grant(bob, "notes:read")
    note = await add(bob, "about Ann's", about_id=target)
    links = (await bob.call("get_record", id=note))["links"]
    assert [(link["id"], link["field"]) for link in links] == [(target, "about_id")]


async def test_a_link_to_what_one_may_not_read_is_not_shown(sixty: Organisation) -> None:
    ann, admin = await sixty.user("Ann"), sixty.as_role("admin")
    note = await add(ann, "Ann's")
    await add(admin, "hidden, about Ann's", about_id=note)
    assert (await ann.call("get_record", id=note))["links"] == []
    assert len((await admin.call("get_record", id=note))["links"]) == 1


async def test_a_tool_that_aggregates_sees_the_narrower_of_its_scope_and_that_of_reading(sixty: Organisation) -> None:
    ann, manager = await sixty.user("Ann", team="North"), sixty.as_role("manager")
    cal = await sixty.user("Cal", team="South")
    await add(ann, "one", price=1)
    await add(manager, "ten", price=10)
    await add(cal, "a hundred", price=100)
    assert (await ann.call("sum_prices"))["total"] == 1
    assert (await manager.call("sum_prices"))["total"] == 11
    assert (await sixty.as_role("admin").call("sum_prices"))["total"] == 111
    await grant(ann, "notes:read")  # sums stay at own
    assert (await ann.call("sum_prices"))["total"] == 1
    await grant(cal, "sums:read")  # reading stays at own
    assert (await cal.call("sum_prices"))["total"] == 100


async def test_resources_and_prompts_that_aggregate_see_no_more_than_a_tool_does(sixty: Organisation) -> None:
    ann = await sixty.user("Ann", team="North")
    manager, admin = sixty.as_role("manager"), sixty.as_role("admin")
    for person, price in ((ann, 1), (manager, 10), (await sixty.user("Cal"), 100)):
        await add(person, "priced", price=price)
    await grant(ann, "notes:read")
    seen = {}
    for person in (ann, manager, admin):
        async with person.connected() as client:
            (content,) = (await client.read_resource("sums://prices")).contents
            (message,) = (await client.get_prompt("price_review")).messages
            offered = {str(found.uri) for found in (await client.list_resources()).resources}
        assert "sums://prices" in offered
        assert "sums://deals" not in offered
        seen[person.user_id] = (json.loads(content.text)["total"], message.content.text)  # type: ignore[union-attr]
    assert seen[ann.user_id] == (1, "The sum is 1; you see those of Ann")
    assert seen[manager.user_id] == (11, "The sum is 11; you see those of Ada Admin, Ann, Max Manager, Uma User")
    assert seen[admin.user_id] == (111, "The sum is 111; you see those of Ada Admin, Ann, Cal, Max Manager, Uma User")


async def test_a_view_shows_what_the_caller_may_read_and_people_to_everyone(sixty: Organisation) -> None:
    ann = await sixty.user("Ann")
    await add(ann, "mine")
    await add(sixty.as_role("user"), "Uma's")
    assert (await ann.call("name_notes"))["notes"] == [["Ann", "mine"]]
    assert len((await sixty.as_role("admin").call("name_notes"))["notes"]) == 2


@pytest.mark.parametrize("table", ["notes", "users", "audit", "view", "words"])
async def test_a_pack_reads_its_own_tables_and_published_views_and_no_others(sixty: Organisation, table: str) -> None:
    outcome = await sixty.as_role("admin").outcome("snoop", text=table)
    assert outcome.structured["error"]["code"] == "internal"


async def test_details_follow_their_record(sixty: Organisation) -> None:
    ann, bob = await sixty.user("Ann"), await grant(await sixty.user("Bob"), "notes:read")
    note = await add(ann, "with lines", lines=["one", "two"])
    assert (await bob.call("read_note", note_id=note))["lines"] == ["one", "two"]
    with pytest.raises(Forbidden):
        await bob.call("add_line", note_id=note, line="three")


async def test_a_tool_outside_ones_grants_is_not_listed_and_not_served(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    assert "remove_note" not in await user.tools()
    assert "remove_note" in await sixty.as_role("manager").tools()
    with pytest.raises(Forbidden, match="needs the permission notes:delete, and the role user does not have it"):
        await user.call("remove_note", note_id=await add(user, "mine"))


GRANTS = [
    f"{resource}:{action}:{scope}"
    for resource, action in (("notes", "read"), ("notes", "update"), ("sums", "read"), ("notes", "*"))
    for scope in ("own", "team", "all")
]
OWNERS = (0, 0, 1, 2, 2, 3, None)
"""Who owns each note, by position among the people; None: nobody."""
people = st.tuples(
    st.sampled_from([None, "A", "B"]),
    st.sampled_from(["user", "manager"]),
    st.lists(st.sampled_from(GRANTS), max_size=3),
)
ROLE_GRANTS = {
    "user": ["notes:read:own", "notes:update:own", "sums:*:own"],
    "manager": [
        "notes:read:own",
        "notes:update:own",
        "sums:*:own",
        "notes:read:team",
        "notes:update:team",
        "sums:read:team",
    ],
}


def within(who: int, team: list[str | None], held: list[list[str]], permission: str, owner: int | None) -> bool:
    """Whether somebody's grants reach a note of `owner`: the rules of scope in plain words."""
    for text in held[who]:
        resource, action, scope = text.split(":")
        if resource == permission.split(":", maxsplit=1)[0] and action in ("*", permission.split(":")[1]):
            if scope == "all" or (scope == "own" and owner == who):
                return True
            if scope == "team" and owner is not None and team[who] is not None and team[owner] == team[who]:
                return True
    return False


async def reorganise(sixty: Organisation, ids: list[str], teams: dict[str, str], made_up: list[Any]) -> None:
    """Everybody gets another team, role and grants."""
    writes = [Write(sa.delete(grants), {}), Write(sa.update(state).values(value=state.c.value + 1), {})]
    for user_id, (team, role, held) in zip(ids, made_up, strict=True):
        row = {"team_id": teams[team] if team else None, "role": role}
        writes.append(Write(sa.update(users).where(users.c.id == user_id).values(**row), {}))
        writes += [Write(sa.insert(grants), {"user_id": user_id, "permission": text}) for text in set(held)]
    await sixty.host.database.apply(writes)


async def test_lists_single_records_counts_search_sums_and_writes_agree_with_the_rules(sixty: Organisation) -> None:
    clients = [await sixty.user(name) for name in ("P0", "P1", "P2", "P3")]
    teams = {name: (await add_team(sixty.host.database, name)).id for name in ("A", "B")}
    notes = [
        await (add_ownerless(sixty, f"note {n}") if owner is None else add(clients[owner], f"note {n}", price=n + 1))
        for n, owner in enumerate(OWNERS)
    ]

    async def check(made_up: list[Any]) -> None:
        await reorganise(sixty, [client.user_id for client in clients], teams, made_up)
        team = [person[0] for person in made_up]
        held = [[*ROLE_GRANTS[role], *own] for _, role, own in made_up]
        for who, client in enumerate(clients):

            def may(permission: str, n: int, who: int = who) -> bool:
                return within(who, team, held, permission, OWNERS[n])

            readable = {n for n in range(len(notes)) if may("notes:read", n)}
            found = await client.call("find_notes", limit=200)
            assert {note["text"] for note in found["notes"]} == {f"note {n}" for n in readable}
            assert (await client.call("find_notes", limit=1))["total"] == len(readable)
            hits = await client.call("search_crm", query="note", limit=200)
            assert {hit["title"] for hit in hits["results"]} == {f"note {n}" for n in readable}
            summed = {n for n in readable if may("sums:read", n)}
            sums = await client.call("sum_prices")
            assert sums["notes"] == len(summed)
            assert sums["total"] == sum(n + 1 for n in summed if OWNERS[n] is not None)
            for n, note in enumerate(notes):
                read = await client.outcome("read_note", note_id=note)
                assert read.is_error == (n not in readable)
                wrote = await client.outcome("edit_note", note_id=note, updates={"rank": 0})
                code = wrote.structured["error"]["code"] if wrote.is_error else "ok"
                assert code == ("not_found" if n not in readable else "ok" if may("notes:update", n) else "forbidden")

    await hypothetically(check)


async def hypothetically(check: Any) -> None:
    """Run an async check with many made-up organisations, inside the loop that runs already."""
    loop = asyncio.get_running_loop()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(people, min_size=4, max_size=4))
    def examples(made_up: list[Any]) -> None:
        asyncio.run_coroutine_threadsafe(check(made_up), loop).result()

    await asyncio.to_thread(examples)
