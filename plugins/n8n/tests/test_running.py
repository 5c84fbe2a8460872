"""A workflow is started, and what came of it is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from fake_n8n import KEY, FakeN8n, Reply, Request, webhook

from sixty import Conflict, Forbidden, Invalid, NotFound, Unavailable
from sixty_n8n import api, starting
from sixty_n8n.executions import WorkflowFailed
from sixty_n8n.tools import running

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.testing import Organisation

pytestmark = pytest.mark.usefixtures("hasty")
TOKEN = "a-webhook-token"
BOOM = {"message": "The service refused the connection", "node": {"name": "Enrich"}}


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for longer than these tests need."""
    monkeypatch.setattr(starting, "_PAUSES", (0.0, 0.0))
    monkeypatch.setattr(running, "_FIRST_PAUSE", 0.0)


async def run(sixty: Organisation, **arguments: Any) -> dict[str, Any]:
    return await sixty.as_role("manager").call("run_workflow", **{"wait_seconds": 0, **arguments})


def sent(n8n: FakeN8n) -> Request:
    """What a webhook was sent."""
    (request,) = (request for request in n8n.asked if request.path.startswith("/webhook/"))
    return request


async def test_a_workflow_is_started_with_data_and_its_result_comes_back(sixty: Organisation, n8n: FakeN8n) -> None:
    lead = n8n.add("Lead qualification", webhook("lead"))
    n8n.runs(lead, items=[{"score": 80}, {"score": 20}])
    ran = await run(sixty, workflow_id=lead, data={"email": "anna@acme.example"})
    assert ran == {
        "success": True,
        "message": 'The workflow "Lead qualification" has run and made 2 items',
        "workflow_id": lead,
        "execution_id": "1000",
        "status": "success",
        "result": [{"score": 80}, {"score": 20}],
    }
    assert sent(n8n).json == {"email": "anna@acme.example"}


async def test_what_a_workflow_answers_is_its_result(sixty: Organisation, n8n: FakeN8n) -> None:
    lead = n8n.add("Lead qualification", webhook("lead", responseMode="responseNode"))
    n8n.runs(lead, answer={"qualified": True}, items=[{"inner": 1}])
    ran = await run(sixty, workflow_id=lead)
    assert (ran["result"], ran["message"]) == ({"qualified": True}, 'The workflow "Lead qualification" has run')
    n8n.runs(lead, answer=Reply(b"fine", headers={"content-type": "text/plain"}))
    assert (await run(sixty, workflow_id=lead))["result"] == "fine"
    n8n.runs(lead, answer=Reply(b"\x89PNG", headers={"content-type": "image/png"}), items=[{"inner": 2}])
    assert (await run(sixty, workflow_id=lead))["result"] == [{"inner": 2}]


async def test_its_own_run_is_found_among_others_of_the_same_workflow(sixty: Organisation, n8n: FakeN8n) -> None:
    lead = n8n.add("Lead qualification", webhook("lead"))
    n8n.record(lead, items=[{"who": "somebody, before"}])

    def busy(request: Request) -> Reply:
        n8n.record(lead, items=[{"who": "somebody, meanwhile"}])
        n8n.record(lead, request, items=[{"who": "us"}])
        n8n.record(lead, items=[{"who": "somebody, after"}])
        return Reply({"message": "Workflow was started"})

    n8n.acts["POST /webhook/lead"] = busy
    ran = await run(sixty, workflow_id=lead)
    assert (ran["execution_id"], ran["result"]) == ("1002", [{"who": "us"}])


async def test_a_workflow_that_goes_on_is_followed_later(sixty: Organisation, n8n: FakeN8n) -> None:
    slow = n8n.add("Outreach", webhook("outreach"))
    n8n.runs(slow, status="running", items=[{"sent": 3}])
    ran = await run(sixty, workflow_id=slow)
    assert ran["status"] == "running"
    assert ran["message"].endswith("is still running; run_workflow with execution_id 1000 follows it")
    n8n.executions[0]["status"] = "success"
    followed = await run(sixty, execution_id=ran["execution_id"])
    assert (followed["status"], followed["result"]) == ("success", [{"sent": 3}])
    assert followed["message"] == 'The workflow "Outreach" has run and made 1 item'


