"""Companies and contacts that come in from files, as typed by an operator."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from sixty.cli import cli
from sixty.testing.organisation import open_organisation
from sixty_contacts import plugin
from sixty_contacts.tables import contacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    Run = Callable[..., dict[str, Any]]
    Out = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def sixty(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Runs one command as Ada, who is an admin, in a folder of its own, with contacts alone."""
    for name in os.environ:
        if name.startswith("SIXTY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def one(*arguments: str) -> Result:
        who = ("--user", "ada@example.com") if arguments[0] in ("import", "export", "call") else ()
        settings = {"SIXTY_DATABASE_URL": database_url, "SIXTY_PLUGINS": "contacts"}
        return CliRunner().invoke(cli, (*arguments, *who), env=settings, prog_name="sixty")

    one("user", "add", "ada@example.com", "--name", "Ada Park", "--role", "admin")
    return one


@pytest.fixture
def put_in(sixty: Callable[..., Result]) -> Run:
    """Imports a text as a file, and gives what came of it."""

    def one(kind: str, text: str, *options: str, name: str = "file.csv") -> dict[str, Any]:
        Path(name).write_bytes(text.encode())
        return dict(json.loads(sixty("import", kind, name, "--json", *options).stdout))

    return one


@pytest.fixture
def take_out(sixty: Callable[..., Result]) -> Out:
    """What an export gives."""

    def one(kind: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in sixty("export", kind, "--format", "jsonl").stdout.splitlines()]

    return one


def said(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in ("id", "owner", "created_at")}


# companies


def test_a_company_comes_in_with_all_that_is_known_of_it(put_in: Run, take_out: Out) -> None:
    head = "name,domain,industry,size,revenue,created_at\n"
    line = "Acme,https://www.acme.example/about?x=1,Tools,1 200,$1.5,2020-01-02\n"
    assert put_in("companies", head + line)["made"] == 1
    (company,) = take_out("companies")
    assert said(company) == {
        "name": "Acme",
        "domain": "acme.example",
        "industry": "Tools",
        "size": 1200,
        "revenue": 1.5,
    }
    assert (company["owner"], company["created_at"]) == ("ada@example.com", "2020-01-02T00:00:00+00:00")


def test_0_is_no_size_and_no_revenue(put_in: Run, take_out: Out) -> None:
    put_in("companies", "name,size,revenue\nAcme,0,0.00\n")
    assert said(take_out("companies")[0]) == {"name": "Acme"}


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("size", "-1", "size must be between 0 and 100000000"),
        ("size", "200000000", "size must be between 0 and 100000000"),
        ("size", "many", "size must be a whole number"),
        ("revenue", "-3", "revenue must be between 0 and 10000000000000"),
        ("domain", "not a domain", "domain must be a domain such as example.com"),
        ("name", "", "name is missing"),
    ],
)
def test_what_no_company_can_have_is_told(put_in: Run, column: str, value: str, reason: str) -> None:
    columns = {"name": "Acme", "industry": "Tools", column: value}
    told = put_in("companies", f"{','.join(columns)}\n{','.join(columns.values())}\n")
    assert reason in told["problems"][0]["reason"]


def test_two_companies_may_have_one_name_but_not_one_domain(put_in: Run, take_out: Out) -> None:
    told = put_in("companies", "name,domain\nAcme,acme.example\nAcme,\nBolt,ACME.example\n")
    assert (told["made"], told["rejected"]) == (2, 1)
    first = take_out("companies")[0]["id"]
    assert told["problems"] == [
        {"line": 4, "reason": f'the company "Acme" ({first}) has the domain acme.example already'}
    ]


def test_a_file_that_has_changed_changes_the_fields_that_it_has(put_in: Run, take_out: Out) -> None:
    put_in("companies", "key,name,industry,size\n1,Acme,Tools,5\n", "--key", "key")
    told = put_in("companies", "key,name,size\n1,Acme Ltd,\n", "--key", "key")
    assert (told["updated"], said(take_out("companies")[0])) == (1, {"name": "Acme Ltd", "industry": "Tools"})
    told = put_in("companies", "key,name,owner\n1,Acme Ltd,Ada Park\n", "--key", "key")
    assert told["unchanged"] == 1


# contacts


