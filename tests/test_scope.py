"""Nobody is shown what they may not read: in random organisations, by no list, total, pair, timeline, hit, resource,
completion, prompt or error.

Each record has a word of its own in every text that it has, so that one that shows where it must not is known by it.
"""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference

from sixty import hookimpl
from sixty.people import add_grant
from sixty.permissions import reaches
from sixty.testing.organisation import open_organisation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from sixty.testing.organisation import Client, Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"
PACKS = ("activities", "contacts", "deals", "tasks")
SCOPES = ("", "own", "team", "all")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def bare(name: str) -> tuple[str, object]:
    """A pack that gives no role anything: who may do what is drawn."""
    module = import_module(f"sixty_{name}.plugin")
    hooks = {hook: getattr(module, hook) for hook in dir(module) if hook.startswith("sixty_")}

    @hookimpl
    def sixty_permissions() -> list[Any]:
        return [replace(item, grants={}) for item in module.sixty_permissions()]

    bared = ModuleType(f"bare_{name}")
    vars(bared).update(hooks, sixty_permissions=sixty_permissions)
    return name, bared


PLUGINS = tuple(bare(name) for name in PACKS)


@st.composite
def organisations(draw: st.DrawFn) -> dict[str, Any]:
    """Teams, people with random grants, and to whom the records belong."""
    people = draw(st.integers(2, 4))
    teams = [draw(st.sampled_from(["Red", "Blue", None])) for _ in range(people)]
    scopes = [{pack: draw(st.sampled_from(SCOPES)) for pack in PACKS} for _ in range(people)]
    owners = draw(st.lists(st.integers(0, people - 1), min_size=3, max_size=5))
    return {"teams": teams, "scopes": scopes, "owners": owners}


@dataclass
class World:
    """An organisation full of records."""

    sixty: Organisation
    people: list[Client] = field(default_factory=list)
    records: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """The kind, the owner and the word of each record."""
    about: dict[str, list[str]] = field(default_factory=dict)
    """The records that point at a contact."""

    def of(self, kind: str) -> list[str]:
        """The records of a kind."""
        return [record_id for record_id, (its, _, _) in self.records.items() if its == kind]

    async def readable(self, client: Client, kind: str | None = None) -> set[str]:
        """The records that somebody may read, by what they were granted."""
        me, directory = await client.principal(), await self.sixty.directory()
        kinds = self.sixty.host.registry.kinds
        return {
            record_id
            for record_id, (its_kind, owner, _) in self.records.items()
            if kind in (None, its_kind)
            and reaches(
                me.scope(f"{kinds[its_kind].resource}:read"), me.user_id, me.team_id, owner, directory.team_of(owner)
            )
        }


