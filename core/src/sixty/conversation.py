"""What a handler may say to, and ask of, whoever is at the client: the person, the client's model, its folders.

Nobody waits inside a transaction. A question that is not answered yet ends the call, whatever it has written is
rolled back, and the handler is run anew with the answer: by the client in the newest era, by the server in the others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, overload

from pydantic import BaseModel, ValidationError

from sixty.errors import Invalid, Unavailable
from sixty.outcome import Outcome
from sixty.schemas import schema_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sixty.offers import Offer

__all__ = [
    "CAPABILITIES",
    "NO_REPLIES",
    "Answer",
    "Channel",
    "Conversation",
    "InputRequired",
    "Level",
    "MissingCapability",
    "Replies",
    "settled",
]

ROUNDS = 8
"""How often one call may ask."""

Level = Literal["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
_Form = TypeVar("_Form", bound=BaseModel)
_Content = TypeVar("_Content")

CAPABILITIES: Mapping[str, str] = {
    "elicitation/create": "elicitation",
    "sampling/createMessage": "sampling",
    "roots/list": "roots",
}
"""What a client must have declared for each request that it may be sent."""


class Channel(Protocol):
    """The client of one call, as its transport reaches it."""

    def can(self, capability: str) -> bool:
        """Whether the client has declared `elicitation`, `sampling` or `roots`."""

    async def progress(self, done: float, total: float | None, message: str | None) -> None:
        """Tell how far the call is, if the client wants to know."""

    async def log(self, level: Level, data: Any, logger: str) -> None:
        """Send a line of a log, if the client wants it."""


@dataclass(frozen=True)
class Replies:
    """What the client has answered so far, by the key of each question, and what the handler asked to be given back."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    state: str | None = None

    def sealed(self) -> str | None:
        """Both as a text for the client to carry, or None if there is nothing to carry."""
        return json.dumps([self.answers, self.state]) if self.answers or self.state is not None else None

    @classmethod
    def unsealed(cls, text: str | None, answers: Mapping[str, Any]) -> Replies:
        """What an earlier round sealed, and the answers of this one."""
        before, state = json.loads(text) if text is not None else ({}, None)
        return cls({**before, **answers}, state)


NO_REPLIES = Replies()
"""Those of a first round."""


class InputRequired(Exception):
    """The handler goes on once `requests`, by key, are answered. Nothing has been written."""

    def __init__(self, requests: Mapping[str, Mapping[str, Any]], replies: Replies) -> None:
        super().__init__(", ".join(requests))
        self.requests = requests
        """Each with the `method` and `params` of MCP."""
        self.replies = replies
        """What is already known, for the next round."""


async def settled(
    run: Callable[[Replies], Awaitable[Outcome]],
    ask: Callable[[InputRequired], Awaitable[Mapping[str, Any]]],
    replies: Replies = NO_REPLIES,
) -> Outcome:
    """What `run` comes to when every question is answered by `ask`, by key. One that asks without end is given up."""
    for _ in range(ROUNDS):
        try:
            return await run(replies)
        except InputRequired as needed:
            answers = await ask(needed)
            replies = Replies({**needed.replies.answers, **answers}, needed.replies.state)
    endless = Unavailable(f"given up after {ROUNDS} rounds of questions: the client's answers do not fit what is asked")
    return Outcome.of({"success": False, "error": endless.to_json()}, is_error=True)


class MissingCapability(Exception):
    """The client has not declared what a request needs."""

    def __init__(self, capabilities: list[str]) -> None:
        super().__init__(f"this needs a client that supports {' and '.join(capabilities)}")
        self.capabilities = capabilities


@dataclass(frozen=True)
class Answer(Generic[_Content]):
    """What a person has answered. `content` is there when they have accepted."""

    action: Literal["accept", "decline", "cancel"]
    content: _Content | None = None


