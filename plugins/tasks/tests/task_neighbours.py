"""Stand-ins for the packs that tasks point at and answer: each has its kind, its view and a tool or two."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import (
    Arguments,
    Call,
    Conflict,
    Event,
    Kind,
    Permissions,
    Published,
    Record,
    RecordId,
    Result,
    Tables,
    Text,
    hookimpl,
    on,
    record_table,
    tool,
)
from sixty.crm import ACTIVITIES, CONTACTS, DEALS, ActivityCompleted, ActivityCreated, TaskCompleted, TaskCreated
from sixty.kinds import SPINE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty import Tool, View


def _pack(view: View, name: str, title: str, grants: dict[str, tuple[str, ...]]) -> tuple[ModuleType, Kind]:
    """A pack that stores just what its view promises."""
    metadata = sa.MetaData()
    columns = [sa.Column(column, type_) for column, type_ in view.columns.items() if column not in SPINE]
    table = record_table(view.name, metadata, *columns)
    kind = Kind(name, table, Record, resource=view.name, title=title)
    actions = {action: f"They may {action} {view.name}" for action in ("read", "create", "update", "delete")}
    permissions = (Permissions(view.name, actions=actions, grants=grants),)
    promised = sa.select(*(table.c[column] for column in view.columns))
    pack = ModuleType(f"stub_{view.name}", f"A stand-in for {view.name}.")
    pack.sixty_tables = hookimpl(lambda: Tables(metadata, kinds=(kind,)))  # type: ignore[attr-defined]
    pack.sixty_permissions = hookimpl(lambda: permissions)  # type: ignore[attr-defined]
    pack.sixty_views = hookimpl(lambda: (Published(view, promised),))  # type: ignore[attr-defined]
    return pack, kind


def _offering(pack: ModuleType, *tools: Tool) -> ModuleType:
    pack.sixty_tools = hookimpl(lambda: tools)  # type: ignore[attr-defined]
    return pack


_everybody = {"user": ("deals:read", "deals:create", "deals:update:own")}
_deals, DEAL = _pack(DEALS, "deal", "title", _everybody)
_contacts, CONTACT = _pack(CONTACTS, "contact", "last_name", {"user": ("contacts:*",)})
_activities, ACTIVITY = _pack(
    ACTIVITIES, "activity", "description", {"user": ("activities:*:own",), "manager": ("activities:*:team",)}
)


class Made(Result):
    id: str


class AddDeal(Arguments):
    title: Text


class AddContact(Arguments):
    first_name: Text
    last_name: Text


class LogActivity(Arguments):
    type: str
    description: str
    status: str = "completed"
    deal_id: RecordId | None = None
    contact_id: RecordId | None = None


class RelayActivity(Arguments):
    type: str
    deal_id: RecordId
    contact_id: RecordId


class OneActivity(Arguments):
    id: RecordId


@tool("add_deal", permission="deals:create", effect="create")
async def add_deal(args: AddDeal, call: Call) -> Made:
    """Add a deal."""
    made = await call.records.add(DEAL, {"title": args.title})
    return Made(message="Added", id=made["id"])


@tool("add_contact", permission="contacts:create", effect="create")
async def add_contact(args: AddContact, call: Call) -> Made:
    """Add a contact."""
    made = await call.records.add(CONTACT, {"first_name": args.first_name, "last_name": args.last_name})
    return Made(message="Added", id=made["id"])


@tool("create_activity", permission="activities:create", effect="create")
async def log_activity(args: LogActivity, call: Call) -> Made:
    """Log or schedule an activity."""
    done = {"completed_at": call.now} if args.status == "completed" else {}
    made = await call.records.add(ACTIVITY, args.model_dump() | done)
    call.publish(ActivityCreated(record_id=made["id"], owner_id=made["owner_id"], **args.model_dump()))
    return Made(message="Logged", id=made["id"])


@tool("relay_activity", permission="activities:create", effect="create")
async def relay_activity(args: RelayActivity, call: Call) -> Made:
    """Log an activity, and say of it what the caller may not even read."""
    made = await call.records.add(ACTIVITY, {"type": args.type, "description": "Relayed", "status": "completed"})
    _tell({**made, **args.model_dump()}, call)
    return Made(message="Relayed", id=made["id"])


@tool("hold_activity", permission="activities:update", effect="update")
async def hold_activity(args: OneActivity, call: Call) -> Made:
    """Complete a scheduled activity."""
    held = await call.records.update(ACTIVITY, args.id, {"status": "completed", "completed_at": call.now})
    _tell(held, call)
    return Made(message="Held", id=held["id"])


@tool("repeat_activity", permission="activities:update", effect="update")
async def repeat_activity(args: OneActivity, call: Call) -> Made:
    """Say once more that an activity was held."""
    held = await call.records.get(ACTIVITY, args.id)
    _tell(held, call)
    return Made(message="Told", id=held["id"])


def _tell(held: dict[str, Any], call: Call) -> None:
    facts = {name: held[name] for name in ("owner_id", "type", "description", "deal_id", "contact_id")}
    call.publish(ActivityCompleted(record_id=held["id"], **facts))


ALL = (
    ("deals", _offering(_deals, add_deal)),
    ("contacts", _offering(_contacts, add_contact)),
    ("activities", _offering(_activities, log_activity, relay_activity, hold_activity, repeat_activity)),
)
"""All three, as `plugins` wants them."""


def granting(pack: ModuleType, **grants: tuple[str, ...]) -> ModuleType:
    """The same pack, which grants this to each role and nothing else."""
    narrow = ModuleType(pack.__name__, pack.__doc__)
    vars(narrow).update({name: hook for name, hook in vars(pack).items() if name.startswith("sixty_")})
    permissions = tuple(replace(item, grants=grants) for item in pack.sixty_permissions())
    narrow.sixty_permissions = hookimpl(lambda: permissions)  # type: ignore[attr-defined]
    return narrow


class Listener:
    """A pack that hears what tasks publish, and objects to some of it."""

    objection: Mapping[type[Event], str] = MappingProxyType({TaskCreated: "unwanted", TaskCompleted: "unfinished"})
    """What it cannot bear to read in a title."""

    def __init__(self) -> None:
        self.heard: list[Event] = []

    @hookimpl
    def sixty_reactions(self) -> list[Any]:
        async def hear(event: TaskCreated | TaskCompleted, call: Call) -> None:
            """Remember it."""
            if self.objection.get(type(event), "?") in event.title:
                raise Conflict("the listener objects")
            if "broken" in event.title:
                raise RuntimeError(event.title)
            self.heard.append(event)

        return [on(kind)(hear) for kind in (TaskCreated, TaskCompleted)]

    def names(self) -> list[str]:
        """What was heard since the last time."""
        heard, self.heard = self.heard, []
        return [event.name for event in heard]
