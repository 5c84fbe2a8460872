"""Who works at the companies of the demo organisation: names and telephones that fit where they are. Data only.

Each telephone number is one of those that its country keeps free for books and films.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CITIES", "PHONES", "ROLES", "STREETS", "TWICE", "Country", "Twice"]


@dataclass(frozen=True, slots=True)
class Country:
    """What people are called there."""

    name: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Twice:
    """Somebody who was entered a second time, by a colleague who wrote the name another way."""

    first_name: str
    last_name: str
    other_first_name: str
    other_last_name: str


def _country(name: str, first_names: str, last_names: str) -> Country:
    return Country(name, tuple(first_names.split()), tuple(last_names.split()))


_US = _country("United States", "Marcus Denise Tyler Monique Grant Paula", "Hayes Coleman Ortiz Whitman Brooks Nguyen")
_UK = _country(
    "United Kingdom", "Harriet Callum Priya Gareth Fiona Imran", "Ashworth Patel Sinclair Hughes Barnes Khan"
)
_NORWAY = _country("Norway", "Ingrid Lars Solveig Henrik Astrid", "Dahl Nygård Berg Lunde Strand")
_POLAND = _country("Poland", "Zofia Jakub Hanna Paweł Ewa", "Nowak Zieliński Kamińska Wójcik Mazur")
_IRELAND = _country("Ireland", "Aoife Cormac Niamh Declan Sinéad", "Byrne Gallagher Nolan Doyle Keane")
_CANADA = _country("Canada", "Chloé Owen Mireille Ethan Anjali", "Tremblay MacLeod Gagnon Singh Bouchard")
_AUSTRALIA = _country("Australia", "Matilda Jarrah Brooke Angus Thi", "Kennedy Mitchell Tran Fraser Cooper")
_NETHERLANDS = _country("Netherlands", "Sanne Daan Lotte Bram Femke", "Bakker Visser Smit Mulder Hendriks")
_ITALY = _country("Italy", "Chiara Matteo Giulia Lorenzo Elisa", "Ferrari Romano Gallo Conti Moretti")
_GERMANY = _country("Germany", "Anneliese Stefan Katharina Uwe Ayşe", "Schröder Demir Krüger Vogel Brandt")
_SWITZERLAND = _country("Switzerland", "Reto Nadine Urs Seraina Luc", "Keller Zürcher Meier Favre Brunner")
_PORTUGAL = _country("Portugal", "Inês Tiago Beatriz Rui Catarina", "Almeida Ferreira Carvalho Lopes Sousa")
_ESTONIA = _country("Estonia", "Kadri Rasmus Liis Tõnu Maarja", "Tamm Kask Saar Mägi Põld")
_FRANCE = _country("France", "Camille Antoine Élodie Mathieu Inès", "Moreau Girard Benali Roux Chevalier")
_DENMARK = _country("Denmark", "Freja Mikkel Signe Søren Asta", "Nielsen Holm Kjær Lund Bach")
_INDIA = _country("India", "Ananya Rohan Kavita Vikram Deepa", "Iyer Sharma Kulkarni Reddy Menon")
_AUSTRIA = _country("Austria", "Magdalena Lukas Theresa Florian Vera", "Gruber Hofer Pichler Steiner Wallner")
_SPAIN = _country("Spain", "Lucía Álvaro Carmen Íñigo Nuria", "Navarro Ibáñez Romero Vidal Castro")

CITIES: Mapping[str, Country] = {
    **dict.fromkeys(("Chicago", "Boston", "Portland", "Austin", "San Diego", "New York"), _US),
    **dict.fromkeys(("London", "Aberdeen", "Leeds", "Edinburgh", "Manchester"), _UK),
    **dict.fromkeys(("Oslo", "Bergen"), _NORWAY),
    **dict.fromkeys(("Gdansk", "Krakow"), _POLAND),
    **dict.fromkeys(("Eindhoven", "Rotterdam", "Utrecht"), _NETHERLANDS),
    **dict.fromkeys(("Milan", "Turin"), _ITALY),
    **dict.fromkeys(("Berlin", "Hamburg", "Jena"), _GERMANY),
    **dict.fromkeys(("Zurich", "Basel"), _SWITZERLAND),
    **dict.fromkeys(("Porto", "Lisbon"), _PORTUGAL),
    **dict.fromkeys(("Paris", "Lyon"), _FRANCE),
    **dict.fromkeys(("Mumbai", "Bangalore"), _INDIA),
    **dict.fromkeys(("Vienna", "Innsbruck"), _AUSTRIA),
    **dict.fromkeys(("Toronto", "Montreal"), _CANADA),
    "Dublin": _IRELAND,
    "Perth": _AUSTRALIA,
    "Tallinn": _ESTONIA,
    "Copenhagen": _DENMARK,
    "Madrid": _SPAIN,
}
"""The country of each city that has a company."""

PHONES: Mapping[str, str] = {
    "Chicago": "(312) 555-01{:02}",
    "Boston": "617-555-01{:02}",
    "Portland": "(503) 555-01{:02}",
    "Austin": "+1 512 555 01{:02}",
    "San Diego": "(619) 555-01{:02}",
    "New York": "+1 212-555-01{:02}",
    "Toronto": "(416) 555-01{:02}",
    "Montreal": "514 555 01{:02}",
    "London": "020 7946 09{:02}",
    "Leeds": "0113 496 01{:02}",
    "Edinburgh": "0131 496 02{:02}",
    "Manchester": "+44 161 496 03{:02}",
    "Aberdeen": "01632 9601{:02}",
    "Dublin": "020 910 10{:02}",
    "Berlin": "030 231254{:02}",
    "Hamburg": "+49 40 669691{:02}",
    "Paris": "01 99 00 12 {:02}",
    "Lyon": "+33 4 65 71 20 {:02}",
    "Perth": "(08) 5550 10{:02}",
}
"""How telephone numbers are written there. Not every country keeps some free."""

STREETS = (
    "Station Road",
    "Harbour Street",
    "Market Square",
    "Mill Lane",
    "Church Street",
    "Park Avenue",
    "Bridge Street",
)

ROLES = (
    "Head of Operations",
    "Chief Financial Officer",
    "Procurement Manager",
    "IT Director",
    "Managing Director",
    "Head of Sales",
    "Office Manager",
    "Project Lead",
    "Legal Counsel",
    "Data Protection Officer",
    "Chief Technology Officer",
    "Customer Success Manager",
)

TWICE: Mapping[str, Twice] = {
    "Acme": Twice("Katherine", "Miller", "Katie", "Miller"),
    "Gallery Nine": Twice("Jürgen", "Müller", "Juergen", "Mueller"),
    "Meridian Consulting": Twice("François", "Lefèvre", "Francois", "Lefevre"),
    "Northgate Hospitals": Twice("Elizabeth", "Whitaker", "Liz", "Whittaker"),
    "Quarry Cement": Twice("Małgorzata", "Wiśniewska", "Malgorzata", "Wisniewska"),
    "Redwood Capital": Twice("William", "Thompson", "Bill", "Thompson"),
    "Tidewater Shipyards": Twice("Bjørn", "Haugen", "Bjorn", "Haugan"),
    "Union Credit": Twice("María José", "García", "Maria", "Garcia"),
}
"""Those who are there twice, by company: a nickname, an accent that is lost, a letter too many."""
