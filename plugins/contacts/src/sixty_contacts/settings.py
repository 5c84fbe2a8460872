"""The settings of the pack: where phones are, and who is asked about people."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from sixty import PackSettings

__all__ = ["ContactSettings"]


class ContactSettings(PackSettings):
    """Read from `SIXTY_CONTACTS_…`, or from the table `[contacts]` of the settings file."""

    phone_region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = Field(
        None, description="The country, such as `DE`, of phones that are given without one."
    )
    hunter_api_key: SecretStr | None = Field(None, description="The key for hunter.io; without one it is not asked.")
    hunter_url: str = Field("https://api.hunter.io/v2", description="Where hunter.io answers.")
