"""Subscriptions, by plain HTTP: made, seen, changed and ended, by whom they belong to and nobody else."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty.tables import audit, idempotency, webhooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from receiving import Receiver

    from sixty.testing import Organisation

HOOK = {"url": "http://127.0.0.1:9/hook", "events": ["note.added"]}


async def test_a_subscription_is_made_and_its_secret_shown_this_once(
    sixty: Organisation, api: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    uma = await api("user")
    answer = await uma.ask("POST", body={**HOOK, "description": "For the team"})
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    secret = made.pop("secret")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert (made["events"], made["state"], made["description"]) == (["note.added"], "active", "For the team")
    for later in (await uma.get(), await uma.get(f"/{made['id']}"), await uma.patch(f"/{made['id']}", events=["*"])):
        assert made["id"] in str(later)
        assert secret not in str(later)
    await sixty.host.audit.flush()
    lines = await sixty.rows(sa.select(audit))
    assert {"create_webhook", "list_webhooks", "get_webhook", "update_webhook"} <= {line["tool"] for line in lines}
    assert secret not in str(lines)
    assert secret not in caplog.text
    assert secret not in repr((await sixty.directory()).webhooks)


async def test_who_has_chosen_a_secret_signs_with_it(sixty: Organisation, api: Callable[..., Any]) -> None:
    secret = f"whsec_{base64.b64encode(os.urandom(24)).decode()}"
    uma = await api("user")
    assert (await uma.post(**HOOK, secret=secret))["secret"] == secret
    assert (await sixty.rows(sa.select(webhooks.c.secret))) == [{"secret": secret}]
    await sixty.host.audit.flush()
    lines = await sixty.rows(sa.select(audit))
    assert secret not in str(lines)
    assert "[redacted]" in str(lines)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "secret",
    [
        "hunter2-hunter2-hunter2-hunter2",
        f"whsec_{base64.b64encode(b'short-secret').decode()}",
        f"whsec_{base64.b64encode(b's' * 65).decode()}",
        "whsec_no-base64-at-all!",
        5551234567,
    ],
)
async def test_a_bad_secret_is_refused_and_not_repeated(
    sixty: Organisation, api: Callable[..., Any], secret: object
) -> None:
    uma = await api("user")
    answer = await uma.ask("POST", body={**HOOK, "secret": secret})
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == "secret"
    assert "24 to 64" in answer.json()["error"]["message"]
    await sixty.host.audit.flush()
    assert str(secret) not in answer.text + str(await sixty.rows(sa.select(audit)))


async def test_a_repeated_request_makes_no_second_subscription_and_shows_no_secret_again(
    sixty: Organisation, api: Callable[..., Any]
) -> None:
    uma = await api("user")
    first, second = [(await uma.ask("POST", body=HOOK, **{"Idempotency-Key": "one"})).json() for _ in range(2)]
    assert first.pop("secret") not in str(await sixty.rows(sa.select(idempotency)))
    assert second == first
    assert await sixty.count(webhooks) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"events": ["note.aded"]}, "did you mean 'note.added'?"),
        ({"events": ["notes.*"]}, "did you mean 'note.*'?"),
        ({"events": []}, "events"),
        ({"url": "ftp://127.0.0.1/"}, "must begin with https://"),
        ({"url": "https:///path"}, "must begin with https://"),
        ({"url": "http://ann:secret@127.0.0.1/"}, "must not have a user or a password"),
        ({"url": "http://127.0.0.1:0/"}, "port between 1 and 65535"),
        ({"url": "http://127.0.0.1:65536/"}, "is no URL"),
        ({"url": "http://127.0.0.1/a b"}, "no spaces"),
        ({"url": "http://127.0.0.1/ä"}, "%XX"),
        ({"url": f"http://127.0.0.1/{'a' * 2000}"}, "at most 2000"),
        ({"url": "https://10.0.0.7/"}, "SIXTY_WEBHOOK_NETWORKS"),
        ({"url": "https://nowhere.invalid/"}, "cannot be resolved"),
        ({"urls": "http://127.0.0.1/"}, "did you mean 'url'?"),
    ],
)
async def test_what_is_wrong_with_a_subscription_is_said(
    sixty: Organisation, api: Callable[..., Any], changed: dict[str, Any], words: str
) -> None:
    answer = await (await api("user")).ask("POST", body={**HOOK, **changed})
    assert answer.status_code == (503 if "resolved" in words else 400)
    assert words in answer.json()["error"]["message"]
    assert "ann:secret" not in answer.text
    assert await sixty.count(webhooks) == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("body", [b"{", b"[]", b"5"])
async def test_what_is_no_json_object_is_refused(api: Callable[..., Any], body: bytes) -> None:
    answer = await (await api("user")).http.post("/webhooks", content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_request_that_is_too_large_is_refused(api: Callable[..., Any]) -> None:
    answer = await (await api("user")).http.post("/webhooks", content=b" " * 2_000_000)
    assert answer.status_code == 413
    assert "1048576 bytes" in answer.json()["error"]["message"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_paths_and_methods_that_there_are_not_are_said_to_be_so(api: Callable[..., Any]) -> None:
    uma = await api("user")
    assert (await uma.ask("GET", "/a/b/c")).json()["error"]["code"] == "not_found"
    answer = await uma.ask("DELETE")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert (await uma.http.get("/webhooksy")).status_code == 404


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_is_not_let_in_is_told_in_the_same_form(api: Callable[..., Any]) -> None:
    uma = await api("user")
    refused = await uma.http.get("/webhooks", headers={"Authorization": "Bearer sk60_guess"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthenticated")
    assert refused.headers["www-authenticate"].startswith("Bearer ")
    elsewhere = await uma.http.get("/webhooks", headers={"Host": "evil.example"})
    assert (elsewhere.status_code, elsewhere.json()["error"]["code"]) == (421, "invalid")


async def test_a_subscription_of_somebody_else_does_not_exist(sixty: Organisation, api: Callable[..., Any]) -> None:
    uma, max_, ada = [await api(role) for role in ("user", "manager", "admin")]
    made = await uma.post(**HOOK)
    path = f"/{made['id']}"
    assert (await max_.get())["webhooks"] == []
    for method, at, body in (
        ("GET", path, None),
        ("PATCH", path, {"state": "disabled"}),
        ("DELETE", path, None),
        ("POST", f"{path}/rotate", None),
        ("POST", f"{path}/test", None),
        ("GET", f"{path}/failures", None),
        ("POST", f"{path}/replay", {}),
    ):
        foreign, none = await max_.ask(method, at, body), await max_.ask(method, at.replace(made["id"], NONE), body)
        assert (foreign.status_code, foreign.json()["error"]["code"]) == (404, "not_found")
        assert foreign.text.replace(made["id"], NONE) == none.text
    assert (await uma.get(path))["state"] == "active"
    assert [one["id"] for one in (await ada.get())["webhooks"]] == [made["id"]]  # an admin sees all
    assert (await ada.patch(path, state="disabled"))["disabled_reason"] == "by hand"


NONE = "0198f2a0-5a10-7c11-8f00-00000000d001"


async def test_only_what_is_given_changes(sixty: Organisation, api: Callable[..., Any]) -> None:
    uma = await api("user")
    made = await uma.post(**HOOK, description="First")
    path = f"/{made['id']}"
    changed = await uma.patch(path, url="http://127.0.0.2/other")
    assert (changed["url"], changed["events"], changed["description"]) == (
        "http://127.0.0.2/other",
        ["note.added"],
        "First",
    )
    assert "description" not in await uma.patch(path, description=None)
    assert (await uma.patch(path, events=["*", "note.*", "*"]))["events"] == ["*", "note.*"]
    stopped = await uma.patch(path, state="disabled")
    assert (stopped["state"], stopped["disabled_reason"]) == ("disabled", "by hand")
    assert "disabled_reason" not in await uma.patch(path, state="active")
    assert (await uma.ask("PATCH", path, {"url": "https://192.168.0.1/"})).status_code == 400
    assert (await uma.ask("PATCH", path, {"state": "asleep"})).status_code == 400
    assert (await uma.get(path))["url"] == "http://127.0.0.2/other"


async def test_a_subscription_that_was_deleted_is_gone(sixty: Organisation, api: Callable[..., Any]) -> None:
    uma = await api("user")
    made = await uma.post(**HOOK)
    assert (await uma.ask("DELETE", f"/{made['id']}")).status_code == 200
    assert (await uma.ask("GET", f"/{made['id']}")).status_code == 404
    assert (await sixty.directory()).webhooks == {}


async def test_a_user_has_a_hundred_at_the_most(
    sixty: Organisation, api: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixty.webhooks.managing.MOST", 1)
    uma, ada = await api("user"), await api("admin")
    await uma.post(**HOOK)
    assert (await uma.ask("POST", body=HOOK)).status_code == 409
    await ada.post(**HOOK)  # it is counted for each


async def test_changes_at_the_same_time_are_all_made(sixty: Organisation, api: Callable[..., Any]) -> None:
    people = [await api(role) for role in ("user", "manager", "admin")]
    made = await asyncio.gather(*(person.post(**HOOK) for person in people for _ in range(4)))
    assert await sixty.count(webhooks) == len({one["id"] for one in made}) == 12
    ada = people[-1]
    await asyncio.gather(*(ada.patch(f"/{one['id']}", events=["*"]) for one in made[:6]))
    await asyncio.gather(*(ada.ask("DELETE", f"/{one['id']}") for one in made[6:]))
    assert [one["events"] for one in (await ada.get())["webhooks"]] == [["*"]] * 6


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_events_that_can_be_had_are_listed(api: Callable[..., Any]) -> None:
    events = {event["name"]: event["description"] for event in (await (await api("user")).get("/events"))["events"]}
    assert events["deal.stage_changed"] == "A deal entered another stage, in whichever direction."
    assert "note.added" in events


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestTooOften:
    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"SIXTY_RATE_STANDARD": "1/minute"}

    async def test_who_asks_too_often_is_told_when_to_come_back(self, api: Callable[..., Any]) -> None:
        uma = await api("user")
        await uma.get()
        answer = await uma.ask("GET")
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 61


async def test_without_the_permission_nothing_can_be_managed(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    uma = await api("user")
    monkeypatch.setattr("sixty.directory.Principal.scope", lambda *_: 0)
    answer = await uma.ask("POST", body={**HOOK, "url": receiver.url})
    assert (answer.status_code, answer.json()["error"]["permission"]) == (403, "webhooks:manage")
