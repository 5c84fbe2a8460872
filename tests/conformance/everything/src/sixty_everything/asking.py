"""Tools that ask whoever is at the client: the person, the model, the folders."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, Field

from sixty import Arguments, Call
from sixty_everything.contents import Nothing, trying

asking = partial(trying, interactive=True)


class Message(Arguments):
    """What to ask the person."""

    message: str


class Question(Arguments):
    """What to ask the model."""

    prompt: str


class Response(BaseModel):
    """A form of two fields."""

    username: str = Field(description="User's response")
    email: str = Field(description="User's email address")


class Named(BaseModel):
    """A form that asks for a name."""

    name: str


class Coloured(BaseModel):
    """A form that asks for a colour."""

    color: str


class Confirmed(BaseModel):
    """A form that asks for a yes."""

    ok: bool


class Defaults(BaseModel):
    """A form with a default for each primitive type."""

    name: str = Field("John Doe", description="User name")
    age: int = Field(30, description="User age")
    score: float = Field(95.5, description="User score")
    status: Literal["active", "inactive", "pending"] = Field("active", description="User status")
    verified: bool = Field(default=True, description="Verification status")


ENUMS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
        "titledSingle": {
            "type": "string",
            "oneOf": [
                {"const": "value1", "title": "First Option"},
                {"const": "value2", "title": "Second Option"},
                {"const": "value3", "title": "Third Option"},
            ],
        },
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
        "titledMulti": {
            "type": "array",
            "items": {
                "anyOf": [
                    {"const": "value1", "title": "First Choice"},
                    {"const": "value2", "title": "Second Choice"},
                    {"const": "value3", "title": "Third Choice"},
                ]
            },
        },
    },
    "required": ["untitledSingle", "titledSingle", "untitledMulti", "titledMulti", "legacyEnum"],
}
"""Every way in which a form can offer a choice."""

_SAMPLE_PARAMS = {
    "messages": [{"role": "user", "content": {"type": "text", "text": "Generate a greeting"}}],
    "maxTokens": 50,
}


def _shown(content: object) -> str:
    if content is None:
        return "{}"
    return content.model_dump_json() if isinstance(content, BaseModel) else json.dumps(content)


@asking("test_elicitation")
async def test_elicitation(args: Message, call: Call) -> None:
    """Ask the person for a text."""
    answer = await call.client.ask(args.message, Response)
    call.attach(f"User response: action={answer.action}, content={_shown(answer.content)}")


@asking("test_elicitation_sep1034_defaults")
async def test_elicitation_sep1034_defaults(args: Nothing, call: Call) -> None:
    """Ask the person with defaults in the form."""
    answer = await call.client.ask("Please provide user information", Defaults)
    call.attach(f"Elicitation result: action={answer.action}, content={_shown(answer.content)}")


@asking("test_elicitation_sep1330_enums")
async def test_elicitation_sep1330_enums(args: Nothing, call: Call) -> None:
    """Ask the person to choose, in every way there is."""
    answer = await call.client.ask("Please select values using different enum schema types", ENUMS)
    call.attach(f"Elicitation completed: action={answer.action}, content={_shown(answer.content)}")


@asking("test_sampling")
async def test_sampling(args: Question, call: Call) -> None:
    """Ask the client's model."""
    reply = await call.client.sample(args.prompt, max_tokens=100)
    call.attach(f"LLM response: {reply['content'].get('text', '')}")


@asking("test_missing_capability")
async def test_missing_capability(args: Nothing, call: Call) -> None:
    """Ask the client's model, whether or not the client has one."""
    await call.client.sample("Say hello", max_tokens=10)
    call.attach("Client declared sampling capability; proceeding.")


@asking("test_streaming_elicitation")
async def test_streaming_elicitation(args: Nothing, call: Call) -> None:
    """Report progress, then ask the person."""
    await call.client.progress(1, 2)
    answer = await call.client.ask("Please confirm", Confirmed)
    call.attach(f"action={answer.action}")


