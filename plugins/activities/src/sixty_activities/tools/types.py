"""The types of arguments that several tools take."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

__all__ = ["GivenType", "Version"]


def _stored(name: str) -> str:
    return "email" if name == "email_sent" else name


GivenType = Annotated[
    Literal["call", "meeting", "proposal_sent", "email", "email_sent", "task"], AfterValidator(_stored)
]
"""A type as callers may name it: `email_sent` is an `email`."""
Version = Annotated[int, Field(ge=1)]
