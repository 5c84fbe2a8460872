"""Starting a workflow by its production webhook, and finding the run that came of it.

n8n's public API reads and cannot start. A webhook tells no number of the run, so that each request carries a mark in
a header, which n8n keeps with the data of the run: the run is the new one that has it.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sixty import Invalid, Unavailable
from sixty_n8n.answers import OK, Silence, ask
from sixty_n8n.api import explained

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty_n8n.answers import Answer
    from sixty_n8n.api import Api
    from sixty_n8n.triggers import Webhook

__all__ = ["Started", "start"]

MARK = "X-Sixty-Call"
"""The header that tells one's own run from others."""
SENDING = 5.0
"""Seconds that a request has to be answered in at the least, however short the caller wants to wait."""
_LARGEST = 1_000_000
"""Bytes of what a workflow answers."""
_PAUSES = (0.1, 0.3, 0.6, 1.0)
"""Seconds between looks for a run that is not to be seen yet."""
_CANDIDATES = 10
_STATUSES = (None, "running", "waiting")
"""What to ask for: without a status n8n does not show what is still going on."""
_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE"})
_MISSING = 404


@dataclass(frozen=True, slots=True)
class Started:
    """A workflow that was started: its run, unless n8n keeps none, and what its webhook has answered by now."""

    execution_id: str | None
    answer: Answer | None


async def start(api: Api, webhook: Webhook, data: Mapping[str, Any], *, mark: str, wait: float) -> Started:
    """The workflow is started with `data`. `Unavailable` if its webhook does not take it."""
    before = max(await _runs(api, webhook.workflow_id, 1), default=0)
    answer = await _send(api, webhook, data, mark, max(wait, SENDING))
    execution_id = None
    with suppress(Unavailable):  # it may run by now, and who reads of an error starts it again
        execution_id = await _find(api, webhook.workflow_id, before, mark, answer)
    if execution_id is None and answer is None:
        msg = "n8n has not answered the webhook, and shows no run that came of it; look there before you try again"
        raise Unavailable(msg)
    if execution_id is None and answer is not None and answer.status not in OK:
        raise _refused(answer)
    return Started(execution_id, answer)


async def _send(api: Api, webhook: Webhook, data: Mapping[str, Any], mark: str, patience: float) -> Answer | None:
    """What the webhook answers; None if it takes longer than that. The key for the API is none of its business."""
    headers = {MARK: mark, "User-Agent": "Sixty"}
    if webhook.authentication == "headerAuth" and api.webhook_token is not None:
        headers["Authorization"] = f"Bearer {api.webhook_token.get_secret_value()}"
    url, content = f"{api.url}/webhook/{webhook.path}", None
    try:
        if webhook.method in _WITHOUT_BODY:
            texts = {name: value if isinstance(value, str) else _json(value) for name, value in data.items()}
            url = f"{url}?{urlencode(texts)}" if texts else url
        else:
            content = _json(data).encode()
            headers["Content-Type"] = "application/json"
    except ValueError as error:  # a number that JSON does not have, half a character
        raise Invalid(f"data cannot be sent as JSON: {error}", field="data") from None
    try:
        return await ask(webhook.method, url, headers=headers, content=content, patience=patience, largest=_LARGEST)
    except Silence:
        return None


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


async def _find(api: Api, workflow_id: str, before: int, mark: str, answer: Answer | None) -> str | None:
    """The new run of the workflow that has the mark, or None if there is none to be seen."""
    seen: set[int] = set()
    for pause in (0.0, *_PAUSES) if answer is None or answer.status in OK else (0.0,):
        await asyncio.sleep(pause)
        for number in sorted(await _runs(api, workflow_id, _CANDIDATES)):
            if number > before and number not in seen:
                if mark in json.dumps(await api.execution(str(number), data=True)):
                    return str(number)
                seen.add(number)
    return None


async def _runs(api: Api, workflow_id: str, limit: int) -> set[int]:
    """The numbers of the newest runs of a workflow."""
    pages = [await api.executions(workflowId=workflow_id, limit=limit, status=status) for status in _STATUSES]
    ids = (str(run.get("id", "")) for page in pages for run in page)
    return {int(each) for each in ids if each.isascii() and each.isdigit()}


def _refused(answer: Answer) -> Unavailable:
    if answer.status == _MISSING:
        return Unavailable("n8n does not wait at the workflow's webhook yet: it takes a moment after it was activated")
    return Unavailable(f"the workflow's webhook answered {answer.status}{explained(answer)}")
