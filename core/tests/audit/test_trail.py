"""The audit trail: what is kept of a call, and what happens when it cannot be written."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from sixty.audit import trail
from sixty.audit.redacting import Redactor
from sixty.call import call_tool
from sixty.errors import Unavailable
from sixty.request import Request
from sixty.storage.database import StorageUnavailable, open_database
from sixty.tables import audit
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.testing import Organisation


def redacted(value: Any) -> Any:
    return Redactor().kept(value, None)[0]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (
            {"password": "x", "API_KEY": 1, "note": "y"},
            {"password": "[redacted]", "API_KEY": "[redacted]", "note": "y"},
        ),
        ({"a": [{"Authorization": {"deep": 1}}]}, {"a": [{"Authorization": "[redacted]"}]}),
        ({"accessToken": "x", "client_secret": "x"}, {"accessToken": "[redacted]", "client_secret": "[redacted]"}),
        ("x" * 2500, "x" * 2000 + "… (2500 characters)"),
        ("a\x00b\ud800c", "a\ufffdb?c"),
        ({"\x00\ud800": 1}, {"\ufffd?": 1}),
        ([float("nan"), float("inf"), 1.5, 2**70, True, None], ["nan", "inf", 1.5, "a very large number", True, None]),
        (list(range(300)), list(range(200))),
    ],
)
def test_secrets_and_what_is_too_long_or_no_json_are_left_out(given: Any, kept: Any) -> None:
    assert redacted(given) == kept


def test_what_is_very_deep_is_cut() -> None:
    deep: Any = "at the bottom"
    for _ in range(500):
        deep = {"deeper": deep}
    assert "at the bottom" not in str(redacted(deep))


text = st.text(st.characters(exclude_categories=()), max_size=20)
json_like = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), text),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(text, inner, max_size=4)),
)


@given(json_like)
def test_whatever_is_sent_can_be_kept_as_json(value: Any) -> None:
    import orjson  # noqa: PLC0415

    assert b"\\u0000" not in orjson.dumps(redacted(value))


STRANGE: list[Mapping[str, Any]] = [
    {"tool": "\ud800\x00" * 200},
    {"client": "\ud800\x00" * 300, "address": "x" * 500},
    {"arguments": {"\ud800": "\x00"}},
]


@pytest.mark.parametrize("strange", STRANGE)
async def test_no_request_can_keep_the_trail_from_being_written(
    sixty: Organisation, strange: Mapping[str, Any]
) -> None:
    request = Request(**{"tool": "find_notes", "arguments": {}, "principal": None, "token": None, **strange})
    with pytest.raises(Exception, match="credential"):
        await call_tool(sixty.host, request)
    await sixty.host.audit.flush()
    assert await sixty.count(audit) == 1


async def test_lines_of_reads_wait_and_go_out_together_and_at_the_end(database_url: str, plugins: Any) -> None:
    async with open_organisation(database_url, plugins) as sixty:
        for _ in range(3):
            await sixty.as_role("user").call("find_notes")
        assert await sixty.count(audit) == 0
    database = await open_database(database_url)
    async with database.snapshot() as reader:
        assert len(await reader.rows(sa.select(audit))) == 3
    await database.close()


async def test_reads_are_served_and_writes_refused_while_the_database_takes_no_lines(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    user = sixty.as_role("user")
    added = await user.call("add_note", text="one")

    async def gone(_writes: object) -> None:
        raise StorageUnavailable("the database is not available; try again later")

    with monkeypatch.context() as patch, caplog.at_level(logging.CRITICAL):
        patch.setattr(sixty.host.database, "apply", gone)
        assert (await user.call("find_notes"))["total"] == 1
        await sixty.host.audit.flush()
        with pytest.raises(Unavailable, match="try again later"):
            await user.call("add_note", text="two")
        await sixty.host.audit.flush()
    assert (await user.call("find_notes"))["total"] == 1
    await sixty.host.audit.flush()
    lines = await sixty.rows(sa.select(audit))
    assert sorted((line["tool"], line["outcome"]) for line in lines) == [
        ("add_note", "ok"),
        ("add_note", "unavailable"),
        ("find_notes", "ok"),
        ("find_notes", "ok"),
    ]
    assert added["change_id"] in {line["call_id"] for line in lines}


async def test_what_waits_is_bounded_and_the_oldest_lines_go_first(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "KEEP", 3)
    monkeypatch.setattr(trail, "BATCH", 2)
    for number in range(5):
        await sixty.as_role("user").outcome("read_note", note_id=str(number))
    await sixty.host.audit.flush()
    kept = sorted(line["arguments"]["note_id"] for line in await sixty.rows(sa.select(audit)))
    assert kept == ["2", "3", "4"]
