"""Settings: from the environment and one file; what is unknown or bad is refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sixty.config import PackSettings, load_pack_settings, load_settings, unknown_settings
from sixty.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


class Stages(PackSettings):
    weight: float = 0.5
    names: str = "a"


def test_without_any_setting_the_server_runs_on_a_file_here() -> None:
    settings = load_settings({})
    assert settings.database_url == "sqlite+aiosqlite:///sixty.db"
    assert (settings.plugins, settings.timezone, settings.rate_standard) == (None, "UTC", "100/minute")


def test_the_environment_sets_and_what_is_passed_wins() -> None:
    environ = {"SIXTY_PLUGINS": "deals, contacts,", "SIXTY_TIMEZONE": "Europe/Berlin", "SIXTY_AUTO_PROVISION": "true"}
    settings = load_settings(environ, timezone="Asia/Tokyo", token=None)
    assert settings.plugins == ("deals", "contacts")
    assert settings.auto_provision is True
    assert settings.timezone == "Asia/Tokyo"


def test_a_file_sets_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "sixty.toml").write_text(
        'timezone = "Asia/Tokyo"\nplugins = ["a"]\n[stages]\nweight = 0.25\nnames = "b"\n'
    )
    environ = {"SIXTY_CONFIG": f"{tmp_path}/sixty.toml", "SIXTY_TIMEZONE": "Europe/Berlin", "SIXTY_STAGES_NAMES": "c"}
    settings = load_settings(environ)
    assert (settings.timezone, settings.plugins) == ("Europe/Berlin", ("a",))
    stages = load_pack_settings("stages", Stages, environ)
    assert (stages.weight, stages.names) == (0.25, "c")
    unknown_settings({"stages": Stages}, environ)


def test_a_secret_can_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql+asyncpg://ann:hunter2@db/sixty\n")
    (tmp_path / "names").write_text("d")
    environ = {"SIXTY_DATABASE_URL_FILE": f"{tmp_path}/url", "SIXTY_STAGES_NAMES_FILE": f"{tmp_path}/names"}
    assert load_settings(environ).database_url == "postgresql+asyncpg://ann:hunter2@db/sixty"
    assert load_pack_settings("stages", Stages, environ).names == "d"
    unknown_settings({"stages": Stages}, environ)


def test_only_the_newline_that_editors_add_is_not_part_of_a_secret(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(" pass word \n\n")
    assert load_settings({"SIXTY_TOKEN_FILE": f"{tmp_path}/token"}).token == " pass word \n"


def test_a_secret_that_stands_in_two_places_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a")
    environ = {"SIXTY_TOKEN": "b", "SIXTY_TOKEN_FILE": f"{tmp_path}/token"}
    with pytest.raises(ConfigError, match="SIXTY_TOKEN and SIXTY_TOKEN_FILE are both set"):
        load_settings(environ)


def test_a_secret_whose_file_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"SIXTY_JWT_SECRET_FILE=.*nowhere"):
        load_settings({"SIXTY_JWT_SECRET_FILE": f"{tmp_path}/nowhere"})
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="SIXTY_STAGES_NAMES_FILE="):
        load_pack_settings("stages", Stages, {"SIXTY_STAGES_NAMES_FILE": f"{tmp_path}/bytes"})


def test_no_file_is_taken_for_a_setting_that_there_is_not() -> None:
    for name in ("SIXTY_CONFIG_FILE", "SIXTY_TOKENS_FILE", "SIXTY_STAGES_NAMES_FILE_FILE"):
        with pytest.raises(ConfigError, match=f"{name} is not a setting"):
            unknown_settings({"stages": Stages}, {name: "/run/secrets/x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIXTY_DATABASE_URL", "mysql://localhost/x"),
        ("SIXTY_TIMEZONE", "Europe/Bärlin"),
        ("SIXTY_JWT_SECRET", "too short"),
        ("SIXTY_RATE_STANDARD", "100 a minute"),
        ("SIXTY_RATE_STRICT", "0/minute"),
        ("SIXTY_AUTO_PROVISION", "perhaps"),
        ("SIXTY_MAX_REQUEST_BYTES", "12"),
        ("SIXTY_LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"the setting {name} is bad"):
        load_settings({name: value})


def test_a_bad_secret_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({"SIXTY_JWT_SECRET": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(load_settings({"SIXTY_TOKEN": "hunter2"}))


def test_a_misspelt_setting_is_refused_and_the_nearest_is_named() -> None:
    with pytest.raises(ConfigError, match=r"SIXTY_TIME_ZONE is not a setting; did you mean 'SIXTY_TIMEZONE'?"):
        unknown_settings({}, {"SIXTY_TIME_ZONE": "UTC"})
    with pytest.raises(ConfigError, match=r"SIXTY_STAGES_WIGHT is not a setting; did you mean 'SIXTY_STAGES_WEIGHT'?"):
        unknown_settings({"stages": Stages}, {"SIXTY_STAGES_WIGHT": "1"})


def test_settings_of_a_pack_that_did_not_load_cannot_be_judged() -> None:
    unknown_settings({"broken": None}, {"SIXTY_BROKEN_ANYTHING": "1"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('timzone = "UTC"', "unknown key 'timzone'; did you mean 'timezone'?"),
        ("timezone = ", "SIXTY_CONFIG="),
        ("\xff", "SIXTY_CONFIG="),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "sixty.toml").write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigError, match=message):
        load_settings({"SIXTY_CONFIG": f"{tmp_path}/sixty.toml"})


def test_a_table_for_no_pack_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sixty.toml").write_text("[stagse]\nweight = 1\n")
    with pytest.raises(ConfigError, match=r"a table \[stagse\], and there is no such pack; did you mean 'stages'?"):
        unknown_settings({"stages": Stages}, {"SIXTY_CONFIG": f"{tmp_path}/sixty.toml"})


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"SIXTY_CONFIG=/nowhere\.toml"):
        load_settings({"SIXTY_CONFIG": "/nowhere.toml"})


def test_a_bad_pack_setting_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the setting SIXTY_STAGES_WEIGHT is bad"):
        load_pack_settings("stages", Stages, {"SIXTY_STAGES_WEIGHT": "heavy"})
    (tmp_path / "sixty.toml").write_text("[stages]\nwieght = 1\n")
    with pytest.raises(ConfigError, match="SIXTY_STAGES_WIEGHT"):
        load_pack_settings("stages", Stages, {"SIXTY_CONFIG": f"{tmp_path}/sixty.toml"})
