"""Everything that the author of a command imports: what commands begin with, and how they show what they found."""

from __future__ import annotations

from sixty.cli.opening import one_user, with_host
from sixty.cli.output import as_json, show

__all__ = ["as_json", "one_user", "show", "with_host"]
