"""A demo organisation: who is in it, what packs put into its past, and a tour of it. Nobody else needs this.

A pack takes part by the hook `sixty_demo`, which is given a `Demo`.
"""

from __future__ import annotations

from sixty.demo.organisation import Company
from sixty.demo.timeline import Demo, Planned

__all__ = ["Company", "Demo", "Planned"]