async def test_it_is_waited_for_until_it_ends(sixty: Organisation, n8n: FakeN8n) -> None:
    slow = n8n.add("Outreach", webhook("outreach"))
    looks: list[str] = []

    class Ending(dict[str, Any]):
        """A run that has ended when it is looked at for the fourth time."""

        def items(self) -> Any:
            looks.append(self["status"])
            if len(looks) > 3:
                self["status"] = "success"
            return super().items()

    n8n.runs(slow, status="running", items=[{"sent": 3}])
    act = n8n.acts["POST /webhook/outreach"]

    def then_ends(request: Request) -> Any:
        reply = act(request)
        n8n.executions[0] = Ending(n8n.executions[0])
        return reply

    n8n.acts["POST /webhook/outreach"] = then_ends
    ran = await run(sixty, workflow_id=slow, wait_seconds=30)
    assert (ran["status"], ran["result"]) == ("success", [{"sent": 3}])
    assert len(looks) > 3


async def test_one_that_waits_for_days_is_not_waited_for(sixty: Organisation, n8n: FakeN8n) -> None:
    patient = n8n.add("Outreach", webhook("outreach"))
    n8n.runs(patient, status="waiting", waitTill="2026-03-05T09:00:00.000Z", finished=False)
    ran = await run(sixty, workflow_id=patient, wait_seconds=30)
    assert (ran["status"], ran["waits_until"]) == ("waiting", "2026-03-05T09:00:00.000Z")
    assert "waits until 2026-03-05T09:00:00.000Z; run_workflow with execution_id 1000 follows it" in ran["message"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"status": "error", "error": BOOM}, 'failed in its node "Enrich": The service refused the connection. Exec'),
        ({"status": "crashed"}, 'failed in its node "Last": n8n does not say why. Execution 1000 in n8n'),
        ({"status": "canceled"}, 'was cancelled in n8n in its node "Last"; run it again'),
    ],
)
async def test_a_workflow_that_fails_is_an_error_that_says_where_and_why(
    sixty: Organisation, n8n: FakeN8n, more: dict[str, Any], said: str
) -> None:
    lead = n8n.add("Lead qualification", webhook("lead", responseMode="lastNode"))
    n8n.runs(lead, answer=Reply({"message": "Error in workflow"}, 500), **more)
    with pytest.raises(WorkflowFailed) as caught:
        await run(sixty, workflow_id=lead)
    assert said in caught.value.message
    assert caught.value.details["execution_id"] == "1000"
    with pytest.raises(WorkflowFailed):
        await run(sixty, execution_id="1000")


async def test_a_webhook_that_does_not_answer_in_time_leaves_a_run_to_follow(
    sixty: Organisation, n8n: FakeN8n, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "SENDING", 0.2)
    slow = n8n.add("Outreach", webhook("outreach", responseMode="lastNode"))
    released = asyncio.Event()

    async def hang(request: Request) -> Reply:
        n8n.record(slow, request, status="running")
        await released.wait()
        return Reply({})

    n8n.acts["POST /webhook/outreach"] = hang
    ran = await run(sixty, workflow_id=slow)
    assert (ran["status"], ran["execution_id"]) == ("running", "1000")
    released.set()


async def test_silence_without_a_run_is_unavailable_and_warns_of_a_second_start(
    sixty: Organisation, n8n: FakeN8n, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "SENDING", 0.2)
    slow = n8n.add("Outreach", webhook("outreach"))
    released = asyncio.Event()

    async def hang(_request: Request) -> Reply:
        await released.wait()
        return Reply({})

    n8n.acts["POST /webhook/outreach"] = hang
    with pytest.raises(Unavailable, match="shows no run that came of it; look there before you try again"):
        await run(sixty, workflow_id=slow)
    released.set()


async def test_where_n8n_keeps_no_record_the_answer_is_all_there_is(sixty: Organisation, n8n: FakeN8n) -> None:
    lead = n8n.add("Lead qualification", webhook("lead", responseMode="lastNode"))
    n8n.acts["POST /webhook/lead"] = lambda _: Reply({"qualified": True})
    ran = await run(sixty, workflow_id=lead)
    assert (ran["status"], ran["result"]) == ("started", {"qualified": True})
    assert "n8n shows no record of the run" in ran["message"]
    assert "execution_id" not in ran


