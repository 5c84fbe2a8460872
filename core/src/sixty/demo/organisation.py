"""Who there is in the demo organisation, and whom it sells to. Data only; every address is a reserved one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.permissions import Role

__all__ = ["COMPANIES", "TEAMS", "Company", "address_of"]


@dataclass(frozen=True, slots=True)
class Company:
    """Somebody to sell to."""

    name: str
    industry: str
    city: str

    @property
    def domain(self) -> str:
        """Where its people have their addresses."""
        return f"{re.sub(r'[^a-z0-9]+', '-', self.name.lower()).strip('-')}.example"


TEAMS: Mapping[str, Mapping[str, Role]] = {
    "Enterprise": {"Grace Okafor": "manager", "Uma Lindqvist": "user", "Diego Santos": "user"},
    "Mid-Market": {"Hana Sato": "manager", "Noah Fischer": "user", "Leila Haddad": "user"},
    "Partners": {"Ada Kowalski": "admin", "Tom Whitfield": "manager", "Mei Chen": "user"},
}
"""The role of each person, by team and name."""

COMPANIES = (
    Company("Acme", "Manufacturing", "Chicago"),
    Company("Alder & Finch", "Legal", "London"),
    Company("Aurora Clinics", "Health", "Oslo"),
    Company("Baltic Freight", "Logistics", "Gdansk"),
    Company("Beacon Insurance", "Insurance", "Boston"),
    Company("Bluebird Airways", "Travel", "Dublin"),
    Company("Brightwater Energy", "Energy", "Aberdeen"),
    Company("Cedar Homes", "Construction", "Toronto"),
    Company("Cobalt Mining", "Mining", "Perth"),
    Company("Copperfield Schools", "Education", "Leeds"),
    Company("Delta Robotics", "Manufacturing", "Eindhoven"),
    Company("Ember Kitchens", "Retail", "Milan"),
    Company("Fairway Foods", "Food", "Rotterdam"),
    Company("Gallery Nine", "Media", "Berlin"),
    Company("Granite Bank", "Banking", "Zurich"),
    Company("Greenleaf Grocers", "Retail", "Portland"),
    Company("Harbour Lines", "Logistics", "Hamburg"),
    Company("Helix Biolabs", "Pharma", "Basel"),
    Company("Indigo Textiles", "Manufacturing", "Porto"),
    Company("Juniper Hotels", "Travel", "Lisbon"),
    Company("Kestrel Security", "Security", "Tallinn"),
    Company("Lantern Publishing", "Media", "Edinburgh"),
    Company("Lumen Optics", "Manufacturing", "Jena"),
    Company("Maple Telecom", "Telecom", "Montreal"),
    Company("Meridian Consulting", "Consulting", "Paris"),
    Company("Northgate Hospitals", "Health", "Manchester"),
    Company("Orchard Software", "Software", "Austin"),
    Company("Pacific Solar", "Energy", "San Diego"),
    Company("Pinewood Studios Nord", "Media", "Copenhagen"),
    Company("Quarry Cement", "Construction", "Krakow"),
    Company("Redwood Capital", "Banking", "New York"),
    Company("Riverstone Water", "Utilities", "Lyon"),
    Company("Saffron Kitchens", "Food", "Mumbai"),
    Company("Silverline Rail", "Transport", "Vienna"),
    Company("Summit Outdoor", "Retail", "Innsbruck"),
    Company("Tidewater Shipyards", "Manufacturing", "Bergen"),
    Company("Union Credit", "Banking", "Madrid"),
    Company("Vertex Analytics", "Software", "Bangalore"),
    Company("Willow Care", "Health", "Utrecht"),
    Company("Zephyr Motors", "Manufacturing", "Turin"),
)


def address_of(name: str) -> str:
    """The e-mail address of a person."""
    return f"{name.partition(' ')[0].lower()}@example.com"
