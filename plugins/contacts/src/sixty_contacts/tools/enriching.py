"""The tool that asks others about a contact: read, then ask with no transaction open, then write what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from sixty import Arguments, Call, Conflict, Invalid, Money, RecordId, Result, Text, counted, tool
from sixty.crm import ENRICHERS, Subject
from sixty_contacts.models import Contact
from sixty_contacts.phones import comparable
from sixty_contacts.sources.asking import SourceReport, ask
from sixty_contacts.sources.filling import COMPANY_FIELDS, Fact, facts_of, filled_company, filled_contact
from sixty_contacts.sources.fitting import from_text
from sixty_contacts.sources.internal import INTERNAL, Behavior, company_of, known
from sixty_contacts.tables import COMPANY, CONTACT, FACT
from sixty_contacts.tools.contacts import shown_contact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sixty import Extended, Row
    from sixty.crm import Enricher, Findings
    from sixty_contacts.sources.internal import Known

    Asked = Sequence[tuple[SourceReport, Findings]]

__all__ = ["enrich_contact"]

_ATTEMPTS = 3
"""How often what was found is put in when somebody else writes the same contact at that moment."""

_CALLED = frozenset(("phone", "country"))
"""What the phone in E.164 follows from."""
_WORDS = {"company_id": "company", "linkedin_url": "LinkedIn address"}
"""Fields as people call them."""


class EnrichContact(Arguments):
    """The arguments of `enrich_contact`."""

    contact_id: RecordId
    sources: list[Text] | None = Field(None, min_length=1, max_length=20)


class CompanyInsights(BaseModel):
    """What is known of their company; `size` counts employees, and is a text where a source knows a range."""

    model_config = ConfigDict(frozen=True)

    industry: str | None = None
    size: int | str | None = None
    revenue: Money | None = None


class EnrichmentData(BaseModel):
    """What is known of a contact beyond its fields. What is unknown is absent."""

    model_config = ConfigDict(frozen=True)

    social_profiles: dict[str, str] | None = None
    company_insights: CompanyInsights | None = None
    behavioral_data: Behavior | None = None


class ContactEnriched(Result):
    """What `enrich_contact` answers."""

    contact: Contact
    enrichment_data: EnrichmentData
    sources: list[SourceReport]


@tool("enrich_contact", permission="contacts:update", effect="update", rate="strict", open_world=True)
async def enrich_contact(args: EnrichContact, call: Call) -> ContactEnriched:
    """Fill empty fields of a contact and its company from internal, hunter, linkedin and clearbit, or some of them.

    What people have entered is kept. `sources` says who knew something, and why others could not be asked.
    """
    asked_for, enrichers = _chosen(args.sources, call)
    async with call.transaction() as step:
        contact = await step.records.get(CONTACT, args.contact_id)
        step.records.check_writable(CONTACT, "contacts:update", contact)
        inside = await known(step, contact) if INTERNAL in asked_for else None
        subject = _subject(contact, await company_of(step, contact))
    asked = await ask(enrichers, subject)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            async with call.transaction() as step:
                return await _kept(step, contact["id"], inside, asked, asked_for)
        except Conflict:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError  # pragma: no cover - the loop returns or raises


def _chosen(wanted: list[str] | None, call: Call) -> tuple[tuple[str, ...], list[Extended[Enricher]]]:
    """The names of the sources to ask, each once, and those of them that are outside."""
    added = {item.value.source: item for item in call.extensions(ENRICHERS)}
    names = (INTERNAL, *added)
    chosen = tuple(dict.fromkeys(wanted or names))
    for name in chosen:
        if name not in names:
            msg = f"sources: there is no source {name[:80]!r}; there are {', '.join(names)}"
            raise Invalid(msg, field="sources", given=name[:80], allowed=list(names))
    return chosen, [added[name] for name in chosen if name in added and name != INTERNAL]


def _subject(contact: Row, company: Row | None) -> Subject:
    same = ("first_name", "last_name", "email", "role", "phone", "linkedin_url")
    about = {"company_name": company["name"], "domain": company["domain"]} if company is not None else {}
    return Subject(**{name: contact[name] for name in same}, **about)


async def _kept(
    step: Call, contact_id: str, inside: Known | None, asked: Asked, asked_for: Sequence[str]
) -> ContactEnriched:
    """What was found is put in, and the answer."""
    contact = await step.records.get(CONTACT, contact_id)
    company = await company_of(step, contact)
    facts = [Fact(*(row[name] for name in Fact._fields)) for row in await _facts(step, contact)]
    found = [findings for _, findings in asked]
    values = filled_contact(contact, found)
    if values.keys() & _CALLED:
        both = {**contact, **values}
        values["phone_e164"] = comparable(both["phone"], both["country"], step.settings.phone_region)
    if inside is not None and company is not None and contact["company_id"] is None:
        values["company_id"] = company["id"]
    of_company = filled_company(company, found) if company is not None and _may_write(step, company) else {}
    said = (fact for report, findings in asked for fact in facts_of(report.source, findings, company))
    new = [fact for fact in dict.fromkeys(said) if fact not in facts]
    if values or of_company or new:
        await step.claim("contacts.enriching", contact["id"])  # facts are added, and nothing else would tell two apart
        contact = await step.records.update(CONTACT, contact["id"], values)
        for fact in new:
            await step.records.add_detail(FACT, contact["id"], {**fact._asdict(), "at": step.now})
    if company is not None and of_company:
        company = await step.records.update(COMPANY, company["id"], of_company)
    reports = {report.source: report for report, _ in asked}
    if inside is not None:
        reports[INTERNAL] = SourceReport(source=INTERNAL, status="ok" if inside.is_anything else "nothing")
    filled = [_WORDS.get(name, name) for name in sorted(values.keys() - {"phone_e164"})]
    filled += [f"{name} of the company" for name in sorted(of_company)]
    return ContactEnriched(
        message=_message(contact["full_name"], filled, list(reports.values())),
        contact=await shown_contact(step, contact),
        enrichment_data=_data(contact, company, [*facts, *new], inside),
        sources=[reports[name] for name in asked_for],
    )


async def _facts(step: Call, contact: Row) -> list[Row]:
    """What is noted about the contact, oldest first."""
    return sorted(await step.records.details(FACT, contact["id"]), key=lambda row: row["id"])


def _may_write(step: Call, company: Row) -> bool:
    return step.reaches(step.scopes("contacts:update"), company["owner_id"])


def _data(contact: Row, company: Row | None, facts: list[Fact], inside: Known | None) -> EnrichmentData:
    """What is known: the records say it, or else the source that said it last."""
    profiles = {fact.field: fact.value for fact in facts if fact.subject == "social"}
    if contact["linkedin_url"] is not None:
        profiles["linkedin"] = contact["linkedin_url"]
    insights: dict[str, Any] = {
        fact.field: from_text(fact.field, fact.value)
        for fact in facts
        if fact.subject == "company" and fact.field in COMPANY_FIELDS
    }
    insights |= {name: company[name] for name in COMPANY_FIELDS if company is not None and company[name] is not None}
    return EnrichmentData(
        social_profiles=profiles or None,
        company_insights=CompanyInsights(**insights) if insights else None,
        behavioral_data=inside.behavior if inside is not None else None,
    )


def _message(name: str, filled: list[str], reports: list[SourceReport]) -> str:
    what = f"Filled {', '.join(filled)} of {name}" if filled else f"Nothing new to fill for {name}"
    silent = [report.source for report in reports if report.status in ("unavailable", "failed")]
    return f"{what}; {counted(len(silent), 'source')} did not answer: {', '.join(silent)}" if silent else what
