"""`/health` and `/ready`, as orchestrators ask for them: without a credential, under any name."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty.config import Settings
from sixty.limits import Limits
from sixty.registry import Absent
from sixty.server import health
from sixty.signals import pulse
from sixty.storage.statements import Write

if TYPE_CHECKING:
    from sixty.testing import Organisation

ANYWHERE = {"Host": "10.1.2.3:8060"}


async def test_health_says_since_when_and_in_which_version(raw: Any) -> None:
    answer = await raw.http.get("/health", headers=ANYWHERE)
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["uptime_seconds"] >= 0
    assert answer.json()["version"]


async def test_health_says_how_the_process_is(raw: Any, sixty: Organisation) -> None:
    await raw.call("echo", {"text": "hello"})
    answer = (await raw.http.get("/health")).json()
    assert answer["memory_bytes"] > 1e6
    checks = answer["checks"]
    assert all(check.pop("ok") for check in checks.values())
    loop = checks.pop("event_loop")
    assert 0 <= loop["lag_seconds"] <= loop["worst_lag_seconds"] < 10
    waiting = sixty.host.audit.waiting
    assert checks == {
        "database": {"connections": {}},
        "jobs": {"running": 0},
        "audit": {"waiting": waiting, "lost": 0},
    }


async def test_memory_is_not_made_up_where_the_system_does_not_tell(raw: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_STATM", Path("/nowhere"))
    assert (await raw.http.get("/health")).json()["memory_bytes"] is None


@pytest.mark.parametrize(
    ("check", "state"), [("database", "watch._outage.lasts"), ("jobs", "worker._outage.lasts"), ("audit", "audit.lost")]
)
async def test_a_check_that_is_not_ok_degrades_it_and_it_lives(
    raw: Any, sixty: Organisation, monkeypatch: pytest.MonkeyPatch, check: str, state: str
) -> None:
    part, name = state.rsplit(".", 1)
    monkeypatch.setattr(attrgetter(part)(sixty.host), name, True)
    answer = await raw.http.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert [name for name, one in answer.json()["checks"].items() if not one["ok"]] == [check]


async def test_a_loop_that_is_held_up_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(pulse, "monotonic", lambda: now)
    monkeypatch.setattr(pulse, "EVERY", 0.0)
    watched = pulse.Pulse()
    assert (watched.lag, watched.worst) == (0, 0)
    async with watched.beating():
        await asyncio.sleep(0)
        now += 3  # while nothing else ran
        assert watched.lag == watched.worst == 3
        for _ in range(3):
            await asyncio.sleep(0)
        assert (watched.lag, watched.worst) == (0, 3)


async def test_a_server_whose_tables_are_current_is_ready(raw: Any) -> None:
    answer = await raw.http.get("/ready", headers=ANYWHERE)
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "database": "ok", "migrations": "ok", "quarantined": {}, "waiting": {}, "disabled": []},
    )


async def test_a_disabled_pack_does_not_degrade_it_and_is_named(raw: Any, sixty: Organisation) -> None:
    disabled = {"echo": Absent("disabled", "an operator has disabled it")}
    sixty.host.registry = replace(sixty.host.registry, absent=disabled)
    answer = (await raw.http.get("/ready")).json()
    assert (answer["status"], answer["disabled"], answer["waiting"]) == ("ready", ["echo"], {})


async def test_a_pack_that_waits_to_be_accepted_degrades_it(raw: Any, sixty: Organisation) -> None:
    sixty.host.registry = replace(sixty.host.registry, absent={"echo": Absent("waiting", "it asks for more")})
    answer = (await raw.http.get("/ready")).json()
    assert (answer["status"], answer["disabled"], answer["waiting"]) == ("degraded", [], {"echo": "it asks for more"})


async def test_a_quarantined_pack_makes_it_degraded_and_is_named(raw: Any, sixty: Organisation) -> None:
    sixty.host.registry = sixty.host.registry.without("echo", "it did not start")
    answer = await raw.http.get("/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["quarantined"] == {"echo": "it did not start"}


async def test_tables_of_the_core_that_are_behind_make_it_unavailable(raw: Any, sixty: Organisation) -> None:
    table = sa.table("alembic_version_core", sa.column("version_num"))
    await sixty.host.database.apply([Write(sa.update(table).values(version_num="0001_core"), {})])
    answer = await raw.http.get("/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert "0001_core" in answer.json()["migrations"]["core"]


async def test_a_database_that_does_not_answer_makes_it_unavailable(raw: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("sixty.storage.migrations.status", fail)
    answer = await raw.http.get("/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert "no route" not in answer.text


async def test_a_redis_that_does_not_answer_degrades_it(
    raw: Any, sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket() as nobody:  # bound, and not listening
        nobody.bind(("127.0.0.1", 0))
        limits = Limits(Settings(redis_url=f"redis://:hush@127.0.0.1:{nobody.getsockname()[1]}/0"))
        limits.share(sixty.host.secret)
        monkeypatch.setattr(sixty.host, "limits", limits)
        answer = await raw.http.get("/ready")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert answer.json()["redis"] == "it cannot be reached"
        await limits.close()


async def test_an_answer_is_given_again_for_a_moment(raw: Any, sixty: Organisation) -> None:
    await raw.http.get("/ready")
    sixty.host.registry = sixty.host.registry.without("echo", "it did not start")
    assert (await raw.http.get("/ready")).json()["status"] == "ready"


async def test_these_pages_can_only_be_read(raw: Any) -> None:
    assert (await raw.http.post("/health")).status_code == 405
    assert (await raw.http.head("/health")).status_code == 200


async def test_elsewhere_there_is_nothing(raw: Any) -> None:
    answer = await raw.http.get("/")
    assert answer.status_code == 404
    assert "/mcp" in answer.json()["error"]["message"]


async def test_reasons_have_no_secrets(raw: Any, sixty: Organisation) -> None:
    why = "ConnectionError: https://ann:hunter2@crm.example refused sk60_a1B2a1B2a1B2"
    sixty.host.registry = replace(sixty.host.registry, quarantined={"bad": why})
    answer = await raw.http.get("/ready")
    assert answer.json()["quarantined"] == {"bad": "ConnectionError: https://ann:…@crm.example refused sk60_…"}
