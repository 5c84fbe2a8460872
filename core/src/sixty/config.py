"""The settings, as one frozen object read once at start.

Each setting is an environment variable `SIXTY_…` or a key of the TOML file that `SIXTY_CONFIG` names; the
environment wins. A pack's settings are `SIXTY_<PACK>_…`, or keys of the table `[<pack>]`. A name that nothing
knows is refused, so that no misspelt setting is silently without effect.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, IPvAnyNetwork, ValidationError

from sixty.errors import ConfigError, Invalid, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PREFIX", "PackSettings", "Settings", "load_pack_settings", "load_settings", "unknown_settings"]

PREFIX = "SIXTY_"
_RATE = re.compile(r"off|[1-9][0-9]*/(second|minute|hour|day)")


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _rate(value: str) -> str:
    if not _RATE.fullmatch(value):
        msg = "write a number and a period, for example 100/minute, or off"
        raise ValueError(msg)
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, KeyError, OSError) as error:  # KeyError: ZoneInfoNotFoundError
        msg = "write the name of a time zone, for example Europe/Berlin"
        raise ValueError(msg) from error
    return value


def _database(value: str) -> str:
    if not value.startswith(("sqlite+aiosqlite://", "postgresql+asyncpg://")):
        msg = "write sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER@HOST/NAME"
        raise ValueError(msg)
    return value


def _signing(value: str) -> str:
    from sixty.webhooks.signing import accepted_secret  # noqa: PLC0415 - few have such a secret

    try:
        return accepted_secret(value)
    except Invalid as error:
        msg = f"write {error.details['allowed']}"
        raise ValueError(msg) from None


def _address(value: str) -> str:
    from sixty.webhooks.addresses import target  # noqa: PLC0415 - as above

    try:
        target(value)
    except Invalid as error:
        msg = error.message.partition(": ")[2]
        raise ValueError(msg) from None
    return value


Keys = Annotated[tuple[Annotated[str, Field(min_length=32)], ...], BeforeValidator(_split)]
Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Networks = Annotated[tuple[IPvAnyNetwork, ...], BeforeValidator(_split)]
Pauses = Annotated[tuple[Annotated[float, Field(ge=0)], ...], BeforeValidator(_split)]
Rate = Annotated[str, AfterValidator(_rate)]


class PackSettings(BaseModel):
    """What a pack's settings derive from: frozen, and unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Settings(PackSettings):
    """The settings of the server itself. The description of each field is its documentation."""

    database_url: Annotated[str, AfterValidator(_database)] = Field(
        "sqlite+aiosqlite:///sixty.db", description="Where the data lives: an SQLite file or a Postgres database."
    )
    plugins: Names | None = Field(
        None, description="The packs that may load, separated by commas; unset: every installed one."
    )
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        "UTC", description='The time zone of "today", of days and of periods.'
    )
    token: str | None = Field(
        None, repr=False, description="The credential of a stdio server or of the command line: an API key or a JWT."
    )
    jwt_secret: str | None = Field(
        None, repr=False, min_length=32, description="The secret of HS256 tokens, 32 characters or more."
    )
    jwt_jwks_url: str | None = Field(
        None, description="Where the public keys of RS256 and ES256 tokens are published (JWKS)."
    )
    jwt_issuer: str | None = Field(None, description="The `iss` that a token must carry.")
    jwt_audience: str = Field("sixty", description="The `aud` that a token must carry.")
    auto_provision: bool = Field(
        default=False, description="Whether an unknown subject with a valid token becomes a user, in the role `user`."
    )
    public_url: str | None = Field(
        None, description="The address under which clients reach the server, as its metadata names it."
    )
    allowed_hosts: Names = Field((), description="Further values of the Host header that are accepted.")
    allowed_origins: Names = Field((), description="Further values of the Origin header that are accepted.")
    max_request_bytes: int = Field(1_048_576, ge=1024, description="The largest request body that is read, in bytes.")
    webhook_networks: Networks = Field(
        (), description="Networks that are not public and that webhooks may reach all the same, such as `10.0.0.0/8`."
    )
    webhook_retries: Pauses = Field(
        (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400),
        description="Seconds before each further try to deliver an event; after the last one its webhook is disabled.",
    )
    rate_standard: Rate = Field(
        "100/minute", description="Calls per user and tool, for most tools; `off` for no limit."
    )
    rate_strict: Rate = Field("10/minute", description="Calls per user and tool, for costly and destructive tools.")
    rate_bulk: Rate = Field("5/minute", description="Calls per user and tool, for tools that do many things at once.")
    rate_auth: Rate = Field("30/minute", description="Failed authentications per address.")
    jobs_keep_days: int = Field(14, ge=1, description="Days for which it is kept what became of a job.")
    audit_key: Keys = Field(
        (),
        repr=False,
        description="What signs the lines of the audit trail, 32 characters or more; those that signed before it may "
        "follow, separated by commas. Unset: a secret in the database.",
    )
    audit_redact: Names = Field(
        (), description="Arguments of tools, beside secrets, whose values the audit trail does not keep, by name."
    )
    audit_keep_days: int | None = Field(
        None, ge=1, description="Days for which lines of the audit trail are kept; unset: for ever."
    )
    audit_sink_url: Annotated[str, AfterValidator(_address)] | None = Field(
        None, repr=False, description="Where each sealed batch of the audit trail is sent as well, by POST as JSON."
    )
    audit_sink_secret: Annotated[str, AfterValidator(_signing)] | None = Field(
        None, repr=False, description="What signs these, as [webhooks](webhooks.md) are signed: `whsec_…`."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much is logged, to standard error."
    )


