"""The settings, as one frozen object read once at start.

Each setting is an environment variable `SIXTY_…` or a key of the TOML file that `SIXTY_CONFIG` names; the
environment wins. A pack's settings are `SIXTY_<PACK>_…`, or keys of the table `[<pack>]`. With `_FILE` after its name,
a variable names a file in which the value stands: secrets are mounted as files, and the environment is easily shown.
A name that nothing knows is refused, so that no misspelt setting is silently without effect.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, IPvAnyNetwork, ValidationError

from sixty.backup.places import SCHEMES
from sixty.backup.rotation import Keep
from sixty.errors import ConfigError, Invalid, nearest
from sixty.jobs.ticks import check_cron
from sixty.webhooks.addresses import target
from sixty.webhooks.signing import accepted_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OWN", "PREFIX", "PackSettings", "Settings", "load_pack_settings", "load_settings", "unknown_settings"]

PREFIX = "SIXTY_"
OWN = "database"
"""What stands among the keys of the audit trail for the secret in the database, where that has signed before."""
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


def _redis(value: str) -> str:
    try:
        url = urlsplit(value)
        is_one = (url.hostname and url.scheme in ("redis", "rediss")) or (url.path and url.scheme == "unix")
        _ = url.port
    except ValueError:
        is_one = False
    if not is_one:
        msg = "write redis://USER:PASSWORD@HOST:6379/0, or rediss://… for TLS"
        raise ValueError(msg)
    return value


def _cron(value: str) -> str:
    check_cron(value)
    return value


def _place(value: str) -> str:
    scheme, found, _ = value.partition("://")
    if found and scheme not in SCHEMES:
        raise ValueError(f"write a folder, or s3://BUCKET/PREFIX, in place of {scheme}://")
    return value


def _keep(value: object) -> object:
    parts = _split(value)
    numbers = [int(part) for part in parts if str(part).isdigit()] if isinstance(parts, tuple | list) else []
    if len(numbers) != len(Keep._fields):
        raise ValueError("write how many days, weeks and months, for example 7,4,6")
    return tuple(numbers)


def _address(value: str) -> str:
    try:
        target(value)
    except Invalid as error:
        raise ValueError(error.message.partition(": ")[2]) from None
    return value


def _signing(value: str) -> str:
    try:
        return accepted_secret(value)
    except Invalid as error:
        msg = f"write {error.details['allowed']}"
        raise ValueError(msg) from None


def _keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    if keys[:1] == (OWN,):
        msg = f"the first one signs, and `{OWN}` stands for a key that has signed before"
        raise ValueError(msg)
    return keys


Cron = Annotated[str, AfterValidator(_cron)]
Key = Annotated[str, Field(min_length=32)] | Literal["database"]
Keys = Annotated[tuple[Key, ...], BeforeValidator(_split), AfterValidator(_keys)]
Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Networks = Annotated[tuple[IPvAnyNetwork, ...], BeforeValidator(_split)]
PlaceAddress = Annotated[str, AfterValidator(_place)]
Pauses = Annotated[tuple[Annotated[float, Field(ge=0)], ...], BeforeValidator(_split)]
Keeping = Annotated[Keep, BeforeValidator(_keep)]
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
    trusted_proxies: Networks = Field(
        (),
        description="Networks of the proxies in front, such as `10.0.0.0/8`: "
        "what they say of a client's address and scheme is believed.",
    )
    redis_url: Annotated[str, AfterValidator(_redis)] | None = Field(
        None,
        repr=False,
        description="The Redis in which all servers count rate limits together; unset: each counts for itself.",
    )
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
        "follow, separated by commas, `database` for the secret in the database that signs where this is unset.",
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
    backup_to: PlaceAddress | None = Field(
        None,
        description="The folder, or the bucket as `s3://BUCKET/PREFIX`, of the backups; unset: none by themselves.",
    )
    backup_cron: Cron = Field("30 2 * * *", description="When a backup is made by itself, as a cron expression.")
    backup_keep: Keeping = Field(
        Keep(7, 4, 6),
        description="Of how many days, weeks and months that have a backup the last one is kept.",
    )
    backup_verify: bool = Field(
        default=True, description="Whether each backup is restored once before it counts as one."
    )
    backup_notice_url: Annotated[str, AfterValidator(_address)] | None = Field(
        None, description="Where a notice is sent of each backup that was made, and of each that could not be."
    )
    backup_notice_secret: Annotated[str, AfterValidator(_signing)] | None = Field(
        None, repr=False, description="What signs the notices, as webhooks are signed: `whsec_…`; unset: nothing does."
    )
    backup_audit_to: PlaceAddress | None = Field(
        None, description="The folder or the bucket to which the audit trail is copied as it grows; unset: none."
    )
    backup_audit_cron: Cron = Field(
        "7 * * * *", description="When the new lines of the audit trail are copied, as a cron expression."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much is logged, to standard error."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How a line is logged: as `text` for people, or as one `json` object for programs."
    )
    metrics_token: str | None = Field(
        None,
        repr=False,
        min_length=16,
        description="What `/metrics` asks for as a bearer token; unset: it is shown to this machine alone.",
    )


SettingsT = TypeVar("SettingsT", bound=PackSettings)
_IN_FILE = "_FILE"
"""What follows the name of a setting whose value stands in a file."""


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


def _given(model: type[PackSettings], environ: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The values of a model's fields that the environment gives, itself or by naming a file."""
    found: dict[str, str] = {}
    for field in model.model_fields:
        name = f"{prefix}{field.upper()}"
        if name in environ:
            found[field] = environ[name]
        if (path := environ.get(f"{name}{_IN_FILE}")) is None:
            continue
        if name in environ:
            raise ConfigError(f"{name} and {name}{_IN_FILE} are both set; set one of them")
        try:
            found[field] = Path(path).read_text(encoding="utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{name}{_IN_FILE}={path}: {error}") from error
    return found


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
    content |= _given(Settings, environ, PREFIX)
    return _build(Settings, {**content, **{k: v for k, v in overrides.items() if v is not None}}, PREFIX)


