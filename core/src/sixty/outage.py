"""What the log says of something that is away for a while: once when it goes, and once when it is back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sixty.errors import Unavailable

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

__all__ = ["Outage"]


class Outage:
    """For who tries again and again."""

    def __init__(self, logger: logging.Logger, away: str, back: str) -> None:
        """`away` and `back` are what is told."""
        self._logger = logger
        self._away = away
        self._back = back
        self.lasts = False

    @contextmanager
    def survived(self) -> Iterator[None]:
        """What goes wrong in the block is told the first time, and raised never; so is that it goes well again."""
        try:
            yield
        except Exception as error:
            if not self.lasts and isinstance(error, Unavailable):
                self._logger.warning("%s: %s", self._away, error)
            elif not self.lasts:
                self._logger.exception(self._away)
            self.lasts = True
        else:
            if self.lasts:
                self._logger.warning(self._back)
            self.lasts = False