async def build(sixty: Organisation, drawn: Mapping[str, Any]) -> World:
    """Everybody there is, and for each owner a deal, a contact, its company, activities and a task, all connected."""
    world, admin, numbers = World(sixty), sixty.as_role("admin"), count(1)
    known = sixty.host.registry.permissions
    for number, (team, scopes) in enumerate(zip(drawn["teams"], drawn["scopes"], strict=True)):
        person = await sixty.user(f"Person {number}", team=team)
        for pack, scope in scopes.items():
            if scope:
                await add_grant(sixty.host.database, f"person.{number}@example.com", f"{pack}:*:{scope}", known=known)
        world.people.append(person)
    contacts: list[str] = []
    for index in drawn["owners"]:
        owner, word = world.people[index].user_id, f"zq{next(numbers)}x"
        made = await admin.call(
            "create_contact",
            first_name=f"Anna {word}",
            last_name="Berg",
            email=f"anna.{word}@{word}.example",
            company_name=f"Company {word}",
            phone="+47 22 33 44 55",
        )
        contact, company = made["contact_id"], made["company_id"]
        await admin.call("update_contact", contact_id=contact, updates={"owner_id": owner})
        await admin.call("update_company", company_id=company, updates={"owner_id": owner})
        world.records |= {contact: ("contact", owner, word), company: ("company", owner, word)}
        contacts.append(contact)
    for turn, index in enumerate(drawn["owners"]):
        owner = world.people[index].user_id
        contact = contacts[(turn + 1) % len(contacts)]  # mostly somebody else's
        word = f"zq{next(numbers)}x"
        deal = await admin.call(
            "create_deal",
            title=f"Deal {word}",
            company_name=f"Company {word}",
            notes=word,
            value=100 + turn,
            contact_id=contact,
            owner_id=owner,
            expected_close_date="+3_days",
        )
        world.records[deal["deal_id"]] = "deal", owner, word
        word = f"zq{next(numbers)}x"
        activity = await admin.call(
            "create_activity",
            type="email",
            description=f"Meeting {word}",
            deal_id=deal["deal_id"],
            contact_id=contact,
            scheduled_at="+2_days",
            owner_id=owner,
        )
        world.records[activity["activity_id"]] = "activity", owner, word
        word = f"zq{next(numbers)}x"
        task = await admin.call(
            "create_task",
            title=f"Task {word}",
            due_date="yesterday",
            deal_id=deal["deal_id"],
            contact_id=contact,
            related_activity_id=activity["activity_id"],
            assignee_id=world.people[(index + turn) % len(world.people)].user_id,
        )
        world.records[task["task_id"]] = "task", task["task"]["owner_id"], word
        world.about.setdefault(contact, []).extend([deal["deal_id"], activity["activity_id"], task["task_id"]])
    return world


LISTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("search_deals", "deal", {}),
    ("search_contacts", "contact", {}),
    ("search_activities", "activity", {}),
    ("search_tasks", "task", {}),
    ("get_upcoming_activities", "activity", {"days_ahead": 30}),
    ("get_overdue_tasks", "task", {}),
)


async def check_lists(world: World, client: Client, see: Callable[[Any], None]) -> None:
    """Each list has exactly what may be read, and says how much that is."""
    for tool, kind, arguments in LISTS:
        if tool in await client.tools():
            answer = await client.call(tool, **arguments)
            see(answer)
            rows = next(value for value in answer.values() if isinstance(value, list))
            readable = await world.readable(client, kind)
            assert {row["id"] for row in rows} == readable
            assert (answer["count"], answer["total"]) == (len(readable), len(readable))


async def check_figures(world: World, client: Client, see: Callable[[Any], None]) -> None:
    """Sums and counts are of what may be read."""
    tools = await client.tools()
    if "forecast_revenue" in tools:
        forecast = await client.call("forecast_revenue", period="year", include_probability=False)
        left_out = forecast["definition"]["left_out"]
        counted = forecast["deal_count"] + sum(left_out.values())
        assert counted == len(await world.readable(client, "deal"))
    if "get_activity_metrics" in tools:
        metrics = await client.call("get_activity_metrics", group_by="owner", end="+1_week")
        see(metrics)
        owners = {world.records[record_id][1] for record_id in await world.readable(client, "activity")}
        shown = {found for found in _ID.findall(json.dumps(metrics)) if found in {p.user_id for p in world.people}}
        assert shown <= owners
    if "find_duplicate_contacts" in tools:
        found = await client.call("find_duplicate_contacts", threshold=0.5, limit=200)
        see(found)
        assert set(_ID.findall(json.dumps(found["duplicates"]))) & world.records.keys() <= (
            await world.readable(client, "contact") | await world.readable(client, "company")
        )


async def check_search(world: World, client: Client, see: Callable[[Any], None]) -> None:
    """A word is found in what may be read alone, and nothing comes close to it elsewhere."""
    readable = await world.readable(client)
    for record_id, (kind, _, word) in world.records.items():
        if kind != "company":
            found = await client.call("search_crm", query=word, limit=200)
            see({"results": found["results"]})
            hits = {hit["id"] for hit in found["results"]}
            assert hits <= readable
            assert (record_id in hits) == (record_id in readable)


