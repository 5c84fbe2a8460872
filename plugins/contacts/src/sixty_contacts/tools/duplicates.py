"""The tool that finds contacts who are one person twice: beside the loop, and once while no contact changes."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from sixty import Arguments, Call, Cursor, Id, Invalid, Limit, Page, ShownId, counted, tool
from sixty_contacts.duplicates.people import Person, known
from sixty_contacts.emails import domain_of
from sixty_contacts.tables import companies, contacts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable, Iterator

    from sixty.host import Host
    from sixty_contacts.duplicates.finding import Pairs

Row = dict[str, Any]

__all__ = ["find_duplicate_contacts"]

Threshold = Annotated[float, Field(ge=0.5, le=1), WithJsonSchema({"type": "number", "minimum": 0.5, "maximum": 1})]
Agreement = Literal["same", "similar", "different", "swapped"]

_EXACT = 10_000  # as every list counts
_AT_ONCE = 2_000  # contacts that are read at once, so that others have their turn
_TOGETHER = 100  # contacts that are read by their ids
_KEPT = 4  # answers that are remembered
_BEFORE_ALL = "00000000-0000-0000-0000-000000000000"
_NAMES = ("first_name", "last_name")

_compared = (
    contacts.c.id,
    contacts.c.first_name,
    contacts.c.last_name,
    contacts.c.email,
    sa.func.coalesce(contacts.c.phone_e164, contacts.c.phone).label("phone"),
    companies.c.name.label("company_name"),
    contacts.c.street,
    contacts.c.city,
    contacts.c.postal_code,
    contacts.c.region,
)
_people = sa.select(*_compared).select_from(contacts.outerjoin(companies, companies.c.id == contacts.c.company_id))
_next = (
    _people.where(contacts.c.id > sa.bindparam("after", type_=Id))
    .order_by(contacts.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_shown = _people.add_columns(contacts.c.full_name, contacts.c.phone.label("given_phone")).where(
    contacts.c.id.in_([sa.bindparam(f"id_{number}", type_=Id) for number in range(_TOGETHER)])
)
_any = sa.select(contacts.c.id).limit(1)
_state = sa.select(
    sa.func.count().label("people"),
    sa.func.max(contacts.c.updated_at).label("changed_at"),
    sa.func.sum(contacts.c.version).label("changes"),
    sa.func.sum(sa.func.length(contacts.c.email)).label("letters"),
    sa.func.max(companies.c.updated_at).label("company_changed_at"),
    sa.func.sum(companies.c.version).label("company_changes"),
).select_from(contacts.outerjoin(companies, companies.c.id == contacts.c.company_id))
"""What is another as soon as anything that is compared is, and stays while others write something else."""


class FindDuplicateContacts(Arguments):
    """The arguments of `find_duplicate_contacts`."""

    threshold: Threshold = 0.8
    limit: Limit = 25
    cursor: Cursor | None = None


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Compared(_Value):
    """One contact of a pair."""

    id: ShownId
    name: str
    email: str
    phone: str | None = None
    company_name: str | None = None


class Reason(_Value):
    """What one field says: `weight` is in bits, above 0 for one person, below 0 for two."""

    field: str
    agreement: Agreement
    weight: float
    contact1: str
    contact2: str


class Duplicate(_Value):
    """Two contacts that are one person with the probability `similarity`. Pairs of one `group` are connected."""

    contact1: Compared
    contact2: Compared
    similarity: float
    reasons: list[Reason]
    group: int


class DuplicatesFound(Page):
    """What `find_duplicate_contacts` answers, the most similar first."""

    duplicate_count: int
    duplicates: list[Duplicate]


@tool("find_duplicate_contacts", permission="contacts:read", effect="read", rate="strict")
async def find_duplicate_contacts(args: FindDuplicateContacts, call: Call) -> DuplicatesFound:
    """Find pairs of contacts that may be one person, and why; merge_contacts makes them one.

    threshold is the least probability, 0.5 to 1. Pairs of the same group belong together.
    """
    pairs = await _pairs(call)
    count = pairs.at_least(args.threshold)
    start = 0 if args.cursor is None else _after(args.cursor, pairs, count)
    end = min(start + args.limit, count)
    duplicates = await _page(call, pairs, range(start, end), pairs.groups(count))
    return DuplicatesFound(
        message=await _told(call, len(duplicates), count, args.threshold, more=end < count),
        duplicate_count=count,
        duplicates=duplicates,
        count=len(duplicates),
        total=min(count, _EXACT),
        total_is_at_least=True if count > _EXACT else None,
        next_cursor=_cursor(_place(pairs, end - 1)) if end < count else None,
    )


class _Remembered:
    """The last answers of one host. One is found at a time, so that memory is bounded."""

    def __init__(self) -> None:
        self.finding = asyncio.Lock()
        self.answers: dict[Hashable, Pairs] = {}

    def keep(self, key: Hashable, pairs: Pairs) -> None:
        while len(self.answers) >= _KEPT:
            del self.answers[next(iter(self.answers))]
        self.answers[key] = pairs


_remembered: WeakKeyDictionary[Host, _Remembered] = WeakKeyDictionary()


async def _pairs(call: Call) -> Pairs:
    """The pairs among all contacts that the caller may read."""
    state = tuple((await call.rows(_state))[0].values())
    key = (state, call.scoped(_next), call.principal.user_id, call.principal.team_id)
    remembered = _remembered.setdefault(call.host, _Remembered())
    async with remembered.finding:
        pairs = remembered.answers.get(key)
        if pairs is None:
            pairs = await _found([person async for person in _everybody(call)])
            remembered.keep(key, pairs)
    return pairs


async def _everybody(call: Call) -> AsyncIterator[Person]:
    """The contacts, read some at a time."""
    after = _BEFORE_ALL
    while rows := await call.rows(_next, {"after": after, "most": _AT_ONCE}):
        for row in rows:
            yield Person(*(row[column.key] for column in _compared))
        after = rows[-1]["id"]


async def _found(people: list[Person]) -> Pairs:
    """What `find` finds, in a thread that gives up when the caller does."""
    from sixty_contacts.duplicates.finding import find  # noqa: PLC0415 - numpy is large, and few ask for duplicates

    stopped = Event()
    try:
        return await asyncio.to_thread(find, people, stopped.is_set)
    finally:
        stopped.set()


async def _page(call: Call, pairs: Pairs, places: range, groups: list[int]) -> list[Duplicate]:
    named = [(pairs.ids[pairs.first[place]], pairs.ids[pairs.second[place]]) for place in places]
    rows = await _contacts(call, sorted({one for pair in named for one in pair}))
    return [
        Duplicate(
            contact1=_contact(rows[one]),
            contact2=_contact(rows[two]),
            similarity=_similarity(pairs, place),
            reasons=sorted(_reasons(pairs, place, rows[one], rows[two]), key=lambda reason: -reason.weight),
            group=groups[place],
        )
        for place, (one, two) in zip(places, named, strict=True)
    ]


async def _contacts(call: Call, ids: list[str]) -> dict[str, Row]:
    """The contacts by their ids."""
    rows: dict[str, Row] = {}
    for start in range(0, len(ids), _TOGETHER):
        some = ids[start : start + _TOGETHER]
        padded = some + some[:1] * (_TOGETHER - len(some))
        values = {f"id_{number}": one for number, one in enumerate(padded)}
        rows |= {row["id"]: row for row in await call.rows(_shown, values)}
    return rows


def _contact(row: Row) -> Compared:
    return Compared(
        id=row["id"],
        name=row["full_name"],
        email=row["email"],
        phone=row["given_phone"],
        company_name=row["company_name"],
    )


def _reasons(pairs: Pairs, place: int, one: Row, two: Row) -> Iterator[Reason]:
    """What each field says that says anything. A house number is part of its street."""
    from sixty_contacts.duplicates.evidence import FIELDS  # noqa: PLC0415 - as above

    weights = dict(zip(FIELDS, pairs.weights[place].tolist(), strict=True))
    weights["street"] += weights.pop("number")
    swapped = bool(pairs.swapped[place])
    for field, weight in weights.items():
        name, ours, theirs = field, one[field], two[field]
        if swapped and field in _NAMES:
            theirs = two[_NAMES[1 - _NAMES.index(field)]]
        elif field == "company_name" and (ours is None or theirs is None):
            name, ours, theirs = "email_domain", domain_of(one["email"]), domain_of(two["email"])
        if round(weight, 1) and ours and theirs:
            agreement = _agreement(weight, ours, theirs, swapped=swapped and field in _NAMES)
            yield Reason(field=name, agreement=agreement, weight=round(weight, 1), contact1=ours, contact2=theirs)


def _agreement(weight: float, ours: str, theirs: str, *, swapped: bool) -> Agreement:
    if swapped:
        return "swapped"
    if known(ours) == known(theirs):
        return "same"
    return "similar" if weight > 0 else "different"


# -- pages


def _similarity(pairs: Pairs, place: int) -> float:
    return round(float(pairs.similarity[place]), 4)


def _place(pairs: Pairs, place: int) -> tuple[float, str, str]:
    """What pairs are sorted by."""
    return -_similarity(pairs, place), pairs.ids[pairs.first[place]], pairs.ids[pairs.second[place]]


def _cursor(place: tuple[float, str, str]) -> str:
    return urlsafe_b64encode(orjson.dumps(place)).rstrip(b"=").decode()


def _after(cursor: str, pairs: Pairs, count: int) -> int:
    """The place of the first pair after the one that `cursor` names, whether or not that is still there."""
    try:
        least, first, second = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        last = float(least), str(UUID(first)), str(UUID(second))
    except (ValueError, TypeError, AttributeError) as error:
        msg = "the cursor is not one of this list; take next_cursor from the answer before, with the same arguments"
        raise Invalid(msg, field="cursor", given=cursor[:80]) from error
    return bisect_right(range(count), last, key=lambda place: _place(pairs, place))


async def _told(call: Call, shown: int, count: int, threshold: float, *, more: bool) -> str:
    if not count:
        if not await call.rows(_any):
            return "There are no contacts that you can see"
        lower = "; a lower threshold shows what is less certain" if threshold > 0.5 else ""  # noqa: PLR2004 - the lowest
        return f"No two contacts that you can see seem to be one person, at a threshold of {threshold:g}{lower}"
    if shown == count:
        return f"Found {counted(count, 'pair')} of contacts that may be one person"
    return f"{shown} of {count:,} pairs; {'next_cursor leads on' if more else 'this is the last page'}"
