"""The command `webhooks`, as an operator types it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

URL = "http://127.0.0.1:9/hook"
UNKNOWN = "0198f2a0-5a10-7c11-8f00-00000000d001"


@pytest.fixture
def ann(run: Callable[..., Result]) -> Callable[..., Result]:
    """The command line, where Ann has an account and loopback may be reached."""

    def run_one(*arguments: str) -> Result:
        return run(*arguments, SIXTY_WEBHOOK_NETWORKS="127.0.0.0/8")

    assert run_one("user", "add", "ann@example.com").exit_code == 0
    return run_one


def listed(ann: Callable[..., Result], *arguments: str) -> Any:
    result = ann("webhooks", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_webhook_is_added_and_its_secret_printed_this_once(ann: Callable[..., Result]) -> None:
    added = ann("webhooks", "add", "ann@example.com", URL, "deal.won", "task.*", "--description", "For n8n")
    secret = added.stdout.strip()
    assert secret.startswith("whsec_")
    assert "not shown again" in added.stderr
    (webhook,) = listed(ann, "list", "--json")
    assert (webhook["email"], webhook["url"], webhook["events"]) == ("ann@example.com", URL, ["deal.won", "task.*"])
    assert webhook["description"] == "For n8n"
    shown = ann("webhooks", "show", webhook["id"])
    assert json.loads(shown.stdout)["state"] == "active"
    assert "deal.won task.*" in ann("webhooks", "list", "ANN@example.com").stdout
    assert secret not in ann("webhooks", "list", "--json").output + shown.output + ann("audit", "tail", "--json").output


def test_a_webhook_is_disabled_enabled_tried_rotated_and_removed(ann: Callable[..., Result]) -> None:
    first = ann("webhooks", "add", "ann@example.com", URL, "*").stdout
    webhook_id = listed(ann, "list", "--json")[0]["id"]
    ann("user", "disable", "ann@example.com")  # the operator can still do it all
    assert "is disabled" in ann("webhooks", "disable", webhook_id).stdout
    refused = ann("webhooks", "test", webhook_id)
    assert (refused.exit_code, "set its state to active" in refused.stderr) == (1, True)
    assert "is active" in ann("webhooks", "enable", webhook_id).stdout
    assert "webhook.test is on its way" in ann("webhooks", "test", webhook_id).stdout
    second = ann("webhooks", "rotate", webhook_id).stdout
    assert second.startswith("whsec_")
    assert second != first
    assert listed(ann, "failures", webhook_id, "--json") == []
    assert "no events will be sent again" in ann("webhooks", "replay", webhook_id).stdout
    unknown = ann("webhooks", "replay", webhook_id, UNKNOWN, "--since", "2026-03-02T09:30:00Z")
    assert (unknown.exit_code, UNKNOWN in unknown.stderr) == (1, True)
    assert "is deleted" in ann("webhooks", "remove", webhook_id).stdout
    assert "There are no webhooks" in ann("webhooks", "list").stdout


def test_what_cannot_be_done_is_said(ann: Callable[..., Result]) -> None:
    for arguments, words in (
        (("add", "bob@example.com", URL, "*"), "there is no user 'bob@example.com'"),
        (("add", "ann@example.com", "https://10.0.0.1/", "*"), "SIXTY_WEBHOOK_NETWORKS"),
        (("add", "ann@example.com", URL, "deal.one"), "did you mean 'deal.won'?"),
        (("show", UNKNOWN), "`sixty webhooks list` shows them"),
        (("remove", "x"), "`sixty webhooks list` shows them"),
    ):
        refused = ann("webhooks", *arguments)
        assert (refused.exit_code, words in refused.stderr) == (1, True), refused.stderr