async def check_timelines(world: World, client: Client, see: Callable[[Any], None]) -> None:
    """A timeline has what may be read of what points at the contact."""
    readable = await world.readable(client)
    for contact in await world.readable(client, "contact"):
        told = await client.call("get_contact_timeline", contact_id=contact, kinds=["activity", "task", "deal"])
        see(told)
        assert {entry["id"] for entry in told["entries"]} == set(world.about.get(contact, ())) & readable
        see(await client.call("get_contact_timeline", contact_id=contact))
    for record_id in readable:
        see(await client.call("get_record", id=record_id))


def attempts(world: World, client: Client, hidden: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Calls that point at a record."""
    kind = world.records[hidden][0]
    one = {
        "deal": (
            ("get_deal_history", {}),
            ("update_deal", {"updates": {"notes": "x"}}),
            ("move_deal_stage", {"stage": "verbal"}),
            ("delete_deal", {}),
            ("split_deal_revenue", {"monthly_mrr": 1, "one_off_revenue": 1}),
            ("search_activities", {}),
            ("search_tasks", {}),
            ("search_contacts", {}),
            ("create_activity", {"type": "call", "description": "x"}),
            ("create_task", {"title": "x"}),
        ),
        "contact": (
            ("update_contact", {"updates": {"role": "x"}}),
            ("enrich_contact", {"sources": ["internal"]}),
            ("get_contact_timeline", {}),
            ("search_deals", {}),
            ("search_activities", {}),
            ("create_activity", {"type": "call", "description": "x"}),
            ("create_task", {"title": "x"}),
            ("create_deal", {"title": "x", "company_name": "x"}),
        ),
        "company": (("update_company", {"updates": {"industry": "x"}}),),
        "activity": (
            ("complete_activity", {}),
            ("reschedule_activity", {"scheduled_at": "+1_week"}),
            ("create_task", {"title": "x"}),
        ),
        "task": (("assign_task", {"assignee_id": client.user_id}), ("complete_task", {})),
    }[kind]
    for tool, arguments in one:
        name = "related_activity_id" if (kind, tool) == ("activity", "create_task") else f"{kind}_id"
        yield tool, {name: hidden, **arguments}
    for tool in ("get_record", "delete_record"):
        yield tool, {"id": hidden}
    yield "explain_access", {"record_id": hidden}
    if kind == "task":
        yield "bulk_update_tasks", {"task_ids": [hidden], "updates": {"priority": "low"}}
    if kind == "deal":
        yield "bulk_schedule_activities", {"activities": [{"type": "call", "description": "x", "deal_id": hidden}]}
    if kind == "contact":
        yield "merge_contacts", {"primary_id": hidden, "duplicate_ids": [NOBODY]}


async def check_errors(world: World, client: Client) -> None:
    """What may not be read is as if it were not there."""
    offered = await client.tools()
    for hidden in world.records.keys() - await world.readable(client):
        for tool, arguments in attempts(world, client, hidden):
            if tool in offered:
                told = await client.outcome(tool, **arguments)
                without = json.loads(json.dumps(arguments).replace(hidden, NOBODY))
                nothing = await client.outcome(tool, **without)
                shown = json.dumps(told.structured).replace(hidden, NOBODY)
                assert shown == json.dumps(nothing.structured), f"{tool} tells of {world.records[hidden]}"


ADDRESSES = {
    "deal": ("crm://deals/{}",),
    "contact": ("crm://contacts/{}", "crm://contacts/{}/timeline"),
}
PROMPTS = (
    ("prepare_meeting", "activity"),
    ("follow_up", "deal"),
    ("follow_up", "contact"),
    ("qualify_lead", "contact"),
)


async def check_addresses(world: World, client: Client, see: Callable[[Any], None]) -> None:
    """Resources, completions and prompts show what may be read, and nothing else is there."""
    readable = await world.readable(client)
    visible = {offer.name for offer in world.sixty.host.registry.visible("prompt", await client.principal())}
    async with client.connected() as connected:
        for record_id, (kind, _, word) in world.records.items():
            for address in ("crm://records/{}/history", *ADDRESSES.get(kind, ())):
                shown = await read(connected, address.format(record_id))
                assert (shown is not None) == (record_id in readable)
                see(shown)
            history = ResourceTemplateReference(uri="crm://records/{id}/history")
            for typed in (word, record_id[:30]):
                found = (await connected.complete(history, {"name": "id", "value": typed})).completion
                assert set(found.values) <= readable
                for argument in (f"{kind}_id", "company_name"):
                    prompt = PromptReference(name="follow_up")
                    found = (await connected.complete(prompt, {"name": argument, "value": typed})).completion
                    see(found.values if record_id not in readable else [])
        for name, kind in PROMPTS:
            for record_id in world.of(kind) if name in visible else ():
                see(await started(connected, name, {f"{kind}_id": record_id}))
        for name in visible & {"renewals", "prepare_meeting", "follow_up"}:
            see(await started(connected, name, {}))


async def started(client: Any, prompt: str, arguments: dict[str, str]) -> str:
    """What a prompt says, or why it says nothing."""
    try:
        return (await client.get_prompt(prompt, arguments)).model_dump_json()  # type: ignore[no-any-return]
    except MCPError as error:
        return str(error)


async def read(client: Any, address: str) -> str | None:
    """What is at an address; None for nothing."""
    try:
        return (await client.read_resource(address)).contents[0].text  # type: ignore[no-any-return]
    except MCPError as error:
        return None if error.error.message == "Resource not found" else str(error)


async def check_writing(world: World, client: Client, see: Callable[[Any], None]) -> None:
    """A mail that somebody else's contact has is as good as any other to whoever may not read that one."""
    readable = await world.readable(client)
    if "create_contact" not in await client.tools():
        return
    for record_id, (kind, _, word) in world.records.items():
        if kind == "contact" and record_id not in readable:
            given = {"first_name": "Bo", "last_name": "Dahl"}
            taken = await client.outcome(
                "create_contact", **given, email=f"anna.{word}@{word}.example", company_name=f"Company {word}"
            )
            free = await client.outcome(
                "create_contact", **given, email=f"anna.{word}@{word}.test", company_name=f"Firm {word}"
            )
            assert taken.is_error == free.is_error, taken.structured
            assert not set(_ID.findall(json.dumps(taken.structured))) & (world.records.keys() - readable)


async def check(world: World) -> None:
    for client in world.people:
        readable = await world.readable(client)
        hidden = {word for record, (_, _, word) in world.records.items() if record not in readable}
        hidden -= {world.records[record][2] for record in readable}

        def see(shown: Any, hidden: set[str] = hidden) -> None:
            text = shown if isinstance(shown, str) else json.dumps(shown)
            leaked = [word for word in hidden if re.search(rf"{word}", text)]
            assert not leaked, f"{leaked} in {text}"

        await check_lists(world, client, see)
        await check_figures(world, client, see)
        await check_search(world, client, see)
        await check_timelines(world, client, see)
        await check_errors(world, client)
        await check_addresses(world, client, see)
    for client in world.people:
        await check_writing(world, client, lambda _shown: None)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Organisation]:
    async with open_organisation(url, PLUGINS) as organisation:
        yield organisation


async def run(url: str, drawn: Mapping[str, Any]) -> None:
    async with opened(url) as organisation:
        await check(await build(organisation, drawn))


quietly = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


@settings(quietly, max_examples=4)
@given(drawn=organisations())
def test_nobody_is_shown_what_they_may_not_read(sqlite_templates: Any, drawn: Mapping[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(run(sqlite_templates.copy(PLUGINS, Path(folder) / "sixty.db"), drawn))


@settings(quietly, max_examples=2)
@given(drawn=organisations())
def test_nobody_is_shown_what_they_may_not_read_on_postgres(postgres_templates: Any, drawn: Mapping[str, Any]) -> None:
    url = postgres_templates.copy(PLUGINS)
    try:
        asyncio.run(run(url, drawn))
    finally:
        postgres_templates.drop(url)
