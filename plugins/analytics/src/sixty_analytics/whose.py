"""Of whom: the owner or the team that figures are narrowed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import Id, NotFound
from sixty.crm import PEOPLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sixty import Call

__all__ = ["EVERYBODY", "Shape", "Whose"]

Shape = frozenset[str]
"""Which of `owner_id` and `team_id` are given: statements are built once for each."""


@dataclass(frozen=True)
class Whose:
    """The owner, and the team in which the owner is today; None: any."""

    owner_id: str | None = None
    team_id: str | None = None

    def check(self, call: Call) -> None:
        """Raise `NotFound` for an id of nobody, or of no team."""
        call.check_user(self.owner_id)
        if self.team_id is not None and self.team_id not in call.directory.teams:
            msg = f"team_id: there is no team {self.team_id}; leave it out to see all that you may"
            raise NotFound(msg, field="team_id", id=self.team_id)

    @property
    def values(self) -> dict[str, Any]:
        """What statements of its shape take."""
        given = {"owner_id": self.owner_id, "team_id": self.team_id}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def shape(self) -> Shape:
        """Which of the two are given."""
        return frozenset(self.values)

    def told(self, call: Call) -> str:
        """What a sentence says of it: `` of Ann Lee``, or nothing."""
        names = [call.directory.name_of(self.owner_id)] if self.owner_id is not None else []
        if self.team_id is not None:
            names.append(f"the team {call.directory.teams[self.team_id].name}")
        return "".join(f" of {name}" for name in names)

    @staticmethod
    def conditions(shape: Shape, owner: sa.ColumnElement[Any]) -> Iterator[sa.ColumnElement[bool]]:
        """That `owner` is the one, and in the team."""
        if "owner_id" in shape:
            yield owner == sa.bindparam("owner_id", type_=Id)
        if "team_id" in shape:
            yield owner.in_(sa.select(PEOPLE.c.id).where(PEOPLE.c.team_id == sa.bindparam("team_id", type_=Id)))


EVERYBODY = Whose()
