"""Which contacts are one person: what is found, what is not, and what holds for any contacts at all."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sixty_contacts.duplicates.blocks import WINDOW
from sixty_contacts.duplicates.finding import find
from sixty_contacts.duplicates.people import Person, folded_street, known, local_part, phone_key, sound, workplace

HOME = {"street": "12 Elm Street", "city": "Springfield", "postal_code": "49007", "region": "Oregon"}
OTHERS = [
    Person(f"other-{number}", given, last, f"{given}.{last}@{domain}.example".lower(), company=company, city=city)
    for number, (given, last, domain, company, city) in enumerate(
        [
            ("Grace", "Hopper", "navy", "Navy", "Arlington"),
            ("Alan", "Turing", "bletchley", "Bletchley Park", "London"),
            ("Ada", "Lovelace", "engine", "Analytical Engines", "London"),
            ("Edsger", "Dijkstra", "thue", "TH Eindhoven", "Eindhoven"),
        ]
    )
]
QUICKLY = settings(max_examples=60, deadline=None)
ANY_TEXT = st.one_of(
    st.none(),
    st.sampled_from(["", "-", "😀", "محمد", "יוסף", "a" * 10_000, "é" * 10_000, "O'Neil", "Li", "1"]),
    st.text(max_size=12),
)
ANYBODY = st.builds(
    Person,
    id=st.uuids().map(str),
    first_name=ANY_TEXT,
    last_name=ANY_TEXT,
    email=ANY_TEXT,
    phone=ANY_TEXT,
    company=ANY_TEXT,
    street=ANY_TEXT,
    city=ANY_TEXT,
    postal_code=ANY_TEXT,
    region=ANY_TEXT,
)
SOMEBODY = st.builds(
    Person,
    id=st.uuids().map(str),
    first_name=st.sampled_from(["Robert", "Bob", "Rupert", "Anna", "Anne", "R."]),
    last_name=st.sampled_from(["Smith", "Smyth", "Miller", "Müller"]),
    street=st.sampled_from([None, "1 High Street", "1 Hihg St", "7 Low Road"]),
    city=st.sampled_from([None, "Leeds", "York"]),
    postal_code=st.sampled_from([None, "1234", "1243"]),
    phone=st.sampled_from([None, "+44 113 496 0000", "0113 4960000"]),
)


def similarity(one: Person, two: Person, *more: Person) -> float:
    """How similar the two are among others; 0 where they are no pair."""
    pairs = find([*OTHERS, one, two, *more])
    found = {
        frozenset((pairs.ids[a], pairs.ids[b])): float(alike)
        for a, b, alike in zip(pairs.first, pairs.second, pairs.similarity, strict=True)
    }
    return found.get(frozenset((one.id, two.id)), 0.0)


ONE_PERSON = {
    "a typing error": (Person("1", "John", "Smith", **HOME), Person("2", "Jhon", "Smiht", **HOME)),
    "names swapped": (Person("1", "Jane", "Carter", **HOME), Person("2", "Carter", "Jane", **HOME)),
    "a nickname": (
        Person("1", "Robert", "Miles", "r@acme.example", company="Acme GmbH"),
        Person("2", "Bob", "Miles", "bob@acme.example", company="ACME"),
    ),
    "an initial": (Person("1", "J.", "Westerfield", **HOME), Person("2", "Judith", "Westerfield", **HOME)),
    "accents": (Person("1", "José", "Muñoz", **HOME), Person("2", "Jose", "Munoz", **HOME)),
    "digits in another order": (
        Person("1", "John", "Smith", street="12 Elm Street", postal_code="49007"),
        Person("2", "John", "Smith", street="21 Elm St", postal_code="49070"),
    ),
    "another notation of the phone": (
        Person("1", "John", "Smith", "john@here.example", "+49 30 1234567"),
        Person("2", "John", "Smith", "smith@there.example", "030/123 45-67"),
    ),
    "the case of the email": (
        Person("1", "John", "Smith", "John.Smith@Acme.example"),
        Person("2", "J", "Smith", "john.smith@acme.example"),
    ),
    "a legal form": (
        Person("1", "John", "Smith", "js@gmail.com", company="Acme Tools Ltd"),
        Person("2", "John", "Smith", "john@acme.example", company="Acme Tools"),
    ),
    "another surname": (Person("1", "Henrietta", "Carter", **HOME), Person("2", "Henrietta", "Olsen", **HOME)),
    "one of two surnames": (Person("1", "Ana", "García López", **HOME), Person("2", "Ana", "García", **HOME)),
    "no given name": (Person("1", "-", "Westerfield", **HOME), Person("2", "Judith", "Westerfield", **HOME)),
    "other letters": (
        Person("1", "Дмитрий", "Иванов", street="ул. Ленина 5", city="Москва"),
        Person("2", "Дмитрий", "Ивонов", street="Ленина 5", city="Москва"),
    ),
}
TWO_PEOPLE = {
    "namesakes at two companies": (
        Person("1", "John", "Smith", "john.smith@acme.example", company="Acme", city="Leeds"),
        Person("2", "John", "Smith", "john.smith@globex.example", company="Globex", city="York"),
    ),
    "namesakes at two addresses": (
        Person("1", "John", "Smith", **HOME),
        Person("2", "John", "Smith", street="7 Quay Road", city="Bristol", postal_code="BS1 4", region="Avon"),
    ),
    "father and son": (Person("1", "Walter", "Carter", **HOME), Person("2", "Simon", "Carter", **HOME)),
    "sisters whose names are alike": (Person("1", "Maria", "Rossi", **HOME), Person("2", "Marta", "Rossi", **HOME)),
    "colleagues": (
        Person("1", "Walter", "Brown", "w.brown@acme.example", "+1 212 555 0100", "Acme", **HOME),
        Person("2", "Walter", "Green", "w.green@acme.example", "+1 212 555 0100", "Acme", **HOME),
    ),
    "who share a department's mailbox": (
        Person("1", "Walter", "Brown", "info@acme.example", company="Acme"),
        Person("2", "Ines", "Green", "info@acme.example", company="Acme"),
    ),
    "who share a free provider": (
        Person("1", "Walter", "Brown", "wally@gmail.com"),
        Person("2", "Walter", "Green", "green@gmail.com"),
    ),
    "who are both unknown": (Person("1", "unknown", "-", "a@x.example"), Person("2", "Unknown", "-", "b@y.example")),
}


@pytest.mark.parametrize("pair", ONE_PERSON.values(), ids=ONE_PERSON)
def test_one_person_is_found_in_spite_of(pair: tuple[Person, Person]) -> None:
    assert similarity(*pair) >= 0.8


@pytest.mark.parametrize("pair", TWO_PEOPLE.values(), ids=TWO_PEOPLE)
def test_two_people_are_no_pair(pair: tuple[Person, Person]) -> None:
    assert similarity(*pair) < 0.8


def test_a_family_among_many_doubles_is_no_pair() -> None:
    chance = Random(1)  # noqa: S311 - the same people each time
    people = []
    for number in range(200):
        given, last = "".join(chance.sample("abdefgiklmnorstu", 7)), "".join(chance.sample("abdefgiklmnorstu", 8))
        home = {
            "street": f"{number} {last[::-1]} Road",
            "city": chance.choice(["Leeds", "York"]),
            "postal_code": str(1000 + number),
        }
        people += [Person(f"{number}", given, last, **home), Person(f"{number} again", given, last[1:], **home)]
    walter, simon = Person("w", "Walter", "Carter", **HOME), Person("s", "Simon", "Carter", **HOME)
    assert similarity(walter, simon, *people) < 0.8
    assert find(people).at_least(0.8) == 200


def test_what_everybody_shares_makes_nobody_alike() -> None:
    chance = Random(2)  # noqa: S311 - as above
    everybody = [
        Person(
            f"{number:03}",
            "".join(chance.sample("abdefgiklmnorstu", 6)),
            "".join(chance.sample("abdefgiklmnorstu", 7)),
            f"rec-{number}-org@example.com",
            "+1 212 555 0100",
            "Acme",
            **HOME,
        )
        for number in range(300)
    ]
    assert len(find(everybody)) == 0


def test_other_mails_hardly_count_against_a_pair() -> None:
    one, two = Person("1", "John", "Smith", **HOME), Person("2", "Jon", "Smith", **HOME)
    mailed = one._replace(email="rec-1-org@example.com"), two._replace(email="rec-1-dup-0@example.com")
    assert similarity(one, two) - similarity(*mailed) < 0.01


def test_a_rare_surname_says_more_than_a_common_one() -> None:
    crowd = [Person(f"c{number}", f"Person{number}x", "Smith", city="Leeds") for number in range(60)]
    rare = Person("1", "Anna", "Quillfeather", city="York"), Person("2", "Anna", "Quillfeather", city="York")
    common = Person("3", "Anna", "Smith", city="York"), Person("4", "Anna", "Smith", city="York")
    assert similarity(*rare, *common, *crowd) > similarity(*common, *rare, *crowd)


def test_groups_are_numbered_as_the_pairs_come_and_connect_them() -> None:
    trio = [Person(f"a{number}", "Agatha", "Quillfeather", **HOME) for number in range(3)]
    duo = [Person(f"b{number}", "Bertram", "Nettlefold", phone="+44 113 496 0000", city="York") for number in range(2)]
    pairs = find([*duo, *trio, *OTHERS])
    assert pairs.groups(len(pairs)) in ([1, 1, 1, 2], [1, 2, 2, 2])
    assert len(pairs) == 4


def test_of_many_that_are_the_same_each_meets_its_neighbours() -> None:
    many = [Person(f"{number:03}", "Agatha", "Quillfeather", **HOME) for number in range(WINDOW + 4)]
    pairs = find(many)
    assert set(pairs.groups(len(pairs))) == {1}
    assert len({*pairs.first.tolist(), *pairs.second.tolist()}) == len(many)
    assert pairs.compared < len(many) * WINDOW * 2


def test_two_who_share_no_key_are_not_compared() -> None:
    assert (
        find([Person("1", "Ada", "Lovelace", city="London"), Person("2", "Ödön", "Zsigmond", city="Pécs")]).compared
        == 0
    )
    assert find([]).compared == 0
    assert len(find([Person("1", "Ada", "Lovelace")])) == 0


def test_it_ends_early_when_nobody_waits_any_more() -> None:
    people = [Person("1", "Ada", "Lovelace", **HOME), Person("2", "Ada", "Lovelace", **HOME)]
    assert len(find(people)) == 1
    assert len(find(people, lambda: True)) == 0


@QUICKLY
@given(st.lists(ANYBODY, max_size=12, unique_by=lambda person: person.id))
def test_nothing_that_people_type_is_too_much(people: list[Person]) -> None:
    pairs = find(people)
    assert all(0.5 <= alike <= 1 for alike in pairs.similarity.tolist())
    assert all(first < second for first, second in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert pairs.ids == sorted(pairs.ids)


@QUICKLY
@given(
    st.lists(SOMEBODY, min_size=2, max_size=14, unique_by=lambda person: person.id), st.randoms(use_true_random=False)
)
def test_the_order_of_contacts_changes_nothing(people: list[Person], chance: Random) -> None:
    def told(some: list[Person]) -> list[tuple[str, str, float]]:
        pairs = find(some)
        first, second = ([pairs.ids[place] for place in places] for places in (pairs.first, pairs.second))
        return list(zip(first, second, pairs.similarity.tolist(), strict=True))

    once = told(people)
    chance.shuffle(people)
    assert told(people) == once
    assert once == sorted(once, key=lambda pair: (-pair[2], pair[0], pair[1]))


@QUICKLY
@given(
    st.lists(SOMEBODY, min_size=2, max_size=14, unique_by=lambda person: person.id),
    st.floats(0.5, 1),
    st.floats(0.5, 1),
)
def test_a_higher_threshold_finds_some_of_what_a_lower_one_does(people: list[Person], one: float, two: float) -> None:
    pairs = find(people)
    assert pairs.at_least(max(one, two)) <= pairs.at_least(min(one, two)) <= len(pairs)
    assert all(alike >= one for alike in pairs.similarity[: pairs.at_least(one)].tolist())


LETTERS = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzäéñ"), min_size=2, max_size=10)


@QUICKLY
@given(st.lists(SOMEBODY, max_size=8), LETTERS, LETTERS, LETTERS)
def test_the_same_name_and_address_is_always_found(people: list[Person], given: str, last: str, street: str) -> None:
    if not (known(given) and known(last)):
        return
    home = {"street": f"5 {street} Lane", "city": "Springfield", "postal_code": "49007"}
    others = [person._replace(id=f"other {number}") for number, person in enumerate(people)]
    assert similarity(Person("1", given, last, **home), Person("2", given, last, **home), *others) >= 0.8


def test_fields_are_folded_to_what_spellings_have_in_common() -> None:
    assert folded_street("12 Haupt-Str.") == folded_street("Hauptstraße 12") == ("12", "haupt")
    assert folded_street("Rue de la Paix") == ("", "paix")
    assert folded_street("5 Street Road") == ("5", "street road")
    assert phone_key("+1 (415) 555-0132 ext. 7") == phone_key("415.555.0132") == "55550132"
    assert phone_key("12345") == phone_key(None) == ""
    assert local_part("Jane.Doe+crm@acme.example") == "janedoe"
    assert local_part("info@acme.example") == local_part(None) == ""
    assert workplace("x@gmail.com") == workplace(None) == ""
    assert workplace("x@Acme.example") == "acme.example"
    assert (sound("robert"), sound("rupert"), sound("tymczak"), sound("")) == ("r163", "r163", "t522", "")
