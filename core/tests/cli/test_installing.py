"""`sixty plugins install` and `uninstall`, for real: pip, a fresh environment, and a server that runs meanwhile.

The pack is built from a folder by a build backend of its own, and pip asks no index: no network is needed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sixty.cli import pip
from sixty.config import Settings
from sixty.host import Host

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

BACKEND = """\
import pathlib, zipfile

NAME, VERSION, REQUIRES = {name!r}, {version!r}, {requires!r}


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    module = "sixty_" + NAME
    info = f"{{module}}-{{VERSION}}.dist-info"
    metadata = f"Metadata-Version: 2.1\\nName: sixty-{{NAME}}\\nVersion: {{VERSION}}\\n"
    metadata += "".join(f"Requires-Dist: {{each}}\\n" for each in REQUIRES)
    files = {{
        f"{{module}}.py": (pathlib.Path(__file__).parent / "pack.py").read_text(),
        f"{{info}}/METADATA": metadata,
        f"{{info}}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{{info}}/entry_points.txt": f"[sixty.plugins]\\n{{NAME}} = {{module}}\\n" if {is_pack} else "",
    }}
    files[f"{{info}}/RECORD"] = "".join(f"{{name}},,\\n" for name in [*files, f"{{info}}/RECORD"])
    wheel = f"{{module}}-{{VERSION}}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / wheel, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return wheel
"""

PACK = '''\
"""A tiny pack."""

import sqlalchemy as sa
from sixty import Arguments, Call, Permissions, Result, Tables, hookimpl, tool

metadata = sa.MetaData()
sa.Table("tiny_things", metadata, sa.Column("id", sa.Integer, primary_key=True))


class Nothing(Arguments):
    pass


@tool("tiny_ping", permission="tiny:ping", effect="read")
async def tiny_ping(args: Nothing, call: Call) -> Result:
    """Say pong."""
    return Result(message="pong")


@tool("tiny_pong", permission="tiny:ping", effect="read")
async def tiny_pong(args: Nothing, call: Call) -> Result:
    """Say ping."""
    return Result(message="ping")


@hookimpl
def sixty_tools():
    if "unpacked" in __file__:
        print("a pack may print what it likes while it is looked at")
    return [{tools}]


@hookimpl
def sixty_tables():
    return Tables(metadata)


@hookimpl
def sixty_permissions():
    return [Permissions("tiny", {{"ping": "Ping the tiny"}}, {{"user": ("tiny:ping",)}})]
'''


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with pip, which sees everything that this one has."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True, symlinks=True)
    path = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    here = sysconfig.get_path("purelib")
    (path / "this_one.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    return folder


class Terminal:
    """Commands typed in that environment, on one database."""

    def __init__(self, environment: Path, folder: Path) -> None:
        self.packages = sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)})
        self.url = f"sqlite+aiosqlite:///{folder}/sixty.db"
        self._python = str(environment / "bin" / "python")
        self._folder = folder
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith(("SIXTY_", "PIP_"))}

    def sixty(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run one command."""
        given = {"SIXTY_DATABASE_URL": self.url, "PIP_NO_INDEX": "1", **environ}
        command = [self._python, "-c", "from sixty.cli import main; main()", *arguments]
        return subprocess.run(  # noqa: S603 - our own command
            command, env={**self._environ, **given}, capture_output=True, text=True, check=False
        )

    def pack(
        self, version: str, *tools: str, name: str = "tiny", requires: tuple[str, ...] = (), is_pack: bool = True
    ) -> str:
        """A folder with the source of a pack."""
        folder = self._folder / f"{name}-{version}"
        folder.mkdir()
        (folder / "pyproject.toml").write_text(PYPROJECT)
        backend = BACKEND.format(name=name, version=version, requires=requires, is_pack=is_pack)
        (folder / "backend.py").write_text(backend)
        (folder / "pack.py").write_text(PACK.format(tools=", ".join(tools)))
        return str(folder)


@pytest.fixture
def terminal(environment: Path, tmp_path: Path) -> Terminal:
    return Terminal(environment, tmp_path)


class Swapped:
    """An observer that waits for the packs of a host to be as they should be."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()

    async def lists_may_have_changed(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def records_may_have_changed(self) -> None:
        pass

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(condition)


async def test_a_pack_is_installed_upgraded_and_uninstalled_while_a_server_runs(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, terminal.packages])  # as if the server ran in that environment
    one, two = terminal.pack("1.0", "tiny_ping"), terminal.pack("2.0", "tiny_ping", "tiny_pong")
    swapped = Swapped()
    async with Host.open(Settings(database_url=terminal.url), environ={}) as host, host.watching(swapped):
        done = await asyncio.to_thread(terminal.sixty, "plugins", "install", one, "--yes")
        assert done.stdout == (
            "tiny 1.0 asks for:\n"
            "  the tool tiny_ping\n"
            "  the permission tiny:ping (Ping the tiny)\n"
            "  the table tiny_things\n"
            "  tiny:ping for the role user\n"
            "tiny 1.0 is installed and enabled.\n"
        ), done.stderr
        await swapped.until(lambda: "tiny_ping" in host.registry.tools)

        done = await asyncio.to_thread(terminal.sixty, "plugins", "install", two, "--yes")
        assert done.stdout == (
            "tiny 2.0 instead of 1.0:\n"
            "  + the tool tiny_pong\n"
            "tiny 2.0 is installed and enabled.\n"
            "Servers that have loaded tiny 1.0 keep it: restart them.\n"
        ), done.stderr
        assert host.registry.packs["tiny"].version == "1.0"

        done = await asyncio.to_thread(terminal.sixty, "plugins", "uninstall", "tiny", "--yes", "--drop-data")
        assert done.stdout == (
            "With it go its tables and all that is in them: tiny_things.\n"
            "tiny is uninstalled. Nothing of it was kept but history.\n"
        ), done.stderr
        # it stops being served first, and is forgotten when its package has gone
        await swapped.until(
            lambda: "tiny" not in (*host.registry.packs, *host.registry.quarantined, *host.registry.absent)
        )


@pytest.fixture
def install(run: Callable[..., Result], environment: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Installs into that environment, from here."""
    monkeypatch.setattr(sys, "executable", str(environment / "bin" / "python"))
    monkeypatch.setattr(pip, "find_spec", lambda _: True)
    return lambda *specs, **environ: run("plugins", "install", "--yes", *specs, PIP_NO_INDEX="1", **environ)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_does_not_fit_is_refused_with_pips_reason(terminal: Terminal, install: Callable[..., Result]) -> None:
    for pack, reason in (
        (terminal.pack("1.0", requires=("sixty-core>=999",)), "sixty-core>=999"),
        (terminal.pack("1.1", requires=("pluggy<1",)), "pluggy<1"),
        (str(Path(__file__).parent / "nowhere"), "nowhere"),
    ):
        done = install(pack)
        assert done.exit_code == 1
        assert done.stderr.startswith("Error: pip refuses: ")
        assert reason in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_no_pack_or_does_not_load_is_not_installed(terminal: Terminal, install: Callable[..., Result]) -> None:
    plain = terminal.pack("1.0", name="plain", is_pack=False)
    assert "is not a pack" in install(plain).stderr
    broken = terminal.pack("1.0", "no_such_tool", name="broken")
    assert "broken 1.0 cannot be loaded: NameError" in install(broken).stderr
    installed = {path.name.partition("-")[0] for path in Path(terminal.packages).iterdir()}
    assert not {"sixty_plain", "sixty_broken"} & installed
