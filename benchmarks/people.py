"""Contacts of a made-up organisation in many countries, some of them twice, the same on each run.

Another world than febrl's, with other errors: people have companies, phones and mails; a double was typed again by a colleague
who knows a nickname, another phone notation, half of the address, or where the person works now. There are families at one
address, colleagues at another, and namesakes who have nothing to do with each other.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from sixty_contacts.duplicates.people import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Crowd", "crowd"]

GIVEN = """
    james mary robert patricia john jennifer michael linda david elizabeth william barbara richard susan joseph jessica
    thomas sarah charles karen christopher lisa daniel nancy matthew betty anthony sandra mark margaret donald ashley
    steven kimberly andrew emily paul donna joshua michelle kenneth carol kevin amanda brian melissa george deborah timothy
    stephanie ronald rebecca jason sharon edward laura jeffrey cynthia ryan dorothy jacob amy nicholas kathleen gary angela
    eric shirley jonathan emma stephen anna larry pamela justin nicole scott samantha brandon katherine benjamin christine
    samuel helen gregory debra alexander rachel patrick carolyn frank janet raymond maria jack catherine dennis heather
    hans anke jürgen ursula wolfgang sabine klaus petra uwe monika dieter renate giulia marco luca francesca matteo chiara
    pierre camille julien élodie françois amélie jean marie sofía javier lucía álvaro carmen josé maría luis ana pedro
    jan katarzyna piotr agnieszka tomasz małgorzata lars ingrid björn astrid søren mette jari aino yuki haruto sakura ren
    wei li min jing priya arjun ananya rohan fatima ahmed omar layla mehmet ayşe olga dmitri svetlana ivan
