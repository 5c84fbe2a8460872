"""The column types that all packs share: identical Python values on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator, TypeEngine

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy.engine import Dialect

__all__ = ["Cents", "Id", "Instant", "Json"]


class Id(TypeDecorator[str]):
    """An id: 16 bytes on SQLite, `uuid` on Postgres, a canonical UUID as text in Python."""

    impl = sa.LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        postgresql = dialect.name == "postgresql"
        return dialect.type_descriptor(sa.Uuid(as_uuid=False) if postgresql else sa.LargeBinary(16))

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], Any] | None:
        return None if dialect.name == "postgresql" else _id_to_bytes

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], str | None]:  # noqa: ARG002
        return _id_of_uuid if dialect.name == "postgresql" else _id_of_bytes


class Instant(TypeDecorator[datetime]):
    """A moment in UTC, to the microsecond: sortable ISO 8601 text on SQLite, `timestamptz` on Postgres."""

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        postgresql = dialect.name == "postgresql"
        return dialect.type_descriptor(sa.TIMESTAMP(timezone=True) if postgresql else sa.String(32))

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        return None if dialect.name == "postgresql" else _instant_to_text

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], datetime | None] | None:  # noqa: ARG002
        return None if dialect.name == "postgresql" else _instant_of_text


class Cents(TypeDecorator[Decimal]):
    """Money: whole hundredths in the database, so that sums are exact; a `Decimal` in Python."""

    impl = sa.BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Decimal | None], int | None]:  # noqa: ARG002
        return _cents_of_decimal

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], Decimal | None]:  # noqa: ARG002
        return _decimal_of_cents


def _id_to_bytes(value: str | None) -> bytes | None:
    return None if value is None else bytes.fromhex(value.replace("-", ""))


def _id_of_bytes(value: bytes | None) -> str | None:
    if value is None:
        return None
    digits = value.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _id_of_uuid(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _instant_to_text(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")


def _instant_of_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _cents_of_decimal(value: Decimal | None) -> int | None:
    return None if value is None else int(value * 100)


def _decimal_of_cents(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value) / 100


class Json(TypeDecorator[Any]):
    """Any JSON value: text on SQLite, `jsonb` on Postgres."""

    impl = sa.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import JSONB  # noqa: PLC0415 - a tenth of a second, for Postgres alone

            return dialect.type_descriptor(JSONB(none_as_null=True))
        return dialect.type_descriptor(sa.JSON(none_as_null=True))
