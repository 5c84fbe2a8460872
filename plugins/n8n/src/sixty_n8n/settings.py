"""The settings of the pack: where n8n is, and the keys to it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from sixty import PackSettings

__all__ = ["N8nSettings"]


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:  # such as a port that is no number
        good = False
    else:
        good = good and parts.username is None and not parts.query and not parts.fragment
    if not good:
        msg = "write the address of n8n, for example https://n8n.example.com, without a password in it"
        raise ValueError(msg)
    return text.rstrip("/")


class N8nSettings(PackSettings):
    """Read from `SIXTY_N8N_…`, or from the table `[n8n]` of the settings file."""

    url: Annotated[str, AfterValidator(_address)] | None = Field(
        None, description="Where n8n answers, for example `https://n8n.example.com`."
    )
    api_key: SecretStr | None = Field(
        None,
        repr=False,
        description="A key of n8n's public API that may list and read workflows and executions.",
    )
    webhook_token: SecretStr | None = Field(
        None,
        repr=False,
        description="Sent as `Authorization: Bearer …` to those webhooks of workflows that ask for a header.",
    )
