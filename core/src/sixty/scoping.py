"""Scope, in SQL: a statement over governed tables becomes one over the rows that the caller may read.

Every table of a kind, every detail and every view in a statement is replaced by a selection of its readable
rows, wherever it stands, so that no handler can forget to ask.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from sixty.errors import PluginError
from sixty.permissions import Scope
from sixty.storage.columns import Id
from sixty.tables import search, users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy.sql import Select
    from sqlalchemy.sql.elements import ColumnElement

    from sixty.kinds import Kind
    from sixty.registry import Pack, Registry
    from sixty.views import Published, View

__all__ = ["ME", "TEAM", "Scoper", "restricted", "tables_in"]

ME = "sixty_me"
TEAM = "sixty_team"
_me = sa.bindparam(ME, type_=Id)
_team = sa.bindparam(TEAM, type_=Id)


def _within(owner: ColumnElement[Any], scope: Scope) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = []
    if scope & Scope.OWN:
        parts.append(owner == _me)
    if scope & Scope.TEAM:
        parts.append(owner.in_(sa.select(users.c.id).where(users.c.team_id == _team)))
    return sa.or_(*parts) if parts else sa.false()


def restricted(owner: ColumnElement[Any], scopes: Iterable[Scope]) -> ColumnElement[bool] | None:
    """The condition that `owner` is within every one of `scopes`, or None where all of them reach everything."""
    conditions = [_within(owner, scope) for scope in scopes if not scope & Scope.ALL]
    return sa.and_(*conditions) if conditions else None


def tables_in(statement: Any) -> set[sa.TableClause]:
    """Every table and view that a statement reads, at whatever depth."""
    found: set[sa.TableClause] = set()
    for element in visitors.iterate(statement):
        if isinstance(element, sa.TableClause):
            found.add(element)
        elif isinstance(element, sa.ColumnClause) and isinstance(element.table, sa.TableClause):
            found.add(element.table)
    return found


def _replace_tables(statement: Any, replacements: Mapping[sa.TableClause, sa.FromClause]) -> Any:
    """The statement, reading from the replacements instead."""

    def replace(element: Any, **_: Any) -> Any:
        if isinstance(element, sa.TableClause):
            return replacements.get(element)
        if isinstance(element, sa.ColumnClause) and isinstance(element.table, sa.TableClause):
            source = replacements.get(element.table)
            return source.c[element.key] if source is not None else None
        return None

    return visitors.replacement_traverse(statement, {}, replace)


def _shows_words(statement: Any) -> bool:
    """Whether a statement reads the text of the search index, which is of every kind of record."""
    return any(
        isinstance(element, sa.ColumnClause) and element.table is search and element.key in ("title", "body")
        for element in visitors.iterate(statement)
    )


class Scoper:
    """Puts scope into statements, once per statement and combination of scopes."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._plans: WeakKeyDictionary[Any, _Plan] = WeakKeyDictionary()
        self._resources_of: dict[str, frozenset[str]] = {}

    def apply(self, statement: Any, pack: Pack, reach: Callable[[str], tuple[Scope, ...]]) -> Any:
        """The statement over what the caller may read; `reach` gives the scopes for a resource.

        Raises `PluginError` if it reads a table that is not the pack's own.
        """
        plan = self._plans.get(statement)
        if plan is None:
            plan = self._plans[statement] = self._plan(statement, pack)
        key = tuple(reach(resource) for resource in plan.resources)
        scoped = plan.variants.get(key)
        if scoped is None:
            scopes = dict(zip(plan.resources, key, strict=True))
            scoped = plan.variants[key] = self._replaced(statement, plan.tables, scopes)
        return scoped

    def resources_of(self, view: View) -> frozenset[str]:
        """Whose permissions govern the rows of a view."""
        found = self._resources_of.get(view.name)
        if found is None:  # asked for each of many people
            tables = tables_in(self._views[view.table].select)
            found = self._resources_of[view.name] = frozenset(self._resources(tables))
        return found

    def _plan(self, statement: Any, pack: Pack) -> _Plan:
        tables = frozenset(tables_in(statement)) - {search}
        if _shows_words(statement):
            msg = f"{pack.name} may not read the words in the search index: join `hits` with the table of its kind"
            raise PluginError(msg)
        own = set(pack.tables.metadata.tables) if pack.tables else set()
        views = self._views
        resources: set[str] = set()
        for table in tables:
            if (published := views.get(table)) is not None:
                resources.update(self._resources(tables_in(published.select)))
            elif table.name not in own:
                msg = f"{pack.name} may not read the table {table.name}: it is not its own; ask for a view"
                raise PluginError(msg)
        return _Plan(tables, tuple(sorted(resources | self._resources(tables))))

    @property
    def _views(self) -> dict[sa.TableClause, Published]:
        return {published.view.table: published for published in self._registry.views.values()}

    def _resources(self, tables: Iterable[sa.TableClause]) -> set[str]:
        kinds = (self._kind_of(table.name) for table in tables)
        return {kind.resource for kind in kinds if kind is not None}

    def _kind_of(self, table: str) -> Kind | None:
        if (detail := self._registry.details_by_table.get(table)) is not None:
            return detail.kind
        return self._registry.kinds_by_table.get(table)

    def _replaced(
        self, statement: Any, tables: Iterable[sa.TableClause], scopes: Mapping[str, tuple[Scope, ...]]
    ) -> Any:
        replacements: dict[sa.TableClause, sa.FromClause] = {}
        for table in tables:
            if (published := self._views.get(table)) is not None:
                inner = self._replaced(published.select, tables_in(published.select), scopes)
                replacements[table] = inner.subquery(published.view.name)
            elif (rows := self._readable(table, scopes)) is not None:
                replacements[table] = rows.subquery(table.name)
        return _replace_tables(statement, replacements) if replacements else statement

    def _readable(self, table: sa.TableClause, scopes: Mapping[str, tuple[Scope, ...]]) -> Select[Any] | None:
        """The readable rows of a governed table, or None if those are all of them."""
        kind = self._kind_of(table.name)
        if kind is None or (condition := restricted(kind.table.c.owner_id, scopes[kind.resource])) is None:
            return None
        detail = self._registry.details_by_table.get(table.name)
        if detail is None:
            return sa.select(table).where(condition)
        # a value that is asked of each row that is read, and no join: there could be very many readable parents
        parent = sa.select(condition).where(kind.table.c.id == detail.table.c[detail.parent]).scalar_subquery()
        return sa.select(table).where(parent)


@dataclass(frozen=True, slots=True)
class _Plan:
    tables: frozenset[sa.TableClause]
    resources: tuple[str, ...]
    variants: dict[tuple[tuple[Scope, ...], ...], Any] = field(default_factory=dict)