async def test_a_webhook_that_is_not_registered_yet_is_tried_again_later(sixty: Organisation, n8n: FakeN8n) -> None:
    lead = n8n.add("Lead qualification", webhook("lead"))
    with pytest.raises(Unavailable, match="takes a moment after it was activated"):
        await run(sixty, workflow_id=lead)
    n8n.acts["POST /webhook/lead"] = lambda _: Reply({"message": "Authorization data is wrong!"}, 403)
    with pytest.raises(Unavailable, match=r"webhook answered 403 \(Authorization data is wrong!\)"):
        await run(sixty, workflow_id=lead)


async def test_a_large_result_is_cut(sixty: Organisation, n8n: FakeN8n) -> None:
    many = n8n.add("Export", webhook("export"))
    n8n.runs(many, items=[{"text": "x" * 1000, "number": number} for number in range(200)])
    ran = await run(sixty, workflow_id=many)
    assert ran["result_is_cut"] is True
    assert 40 < len(ran["result"]) < 50
    assert ran["message"].endswith("not all of its result is shown")


async def test_a_large_text_is_cut_and_a_large_object_is_left_out(sixty: Organisation, n8n: FakeN8n) -> None:
    lead = n8n.add("Lead qualification", webhook("lead", responseMode="responseNode"))
    n8n.runs(lead, answer=Reply(b"x" * 60_000, headers={"content-type": "text/plain; charset=utf-8"}))
    ran = await run(sixty, workflow_id=lead)
    assert (ran["result"], ran["result_is_cut"]) == ("x" * 25_000, True)
    n8n.runs(lead, answer=Reply({"text": "x" * 60_000}))
    ran = await run(sixty, workflow_id=lead)
    assert ("result" in ran, ran["result_is_cut"]) == (False, True)


@pytest.mark.parametrize("content", [b'{"a": "' + b"x" * 1_100_000 + b'"}', b"<not json>", b"[" * 200_000])
async def test_an_answer_that_cannot_be_read_gives_way_to_what_the_last_node_made(
    sixty: Organisation, n8n: FakeN8n, content: bytes
) -> None:
    lead = n8n.add("Lead qualification", webhook("lead", responseMode="responseNode"))
    n8n.runs(lead, answer=Reply(content), items=[{"score": 80}])
    assert (await run(sixty, workflow_id=lead))["result"] == [{"score": 80}]


