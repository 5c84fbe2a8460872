"""What `tools/list` answers, made once for each set of visible tools and kept while the registry stays the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from mcp_types import SERVER_INFO_META_KEY
from mcp_types.methods import serialize_server_result

if TYPE_CHECKING:
    from sixty.directory import Principal
    from sixty.host import Host
    from sixty.registry import Registry

__all__ = ["TTL_MS", "Listing"]

TTL_MS = 5_000
"""Milliseconds for which a client may show a list again: how late one that does not listen sees a changed role."""

_Names = tuple[str, ...]


class Listing:
    """The lists of one host."""

    def __init__(self, host: Host, server_info: dict[str, Any]) -> None:
        self._host = host
        self._server_info = server_info
        self._registry: Registry | None = None
        self._results: dict[_Names, dict[str, Any]] = {}
        self._encoded: dict[tuple[_Names, str], bytes] = {}

    def result(self, principal: Principal) -> dict[str, Any]:
        """The result for `principal`, of which the SDK makes the form of each protocol version."""
        return self._result(self._visible(principal))

    def encoded(self, principal: Principal, version: str) -> bytes:
        """The result for `principal` in the newest era's final form, as JSON."""
        names = self._visible(principal)
        encoded = self._encoded.get((names, version))
        if encoded is None:
            result = serialize_server_result("tools/list", version, self._result(names))
            result["_meta"] = {SERVER_INFO_META_KEY: self._server_info}
            encoded = self._encoded[names, version] = orjson.dumps(result)
        return encoded

    def _visible(self, principal: Principal) -> _Names:
        registry = self._host.registry
        if registry is not self._registry:
            self._registry = registry
            self._results.clear()
            self._encoded.clear()
        return tuple(tool.name for tool in registry.visible_tools(principal))

    def _result(self, names: _Names) -> dict[str, Any]:
        result = self._results.get(names)
        if result is None:
            tools = self._host.registry.tools
            result = self._results[names] = {
                "tools": [tools[name].wire for name in names],
                "ttlMs": TTL_MS,
                "cacheScope": "private",
                "resultType": "complete",
            }
        return result
