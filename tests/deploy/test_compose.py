"""The compose file is one, starts nothing without secrets, and gives each container no more than it needs."""

from __future__ import annotations

import json
import re
import subprocess
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import pytest
from written import DEPLOY, read, settings_in

from sixty.config import Settings, load_settings
from sixty.server.http import GRACE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.deploy

FOLDER = DEPLOY / "compose"
COMPOSE = read(FOLDER / "compose.yaml")
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "SIXTY_DATABASE_URL_FILE" in service.get("environment", {})]


def test_it_is_what_compose_takes(program: Callable[[str], str]) -> None:
    command = [program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(FOLDER / "compose.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a linter
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_can_do_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert name in OURS or re.fullmatch(r"[1-9]\d*:\d+", service["user"]), "it would run as its image says"
    limits = service["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}
    assert not any("docker.sock" in volume for volume in service.get("volumes", []))


@pytest.mark.parametrize("name", SERVICES)
def test_each_image_is_of_one_version(name: str) -> None:
    image = re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", SERVICES[name]["image"])
    assert re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z]+)?$", image), f"{image} may be another one tomorrow"


def test_only_nginx_is_reached_from_outside() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    outside = {name for name, ports in published.items() if not all(port.startswith("127.0.0.1:") for port in ports)}
    assert outside == {"nginx"}
    assert not [name for name, service in SERVICES.items() if service.get("network_mode")]


def test_nginx_writes_where_it_may() -> None:
    config = (DEPLOY / "nginx" / "nginx.conf").read_text()
    written = re.findall(r"^\s*(?:pid|\w+_temp_path) (/\S+);$", config, re.MULTILINE)
    allowed = tuple(mount.partition(":")[0] + "/" for mount in SERVICES["nginx"]["tmpfs"])
    assert len(written) == 6
    assert [path for path in written if not path.startswith(allowed)] == []


def test_databases_are_reached_by_those_who_use_them_alone() -> None:
    assert COMPOSE["networks"]["data"]["internal"] is True
    inside = {name for name, service in SERVICES.items() if "data" in service["networks"]}
    assert inside == {*OURS, "postgres", "redis", "redis-exporter"}
    assert SERVICES["postgres"]["networks"] == SERVICES["redis"]["networks"] == ["data"]


def test_an_alertmanager_elsewhere_and_receivers_of_webhooks_are_reached() -> None:
    for name in ("prometheus", "sixty-1", "sixty-2", "sixty-3"):
        networks = [COMPOSE["networks"][network] or {} for network in SERVICES[name]["networks"]]
        assert not all(network.get("internal") for network in networks), f"{name} reaches nobody outside"


def test_the_replicas_know_nginx_by_its_address_and_believe_nobody_else() -> None:
    nginx = SERVICES["nginx"]["networks"]["front"]["ipv4_address"]
    addresses = {nginx}
    for name in ("sixty-1", "sixty-2", "sixty-3"):
        assert SERVICES[name]["environment"]["SIXTY_TRUSTED_PROXIES"] == nginx
        shared = SERVICES["nginx"]["networks"].keys() & SERVICES[name]["networks"].keys()
        assert shared == {"front"}, "nginx would come from an address that they do not know"
        addresses.add(SERVICES[name]["networks"]["front"]["ipv4_address"])
    assert len(addresses) == 4
    [subnet] = COMPOSE["networks"]["front"]["ipam"]["config"]
    assert all(ip_address(address) in ip_network(subnet["subnet"]) for address in addresses)


def test_whoever_serves_waits_for_the_tables_and_ends_after_the_calls() -> None:
    assert [name for name in SERVICES if name.startswith("sixty-")] == ["sixty-1", "sixty-2", "sixty-3"]
    for name in ("sixty-1", "sixty-2", "sixty-3"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > GRACE
        assert SERVICES["nginx"]["depends_on"][name] == {"condition": "service_healthy"}
    assert SERVICES["migrate"]["command"] == ["db", "upgrade"]
    assert SERVICES["migrate"]["restart"] == "no"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(OURS)))
def test_it_is_known_whether_each_container_is_well(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


def test_every_setting_is_one_of_sixtys() -> None:
    named = {name.removesuffix("_FILE") for name in settings_in(SERVICES)}
    assert named <= {f"SIXTY_{field.upper()}" for field in Settings.model_fields}


def test_every_file_that_is_mounted_is_there() -> None:
    mounted = [volume for service in SERVICES.values() for volume in service.get("volumes", []) if volume[0] == "."]
    for volume in mounted:
        assert (FOLDER / volume.partition(":")[0]).exists(), volume
        assert volume.endswith(":ro")
    assert len(mounted) >= 5


def test_no_secret_is_written_down_here() -> None:
    sensitive = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|_URL$", re.IGNORECASE)
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if sensitive.search(variable) and variable != "SIXTY_PUBLIC_URL":
                assert str(value).startswith("/run/secrets/"), f"{name} is told {variable}"
    for secret, source in COMPOSE["secrets"].items():
        assert set(source) == {"file"}, secret
        assert source["file"].startswith("secrets/")
    assert "/secrets/" in (FOLDER / ".gitignore").read_text().splitlines()


@pytest.fixture
def secrets(program: Callable[[str], str], tmp_path: Path) -> Path:
    """The folder that `secrets.sh` fills."""
    program("openssl")
    script = tmp_path / "secrets.sh"
    script.write_text((FOLDER / "secrets.sh").read_text())
    make(script)
    return tmp_path / "secrets"


def make(script: Path) -> None:
    env = {"PATH": "/usr/bin:/bin", "SIXTY_PUBLIC_URL": "https://crm.example.com/"}
    subprocess.run(["sh", script], env=env, check=True, capture_output=True)  # noqa: S603, S607 - what the page says


def test_the_script_makes_every_secret_and_makes_none_anew(secrets: Path) -> None:
    wanted = {source["file"].removeprefix("secrets/") for source in COMPOSE["secrets"].values()}
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    assert wanted <= before.keys()
    assert (secrets / "database_password").read_text() != (secrets / "redis_password").read_text()
    make(secrets.with_name("secrets.sh"))
    assert {path.name: path.read_bytes() for path in secrets.iterdir()} == before
    (secrets / "metrics_token").unlink()
    make(secrets.with_name("secrets.sh"))
    assert (secrets / "metrics_token").read_bytes() != before["metrics_token"]
    assert (secrets / "jwt_secret").read_bytes() == before["jwt_secret"]


def test_nobody_else_on_the_machine_reads_the_secrets(secrets: Path) -> None:
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir()} == {0o444}


def test_sixty_takes_the_secrets_that_the_script_makes(secrets: Path) -> None:
    told = {
        name: str(value).replace("/run/secrets", str(secrets))
        for name, value in SERVICES["sixty-1"]["environment"].items()
        if name.endswith("_FILE")
    }
    settings = load_settings(told)
    password = (secrets / "database_password").read_text().strip()
    assert settings.database_url == f"postgresql+asyncpg://sixty:{password}@postgres:5432/sixty"
    exporter = json.loads((secrets / "redis_exporter.json").read_text())
    assert exporter == {"redis://redis:6379": (secrets / "redis_password").read_text().strip()}


def test_the_certificate_of_a_trial_is_for_the_address(secrets: Path) -> None:
    shown = ["openssl", "x509", "-in", secrets / "tls.crt", "-noout", "-ext", "subjectAltName"]
    said = subprocess.run(shown, check=True, capture_output=True, text=True).stdout  # noqa: S603 - ours
    assert "DNS:crm.example.com" in said