@asking("test_input_required_result_elicitation")
async def test_input_required_result_elicitation(args: Nothing, call: Call) -> None:
    """Ask for a name, and greet."""
    answer = await call.client.ask("What is your name?", Named, key="user_name")
    call.attach(f"Hello, {answer.content.name if answer.content else 'stranger'}!")


@asking("test_input_required_result_sampling")
async def test_input_required_result_sampling(args: Nothing, call: Call) -> None:
    """Ask the client's model for a capital."""
    reply = await call.client.sample("What is the capital of France?", max_tokens=100, key="capital_question")
    call.attach(f"Model said: {reply['content'].get('text', '')}")


@asking("test_input_required_result_list_roots")
async def test_input_required_result_list_roots(args: Nothing, call: Call) -> None:
    """Ask for the client's folders."""
    roots = await call.client.roots(key="client_roots")
    call.attach(f"Client exposed {len(roots)} root(s).")


@asking("test_input_required_result_request_state")
async def test_input_required_result_request_state(args: Nothing, call: Call) -> None:
    """Ask for a yes, and be given back what was noted when asking."""
    form = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    question = {"method": "elicitation/create", "params": {"message": "Please confirm", "requestedSchema": form}}
    await call.client.request({"confirm": question}, state="noted")
    call.attach("state-ok: confirmation received" if call.client.state == "noted" else "the note is lost")


@asking("test_input_required_result_multiple_inputs")
async def test_input_required_result_multiple_inputs(args: Nothing, call: Call) -> None:
    """Ask the person, the model and the folders at once."""
    form = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    await call.client.request(
        {
            "user_name": {
                "method": "elicitation/create",
                "params": {"message": "What is your name?", "requestedSchema": form},
            },
            "greeting": {"method": "sampling/createMessage", "params": _SAMPLE_PARAMS},
            "client_roots": {"method": "roots/list"},
        },
        state="several",
    )
    call.attach("All inputs received.")


@asking("test_input_required_result_multi_round")
async def test_input_required_result_multi_round(args: Nothing, call: Call) -> None:
    """Ask one thing after another."""
    who = await call.client.ask("Step 1: What is your name?", Named, key="step1", state="1")
    what = await call.client.ask("Step 2: What is your favorite color?", Coloured, key="step2", state="2")
    if who.content is not None and what.content is not None:
        call.attach(f"{who.content.name} likes {what.content.color}.")
    else:
        call.attach("Somebody would not say.")


@asking("test_input_required_result_tampered_state")
async def test_input_required_result_tampered_state(args: Nothing, call: Call) -> None:
    """Ask for a yes, with a note that nobody may forge."""
    form = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    question = {"method": "elicitation/create", "params": {"message": "Please confirm", "requestedSchema": form}}
    await call.client.request({"confirm": question}, state="round-1")
    call.attach(f"state-ok: {call.client.state}")


@asking("test_input_required_result_capabilities")
async def test_input_required_result_capabilities(args: Nothing, call: Call) -> None:
    """Ask only what the client can answer."""
    form = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    requests: dict[str, dict[str, Any]] = {}
    if call.client.can("sampling"):
        requests["sample"] = {"method": "sampling/createMessage", "params": _SAMPLE_PARAMS}
    if call.client.can("elicitation"):
        params = {"message": "What is your name?", "requestedSchema": form}
        requests["ask"] = {"method": "elicitation/create", "params": params}
    await call.client.request(requests, state="gated")
    call.attach("Whoever could be asked was asked.")


TOOLS = [
    test_elicitation,
    test_elicitation_sep1034_defaults,
    test_elicitation_sep1330_enums,
    test_sampling,
    test_missing_capability,
    test_streaming_elicitation,
    test_input_required_result_elicitation,
    test_input_required_result_sampling,
    test_input_required_result_list_roots,
    test_input_required_result_request_state,
    test_input_required_result_multiple_inputs,
    test_input_required_result_multi_round,
    test_input_required_result_tampered_state,
    test_input_required_result_capabilities,
]