""".split()
NICKNAMES = {
    "robert": "bob", "william": "bill", "richard": "dick", "elizabeth": "liz", "margaret": "peggy", "michael": "mike",
    "christopher": "chris", "katherine": "kate", "edward": "ted", "james": "jim", "joseph": "joe", "thomas": "tom",
    "anthony": "tony", "steven": "steve", "jennifer": "jenny", "rebecca": "becky", "benjamin": "ben", "daniel": "dan",
    "patricia": "trish", "andrew": "andy", "nicholas": "nick", "matthew": "matt", "samantha": "sam", "alexander": "alex",
}  # fmt: skip
STARTS = "ab al an ba bar ber bo bra bro ca car cas co da de do du el en fa fer fi fo ga gar ge go gra ha har he ho ja jo ka ke ki ko kra la le li lo ma mar me mi mo mu na ne ni no o ol pa pe pi po ra re ri ro sa sch se si so sta ste ta te to tra va ve vi wa we wi wo ya za zi".split()
MIDDLES = "ba be bi ca ch da de di do fa ga ge gi go ha ka ke ki la le li lo ma me mi mo na ne ni no pa pe ra re ri ro sa se si so ta te ti to va ve vi za".split()
ENDS = "ck d er ez i in is ki l ler ll man mann n ne ni nn no o off ova r ri rs s sen ska son ss st ston t tt tz well wicz y".split()
PLACES = [  # city, postal code, region, country, streets, dialling code
    ("Berlin", "10{}", "Berlin", "DE", "{}straße {}", "+49 30"), ("München", "80{}", "Bayern", "DE", "{}weg {}", "+49 89"),
    ("London", "N1 {}", "Greater London", "GB", "{1} {0} Road", "+44 20"), ("Leeds", "LS {}", "West Yorkshire", "GB", "{1} {0} Lane", "+44 113"),
    ("Paris", "75{}", "Île-de-France", "FR", "{1} rue {0}", "+33 1"), ("Lyon", "69{}", "Rhône", "FR", "{1} avenue {0}", "+33 4"),
    ("Madrid", "28{}", "Madrid", "ES", "Calle {0} {1}", "+34 91"), ("New York", "10{}", "NY", "US", "{1} {0} Street", "+1 212"),
    ("Chicago", "60{}", "IL", "US", "{1} {0} Avenue", "+1 312"), ("San Diego", "92{}", "CA", "US", "{1} {0} Drive", "+1 619"),
    ("Warszawa", "00-{}", "Mazowieckie", "PL", "ul. {0} {1}", "+48 22"), ("Milano", "20{}", "Lombardia", "IT", "via {0} {1}", "+39 02"),
]  # fmt: skip
FORMS = {"DE": "GmbH", "GB": "Ltd", "FR": "SARL", "ES": "S.L.", "US": "Inc.", "PL": "Sp. z o.o.", "IT": "S.p.A."}
TRADES = (
    "Logistics Foods Energy Health Robotics Textiles Media Travel Consulting Software Partners Bank Motors Labs".split()
)
FREE = ["gmail.com", "outlook.com", "yahoo.com", "gmx.de"]
KEYS = {"a": "qs", "e": "wr", "i": "uo", "n": "bm", "o": "ip", "r": "et", "s": "ad", "t": "ry", "l": "k", "m": "n"}


@dataclass(frozen=True)
class Crowd:
    """Contacts, and who each of them really is."""

    people: list[Person]
    who: dict[str, int]


@dataclass(frozen=True)
class Company:
    """Where somebody works."""

    name: str
    domain: str
    place: tuple[str, ...]
    address: tuple[str, str]
    prefix: str


def crowd(count: int, *, doubled: float = 0.03, seed: int = 60) -> Crowd:
    """As many contacts; this share of them are there once more."""
    chance = random.Random(seed)
    doubles = round(count * doubled)
    surnames = _surnames(chance, max(200, count // 8))
    weights = list(accumulate(1 / (rank + 12) for rank in range(len(surnames))))
    firsts = list(accumulate(1 / (rank + 20) for rank in range(len(GIVEN))))
    companies = [_company(chance, surnames) for _ in range(max(5, count // 12))]
    sizes = list(accumulate(1 / (rank + 5) for rank in range(len(companies))))
    people: list[Person] = []
    who: dict[str, int] = {}
    taken: set[str | None] = set()
    while len(people) < count - doubles:
        number = len(people)
        given, last = chance.choices(GIVEN, cum_weights=firsts)[0], chance.choices(surnames, cum_weights=weights)[0]
        company = chance.choices(companies, cum_weights=sizes)[0] if chance.random() < 0.8 else None
        person = _person(chance, number, given, last, company, surnames)
        if people and chance.random() < 0.03 and people[-1].street:  # of the family of the one before
            before = people[-1]
            person = person._replace(
                last_name=before.last_name,
                street=before.street,
                city=before.city,
                postal_code=before.postal_code,
                region=before.region,
            )
            if given == (before.first_name or "").lower():
                continue
        if person.email in taken:
            local, _, domain = (person.email or "").partition("@")
            person = person._replace(email=f"{local}{number}@{domain}")
        taken.add(person.email)
        people.append(person)
        who[person.id] = number
    for number, original in enumerate(chance.sample(people, doubles)):
        again = _again(chance, original, companies, f"{count + number:032x}")
        people.append(again)
        who[again.id] = who[original.id]
    chance.shuffle(people)
    return Crowd(people, who)


def _surnames(chance: random.Random, count: int) -> list[str]:
    made: dict[str, None] = {}
    while len(made) < count:
        middle = "".join(chance.choices(MIDDLES, k=chance.choice((0, 1, 1, 2))))
        made[chance.choice(STARTS) + middle + chance.choice(ENDS)] = None
    return list(made)


def _company(chance: random.Random, surnames: Sequence[str]) -> Company:
    place = chance.choice(PLACES)
    name = chance.choice(surnames)
    trade = chance.choice(TRADES)
    return Company(
        f"{name.title()} {trade} {FORMS[place[3]]}",
        f"{name}-{trade.lower()}.example",
        place,
        _address(chance, place, surnames),
        f"{place[5]} {chance.randrange(100, 999)}",
    )


def _address(chance: random.Random, place: tuple[str, ...], surnames: Sequence[str]) -> tuple[str, str]:
    street = place[4].format(chance.choice(surnames[:2000]).title(), chance.randrange(1, 140))
    return street, place[1].format(chance.randrange(100, 999))


def _person(
    chance: random.Random, number: int, given: str, last: str, company: Company | None, surnames: Sequence[str]
) -> Person:
    place = company.place if company else chance.choice(PLACES)
    at_work = company is not None and chance.random() < 0.4
    street, postal = company.address if company is not None and at_work else _address(chance, place, surnames)
    domain = company.domain if company is not None and chance.random() < 0.9 else chance.choice(FREE)
    phone = f"{company.prefix if company else place[5]} {chance.randrange(10_000, 9_999_999)}"
    return Person(
        id=f"{number:032x}",
        first_name=given.title(),
        last_name=last.title(),
        email=chance.choice(("{0}.{1}@{2}", "{0[0]}{1}@{2}", "{0}@{2}", "{1}.{0}@{2}")).format(given, last, domain),
        phone=phone if chance.random() < 0.6 else None,
        company=company.name if company else None,
        **(
            {"street": street, "city": place[0], "postal_code": postal, "region": place[2]}
            if chance.random() < 0.6
            else {}
        ),
    )


def _again(chance: random.Random, person: Person, companies: Sequence[Company], new_id: str) -> Person:
    """The same person, as somebody else has typed them."""
    again = person._replace(id=new_id)
    changes = chance.sample(_CHANGES, chance.choice((1, 1, 2, 2, 3)))
    for change in changes:
        again = change(chance, again)
    if chance.random() < 0.5:
        domain = (person.email or "").rpartition("@")[2]
        again = again._replace(
            email=f"{(again.first_name or 'x')[0]}.{again.last_name}@{domain}".lower().replace(" ", "")
        )
    elif chance.random() < 0.5:
        again = again._replace(
            email=f"{again.last_name}{chance.randrange(99)}@{chance.choice(FREE)}".lower().replace(" ", "")
        )
    if again.phone and person.street and chance.random() < 0.1:  # with another employer now
        company = chance.choice(companies)
        again = again._replace(company=company.name, email=f"{again.last_name}@{company.domain}".lower())
    return again


def _nickname(chance: random.Random, person: Person) -> Person:
    given = (person.first_name or "").lower()
    return (
        person._replace(first_name=NICKNAMES[given].title())
        if given in NICKNAMES
        else _typo_in("last_name")(chance, person)
    )


def _typo_in(field: str) -> Callable[[random.Random, Person], Person]:
    def mistyped(chance: random.Random, person: Person) -> Person:
        text: str | None = getattr(person, field)
        if not text or len(text) < 4:  # noqa: PLR2004 - a shorter one would be another word
            return person
        at = chance.randrange(1, len(text) - 1)
        letter = chance.choice(KEYS.get(text[at], "e"))
        typed = chance.choice(
            (text[:at] + text[at + 1 :], text[:at] + letter + text[at + 1 :], text[:at] + text[at] + text[at:],
             text[:at] + text[at + 1] + text[at] + text[at + 2 :])
        )  # fmt: skip
        return person._replace(**{field: typed})

    return mistyped


def _initial(chance: random.Random, person: Person) -> Person:
    del chance
    return person._replace(first_name=f"{(person.first_name or 'x')[0]}.")


def _swapped(chance: random.Random, person: Person) -> Person:
    del chance
    return person._replace(first_name=person.last_name, last_name=person.first_name)


def _other_phone(chance: random.Random, person: Person) -> Person:
    phone = person.phone
    if not phone:
        return person
    code, _, rest = phone.partition(" ")
    del code
    return person._replace(phone=chance.choice((f"0{rest.replace(' ', '-')}", phone.replace(" ", ""), None)))


def _half_address(chance: random.Random, person: Person) -> Person:
    return person._replace(**{field: None for field in chance.sample(["street", "postal_code", "region", "city"], 2)})


def _moved(chance: random.Random, person: Person) -> Person:
    place = chance.choice(PLACES)
    street, postal = _address(chance, place, STARTS)
    return (
        person._replace(street=street, city=place[0], postal_code=postal, region=place[2]) if person.phone else person
    )


def _company_short(chance: random.Random, person: Person) -> Person:
    words = (person.company or "").split()
    return person._replace(company=" ".join(words[:2]).upper() if chance.random() < 0.8 else None) if words else person


_CHANGES = (
    _nickname, _typo_in("first_name"), _typo_in("last_name"), _typo_in("street"), _typo_in("city"), _initial, _swapped,
    _other_phone, _half_address, _moved, _company_short,
)  # fmt: skip
