"""What a pack asks for, as an operator accepts it. It is kept, and compared with what a later version asks for."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.permissions import Role
    from sixty.registry import Pack

__all__ = ["Terms"]


@dataclass(frozen=True)
class Terms:
    """What a pack brings and asks for in one version. Its lists are in order, so that equal terms are equal."""

    version: str = ""
    tools: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    permissions: Mapping[str, str] = field(default_factory=dict)
    """Each `resource:action` that it declares, with its sentence."""
    tables: tuple[str, ...] = ()
    grants: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)
    """What each role gets without further ado."""
    acts_under: tuple[str, ...] = ()
    """Permissions under which its reactions act, whoever the caller is."""
    jobs: tuple[str, ...] = ()
    """What it does later, after the calls that cause it."""
    schedules: tuple[str, ...] = ()
    """What it does by itself, again and again."""
    publishes: tuple[str, ...] = ()
    """Its events and views. They are offered, not asked for."""
    relies_on: tuple[str, ...] = ()
    """The events and permissions of others that it names; each was known when it was accepted."""

    @classmethod
    def of(cls, pack: Pack) -> Terms:
        """What a loaded pack asks for."""
        grants: dict[Role, list[str]] = {}
        for item in pack.permissions:
            for role, given in item.grants.items():
                grants.setdefault(role, []).extend(given)
        return cls(
            version=pack.version,
            tools=_ordered(tool.name for tool in pack.tools),
            resources=_ordered(resource.name for resource in pack.resources),
            permissions={
                f"{item.resource}:{action}": sentence
                for item in pack.permissions
                for action, sentence in item.actions.items()
            },
            tables=_ordered(pack.tables.metadata.tables if pack.tables else ()),
            grants={role: _ordered(given) for role, given in grants.items()},
            acts_under=_ordered(permission for reaction in pack.reactions for permission in reaction.may),
            jobs=_ordered(job.name for job in pack.jobs),
            schedules=_ordered(schedule.name for schedule in pack.schedules),
            publishes=_ordered((*(event.name for event in pack.events), *(item.view.name for item in pack.views))),
            relies_on=_ordered(pack.relies_on),
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Terms:
        """The terms that `to_json` gave."""
        grants = {role: tuple(given) for role, given in value["grants"].items()}
        lists = {name: tuple(content) for name, content in value.items() if isinstance(content, list)}
        return cls(**{**value, **lists, "grants": grants})

    def to_json(self) -> dict[str, Any]:
        """The terms as JSON values."""
        return asdict(self)

    def beyond(self, accepted: Terms) -> Terms:
        """What these ask for and `accepted` did not."""
        return Terms(
            version=self.version,
            tools=_without(self.tools, accepted.tools),
            resources=_without(self.resources, accepted.resources),
            permissions={name: about for name, about in self.permissions.items() if name not in accepted.permissions},
            tables=_without(self.tables, accepted.tables),
            grants={role: _without(given, accepted.grants.get(role, ())) for role, given in self.grants.items()},
            acts_under=_without(self.acts_under, accepted.acts_under),
            jobs=_without(self.jobs, accepted.jobs),
            schedules=_without(self.schedules, accepted.schedules),
        )

    @property
    def declared(self) -> frozenset[str]:
        """Every name that others may rely on: permissions, events and views."""
        return frozenset((*self.permissions, *self.publishes))

    @property
    def asks(self) -> tuple[str, ...]:
        """Everything that it asks for, each as a phrase."""
        return (
            *(f"the tool {name}" for name in self.tools),
            *(f"the resource {name}" for name in self.resources),
            *(f"the permission {name} ({sentence})" for name, sentence in self.permissions.items()),
            *(f"the table {name}" for name in self.tables),
            *(f"{permission} for the role {role}" for role, given in self.grants.items() for permission in given),
            *(f"to act under {permission} in reactions" for permission in self.acts_under),
            *(f"the job {name}" for name in self.jobs),
            *(f"the schedule {name}" for name in self.schedules),
        )


def _ordered(names: Any) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _without(names: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in known)
