"""No secret is written down: not as an argument, and not by a message that quotes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty.audit.redacting import Redactor
from sixty.errors import UnknownTool
from sixty.tables import audit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.testing import Organisation

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
KEY = "sk60_" + "a1B2" * 8


@pytest.mark.parametrize("name", ["iban", "IBAN"])
def test_arguments_that_the_operator_names_are_hidden_at_any_depth_and_in_any_case(name: str) -> None:
    kept, message = Redactor([name]).kept({"a": [{"Iban": "DE89 3704"}], "ibans": "x"}, "iban: 'DE89 3704' is no IBAN")
    assert kept == {"a": [{"Iban": "[redacted]"}], "ibans": "x"}
    assert message == "iban: '[redacted]' is no IBAN"


@pytest.mark.parametrize(
    ("secret", "quoted"),
    [("x" * 200, "x" * 80), ("it's\n", "it's\\n"), ({"deep": ["hunter2"]}, "hunter2"), (123456, "123456")],
)
def test_messages_do_not_quote_what_is_hidden_however_they_cut_or_escape_it(secret: Any, quoted: str) -> None:
    _, message = Redactor().kept({"password": secret}, f"got {quoted!r} or {quoted}")
    assert message is not None
    assert quoted not in message


@pytest.mark.parametrize("text", [KEY, f"use {KEY}!", "whsec_" + "ab+/" * 8, f"Bearer {JWT}"])
def test_credentials_that_somebody_has_pasted_are_hidden_wherever_they_stand(text: str) -> None:
    kept, message = Redactor().kept({"notes": text}, text)
    for shown in (kept["notes"], message):
        assert "[redacted]" in shown
        assert not any(part in shown for part in ("a1B2", "ab+/", "eyJ"))


@pytest.mark.parametrize("name", ["api_key", "apiKey", "X-API-Key", "API KEY", "userPassword", "private_key", "Tax-ID"])
def test_names_are_known_however_they_are_written(name: str) -> None:
    kept, _ = Redactor(["tax_id"]).kept({name: "hunter2"}, None)
    assert kept == {name: "[redacted]"}


@pytest.mark.parametrize(
    "text",
    [
        '{"password": "hunter2", "name": "Joe"}',
        ' [{"deep": {"Api-Key": "hunter2"}}]',
        '{"again": "{\\"token\\": \\"hunter2\\"}"}',
        '{"filler": "' + "x" * 3_000 + '", "password": "hunter2"}',
    ],
)
def test_json_in_a_text_is_looked_through(text: str) -> None:
    kept, message = Redactor().kept({"body": text}, "got 'hunter2'")
    assert "hunter2" not in str((kept, message))
    assert kept["body"] != text


@pytest.mark.parametrize("text", ['{"name":  "Joe"}', "{ no JSON", "[" * 2_000, '{"a": 1}' * 2])
def test_other_texts_are_kept_as_they_are(text: str) -> None:
    assert Redactor().kept({"body": text}, None)[0] == {"body": text}


class TestConfigured:
    @pytest.fixture
    def environ(self) -> Mapping[str, str]:
        return {"SIXTY_AUDIT_REDACT": "body, key"}

    async def test_a_call_keeps_the_rest(self, sixty: Organisation) -> None:
        await sixty.as_role("user").call("add_note", text="Lunch", body="a private matter", key="abc")
        await sixty.as_role("user").outcome("add_note", text="Lunch", key="NOT A KEY")
        await sixty.host.audit.flush()
        first, second = await sixty.rows(sa.select(audit).order_by(audit.c.seq))
        assert first["arguments"] == {"text": "Lunch", "body": "[redacted]", "key": "[redacted]"}
        assert "NOT A KEY" not in str(second)
        assert second["outcome"] == "invalid"


async def test_a_credential_in_the_place_of_a_tool_is_hidden_as_well(sixty: Organisation) -> None:
    with pytest.raises(UnknownTool):
        await sixty.as_role("user").call(KEY)
    await sixty.host.audit.flush()
    (line,) = await sixty.rows(sa.select(audit))
    assert (line["tool"], "a1B2" in str(line)) == ("[redacted]", False)


async def test_a_read_keeps_which_records_it_has_shown_and_a_write_those_that_it_wrote(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    one, other = [(await user.call("add_note", text=text))["note"]["id"] for text in ("One apple", "One pear")]
    await user.call("edit_note", note_id=one, updates={"about_id": other})
    await user.call("read_note", note_id=one)
    await user.call("search_crm", query="one")
    await user.call("get_record", id=other)
    await user.outcome("read_note", note_id=user.user_id)
    await sixty.host.audit.flush()
    lines = [(line["tool"], line["records"]) for line in await sixty.rows(sa.select(audit))]
    both = {one: "note", other: "note"}
    for line in (
        ("edit_note", {one: "note"}),
        ("read_note", {one: "note"}),
        ("search_crm", both),
        ("get_record", both),  # and what points at it
        ("read_note", {}),
    ):
        assert line in lines
