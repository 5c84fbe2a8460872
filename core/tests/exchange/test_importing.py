"""Imports from beginning to end, of a kind that nobody else knows."""

from __future__ import annotations

import json
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import notes

from sixty import Extension, Invalid, Text, hookimpl, new_id
from sixty.crm import CONTACTS
from sixty.errors import Forbidden, OperatorError
from sixty.exchange import FORMS, Amount, Form, Line
from sixty.exchange.cells import Reading
from sixty.exchange.files import TextFile
from sixty.exchange.importing import Import
from sixty.exchange.mapping import Wanted
from sixty.exchange.owners import Owners
from sixty.exchange.people import people_in
from sixty.exchange.rejects import Rejects
from sixty.exchange.rows import opened
from sixty.tables import audit, imported, records
from sixty.views import Published

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sixty import Call, Row
    from sixty.exchange.importing import Report
    from sixty.testing import Client, Organisation

KNOWN = ("text", "price", "secret")


class NoteLine(Line):
    text: Text
    price: Amount = None
    secret: Text | None = None
    about: str | None = None
    contact: str | None = None


async def put(line: NoteLine, row: Row | None, call: Call) -> Row:
    if line.text == "bug":
        raise ZeroDivisionError
    values = {name: getattr(line, name) for name in KNOWN if name in line.model_fields_set}
    if line.about is not None or line.contact is not None:
        values["about_id"] = line.about or line.contact
    if row is None:
        known = {name: value for name, value in values.items() if value is not None}
        made = await call.records.adopt(notes.NOTE, known, owner_id=line.owner, id=line.id, created_at=line.created_at)
        if line.text == "half":
            raise Invalid("text: it is only half of one", field="text")
        if line.text == "twice":  # which the database alone notices
            call.records.ledger.insert(notes.NOTE, made, call.records.origin("notes:create"))
        return made
    if line.owner is not None:
        values["owner_id"] = line.owner
    return await call.records.update(notes.NOTE, row["id"], values)


async def take(rows: Any, call: Call) -> list[Any]:
    return []


FORM = Form(
    name="notes",
    kind=notes.NOTE,
    line=NoteLine,
    put=put,
    take=take,
    pointers={"about": "note", "contact": "contact"},
    sums=("price", "mood"),
)
_as_contacts = sa.select(
    notes.notes.c.id,
    notes.notes.c.owner_id,
    notes.notes.c.text.label("first_name"),
    notes.notes.c.text.label("last_name"),
    notes.notes.c.secret.label("email"),
    notes.notes.c.about_id.label("company_id"),
    notes.notes.c.created_at,
)


@hookimpl
def sixty_extensions() -> tuple[Extension, ...]:
    return (Extension(FORMS, FORM),)


@hookimpl
def sixty_views() -> tuple[Published, ...]:
    return (Published(notes.NOTES, sa.select(*(notes.notes.c[name] for name in notes.NOTES.columns))), CONTACTS_HERE)


CONTACTS_HERE = Published(CONTACTS, _as_contacts)
PLUGIN = ModuleType("exchanged")
"""The notes of everybody, which come in from files here; those with a secret are taken for contacts."""
vars(PLUGIN).update({**vars(notes), "sixty_extensions": sixty_extensions, "sixty_views": sixty_views})


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("notes", PLUGIN),)


@pytest.fixture
def do(sixty: Organisation, tmp_path: Path) -> Callable[..., Any]:
    """Imports a text as a file, and gives the report; the rejected lines are in `rejected.csv`."""

    async def run(
        content: str,
        *,
        by: Client | None = None,
        source: str = "test",
        rehearsing: bool = False,
        make: bool = False,
        people: Any = None,
        default: str | None = None,
        form: str = "csv",
        principal: Any = None,
        **wanted: Any,
    ) -> Report:
        path = tmp_path / "notes.csv"
        path.write_text(content)
        principal = principal or await (by or sixty.as_role("admin")).principal()
        directory = await sixty.directory()
        owners = Owners(sixty.host, principal, directory, make, default, people, rehearsing)
        with (
            opened(TextFile.at(path), form=form, columns=tuple(NoteLine.model_fields)) as table,
            Rejects(tmp_path / "rejected.csv", table.columns, table.delimiter) as rejects,
        ):
            importing = Import(
                host=sixty.host,
                principal=principal,
                form=FORM,
                table=table,
                wanted=Wanted(**wanted),
                reading=Reading(),
                owners=owners,
                rejects=rejects,
                file=path.name,
                source=source,
                rehearsing=rehearsing,
            )
            report = await importing.run()
        run.owners = owners  # type: ignore[attr-defined] - for the tests that ask whom it made
        return report

    return run


