"""What the author of a pack tests with: an organisation to call, and a suite that every pack passes.

The fixtures `sixty`, `clock`, `database_url`, `plugins` and `environ` come by themselves: pytest loads
`sixty.testing.fixtures`. Nothing here is imported before somebody asks for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sixty.testing.clock import Clock
    from sixty.testing.organisation import Client, InternalError, Organisation, open_organisation
    from sixty.testing.suite import PluginSuite

__all__ = ["Client", "Clock", "InternalError", "Organisation", "PluginSuite", "open_organisation"]

_HOMES = {
    "Client": "organisation",
    "Clock": "clock",
    "InternalError": "organisation",
    "Organisation": "organisation",
    "PluginSuite": "suite",
    "open_organisation": "organisation",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"sixty.testing.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'sixty.testing' has no attribute {name!r}")
