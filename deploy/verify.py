"""Whether a deployed Sixty serves: it lives, it is ready, it is the version that was meant, and it lists tools.

    SIXTY_TOKEN=sk60_… python3 deploy/verify.py https://crm.example.com --expect 0.1.0

It needs Python alone, asks as clients do, changes nothing, and ends with status 1 and the reason if it does not serve.
"""

from __future__ import annotations

import argparse
import json
import os
import ssl
import sys
import time
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, Request, build_opener

PROTOCOL = "2026-07-28"
PAUSE = 1.0
"""Seconds between two looks."""
TIMEOUT = 10.0
"""Seconds that one answer may take."""


class Unfit(Exception):
    """What was asked does not serve, for the reason that it gives."""


class Deployed:
    """A Sixty at its address, as its clients reach it."""

    def __init__(self, url: str, authorities: str | None = None) -> None:
        """`authorities` is a file of certificates that are trusted beside those of the system."""
        self._url = url.rstrip("/")
        context = ssl.create_default_context(cafile=authorities)
        self._opener = build_opener(HTTPSHandler(context=context))

    def check(self, expected: str | None, token: str) -> str:
        """A sentence that says what serves. Raises `Unfit`."""
        health = self._get("/health")
        if health.get("status") != "ok":
            raise Unfit(f"/health says {health}")
        version = health.get("version")
        if expected is not None and version != expected:
            raise Unfit(f"version {version} serves, and not {expected}")
        ready = self._get("/ready")
        if ready.get("status") not in ("ready", "degraded"):
            raise Unfit(f"/ready says {ready}")
        tools = self._tools(token)
        if not tools:
            raise Unfit("tools/list is empty: no pack is loaded, or the token may call nothing")
        lacking = "" if ready["status"] == "ready" else f", degraded: {json.dumps(ready)}"
        return f"{self._url} serves version {version} with {len(tools)} tools{lacking}"

    def _get(self, path: str) -> dict[str, Any]:
        return self._ask(Request(self._url + path))

    def _tools(self, token: str) -> list[Any]:
        meta = {
            "io.modelcontextprotocol/protocolVersion": PROTOCOL,
            "io.modelcontextprotocol/clientInfo": {"name": "verify", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": PROTOCOL,
            "Mcp-Method": "tools/list",
            "Authorization": f"Bearer {token}",
        }
        answer = self._ask(Request(f"{self._url}/mcp", json.dumps(message).encode(), headers))
        tools: list[Any] = answer.get("result", {}).get("tools", [])
        return tools

    def _ask(self, request: Request) -> dict[str, Any]:
        try:
            with self._opener.open(request, timeout=TIMEOUT) as response:
                answer: dict[str, Any] = json.load(response)
        except HTTPError as error:
            with error:
                said = error.read(500).decode("utf-8", "replace")
            raise Unfit(f"{urlsplit(request.full_url).path} answers {error.code}: {said}") from None
        except (OSError, ValueError) as error:
            raise Unfit(f"{request.full_url} does not answer: {error}") from None
        return answer


def main() -> int:
    """Look until it serves or the time is over; the exit status says which."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--expect", metavar="VERSION", help="the version that is to serve; any, unless given")
    parser.add_argument("--patience", type=float, default=60, metavar="SECONDS", help="how long it may take (60)")
    parser.add_argument("--authorities", metavar="FILE", help="trust these certificates, for one that signs itself")
    options = parser.parse_args()
    token = os.environ.get("SIXTY_TOKEN")
    if token is None:
        parser.error("SIXTY_TOKEN must be an API key that may read")
    deployed, until = Deployed(options.url, options.authorities), time.monotonic() + options.patience
    while True:
        try:
            print(deployed.check(options.expect, token))
        except Unfit as error:
            if time.monotonic() + PAUSE > until:
                print(f"It does not serve: {error}", file=sys.stderr)
                return 1
            time.sleep(PAUSE)
        else:
            return 0


if __name__ == "__main__":
    sys.exit(main())