def load_pack_settings(pack: str, model: type[SettingsT], environ: Mapping[str, str] = os.environ) -> SettingsT:
    """The settings of one pack, from `SIXTY_<PACK>_…` and the table `[<pack>]` of the file."""
    prefix = f"{PREFIX}{pack.upper()}_"
    return _build(model, {**_file(environ).get(pack, {}), **_given(model, environ, prefix)}, prefix)


def unknown_settings(packs: Mapping[str, type[PackSettings] | None], environ: Mapping[str, str] = os.environ) -> None:
    """Refuse, as a `ConfigError`, the first name in the environment or file that no setting has.

    `packs` are all installed packs by name, with the model of their settings. The settings of a pack that did not
    load (None) cannot be judged, and pass.
    """
    known = {f"{PREFIX}CONFIG", *(f"{PREFIX}{name.upper()}" for name in Settings.model_fields)}
    unjudged = tuple(f"{PREFIX}{pack.upper()}_" for pack, model in packs.items() if model is None)
    for pack, model in packs.items():
        known.update(f"{PREFIX}{pack.upper()}_{name.upper()}" for name in (model.model_fields if model else ()))
    known |= {f"{name}{_IN_FILE}" for name in known - {f"{PREFIX}CONFIG"}}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known and not name.startswith(unjudged):
            msg = f"{name} is not a setting{nearest(name, known, prefix=PREFIX)}"
            raise ConfigError(msg)
    tables = {name for name, value in _file(environ).items() if isinstance(value, dict)}
    if unknown := sorted(tables - set(packs)):
        msg = f"the settings file has a table [{unknown[0]}], and there is no such pack{nearest(unknown[0], packs)}"
        raise ConfigError(msg)
