"""Ids: UUIDv7, as canonical text."""

from __future__ import annotations

from uuid_utils import uuid7

__all__ = ["new_id"]


def new_id() -> str:
    """A new id. Later ones sort after earlier ones."""
    return str(uuid7())