def test_a_contact_is_at_the_company_that_its_line_or_its_address_names(put_in: Run, take_out: Out) -> None:
    put_in("companies", "key,name,domain\nc1,Acme,acme.example\n", "--key", "key", "--source", "old")
    head = "first_name,last_name,email,company,company_name\n"
    people = (
        "By,Key,a@x.example,c1,\n"
        "By,Name,b@x.example,,ACME Inc.\n"
        "By,Address,c@acme.example,,\n"
        "At,None,d@gmail.com,,\n"
        "At,New,e@new.example,,New & Co\n"
        "By,Wrong,f@x.example,c2,\n"
    )
    told = put_in("contacts", head + people, "--source", "old")
    assert (told["made"], "has no company with the key 'c2'" in told["problems"][0]["reason"]) == (5, True)
    companies = {company["id"]: company["name"] for company in take_out("companies")}
    assert {one["last_name"]: companies.get(one.get("company")) for one in take_out("contacts")} == {
        "Key": "Acme",
        "Name": "Acme",
        "Address": "Acme",
        "None": None,
        "New": "New & Co",
    }


def test_a_line_with_an_id_says_itself_that_a_contact_is_at_no_company(put_in: Run, take_out: Out) -> None:
    put_in("companies", "name,domain\nAcme,acme.example\n")
    head = "id,first_name,last_name,email\n"
    put_in("contacts", f"{head}0198c2f0-0000-7000-8000-000000000001,Ann,Doe,ann@acme.example\n")
    (contact,) = take_out("contacts")
    assert contact["id"] == "0198c2f0-0000-7000-8000-000000000001"
    assert "company" not in contact


def test_a_company_that_is_no_longer_named_is_no_longer_theirs(put_in: Run, take_out: Out) -> None:
    line = "key,first_name,last_name,email,company_name\n1,Ann,Doe,ann@acme.example,"
    put_in("contacts", f"{line}Acme\n", "--key", "key")
    assert "company" in take_out("contacts")[0]
    assert put_in("contacts", "key,email,role\n1,ann@acme.example,CEO\n", "--key", "key")["updated"] == 1
    assert {"company", "role", "first_name"} <= take_out("contacts")[0].keys()
    put_in("contacts", f"{line}\n", "--key", "key")
    assert "company" not in take_out("contacts")[0]


def test_names_may_be_in_one_column_and_addresses_several_in_one(put_in: Run, take_out: Out) -> None:
    told = put_in("contacts", 'full_name,email\nAnna Maria Doe,"Anna@x.example, other@x.example"\nCher,b@x.example\n')
    (contact,) = take_out("contacts")
    assert said(contact) == {"first_name": "Anna Maria", "last_name": "Doe", "email": "anna@x.example"}
    assert "first_name is missing" in told["problems"][0]["reason"]


def test_an_address_is_somebodys_once(put_in: Run, take_out: Out) -> None:
    told = put_in("contacts", "first_name,last_name,email\nAnn,Doe,a@x.example\nBob,Roe,A@X.example\n")
    (contact,) = take_out("contacts")
    assert contact["id"] in told["problems"][0]["reason"]
    told = put_in("contacts", "key,first_name,last_name,email\n1,Bob,Roe,b@x.example\n", "--key", "key")
    told = put_in("contacts", "key,first_name,last_name,email\n1,Bob,Roe,a@x.example\n", "--key", "key")
    assert (told["rejected"], contact["id"] in told["problems"][0]["reason"]) == (1, True)
    told = put_in("contacts", "key,first_name,last_name,email\n1,Bob,Roe,c@x.example\n", "--key", "key")
    assert told["updated"] == 1


def test_a_phone_is_compared_in_the_country_of_its_line(put_in: Run, database_url: str) -> None:
    put_in("contacts", "first_name,last_name,email,phone,country\nAnn,Doe,a@x.example,030 901820,Germany\n")

    async def kept() -> list[dict[str, Any]]:
        async with open_organisation(database_url, [("contacts", plugin)]) as organisation:
            return await organisation.rows(sa.select(contacts.c.phone, contacts.c.phone_e164))

    assert asyncio.run(kept()) == [{"phone": "030 901820", "phone_e164": "+4930901820"}]


