"""Extension points: where packs add something to what another pack does, without either knowing the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sixty.errors import PluginError

if TYPE_CHECKING:
    from sixty.config import PackSettings

__all__ = ["Extended", "Extension", "Point"]

T = TypeVar("T")


class Point(Generic[T]):
    """A place for things of one type: a name, and the protocol that each of them keeps."""

    def __init__(self, name: str, protocol: type[T]) -> None:
        """`protocol` is a `runtime_checkable` one, or a class."""
        self.name = name
        self.protocol = protocol

    def __repr__(self) -> str:
        return f"Point({self.name!r})"


@dataclass(frozen=True, slots=True)
class Extension:
    """What a pack adds at a point."""

    point: Point[Any]
    value: Any

    def check(self) -> None:
        """Raise `PluginError` unless the value is of the point's type."""
        if not isinstance(self.value, self.point.protocol):
            msg = f"{self.value!r} cannot be added to {self.point.name}: it is no {self.point.protocol.__name__}"
            raise PluginError(msg)


@dataclass(frozen=True, slots=True)
class Extended(Generic[T]):
    """What somebody has added, with the settings of the pack that it comes from."""

    value: T
    settings: PackSettings | None