class Conversation:
    """A call's way to its client. Where nobody listens, what is said is lost, and nothing can be asked."""

    def __init__(self, offer: Offer, channel: Channel | None, replies: Replies) -> None:
        self._offer = offer
        self._channel = channel
        self._replies = replies
        self._asked = 0

    def can(self, capability: Literal["elicitation", "sampling", "roots"]) -> bool:
        """Whether the client can be asked for it."""
        return self._channel is not None and self._channel.can(capability)

    async def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Tell how far the call is, in units of the handler's own choice."""
        if self._channel is not None:
            await self._channel.progress(done, total, message)

    async def log(self, level: Level, data: Any) -> None:
        """Send a line of a log: a text, or anything that JSON can hold."""
        if self._channel is not None:
            await self._channel.log(level, data, self._offer.name)

    @property
    def state(self) -> str | None:
        """What the handler gave to `request` in the round before, or None in the first."""
        return self._replies.state

    async def request(self, requests: Mapping[str, Mapping[str, Any]], *, state: str | None = None) -> dict[str, Any]:
        """The results of MCP requests to the client, by key; asked for all at once, unless they are known already.

        Each request is a `method` and its `params`. `state` is given back, unseen by the client, in the next round.
        Raises `MissingCapability` where the client cannot answer, which the client is told as a protocol error.
        """
        if not self._offer.interactive:
            msg = f"the {self._offer.kind} {self._offer.name} asks its client: declare it with `interactive=True`"
            raise LookupError(msg)
        answers = self._replies.answers
        missing = {key: request for key, request in requests.items() if key not in answers}
        if missing:
            needed = {CAPABILITIES[request["method"]] for request in missing.values()}
            if lacking := sorted(name for name in needed if self._channel is None or not self._channel.can(name)):
                raise MissingCapability(lacking)
            raise InputRequired(missing, Replies(answers, state if state is not None else self.state))
        return {key: answers[key] for key in requests}

    @overload
    async def ask(
        self, message: str, form: type[_Form], *, key: str | None = ..., state: str | None = ...
    ) -> Answer[_Form]: ...
    @overload
    async def ask(
        self, message: str, form: Mapping[str, Any], *, key: str | None = ..., state: str | None = ...
    ) -> Answer[dict[str, Any]]: ...
    async def ask(self, message: str, form: Any, *, key: str | None = None, state: str | None = None) -> Answer[Any]:
        """What the person at the client answers to `message`, in a form with the fields of a flat model or JSON Schema.

        An answer that does not fit the form is asked for again. `key` names the question, should the handler ask
        several, and not always in the same order; `state` is as in `request`.
        """
        key = key or self._next_key()
        schema = form if isinstance(form, Mapping) else schema_of(form, "validation")
        question = {"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}}
        reply = (await self.request({key: question}, state=state))[key]
        if reply.get("action") != "accept":
            return Answer("cancel" if reply.get("action") == "cancel" else "decline")
        try:
            return Answer("accept", _filled(form, reply.get("content") or {}))
        except (ValidationError, Invalid):
            answers = {name: answer for name, answer in self._replies.answers.items() if name != key}
            raise InputRequired({key: question}, Replies(answers, self.state)) from None

    async def sample(self, prompt: str, *, max_tokens: int, key: str | None = None, **params: Any) -> dict[str, Any]:
        """What the client's model makes of `prompt`: its message, with `role`, `content` and `model`.

        `params` are further ones of MCP's `sampling/createMessage`.
        """
        key = key or self._next_key()
        messages = [{"role": "user", "content": {"type": "text", "text": prompt}}]
        given = {"messages": messages, "maxTokens": max_tokens, **params}
        result: dict[str, Any] = (await self.request({key: {"method": "sampling/createMessage", "params": given}}))[key]
        return result

    async def roots(self, *, key: str = "roots") -> list[dict[str, Any]]:
        """The folders that the client has opened, each with `uri` and perhaps `name`."""
        result = (await self.request({key: {"method": "roots/list"}}))[key]
        return list(result.get("roots", ()))

    def _next_key(self) -> str:
        self._asked += 1
        return f"question-{self._asked}"


def _filled(form: Any, content: Mapping[str, Any]) -> Any:
    if not isinstance(form, Mapping):
        return form.model_validate(content)
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - only who asks with a schema of their own needs it

    if (problem := next(Draft202012Validator(form).iter_errors(content), None)) is not None:
        raise Invalid(problem.message)
    return dict(content)