def test_what_sources_said_goes_out_and_comes_in_and_is_there_once(put_in: Run, take_out: Out) -> None:
    fact = {"subject": "social", "field": "twitter", "value": "=ann", "source": "hunter", "at": "2024-05-06T07:08:09Z"}
    line = {
        "id": "0198c2f0-0000-7000-8000-000000000001",
        "first_name": "Ann",
        "last_name": "Doe",
        "email": "a@x.example",
    }
    put_in("contacts", json.dumps({**line, "facts": [fact]}), name="first.jsonl")
    known = {**fact, "at": "2024-05-06T07:08:09+00:00"}
    assert take_out("contacts")[0]["facts"] == [known]
    more = {**fact, "field": "github", "at": "2024-05-07T07:08:09Z"}
    put_in("contacts", json.dumps({**line, "facts": [fact, more]}), name="second.jsonl")
    assert take_out("contacts")[0]["facts"] == [known, {**more, "at": "2024-05-07T07:08:09+00:00"}]


def test_a_change_of_owner_is_made_and_what_an_owner_was_stays_otherwise(
    put_in: Run, take_out: Out, sixty: Callable[..., Result]
) -> None:
    sixty("user", "add", "bo@example.com", "--name", "Bo Beck")
    for kind, rest in (("companies", "name\n1,{},Acme\n"), ("contacts", "email,full_name\n1,{},a@x.example,Ann Doe\n")):
        for owner, whose in (("Bo Beck", "bo@example.com"), ("ada@example.com", "ada@example.com")):
            put_in(kind, f"key,owner,{rest}".format(owner), "--key", "key", name=f"{kind}.csv")
            assert [one["owner"] for one in take_out(kind)] == [whose]


# exports of others


COMPANY_FILES = {
    "hubspot": (
        "Record ID,Company name,Company Domain Name,Company owner,Create Date,Industry,Number of Employees,"
        "Annual Revenue\n"
        "11,Acme,acme.example,Ada Park,2021-02-03 04:05,Tools,50,1000000\n"
    ),
    "salesforce": (
        "Account ID,Account Name,Website,Account Owner,Created Date,Industry,Employees,Annual Revenue\n"
        '0015,Acme,http://acme.example,Ada Park,2/3/2021,Tools,50,"$1,000,000"\n'
    ),
    "pipedrive": (
        "Organization - ID,Organization - Name,Organization - Website,Organization - Owner,"
        "Organization - Organization created,Organization - Industry,Organization - Number of employees,"
        "Organization - Annual revenue\n"
        "7,Acme,https://acme.example/,Ada Park,2021-02-03 04:05:06,Tools,50,1000000\n"
    ),
}
CONTACT_FILES = {
    "hubspot": (
        "Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Associated Company,Job Title,City,"
        "Country/Region,Create Date\n"
        "1,Ann,Doe,ann@acme.example,+49 30 901820,Ada Park,Acme,CEO,Berlin,Germany,2021-02-03 04:05\n"
    ),
    "salesforce": (
        "Contact ID,First Name,Last Name,Email,Phone,Contact Owner,Account Name,Title,Mailing City,Mailing Country,"
        "Created Date\n003A,Ann,Doe,ann@acme.example,+49 30 901820,Ada Park,Acme,CEO,Berlin,Germany,2/3/2021 4:05 AM\n"
    ),
    "pipedrive": (
        "Person - ID,Person - Name,Person - Email - Work,Person - Phone - Work,Person - Owner,Person - Organization,"
        "Person - Job title,Person - City/town/village/locality of Postal address,"
        "Person - Country of Postal address,Person - Person created\n"
        "9,Ann Doe,ann@acme.example,+49 30 901820,Ada Park,Acme,CEO,Berlin,Germany,2021-02-03 04:05:00\n"
    ),
}


@pytest.mark.parametrize("crm", sorted(COMPANY_FILES))
def test_what_another_crm_exports_comes_in_with_its_preset(put_in: Run, take_out: Out, crm: str) -> None:
    files = {"companies": COMPANY_FILES[crm], "contacts": CONTACT_FILES[crm]}
    for kind, text in files.items():
        assert put_in(kind, text, "--preset", crm, name=f"{kind}.csv")["problems"] == []
    (company,), (contact,) = take_out("companies"), take_out("contacts")
    acme = {"name": "Acme", "domain": "acme.example", "industry": "Tools", "size": 50, "revenue": 1000000}
    assert said(company) == acme
    assert company["created_at"][:10] == contact["created_at"][:10] == "2021-02-03"
    assert said(contact) == {
        "first_name": "Ann",
        "last_name": "Doe",
        "email": "ann@acme.example",
        "phone": "+49 30 901820",
        "role": "CEO",
        "company": company["id"],
        "city": "Berlin",
        "country": "Germany",
    }
    for kind, text in files.items():
        assert put_in(kind, text, "--preset", crm, name=f"{kind}.csv")["unchanged"] == 1
