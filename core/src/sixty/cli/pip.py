"""pip, as far as packs need it: what it would install, as wheels that can be looked at before they are installed.

The core and everything that runs beside it stay as they are: pip is held to the versions that are there now.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import distributions
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sixty.errors import OperatorError
from sixty.lifecycle import GROUP

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PipError", "fetch", "install", "survey", "uninstall"]

PATIENCE = 60
"""Seconds that looking at packs may take."""
_CORE = "sixty-core"
_OURS = ("sixty", "sixty_command.py")


class PipError(OperatorError):
    """pip cannot do what was asked, for the reason that it gives."""


def fetch(specs: tuple[str, ...], folder: Path) -> list[tuple[str, str]]:
    """The wheels that `specs` need are in `folder`; the name and version of each. Nothing is installed.

    What is installed and as new as asked for is left out. Raises `PipError`, also where the core would be replaced.
    """
    report, held = folder / "report.json", folder / "constraints.txt"
    held.write_text("".join(f"{line}\n" for line in _held()), encoding="utf-8")
    _pip("install", "--dry-run", "--report", str(report), "--constraint", str(held), *specs)
    wanted = json.loads(report.read_text(encoding="utf-8"))["install"]
    named = [(item["metadata"]["name"], item["metadata"]["version"]) for item in wanted]
    if any(name.lower().replace("_", "-") == _CORE for name, _ in named):
        raise PipError("this would replace the core, which is not a pack; install it with pip, and restart")
    if wanted:
        _pip("wheel", "--no-deps", "--wheel-dir", str(folder), *(_exactly(item) for item in wanted))
    return named


def survey(folder: Path) -> list[dict[str, Any]]:
    """The packs in the wheels of a folder, and what each asks for; see `survey.py`."""
    unpacked = folder / "unpacked"
    _pip("install", "--target", str(unpacked), "--no-deps", "--no-index", "--no-compile", *_wheels(folder))
    if any((unpacked / name).exists() for name in _OURS):
        raise PipError("it has files of the core's own, and would replace them")
    try:
        done = _run("-m", "sixty.cli.survey", str(unpacked), timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise PipError(f"looking at it took longer than {PATIENCE} seconds") from None
    if done.returncode != 0:
        raise PipError(f"it cannot be looked at: {done.stderr.strip().rpartition(chr(10))[2]}")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def install(named: list[tuple[str, str]], folder: Path) -> None:
    """The wheels of a folder are installed, and nothing else."""
    exactly = (f"{name}=={version}" for name, version in named)
    # forced, because a folder on disk may have changed without a new version
    _pip("install", "--no-deps", "--no-index", "--force-reinstall", "--find-links", str(folder), *exactly)


def uninstall(distribution: str) -> None:
    """The distribution is not installed any more."""
    _pip("uninstall", "--yes", distribution)


def _held() -> list[str]:
    """Everything that is installed and is no pack, in the version that it has."""
    return [
        f"{found.name}=={found.version}"
        for found in distributions()
        if found.name and not found.entry_points.select(group=GROUP)
    ]


def _exactly(item: dict[str, Any]) -> str:
    name, version = item["metadata"]["name"], item["metadata"]["version"]
    return f"{name} @ {item['download_info']['url']}" if item["is_direct"] else f"{name}=={version}"


def _wheels(folder: Path) -> list[str]:
    return [str(path) for path in sorted(folder.glob("*.whl"))]


def _pip(*arguments: str) -> None:
    if find_spec("pip") is None:
        raise PipError("there is no pip in this environment; `python -m ensurepip` puts it there")
    done = _run("-m", "pip", "--disable-pip-version-check", "--no-input", *arguments)
    if done.returncode != 0:
        raise PipError(f"pip refuses: {_reason(done.stdout, done.stderr)}")


def _run(*arguments: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - this interpreter, with arguments that are no shell's
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=timeout
    )


def _reason(stdout: str, stderr: str) -> str:
    """Why pip did not do it, on one line."""
    lines = stderr.splitlines()
    errors = [line.partition(": ")[2] for line in lines if line.startswith("ERROR: ")] or lines[-1:] or ["no reason"]
    _, caused, after = f"{stdout}\n{stderr}".partition("The conflict is caused by:\n")
    causes = [line.strip() for line in after.partition("\n\n")[0].splitlines()] if caused else []
    return "; ".join([errors[0].strip(), *causes])
