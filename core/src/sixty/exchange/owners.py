"""Whose the records of a file are: people found by their address or name, or made where that is what was asked for."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sixty.errors import Forbidden, Invalid, SixtyError, nearest
from sixty.people import add_team, add_user

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sixty.directory import Directory, Principal, User
    from sixty.host import Host

__all__ = ["NOWHERE", "Owners", "Said", "folded"]

NOWHERE = "imported.invalid"
"""The domain of addresses that stand for people of whom only the name is known: it can never receive anything."""

_WITH_ADDRESS = re.compile(r"\s*(?P<name>[^<>]*?)\s*<(?P<email>[^<>\s]+@[^<>\s]+)>\s*")


class Said(NamedTuple):
    """What a file says of an owner."""

    name: str | None
    email: str | None
    team: str | None = None

    @classmethod
    def of(cls, owner: str | None, email: str | None = None, team: str | None = None) -> Said:
        """What cells say: of an owner the name, the address, or both as mail programs write them."""
        if owner is not None and (both := _WITH_ADDRESS.fullmatch(owner)) is not None:
            owner, email = both["name"] or None, email or both["email"]
        elif owner is not None and "@" in owner:
            owner, email = None, email or owner
        name = None if owner is None else " ".join(owner.split())
        return cls(name, None if email is None else email.strip().lower(), team)

    @property
    def shown(self) -> str:
        """The owner, in words."""
        return self.name or self.email or ""


@dataclass
class Owners:
    """Finds owners; makes those who are missing if it may. With `rehearsing` it makes nobody, and acts as if it had."""

    host: Host
    principal: Principal
    directory: Directory
    make: bool = False
    default: str | None = None
    """Whose it is of whom nobody is found."""
    people: Mapping[str, Said] | None = None
    """What another file says of people, by their names and addresses in lower case."""
    rehearsing: bool = False

    def __post_init__(self) -> None:
        if self.make and self.principal.role != "admin":
            raise Forbidden("only an admin may make users: import with --owners match, or as an admin")
        self.made: dict[str, str] = {}
        """The name of each user that was made, by address."""
        self.teams: list[str] = []
        """The teams that were made."""
        self._found: dict[Said, str | SixtyError] = {}
        self._by_name: dict[str, list[User]] = {}
        for user in self.directory.users.values():
            self._by_name.setdefault(folded(user.name), []).append(user)

    async def ready(self, said: Iterable[Said]) -> None:
        """`id_of` knows all of these."""
        for one in said:
            if one not in self._found:
                try:
                    self._found[one] = await self._id(one)
                except SixtyError as error:
                    self._found[one] = error

    def id_of(self, said: Said) -> str:
        """The id of the owner. Raises what is wrong with what the file says."""
        found = self._found[said]
        if isinstance(found, str):
            return found
        raise found

    async def _id(self, said: Said) -> str:
        if not said.shown:
            return self.default or self.principal.user_id
        user = self._known(said)
        if user is not None:
            return user
        if self.make:
            return await self._made(self._completed(said))
        if self.default is not None:
            return self.default
        msg = (
            f"owner: there is nobody with the name or address {said.shown!r}{nearest(said.shown, self._names())}; "
            "--owners make makes them, --owner EMAIL gives such lines to somebody"
        )
        raise Invalid(msg, field="owner", given=said.shown[:80])

    def _known(self, said: Said) -> str | None:
        said = self._completed(said)
        if said.email is not None and (user := self.directory.users_by_email.get(said.email)) is not None:
            return user.id
        if said.name is None or (said.email is not None and self.make):
            return None
        alike = self._by_name.get(folded(said.name), [])
        if len(alike) > 1:
            addresses = ", ".join(user.email for user in alike)
            msg = f"owner: {said.name!r} is the name of {len(alike)} users ({addresses}); write the address instead"
            raise Invalid(msg, field="owner", given=said.name[:80])
        return alike[0].id if alike else None

    def _completed(self, said: Said) -> Said:
        """With what the other file says of them."""
        for text in (said.email, said.name):
            if text is not None and self.people and (more := self.people.get(folded(text))) is not None:
                return Said(said.name or more.name, said.email or more.email, said.team or more.team)
        return said

    def _names(self) -> list[str]:
        return [text for user in self.directory.users.values() for text in (user.name, user.email)]

    async def _made(self, said: Said) -> str:
        """The id of somebody new, in the role `user`."""
        email = said.email or self._address(said.shown)
        name = said.name or email.partition("@")[0]
        team = None if said.team is None else await self._team(said.team)
        if self.rehearsing:
            self.made[email] = name
            return self.principal.user_id
        user = await add_user(self.host.database, email=email, name=name, team=team, now=self.host.clock())
        self.made[email] = name
        self.directory = await self.host.identity.directory()
        self._by_name.setdefault(folded(name), []).append(user)
        return user.id

    async def _team(self, name: str) -> str:
        """The name of a team as it is, which is there now."""
        known = {folded(team.name): team.name for team in self.directory.teams.values()}
        known |= {folded(team): team for team in self.teams}
        if folded(name) not in known:
            made = name.strip() if self.rehearsing else (await add_team(self.host.database, name)).name
            self.teams.append(made)
            return made
        return known[folded(name)]

    def _address(self, name: str) -> str:
        """An address that says of whom it is, that nobody has, and that is plainly none."""
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        slug = ".".join(re.findall(r"[a-z0-9]+", plain))[:200] or "somebody"
        taken = {*self.directory.users_by_email, *self.made}
        numbered = (f"{slug}{number or ''}@{NOWHERE}" for number in range(len(taken) + 1))
        return next(address for address in numbered if address not in taken)


def folded(text: str) -> str:
    """A name or an address as they are compared: in whatever case, with whatever spaces."""
    return " ".join(text.split()).casefold()