SettingsT = TypeVar("SettingsT", bound=PackSettings)


def _file(environ: Mapping[str, str]) -> dict[str, Any]:
    """The content of the TOML file that `SIXTY_CONFIG` names, or nothing."""
    path = environ.get(f"{PREFIX}CONFIG")
    if path is None:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{PREFIX}CONFIG={path}: {error}"
        raise ConfigError(msg) from error


def _build(model: type[SettingsT], values: Mapping[str, Any], prefix: str) -> SettingsT:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = f"{prefix}{'_'.join(str(part) for part in first['loc'][:1]).upper()}"
        reason = first["msg"].removeprefix("Value error, ")
        msg = f"the setting {name} is bad: {reason}"
        raise ConfigError(msg) from error


def load_settings(environ: Mapping[str, str] = os.environ, **overrides: Any) -> Settings:
    """The settings from `overrides`, else `environ`, else the file. A bad value is a `ConfigError` that names it."""
    content = {name: value for name, value in _file(environ).items() if not isinstance(value, dict)}
    if unknown := sorted(set(content) - set(Settings.model_fields)):
        msg = f"the settings file has an unknown key {unknown[0]!r}{nearest(unknown[0], Settings.model_fields)}"
        raise ConfigError(msg)
    for name in Settings.model_fields:
        if (value := environ.get(f"{PREFIX}{name.upper()}")) is not None:
            content[name] = value
    return _build(Settings, {**content, **{k: v for k, v in overrides.items() if v is not None}}, PREFIX)


def load_pack_settings(pack: str, model: type[SettingsT], environ: Mapping[str, str] = os.environ) -> SettingsT:
    """The settings of one pack, from `SIXTY_<PACK>_…` and the table `[<pack>]` of the file."""
    values = _file(environ).get(pack, {})
    prefix = f"{PREFIX}{pack.upper()}_"
    for name in model.model_fields:
        if (value := environ.get(f"{prefix}{name.upper()}")) is not None:
            values = {**values, name: value}
    return _build(model, values, prefix)


def unknown_settings(packs: Mapping[str, type[PackSettings] | None], environ: Mapping[str, str] = os.environ) -> None:
    """Refuse, as a `ConfigError`, the first name in the environment or file that no setting has.

    `packs` are all installed packs by name, with the model of their settings. The settings of a pack that did not
    load (None) cannot be judged, and pass.
    """
    known = {f"{PREFIX}CONFIG", *(f"{PREFIX}{name.upper()}" for name in Settings.model_fields)}
    unjudged = tuple(f"{PREFIX}{pack.upper()}_" for pack, model in packs.items() if model is None)
    for pack, model in packs.items():
        known.update(f"{PREFIX}{pack.upper()}_{name.upper()}" for name in (model.model_fields if model else ()))
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known and not name.startswith(unjudged):
            msg = f"{name} is not a setting{nearest(name, known, prefix=PREFIX)}"
            raise ConfigError(msg)
    tables = {name for name, value in _file(environ).items() if isinstance(value, dict)}
    if unknown := sorted(tables - set(packs)):
        msg = f"the settings file has a table [{unknown[0]}], and there is no such pack{nearest(unknown[0], packs)}"
        raise ConfigError(msg)