def fates(report: Report) -> dict[str, int]:
    return dict(report.fates)


async def texts(sixty: Organisation) -> list[str]:
    return [row["text"] for row in await sixty.rows(sa.select(notes.notes.c.text).order_by(notes.notes.c.text))]


def many(count: int, **special: str) -> str:
    lines = [special.get(f"line{number}", f"note {number}") for number in range(count)]
    return "text\n" + "".join(f"{line}\n" for line in lines)


# parts


async def test_each_part_of_a_file_is_a_call_in_the_trail(sixty: Organisation, do: Any) -> None:
    assert fates(await do(many(1200))) == {"made": 1200}
    await sixty.host.audit.flush()
    trail = await sixty.rows(sa.select(audit).where(audit.c.tool == "import_notes").order_by(audit.c.seq))
    assert [(line["outcome"], line["arguments"]["first_line"], line["arguments"]["lines"]) for line in trail] == [
        ("ok", 2, 500),
        ("ok", 502, 500),
        ("ok", 1002, 200),
    ]
    assert trail[-1]["message"] == "notes.csv: 200 lines of notes, 200 made"
    assert "note" not in json.dumps(trail[-1]["arguments"]["lines"])


async def test_what_the_database_refuses_keeps_nothing_else_out(sixty: Organisation, do: Any) -> None:
    report = await do(many(9, line3="twice", line7="twice"))
    assert fates(report) == {"made": 7, "rejected": 2}
    assert "twice" not in await texts(sixty)
    assert [line for line, _ in report.problems] == [5, 9]
    assert "the database refused this" in report.problems[0][1]


async def test_a_bug_of_a_form_keeps_nothing_else_out(sixty: Organisation, do: Any) -> None:
    report = await do(many(5, line2="bug"))
    assert fates(report) == {"made": 4, "rejected": 1}
    assert "something went wrong on our side" in report.problems[0][1]


async def test_a_line_that_fails_half_way_leaves_nothing(sixty: Organisation, do: Any) -> None:
    assert fates(await do(many(3, line1="half"))) == {"made": 2, "rejected": 1}
    assert await texts(sixty) == ["note 0", "note 2"]
    assert await sixty.count(imported) == 2


async def test_a_dry_run_asks_the_database_as_well_and_leaves_nothing(sixty: Organisation, do: Any) -> None:
    report = await do("text,price\nfirst,5\ntwice,6\nhalf,7\nlast,8\n", rehearsing=True)
    assert fates(report) == {"made": 2, "rejected": 2}
    assert report.to_json()["totals"] == {"calm": {"count": 2, "amount": 13}}
    assert [await sixty.count(table) for table in (notes.notes, records, imported)] == [0, 0, 0]


async def test_who_may_not_make_any_makes_none(sixty: Organisation, do: Any) -> None:
    without = replace(await sixty.as_role("user").principal(), grants=())
    with pytest.raises(OperatorError, match="lines 2 to 4: you may not import notes: it needs the permission notes:cr"):
        await do(many(3), principal=without)
    assert await texts(sixty) == []


async def test_who_lacks_the_permission_of_a_field_is_told_line_by_line(sixty: Organisation, do: Any) -> None:
    report = await do("text,secret\nplain,\nsecret,hush\n", by=sixty.as_role("user"))
    assert fates(report) == {"made": 1, "rejected": 1}
    assert report.problems == [(3, "Only an admin may keep a secret")]


# keys


async def test_a_line_with_an_id_is_that_record_wherever_it_comes_from(sixty: Organisation, do: Any) -> None:
    known, new = (await sixty.as_role("admin").call("add_note", text="known"))["note"]["id"], new_id()
    content = f"id,text,created_at\n{known},changed,\n{new},new,2020-05-01\n"
    assert fates(await do(content)) == {"updated": 1, "made": 1}
    assert fates(await do(content, source="another")) == {"unchanged": 2}
    (row,) = await sixty.rows(sa.select(notes.notes).where(notes.notes.c.text == "new"))
    assert (row["id"], row["created_at"].isoformat()) == (new, "2020-05-01T00:00:00+00:00")
    await sixty.as_role("admin").call("remove_note", note_id=new)
    assert fates(await do(content)) == {"unchanged": 1, "skipped": 1}


