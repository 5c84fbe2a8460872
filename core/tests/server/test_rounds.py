"""A handler and its client: told, asked, and answered, the same in both eras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fakes import desk, notes
from fakes.notes import notes as notes_table
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CreateMessageResult,
    ElicitRequestFormParams,
    ElicitResult,
    ListRootsResult,
    Root,
    TextContent,
)

from sixty.tables import audit

if TYPE_CHECKING:
    from sixty.testing import Organisation

ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("notes", notes), ("desk", desk))


class Person:
    """Somebody who answers each question from a list, and remembers what was asked."""

    def __init__(self, *answers: ElicitResult) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, _context: Any, params: Any) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams)
        self.asked.append(params.message)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def yes(**content: Any) -> ElicitResult:
    return ElicitResult(action="accept", content=content)


@ERAS
async def test_questions_are_asked_one_after_another_and_what_is_written_waits(sixty: Organisation, mode: str) -> None:
    person = Person(yes(sure=True), yes(reason="because"))
    async with sixty.as_role("user").connected(mode=mode, elicitation_callback=person) as client:
        result = await client.call_tool("ask_twice", {})
    assert result.structured_content is not None
    assert result.structured_content["answers"] == ["True", "because"]
    assert person.asked == ["Are you sure?", "Why?"]
    assert await sixty.count(notes_table) == 1


@ERAS
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_person_may_refuse(sixty: Organisation, mode: str, action: Any) -> None:
    person = Person(ElicitResult(action=action))
    async with sixty.as_role("user").connected(mode=mode, elicitation_callback=person) as client:
        result = await client.call_tool("ask_twice", {})
    assert result.structured_content is not None
    assert result.structured_content["answers"] == [action]


@ERAS
async def test_an_answer_that_does_not_fit_is_asked_for_again(sixty: Organisation, mode: str) -> None:
    person = Person(yes(sure=True), yes(reason="x"), yes(reason="because"))
    async with sixty.as_role("user").connected(mode=mode, elicitation_callback=person) as client:
        result = await client.call_tool("ask_twice", {})
    assert result.structured_content is not None
    assert result.structured_content["answers"] == ["True", "because"]
    assert person.asked == ["Are you sure?", "Why?", "Why?"]


async def test_a_client_that_never_answers_well_is_given_up(sixty: Organisation) -> None:
    person = Person(yes(nonsense=True))
    async with sixty.as_role("user").connected(mode="legacy", elicitation_callback=person) as client:
        result = await client.call_tool("ask_twice", {})
    assert result.is_error
    assert result.structured_content is not None
    assert "do not fit what is asked" in result.structured_content["error"]["message"]
    assert await sixty.count(notes_table) == 0


@ERAS
async def test_a_form_may_be_a_json_schema_and_a_note_is_given_back(sixty: Organisation, mode: str) -> None:
    person = Person(yes(word=7), yes(word="seven"))
    async with sixty.as_role("user").connected(mode=mode, elicitation_callback=person) as client:
        result = await client.call_tool("keep_in_mind", {})
    assert result.structured_content is not None
    assert result.structured_content["answers"] == ["seven", "in mind"]


@ERAS
async def test_the_model_and_the_folders_are_asked(sixty: Organisation, mode: str) -> None:
    async def model(_context: Any, params: Any) -> CreateMessageResult:
        assert params.max_tokens == 5
        return CreateMessageResult(role="assistant", content=TextContent(text="hello"), model="small")

    async def roots(_context: Any) -> ListRootsResult:
        return ListRootsResult(roots=[Root(uri="file:///here")])

    async with sixty.as_role("user").connected(mode=mode, sampling_callback=model, list_roots_callback=roots) as client:
        result = await client.call_tool("ask_model", {})
    assert result.structured_content is not None
    assert result.structured_content["answers"] == ["hello", "file:///here"]


@ERAS
async def test_a_client_that_cannot_be_asked_is_told_what_it_lacks(sixty: Organisation, mode: str) -> None:
    async with sixty.as_role("user").connected(mode=mode) as client:
        with pytest.raises(MCPError, match="elicitation") as raised:
            await client.call_tool("ask_twice", {})
    assert raised.value.error.code == -32021
    assert raised.value.error.data == {"requiredCapabilities": {"elicitation": {}}}
    assert await sixty.count(notes_table) == 0


async def test_each_round_leaves_a_line_in_the_audit_trail(sixty: Organisation) -> None:
    person = Person(yes(sure=True), yes(reason="because"))
    async with sixty.as_role("user").connected(elicitation_callback=person) as client:
        await client.call_tool("ask_twice", {})
    await sixty.host.audit.flush()
    lines = await sixty.rows(audit.select().order_by(audit.c.seq))
    assert sorted(line["outcome"] for line in lines) == ["input_required", "input_required", "ok"]


@ERAS
async def test_a_prompt_may_ask_too(sixty: Organisation, mode: str) -> None:
    async with sixty.as_role("user").connected(mode=mode, elicitation_callback=Person(yes(sure=True))) as client:
        got = await client.get_prompt("careful")
    assert got.messages[0].content.text == "Yes."  # type: ignore[union-attr]


async def test_a_tool_that_did_not_say_that_it_asks_is_a_bug(sixty: Organisation) -> None:
    async with sixty.as_role("user").connected(elicitation_callback=Person(yes())) as client:
        result = await client.call_tool("ask_without_saying", {})
    assert result.structured_content is not None
    assert result.structured_content["error"]["code"] == "internal"


@ERAS
async def test_progress_and_logs_reach_the_client_that_wants_them(sixty: Organisation, mode: str) -> None:
    lines: list[tuple[str, Any, str | None]] = []
    progress: list[tuple[float, float | None, str | None]] = []

    async def note(params: Any) -> None:
        lines.append((params.level, params.data, params.logger))

    async def report(done: float, total: float | None, message: str | None) -> None:
        progress.append((done, total, message))

    meta = {"io.modelcontextprotocol/logLevel": "info"} if mode == "auto" else None
    async with sixty.as_role("user").connected(mode=mode, logging_callback=note) as client:
        await client.call_tool("talk", {"level": "warning"}, progress_callback=report, meta=meta)  # type: ignore[arg-type]
        await client.call_tool("talk", {"level": "debug"}, meta=meta)  # type: ignore[arg-type]
    assert lines == [("warning", {"text": "something"}, "talk")]
    assert progress == [(1.0, 2.0, "half")]


async def test_a_session_sets_its_level(sixty: Organisation) -> None:
    lines: list[str] = []

    async def note(params: Any) -> None:
        lines.append(params.level)

    async with sixty.as_role("user").connected(mode="legacy", logging_callback=note) as client:
        with pytest.warns(match="logging"):
            await client.set_logging_level("error")
        for level in ("warning", "error", "critical"):
            await client.call_tool("talk", {"level": level})
    assert lines == ["error", "critical"]


async def test_nobody_listens_to_a_call_of_the_command_line(sixty: Organisation) -> None:
    result = await sixty.as_role("user").call("talk")
    assert result["answers"] == ["False"]


@ERAS
async def test_blocks_stand_behind_a_result_or_in_its_place(sixty: Organisation, mode: str) -> None:
    async with sixty.as_role("user").connected(mode=mode) as client:
        alone = await client.call_tool("draw", {})
        behind = await client.call_tool("draw_and_say", {})
        stepped = await client.call_tool("step_and_draw", {})
    assert [block.type for block in alone.content] == ["text", "image"]
    assert alone.structured_content is None
    assert [block.text for block in behind.content][1:] == ["more"]  # type: ignore[union-attr]
    assert behind.structured_content == {"success": True, "message": "Done", "answers": []}
    assert [block.text for block in stepped.content] == ["from a step", "from outside"]  # type: ignore[union-attr]
