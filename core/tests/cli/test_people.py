"""The commands about people: `user`, `team`, `grant`, `key` and `token`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

SECRET = "a secret that is long enough for HS256"


def listed(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_first_user_is_added_to_a_database_that_was_not_there(run: Callable[..., Result], tmp_path: Path) -> None:
    new = {"SIXTY_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/new.db"}
    added = run("user", "add", "Ada@example.com", "--role", "admin", **new)
    assert "ada@example.com has the role admin" in added.stdout
    (ada,) = listed(run("user", "list", "--json", **new))
    assert (ada["email"], ada["name"], ada["role"], ada["team"]) == ("ada@example.com", "ada", "admin", None)


def test_a_user_is_added_with_name_role_team_and_subject(run: Callable[..., Result]) -> None:
    assert run("team", "add", "North").exit_code == 0
    options = ("--name", "Ada Lovelace", "--role", "manager", "--team", "North", "--subject", "auth0|ada")
    assert run("user", "add", "ada@example.com", *options).exit_code == 0
    (ada,) = listed(run("user", "list", "--json"))
    shown = (ada["name"], ada["role"], ada["team"], ada["subject"], ada["disabled"])
    assert shown == ("Ada Lovelace", "manager", "North", "auth0|ada", None)
    (team,) = listed(run("team", "list", "--json"))
    assert (team["name"], team["users"]) == ("North", 1)


def test_a_role_is_changed_and_a_user_disabled(run: Callable[..., Result]) -> None:
    run("user", "add", "ada@example.com")
    assert "has the role manager" in run("user", "set-role", "ada@example.com", "manager").stdout
    assert "is disabled" in run("user", "disable", "ada@example.com").stdout
    (ada,) = listed(run("user", "list", "--json"))
    assert ada["role"] == "manager"
    assert ada["disabled"] is not None


def test_a_user_changes_team_and_leaves_it(run: Callable[..., Result]) -> None:
    run("team", "add", "North")
    run("user", "add", "ada@example.com")
    assert "is in the team North now" in run("user", "set-team", "ada@example.com", "North").stdout
    (ada,) = listed(run("user", "list", "--json"))
    assert ada["team"] == "North"
    assert "is in no team now" in run("user", "set-team", "ada@example.com").stdout
    (ada,) = listed(run("user", "list", "--json"))
    assert ada["team"] is None
    assert "no team 'South'" in run("user", "set-team", "ada@example.com", "South").stderr


def test_a_disabled_user_is_enabled_again(run: Callable[..., Result]) -> None:
    run("user", "add", "ada@example.com")
    run("user", "disable", "ada@example.com")
    assert "is enabled" in run("user", "enable", "ada@example.com").stdout
    (ada,) = listed(run("user", "list", "--json"))
    assert ada["disabled"] is None


def test_a_grant_is_added_listed_and_revoked(run: Callable[..., Result]) -> None:
    run("user", "add", "ada@example.com")
    assert run("grant", "add", "ada@example.com", "access:explain").exit_code == 0
    own = {"email": "ada@example.com", "permission": "access:explain", "from": "grant"}
    assert listed(run("grant", "list", "--json")) == [own]
    assert own in listed(run("grant", "list", "ada@example.com", "--json"))
    assert run("grant", "revoke", "ada@example.com", "access:explain").exit_code == 0
    assert listed(run("grant", "list", "--json")) == []
    assert "Nobody has a permission beyond their role" in run("grant", "list").stdout


def test_what_comes_with_the_role_is_listed_too(run: Callable[..., Result]) -> None:
    run("user", "add", "ada@example.com", "--role", "admin")
    held = listed(run("grant", "list", "ada@example.com", "--json"))
    assert {"email": "ada@example.com", "permission": "*:*", "from": "admin"} in held


def test_a_key_is_printed_once_and_alone(run: Callable[..., Result]) -> None:
    run("user", "add", "ada@example.com")
    run("user", "add", "grace@example.com")
    made = run("key", "add", "ada@example.com", "--name", "n8n")
    secret = made.stdout.strip()
    assert secret.startswith("sk60_")
    assert len(made.stdout.split()) == 1
    (key,) = listed(run("key", "list", "--json"))
    assert (key["email"], key["name"], key["revoked"]) == ("ada@example.com", "n8n", None)
    assert key["id"] in made.stderr
    assert secret not in run("key", "list").output
    assert listed(run("key", "list", "grace@example.com", "--json")) == []


def test_a_revoked_key_opens_nothing(run: Callable[..., Result]) -> None:
    run("user", "add", "ada@example.com")
    secret = run("key", "add", "ada@example.com").stdout.strip()
    assert run("call", "explain_access", SIXTY_TOKEN=secret).exit_code == 0
    (key,) = listed(run("key", "list", "--json"))
    assert run("key", "revoke", key["id"]).exit_code == 0
    refused = run("call", "explain_access", SIXTY_TOKEN=secret)
    assert refused.exit_code == 1
    assert "unknown or was revoked" in refused.stderr


def test_a_token_is_printed_and_nothing_else(run: Callable[..., Result]) -> None:
    run("user", "add", "ada@example.com")
    result = run("token", "ada@example.com", "--ttl", "60", SIXTY_JWT_SECRET=SECRET)
    assert result.stderr == ""
    claims = jwt.decode(result.stdout.strip(), SECRET, ["HS256"], audience="sixty")
    assert claims["exp"] - claims["iat"] == 60
    called = run("call", "explain_access", SIXTY_JWT_SECRET=SECRET, SIXTY_TOKEN=result.stdout.strip())
    assert called.exit_code == 0


def test_without_a_secret_there_are_no_tokens(run: Callable[..., Result]) -> None:
    run("user", "add", "ada@example.com")
    result = run("token", "ada@example.com")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "SIXTY_JWT_SECRET" in result.stderr


def test_a_disabled_user_gets_no_token(run: Callable[..., Result]) -> None:
    run("user", "add", "ada@example.com")
    run("user", "disable", "ada@example.com")
    assert "disabled" in run("token", "ada@example.com", SIXTY_JWT_SECRET=SECRET).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("user", "add", "ada@example.com"), "already a user"),
        (("user", "add", "not an address"), "must be an address"),
        (("user", "add", "grace@example.com", "--team", "Nowhere"), "no team 'Nowhere'"),
        (("user", "set-role", "ada@example.org", "admin"), "did you mean 'ada@example.com'"),
        (("user", "disable", "nobody@example.com"), "no user"),
        (("grant", "add", "ada@example.com", "acess:explain"), "did you mean 'access'"),
        (("grant", "revoke", "ada@example.com", "access:explain"), "no grant"),
        (("grant", "list", "nobody@example.com"), "no user"),
        (("key", "revoke", "nonsense"), "no API key"),
        (("key", "list", "nobody@example.com"), "no user"),
        (("token", "nobody@example.com"), "no user"),
    ],
)
def test_a_mistake_is_explained_in_a_sentence(
    run: Callable[..., Result], arguments: tuple[str, ...], said: str
) -> None:
    run("user", "add", "ada@example.com")
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("user", "add"),
        ("user", "set-role", "ada@example.com", "boss"),
        ("token", "ada@example.com", "--ttl", "0"),
        ("token", "ada@example.com", "--ttl", "soon"),
        ("fly",),
        ("user", "fly"),
    ],
)
def test_what_is_not_understood_exits_with_2(run: Callable[..., Result], arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
