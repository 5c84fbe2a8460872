"""The tool that makes one contact of several that are the same person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import Field

from sixty import Arguments, Call, Conflict, Invalid, RecordId, counted, tool
from sixty_contacts.models import ADDRESS, ContactsMerged
from sixty_contacts.phones import comparable
from sixty_contacts.tables import CONTACT, FACT
from sixty_contacts.tools.contacts import shown_contact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sixty import Row

__all__ = ["merge_contacts"]

Choice = Literal["first_name", "last_name", "email", "phone", "company_id", "role", "linkedin_url", "address"]
_MOST = 20


class MergeContacts(Arguments):
    """The arguments of `merge_contacts`."""

    primary_id: RecordId
    duplicate_ids: Annotated[list[RecordId], Field(min_length=1, max_length=_MOST)]
    field_choices: dict[Choice, RecordId] = Field(default_factory=dict)


@tool("merge_contacts", permission="contacts:merge", effect="destroy", rate="strict")
async def merge_contacts(args: MergeContacts, call: Call) -> ContactsMerged:
    """Merge duplicates into the primary contact: all that points at them points at it, and their ids lead to it.

    Values of the primary stay, and empty ones are filled from the duplicates in order. field_choices names, by
    field, the contact whose value to keep. undo_change restores everything.
    """
    primary = await call.records.get(CONTACT, args.primary_id)
    duplicates = [await call.records.get(CONTACT, duplicate_id) for duplicate_id in args.duplicate_ids]
    _check_parties(args, primary, duplicates)
    values = _merged([primary, *duplicates], args.field_choices, call.settings.phone_region)
    facts = await _facts(call, primary, duplicates)
    names = ", ".join(f'"{row["full_name"]}"' for row in duplicates)
    merged, moved = await call.records.merge(CONTACT, primary["id"], [row["id"] for row in duplicates], values)
    for fact in facts:
        await call.records.add_detail(FACT, merged["id"], fact)
    pointers = ", ".join(counted(count, kind) for kind, count in sorted(moved.items()))
    return ContactsMerged(
        message=f'{names} merged into "{merged["full_name"]}"; moved: {pointers or "nothing pointed at them"}',
        contact=await shown_contact(call, merged),
        merged=[row["id"] for row in duplicates],
        moved=moved,
    )


def _check_parties(args: MergeContacts, primary: Row, duplicates: Sequence[Row]) -> None:
    """Raise unless each id names a contact of its own that is not merged yet, and each choice is one of them."""
    if args.primary_id in args.duplicate_ids:
        msg = f"duplicate_ids must not have the primary_id {args.primary_id}: a contact cannot be merged with itself"
        raise Invalid(msg, field="duplicate_ids", given=args.primary_id)
    if len(set(args.duplicate_ids)) < len(args.duplicate_ids):
        twice = next(given for given in args.duplicate_ids if args.duplicate_ids.count(given) > 1)
        msg = f"duplicate_ids must have each id once, and has {twice} twice"
        raise Invalid(msg, field="duplicate_ids", given=twice)
    for given, row in zip((args.primary_id, *args.duplicate_ids), (primary, *duplicates), strict=True):
        if given == row["id"] or (row is primary and row["id"] not in args.duplicate_ids):
            continue
        msg = f'{given} is already merged into "{row["full_name"]}" ({row["id"]}); leave it out'
        raise Conflict(msg, id=given, merged_into=row["id"])
    known = {args.primary_id, primary["id"], *args.duplicate_ids}
    for field, chosen in args.field_choices.items():
        if chosen not in known:
            msg = f"field_choices.{field} must be the primary_id or one of duplicate_ids, got {chosen}"
            raise Invalid(msg, field=f"field_choices.{field}", given=chosen)


def _merged(rows: Sequence[Row], choices: Mapping[Choice, str], phone_region: str | None) -> dict[str, Any]:
    """The columns of the merged contact. An address is taken whole: parts of two make none."""
    by_id = {row["id"]: row for row in rows}
    values: dict[str, Any] = {}
    for field in get_args(Choice):
        columns = ADDRESS if field == "address" else (field,)
        filled = (row for row in rows if any(row[name] is not None for name in columns))
        kept = by_id.get(choices[field], rows[0]) if field in choices else next(filled, rows[0])
        values |= {name: kept[name] for name in columns}
    full_name = f"{values['first_name']} {values['last_name']}"
    phone = comparable(values["phone"], values["country"], phone_region)
    return {**values, "full_name": full_name, "phone_e164": phone}


async def _facts(call: Call, primary: Row, duplicates: Sequence[Row]) -> list[dict[str, Any]]:
    """What is known of the duplicates, and by the same source not of the primary."""
    known = {_key(fact) for fact in await call.records.details(FACT, primary["id"])}
    found: list[dict[str, Any]] = []
    for duplicate in duplicates:
        for fact in await call.records.details(FACT, duplicate["id"]):
            if _key(fact) not in known:
                known.add(_key(fact))
                found.append({name: value for name, value in fact.items() if name not in ("id", FACT.parent)})
    return found


def _key(fact: Row) -> tuple[str, str, str]:
    return fact["subject"], fact["field"], fact["source"]
