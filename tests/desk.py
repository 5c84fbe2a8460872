"""People who move deals through a server that may go away at any moment, and do not give up."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice, pairwise
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import Request, urlopen
from uuid import uuid4

from things import PATIENCE, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STAGES = ("sql", "opportunity", "verbal")
VERSION = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientInfo": {"name": "desk", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
SELLERS = 8

Move = tuple[str, str]
"""From which stage to which."""


class Desk:
    """Several people, and what they have done as far as they were told."""

    def __init__(self, addresses: Sequence[str], key: str) -> None:
        self._addresses = addresses
        self._key = key
        self.moves: dict[str, list[Move]] = {}
        """Every move that was acknowledged, by deal, in order."""
        self.done = threading.Event()

    def subscribe(self, url: str, *events: str) -> str:
        """The secret of a new subscription."""
        subscribed = self._post(f"{self._addresses[0]}/webhooks", {"url": url, "events": list(events)}, {})
        secret: str = subscribed["secret"]
        return secret

    def work(self, deals: int, moves: int) -> None:
        """So many deals are created, and each is moved so many times; nobody stops before that is acknowledged."""
        with ThreadPoolExecutor(SELLERS) as sellers:
            try:
                list(sellers.map(lambda number: self._sell(number, moves), range(deals)))
            finally:
                self.done.set()

    def _sell(self, number: int, moves: int) -> None:
        turn = cycle(
            self._addresses[number % len(self._addresses) :] + self._addresses[: number % len(self._addresses)]
        )
        deal = self._insist(turn, "create_deal", {"title": f"Deal {number}", "company_name": "Acme"})["deal_id"]
        made = self.moves[deal] = []
        for before, after in pairwise(islice(cycle(STAGES), moves + 1)):
            self._insist(turn, "move_deal_stage", {"deal_id": deal, "stage": after})
            made.append((before, after))

    def _insist(self, addresses: Iterator[str], tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The answer to a call that is made until somebody answers, with one idempotency key: so it is done once."""
        key, answers = str(uuid4()), []

        def answered() -> bool:
            try:
                answers.append(self._call(next(addresses), tool, arguments, key))
            except (OSError, ValueError):  # nobody is there, or they have gone in the middle of it
                return False
            return answers[-1].get("success") is True

        wait_until(answered, f"{tool} {arguments} is not answered: {answers[-1:]}", 2 * PATIENCE)
        return answers[-1]

    def _call(self, address: str, tool: str, arguments: dict[str, Any], key: str) -> dict[str, Any]:
        params = {"name": tool, "arguments": arguments, "_meta": META}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        headers = {
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": VERSION,
            "Mcp-Method": "tools/call",
            "Mcp-Name": tool,
            "Idempotency-Key": key,
        }
        answer: dict[str, Any] = self._post(f"{address}/mcp", message, headers)
        if "result" not in answer:
            raise URLError(str(answer))
        structured: dict[str, Any] = answer["result"]["structuredContent"]
        return structured

    def _post(self, url: str, message: dict[str, Any], headers: dict[str, str]) -> Any:
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}", **headers}
        with urlopen(Request(url, json.dumps(message).encode(), sent), timeout=10) as answer:  # noqa: S310 - loopback
            return json.load(answer)