async def test_an_id_that_was_somebodys_is_not_given_again(sixty: Organisation, do: Any) -> None:
    gone = (await sixty.as_role("admin").call("add_note", text="gone"))["note"]["id"]
    await sixty.as_role("admin").call("remove_note", note_id=gone)
    report = await do(f"id,text\n{gone},again\n")
    assert "there is, or was, a record with the id" in report.problems[0][1]
    later = await do(f"id,text,created_at\n{new_id()},later,2099-01-01\n")
    assert "created_at must not be later than now" in later.problems[0][1]


async def test_a_record_that_is_out_of_sight_is_not_changed(sixty: Organisation, do: Any) -> None:
    user = sixty.as_role("user")
    mine = "key,text,owner\n1,mine,Max Manager\n"
    assert fates(await do(mine, key="key")) == {"made": 1}
    report = await do(mine.replace("mine", "changed"), key="key", by=user)
    assert fates(report) == {"rejected": 1}
    assert await texts(sixty) == ["mine"]


async def test_an_update_changes_what_the_line_says_and_nothing_else(sixty: Organisation, do: Any) -> None:
    await do("key,text,price,secret\n1,first,5,hush\n", key="key")
    assert fates(await do("key,text,price\n1,first,\n", key="key")) == {"updated": 1}
    (row,) = await sixty.rows(sa.select(notes.notes))
    assert (row["price"], row["secret"]) == (None, "hush")
    lines = '{"key": 1, "text": "third"}\n'
    assert fates(await do(lines, form="jsonl", columns={"about": "text"})) == {"rejected": 1}


async def test_long_keys_are_kept_apart(sixty: Organisation, do: Any) -> None:
    content = f"key,text\n{'k' * 400}1,one\n{'k' * 400}2,two\n"
    assert fates(await do(content, key="key")) == {"made": 2}
    assert fates(await do(content, key="key")) == {"unchanged": 2}


async def test_the_column_id_of_others_is_their_key(sixty: Organisation, do: Any) -> None:
    assert fates(await do("id,text\n7,seven\n")) == {"made": 1}
    assert fates(await do("id,text\n7,changed\n")) == {"updated": 1}
    assert fates(await do("ID,text\n7,changed\n", key="id")) == {"unchanged": 1}


async def test_a_record_that_was_merged_is_the_one_that_it_was_merged_into(sixty: Organisation, do: Any) -> None:
    content = "key,text\n1,first\n2,second\n"
    await do(content, key="key")
    rows = {row["text"]: row["id"] for row in await sixty.rows(sa.select(notes.notes))}
    merging = {"primary_id": rows["first"], "duplicate_ids": [rows["second"]]}
    await sixty.as_role("admin").call("merge_notes", **merging)
    assert fates(await do(content, key="key")) == {"unchanged": 2}
    assert fates(await do(content.replace("second", "changed"), key="key")) == {"unchanged": 1, "updated": 1}
    assert await texts(sixty) == ["changed"]


async def test_a_template_may_have_braces_and_nothing_to_say(sixty: Organisation, do: Any) -> None:
    content = "a,b\n1,\n,\n"
    report = await do(content, templates={"text": "{{{a}}} {b|none}"})
    assert fates(report) == {"made": 1, "rejected": 1}
    assert await texts(sixty) == ["{1} none"]
    assert fates(await do("c\nx\n", templates={"text": "always"})) == {"made": 1}


# pointers


async def test_a_pointer_is_a_key_of_the_same_source_an_id_or_an_address(sixty: Organisation, do: Any) -> None:
    await do("key,text,secret\n1,first,jo@example.com\n", key="key")
    (first,) = await sixty.rows(sa.select(notes.notes))
    content = (
        f"key,text,about,contact\n2,by key,1,\n3,by id,{first['id']},\n4,by address,,Jo@Example.com\n"
        "5,nowhere,9,\n6,nobody,,no@example.com\n"
    )
    report = await do(content, key="key")
    assert fates(report) == {"made": 3, "rejected": 2}
    assert [reason.partition(";")[0] for _, reason in report.problems] == [
        "about: 'test' has no note with the key '9'",
        "contact: 'test' has no contact with the key 'no@example.com'",
    ]
    rows = await sixty.rows(sa.select(notes.notes).where(notes.notes.c.about_id.is_not(None)))
    assert {row["about_id"] for row in rows} == {first["id"]}
    assert len(rows) == 3
    assert fates(await do(content, key="key"))["unchanged"] == 3


