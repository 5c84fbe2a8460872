"""The grammar of permissions, and how grants add up."""

from __future__ import annotations

import pytest

from sixty.errors import Invalid
from sixty.permissions import Grant, Scope, reaches, scope_of


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("deals:read", ("deals", "read", Scope.ALL)),
        ("deals:update:own", ("deals", "update", Scope.OWN)),
        ("deals:update:team", ("deals", "update", Scope.TEAM)),
        ("deals:update:all", ("deals", "update", Scope.ALL)),
        ("contacts:*", ("contacts", "*", Scope.ALL)),
        ("analytics:team", ("analytics", "*", Scope.TEAM)),
        ("*:*", ("*", "*", Scope.ALL)),
        ("*:read:own", ("*", "read", Scope.OWN)),
        ("  deals:read\n", ("deals", "read", Scope.ALL)),
    ],
)
def test_a_grant_reads_resource_action_and_scope(text: str, meant: tuple[str, str, Scope]) -> None:
    grant = Grant.parse(text)
    assert (grant.resource, grant.action, grant.scope) == meant
    assert Grant.parse(str(grant)) == grant


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "deals",
        "deals:",
        ":read",
        "deals:read:",
        "deals:read:mine",
        "deals:read:own:own",
        "Deals:read",
        "deals:re ad",
        "de*:read",
        "deals::own",
        "deals:read:ALL",
        "::",
    ],
)
def test_what_is_no_permission_is_invalid_and_never_means_everything(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        Grant.parse(text)
    assert caught.value.details["field"] == "permission"


def test_grants_add_up() -> None:
    grants = [Grant.parse(text) for text in ("deals:*:own", "*:read:team", "contacts:read")]
    assert scope_of(grants, "deals:read") == Scope.OWN | Scope.TEAM
    assert scope_of(grants, "deals:update") is Scope.OWN
    assert scope_of(grants, "contacts:read") == Scope.TEAM | Scope.ALL
    assert scope_of(grants, "contacts:update") is Scope.NONE
    assert [scope.widest for scope in (Scope.NONE, Scope.OWN | Scope.TEAM, Scope.ALL | Scope.OWN)] == [
        "none",
        "team",
        "all",
    ]


@pytest.mark.parametrize(
    ("scope", "owner", "owners_team", "reached"),
    [
        (Scope.NONE, "me", "A", False),
        (Scope.OWN, "me", "A", True),
        (Scope.OWN, "you", "A", False),
        (Scope.OWN, None, None, False),
        (Scope.TEAM, "you", "A", True),
        (Scope.TEAM, "you", "B", False),
        (Scope.TEAM, "you", None, False),
        (Scope.TEAM, None, None, False),
        (Scope.ALL, None, None, True),
        (Scope.ALL, "you", None, True),
    ],
)
def test_a_scope_looks_at_the_records_owner_alone(
    scope: Scope, owner: str | None, owners_team: str | None, *, reached: bool
) -> None:
    assert reaches(scope, "me", "A", owner, owners_team) is reached


def test_team_reaches_nobody_for_someone_without_a_team() -> None:
    assert not reaches(Scope.TEAM, "me", None, "you", None)
