"""What is logged: of what it is, in which format, and a line for each call."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from fakes import errands, notes, world

from sixty import Arguments, Call, Result, Text, hookimpl, tool
from sixty.call import call_tool
from sixty.config import load_settings
from sixty.errors import UnknownTool
from sixty.request import Request
from sixty.signals.calls import log_call, log_failure
from sixty.signals.logs import handler
from sixty.signals.within import WITHIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sixty import Tool, Work
    from sixty.testing import Organisation
    from sixty.testing.databases import SqliteTemplates

KEY = "sk60_0123456789abcdefghijklmnop"
_library = logging.getLogger("some.library")


class Say(Arguments):
    text: Text


@tool("mutter", permission=None, effect="read")
async def mutter(args: Say, call: Call) -> Result:
    """Log something, here and in a task of its own, and in a thread."""
    _library.info("said %s", args.text)
    await asyncio.create_task(asyncio.to_thread(_library.info, "aside"))
    return Result(message="Muttered")


@tool("choke", permission=None, effect="read")
async def choke(args: Say, call: Call) -> Result:
    """Fail with what was said."""
    raise ValueError(args.text)


class Muttering:
    @hookimpl
    def sixty_tools(self) -> list[Tool]:
        return [mutter, choke]


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("notes", notes), ("errands", errands), ("world", world), ("muttering", Muttering()))


@pytest.fixture
def database_url(sqlite_templates: SqliteTemplates, plugins: Any, tmp_path: Any) -> str:
    # what is logged is the same on both databases
    return sqlite_templates.copy(plugins, tmp_path / "sixty.db")


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch) -> errands.State:
    monkeypatch.setattr(errands, "STATE", errands.State())
    return errands.STATE


@pytest.fixture
def logged() -> Iterator[Callable[..., io.StringIO]]:
    """Everything that is logged from now on, as the settings say."""
    root, level, added = logging.getLogger(), logging.getLogger().level, []

    def begin(**settings: Any) -> io.StringIO:
        stream = io.StringIO()
        added.append(handler(load_settings({}, **settings), stream))
        root.addHandler(added[-1])
        root.setLevel(logging.INFO)
        return stream

    yield begin
    root.setLevel(level)
    for one in added:
        root.removeHandler(one)


def objects(stream: io.StringIO) -> list[dict[str, Any]]:
    """The lines of JSON."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


# what a line is about


async def test_each_line_within_a_call_says_which_call_whose_and_of_which_tool(
    sixty: Organisation, logged: Callable[..., io.StringIO]
) -> None:
    user, stream = sixty.as_role("user"), logged(log_format="json")
    await user.call("mutter", text="hello")
    said, aside = objects(stream)
    assert (said["event"], said["logger"], said["level"]) == ("said hello", "some.library", "info")
    assert (said["user"], said["tool"]) == (user.user_id, "mutter")
    assert len(said["call"]) == 36
    assert datetime.fromisoformat(said["timestamp"]).tzinfo is not None
    assert {key: aside[key] for key in ("call", "user", "tool")} == {key: said[key] for key in ("call", "user", "tool")}


async def test_a_line_of_text_says_it_behind_the_message(
    sixty: Organisation, logged: Callable[..., io.StringIO]
) -> None:
    user, stream = sixty.as_role("user"), logged()
    await user.call("mutter", text="hello")
    line = stream.getvalue().splitlines()[0]
    assert " INFO some.library: said hello call=" in line
    assert line.endswith(f" user={user.user_id} tool=mutter")


async def test_a_line_outside_of_any_call_is_about_nothing(logged: Callable[..., io.StringIO]) -> None:
    text, objects_ = logged(), logged(log_format="json")
    _library.info("MCP is served at http://127.0.0.1:1/mcp")
    assert text.getvalue().split()[-1] == "http://127.0.0.1:1/mcp"
    assert objects(objects_)[0].keys() == {"event", "level", "logger", "timestamp"}