async def test_a_run_with_too_much_data_is_followed_without_it(
    sixty: Organisation, n8n: FakeN8n, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = n8n.add("Export", webhook("export"))
    n8n.record(many, items=[{"text": "x" * 5000}])
    monkeypatch.setattr(api, "_LARGEST", 4000)
    ran = await run(sixty, execution_id="1000")
    assert (ran["status"], "result" in ran) == ("success", False)


@pytest.mark.parametrize("refused_from", [4, 7])
async def test_an_n8n_that_fails_once_the_workflow_was_started_does_not_make_it_look_unstarted(
    sixty: Organisation, n8n: FakeN8n, refused_from: int
) -> None:
    lead = n8n.add("Lead qualification", webhook("lead"))
    n8n.runs(lead, status="running")
    act = n8n.acts["POST /webhook/lead"]

    def then_fails(request: Request) -> Any:
        so_far, failed = len(n8n.asked), Reply({"message": "Database is locked"}, 500)
        n8n.instead = lambda _: failed if len(n8n.asked) - so_far >= refused_from else None
        return act(request)

    n8n.acts["POST /webhook/lead"] = then_fails
    ran = await run(sixty, workflow_id=lead, wait_seconds=30)
    assert ran["status"] == "started"
    assert ran.get("execution_id") == (None if refused_from == 4 else "1000")


@pytest.mark.parametrize(
    ("content", "shown"),
    [(b'{"a": "\\ud800"}', {"a": "?"}), (b'{"a": ' * 150 + b"1" + b"}" * 150, None), (b"NaN", None)],
)
async def test_an_answer_that_agents_could_not_be_shown_is_made_fit(
    sixty: Organisation, n8n: FakeN8n, content: bytes, shown: Any
) -> None:
    lead = n8n.add("Lead qualification", webhook("lead", responseMode="responseNode"))
    n8n.acts["POST /webhook/lead"] = lambda _: Reply(content)
    assert (await run(sixty, workflow_id=lead)).get("result") == shown


async def test_a_webhook_for_get_is_sent_the_data_in_its_address(sixty: Organisation, n8n: FakeN8n) -> None:
    lead = n8n.add("Lookup", webhook("lookup", httpMethod="GET"))
    n8n.runs(lead)
    await run(sixty, workflow_id=lead, data={"name": "Anna & Co", "tags": ["a", 1]})
    assert (sent(n8n).method, sent(n8n).body) == ("GET", b"")
    assert sent(n8n).query == {"name": "Anna & Co", "tags": '["a", 1]'}


async def test_the_key_for_the_api_does_not_go_to_webhooks(sixty: Organisation, n8n: FakeN8n) -> None:
    lead = n8n.add("Lead qualification", webhook("lead"))
    n8n.runs(lead)
    await run(sixty, workflow_id=lead)
    assert KEY not in str(sent(n8n))
    assert "authorization" not in sent(n8n).headers


class TestWithAToken:
    @pytest.fixture
    def environ(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        return {**environ, "SIXTY_N8N_WEBHOOK_TOKEN": TOKEN}

    async def test_a_webhook_that_asks_for_a_header_gets_the_token(self, sixty: Organisation, n8n: FakeN8n) -> None:
        lead = n8n.add("Lead qualification", webhook("lead", authentication="headerAuth"))
        n8n.runs(lead)
        await run(sixty, workflow_id=lead)
        assert sent(n8n).headers["authorization"] == f"Bearer {TOKEN}"

    async def test_one_that_is_open_does_not(self, sixty: Organisation, n8n: FakeN8n) -> None:
        lead = n8n.add("Lead qualification", webhook("lead"))
        n8n.runs(lead)
        await run(sixty, workflow_id=lead)
        assert TOKEN not in str(sent(n8n))


async def test_what_cannot_be_started_is_refused_with_what_it_takes(sixty: Organisation, n8n: FakeN8n) -> None:
    asleep = n8n.add("Asleep", webhook(), active=False)
    timer = {"name": "Every day", "type": "n8n-nodes-base.scheduleTrigger", "parameters": {}}
    weekly = n8n.add("Weekly", timer)
    with pytest.raises(Conflict, match='"Asleep" is not active'):
        await run(sixty, workflow_id=asleep)
    with pytest.raises(Invalid, match="it is started by schedule"):
        await run(sixty, workflow_id=weekly)
    with pytest.raises(NotFound, match="shows no workflow 'Nowhere' to this server; list_workflows shows"):
        await run(sixty, workflow_id="Nowhere")
    with pytest.raises(NotFound, match="shows no execution '77'"):
        await run(sixty, execution_id="77")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"workflow_id": "1", "execution_id": "1"},
        {"execution_id": "1", "data": {}},
        {"workflow_id": "../credentials"},
        {"workflow_id": "1", "wait_seconds": 46},
        {"workflow_id": "1", "data": []},
    ],
)
async def test_arguments_that_do_not_go_together_are_refused(
    sixty: Organisation, n8n: FakeN8n, arguments: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        await run(sixty, **arguments)
    assert n8n.asked == []


@pytest.mark.parametrize(("method", "value"), [("POST", float("nan")), ("GET", float("nan")), ("GET", "\ud800")])
async def test_data_that_json_does_not_have_is_refused(
    sixty: Organisation, n8n: FakeN8n, method: str, value: Any
) -> None:
    lead = n8n.add("Lead qualification", webhook("lead", httpMethod=method))
    n8n.runs(lead)
    with pytest.raises(Invalid, match="data cannot be sent as JSON"):
        await run(sixty, workflow_id=lead, data={"x": value})


async def test_the_same_call_with_the_same_key_starts_it_once(sixty: Organisation, n8n: FakeN8n) -> None:
    lead = n8n.add("Lead qualification", webhook("lead"))
    n8n.runs(lead)
    manager = sixty.as_role("manager").keyed("once")
    first = await manager.call("run_workflow", workflow_id=lead, wait_seconds=0)
    assert await manager.call("run_workflow", workflow_id=lead, wait_seconds=0) == first
    assert len(n8n.executions) == 1


async def test_users_start_no_workflows_unless_they_are_granted(sixty: Organisation, n8n: FakeN8n) -> None:
    with pytest.raises(Forbidden, match="workflows:run"):
        await sixty.as_role("user").call("run_workflow", workflow_id="1")
    assert n8n.asked == []