# owners


async def test_owners_are_found_by_address_and_by_name(sixty: Organisation, do: Any) -> None:
    content = "text,owner\na,MAX  manager\nb,uma.user@Example.com\nc,Max M <max.manager@example.com>\nd,\n"
    report = await do(content)
    assert (fates(report), report.unowned) == ({"made": 4}, 1)
    rows = await sixty.rows(sa.select(notes.notes).order_by(notes.notes.c.text))
    roles = [sixty.as_role(role).user_id for role in ("manager", "user", "manager", "admin")]
    assert [row["owner_id"] for row in rows] == roles


async def test_a_name_of_two_is_nobodys(sixty: Organisation, do: Any) -> None:
    for address in ("one", "two"):
        await sixty.user(address)
    from sixty.people import add_user  # noqa: PLC0415 - only here

    for address in ("jo@a.example", "jo@b.example"):
        await add_user(sixty.host.database, email=address, name="Jo Same", now=sixty.clock())
    report = await do("text,owner\na,Jo Same\n")
    assert "is the name of 2 users (jo@a.example, jo@b.example)" in report.problems[0][1]


async def test_owners_are_made_once_with_their_teams(sixty: Organisation, do: Any) -> None:
    people = people_in([{"name": "Zoë Ångström", "email": "zoe@example.com", "team": None}])
    content = (
        "text,owner,team,owner_email\na,Zoë Ångström,north,\nb,Ann Lee,West,\nc,ann LEE,west,\nd,Ann-Lee,East,\n"
        "e,Bo Roe,,bo@example.com\nf,,,lone@example.com\ng,!!,,\nh,bad@@example.com,,\ni,Max Manager,,\n"
    )
    report = await do(content, make=True, people=people)
    assert fates(report) == {"made": 8, "rejected": 1}
    assert "email must be an address" in report.problems[0][1]
    assert do.owners.made == {
        "zoe@example.com": "Zoë Ångström",
        "ann.lee@imported.invalid": "Ann Lee",
        "ann.lee1@imported.invalid": "Ann-Lee",
        "bo@example.com": "Bo Roe",
        "lone@example.com": "lone",
        "somebody@imported.invalid": "!!",
    }
    assert do.owners.teams == ["West", "East"]
    directory = await sixty.directory()
    teams = {user.name: directory.teams[user.team_id].name for user in directory.users.values() if user.team_id}
    assert (teams["Zoë Ångström"], teams["Ann Lee"], teams["Ann-Lee"]) == ("North", "West", "East")
    assert fates(await do(content, make=True, people=people))["unchanged"] == 8
    assert do.owners.made == {}


async def test_a_rehearsal_makes_nobody(sixty: Organisation, do: Any) -> None:
    before = len((await sixty.directory()).users)
    content = "text,owner,team\na,Ann Lee,West\nb,Bo Roe,West\nc,Ann Lee,West\n"
    assert fates(await do(content, make=True, rehearsing=True)) == {"made": 3}
    assert (list(do.owners.made.values()), do.owners.teams) == (["Ann Lee", "Bo Roe"], ["West"])
    assert len((await sixty.directory()).users) == before


async def test_only_an_admin_makes_owners(sixty: Organisation, do: Any) -> None:
    with pytest.raises(Forbidden, match="only an admin may make users"):
        await do(many(1), make=True, by=sixty.as_role("manager"))


def test_a_file_of_people_says_one_thing_of_each() -> None:
    with pytest.raises(OperatorError, match="two things of 'Ann'"):
        people_in([{"name": "Ann", "team": "West"}, {"name": "Ann", "team": "East"}])


# what did not go in


async def test_a_rejected_line_is_written_as_it_was(sixty: Organisation, do: Any, tmp_path: Path) -> None:
    await do('text;price;other\nok;1;x\nbad;=1+1;"a;b"\n;5;y\nshort\n')
    assert (tmp_path / "rejected.csv").read_text().splitlines() == [
        "reason;text;price;other",
        "price must be an amount such as 1234.56, or 1.234,56 with --decimal ,, got '=1+1';bad;'=1+1;\"a;b\"",
        "text is missing;;5;y",
        "it has 1 cells, and the file has 3 columns;short",
    ]


async def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with (
        Rejects(tmp_path / "nowhere" / "x.csv", ["a"], ",") as rejects,
        pytest.raises(OperatorError, match="--rejects"),
    ):
        rejects.add(["1"], "bad")