async def test_what_a_call_leaves_running_for_everybody_is_not_within_it(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    written = asyncio.Event()

    async def look(_: object) -> None:
        seen.append(WITHIN.get())
        written.set()

    with monkeypatch.context() as patch:
        patch.setattr(sixty.host.database, "apply", look)
        patch.setattr("sixty.audit.trail.DELAY", 0.0)
        await sixty.as_role("user").call("find_notes")
        async with asyncio.timeout(5):
            await written.wait()
    assert seen == [{}]


async def test_each_line_within_a_job_says_which_job_and_which_call_left_it(
    sixty: Organisation, logged: Callable[..., io.StringIO], state: errands.State
) -> None:
    async def fail(_: Work) -> None:
        raise RuntimeError("no")

    state.does["bad"] = fail
    left = await sixty.as_role("user").call("leave", label="bad", then="once")
    stream = logged(log_format="json")
    await sixty.work()
    failed = objects(stream)[0]
    assert failed["job"] == left["job_id"]
    assert (failed["job_name"], failed["user"]) == ("errands.once", sixty.as_role("user").user_id)
    assert failed["level"] == "warning"


# secrets


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_a_secret_is_logged_neither_in_a_message_nor_in_a_traceback(
    sixty: Organisation, logged: Callable[..., io.StringIO], log_format: str
) -> None:
    user, stream = sixty.as_role("user"), logged(log_format=log_format, jwt_secret="a secret of thirty-two characters")
    await user.call("mutter", text=f"take {KEY} or a secret of thirty-two characters")
    await user.outcome("choke", text=KEY)
    _library.info("extra", extra={"given": KEY, "more": [KEY]})
    told = stream.getvalue()
    assert "take sk60_… or …" in told
    assert "ValueError: sk60_…" in told
    assert "Traceback" in told
    assert KEY not in told


def test_the_keys_of_the_audit_trail_are_masked_and_the_word_that_may_stand_among_them_is_not(
    logged: Callable[..., io.StringIO],
) -> None:
    stream = logged(audit_key=("a key that signed until yesterday" * 2, "database"))
    _library.info("the database got %s", "a key that signed until yesterday" * 2)
    assert "the database got …" in stream.getvalue()


@pytest.mark.parametrize("name", ["more", "of"])
async def test_what_is_logged_beside_the_message_is_kept_whatever_it_is(
    logged: Callable[..., io.StringIO], name: str
) -> None:
    stream = logged(log_format="json")
    _library.info("extra", extra={name: {1, 2}, "given": ["a", 1]})
    assert objects(stream)[0] | {} == {**objects(stream)[0], name: "{1, 2}", "given": ["a", 1]}


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_line_that_cannot_be_made_is_told_of_and_not_shown(
    logged: Callable[..., io.StringIO], log_format: str
) -> None:
    stream = logged(log_format=log_format)
    record = _library.makeRecord(_library.name, logging.INFO, "a.py", 7, "so many: %d", (KEY,), None)
    for one in logging.getLogger().handlers:
        if getattr(one, "stream", None) is stream:
            one.handle(record)
    assert stream.getvalue() == "a line of some.library (a.py:7) cannot be logged: TypeError\n"


@pytest.mark.parametrize("strange", ["half \ud83d", 2**70, float("nan")])
def test_a_value_that_json_hardly_knows_is_logged(logged: Callable[..., io.StringIO], strange: object) -> None:
    stream = logged(log_format="json")
    _library.info("strange", extra={"given": strange})
    assert "given" in objects(stream)[0]


async def test_what_callers_send_cannot_look_like_a_line_of_its_own(
    sixty: Organisation, logged: Callable[..., io.StringIO]
) -> None:
    stream = logged()
    await sixty.as_role("user").call("mutter", text="a\n2026-01-01 00:00:00 INFO sixty: all is well\x1b[2K")
    line = stream.getvalue().splitlines()[0]
    assert r"said a\n2026-01-01 00:00:00 INFO sixty: all is well\x1b[2K" in line


# a line for each call


async def test_a_settled_call_is_a_line_with_what_came_of_it(
    sixty: Organisation, logged: Callable[..., io.StringIO]
) -> None:
    sixty.host.call_observers.append(log_call)
    user, text, stream = sixty.as_role("user"), logged(), logged(log_format="json")
    await user.call("find_notes")
    (line,) = objects(stream)
    assert (line["event"].partition(" in ")[0], line["level"]) == ("find_notes: ok", "info")
    assert (line["outcome"], line["transport"], line["tool"]) == ("ok", "test", "find_notes")
    assert 0 < line["milliseconds"] < 10_000
    assert line["call"] in text.getvalue()


async def test_a_caller_s_mistake_is_no_warning_and_our_own_is(
    sixty: Organisation, logged: Callable[..., io.StringIO]
) -> None:
    sixty.host.call_observers.append(log_call)
    user, stream = sixty.as_role("user"), logged(log_format="json")
    await user.outcome("add_note", txet="x")
    await user.outcome("choke", text="x")
    levels = {line["outcome"]: line["level"] for line in objects(stream) if "outcome" in line}
    assert levels == {"invalid": "info", "internal": "warning"}


async def test_a_name_that_a_caller_made_up_stays_in_its_line(
    sixty: Organisation, logged: Callable[..., io.StringIO]
) -> None:
    sixty.host.call_observers.append(log_call)
    principal, stream = await sixty.as_role("user").principal(), logged()
    with pytest.raises(UnknownTool):
        await call_tool(sixty.host, Request("made\nup" * 99, {}, principal))
    (line,) = stream.getvalue().splitlines()
    assert r"made\nup" in line
    assert len(line) < 400


async def test_where_only_failures_are_wanted_nothing_else_is_told(
    sixty: Organisation, logged: Callable[..., io.StringIO]
) -> None:
    sixty.host.call_observers.append(log_failure)
    user, stream = sixty.as_role("user"), logged(log_format="json")
    await user.call("find_notes")
    await user.outcome("choke", text="x")
    assert [line["outcome"] for line in objects(stream) if "outcome" in line] == ["internal"]
