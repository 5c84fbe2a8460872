"""Pages are followed in an environment of their own, which has what is installed here and room for more."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `console` and `pages`: tests themselves are collected by path

from console import Console, follow
from pages import DOCS, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SIXTY = "#!{python}\nfrom sixty.cli import main\nmain()\n"
PYTEST = "#!{python}\nimport sys\nfrom pytest import console_main\nsys.exit(console_main())\n"


def _environment(home: Path) -> Mapping[str, str]:
    """The variables of a shell in which `python`, `pip`, `sixty` and `pytest` are those of a new environment.

    It sees what is installed where the tests run; what a page installs goes into it alone.
    """
    subprocess.run([sys.executable, "-m", "venv", home], check=True)  # noqa: S603 - our own Python
    site = sysconfig.get_path("purelib", "venv", {"base": str(home), "platbase": str(home)})
    here = sysconfig.get_path("purelib")
    Path(site, "shared.pth").write_text(f"import site; site.addsitedir({here!r})\n", encoding="utf-8")
    commands = home / "bin"
    for name, script in (("sixty", SIXTY), ("pytest", PYTEST)):
        (commands / name).write_text(script.format(python=commands / "python"), encoding="utf-8")
        (commands / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SIXTY_", "PYTEST_"))}
    kept.pop("CI", None)  # with it, the tests of a pack would ask for Postgres
    kept.pop("TEST_POSTGRES_URL", None)
    return {**kept, "PATH": f"{commands}{os.pathsep}{kept['PATH']}", "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Console]:
    """Follows a page of `docs/`, once, and gives the console in whose folder everything is left."""
    done: dict[str, Console] = {}

    def do(name: str) -> Console:
        if name not in done:
            folder = tmp_path_factory.mktemp(name.partition(".")[0])
            environ = _environment(tmp_path_factory.mktemp("environment"))
            with Console(folder, environ) as console:
                follow(Page(DOCS / name), console)
            done[name] = console
        return done[name]

    return do
