"""What the lists answer, made once for each set of visible offers and kept while the registry stays the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from mcp_types import SERVER_INFO_META_KEY
from mcp_types.methods import serialize_server_result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sixty.directory import Principal
    from sixty.host import Host
    from sixty.offers import Offer, OfferKind
    from sixty.registry import Registry

__all__ = ["LISTS", "TTL_MS", "Listing"]

TTL_MS = 5_000
"""Milliseconds for which a client may show a list again: how late one that does not listen sees a changed role."""

LISTS: Mapping[str, tuple[str, OfferKind, Callable[[Any], bool]]] = {
    "tools/list": ("tools", "tool", lambda _offer: True),
    "prompts/list": ("prompts", "prompt", lambda _offer: True),
    "resources/list": ("resources", "resource", lambda resource: not resource.is_template),
    "resources/templates/list": ("resourceTemplates", "resource", lambda resource: resource.is_template),
}
"""Where each list's result has its items, of which kind they are, and which of that kind."""

_Visible = tuple["Offer", ...]


class Listing:
    """The lists of one host."""

    def __init__(self, host: Host, server_info: dict[str, Any]) -> None:
        self._host = host
        self._server_info = server_info
        self._registry: Registry | None = None
        self._results: dict[tuple[str, _Visible], dict[str, Any]] = {}
        self._encoded: dict[tuple[_Visible, str], bytes] = {}

    def result(self, method: str, principal: Principal) -> dict[str, Any]:
        """The result for `principal`, of which the SDK makes the form of each protocol version."""
        return self._result(method, self._visible(method, principal))

    def encoded_tools(self, principal: Principal, version: str) -> bytes:
        """The result of `tools/list` for `principal` in the newest era's final form, as JSON."""
        visible = self._visible("tools/list", principal)
        encoded = self._encoded.get((visible, version))
        if encoded is None:
            result = serialize_server_result("tools/list", version, self._result("tools/list", visible))
            result["_meta"] = {SERVER_INFO_META_KEY: self._server_info}
            encoded = self._encoded[visible, version] = orjson.dumps(result)
        return encoded

    def _visible(self, method: str, principal: Principal) -> _Visible:
        registry = self._host.registry
        if registry is not self._registry:
            self._registry = registry
            self._results.clear()
            self._encoded.clear()
        return registry.visible(LISTS[method][1], principal)

    def _result(self, method: str, visible: _Visible) -> dict[str, Any]:
        result = self._results.get((method, visible))
        if result is None:
            key, _, belongs = LISTS[method]
            result = self._results[method, visible] = {
                key: [offer.wire for offer in visible if belongs(offer)],
                "ttlMs": TTL_MS,
                "cacheScope": "private",
                "resultType": "complete",
            }
        return result
