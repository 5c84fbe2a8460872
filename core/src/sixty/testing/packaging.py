"""How a pack is shipped: its name, its version, its entry point, as its pyproject.toml or its metadata says."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sixty.lifecycle import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

__all__ = ["Distribution", "declared", "distribution_of", "project_of", "read_project"]

CORE = "sixty-core"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_VERSION = re.compile(r"\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[a-z0-9.]+)?")


@dataclass(frozen=True, slots=True)
class Distribution:
    """What is installed when somebody installs a pack."""

    plugin: str
    """The name of the entry point."""
    name: str | None
    version: str | None
    """None where the build works it out."""
    requires: tuple[str, ...]

    def faults(self) -> Iterator[str]:
        """What is not as it should be."""
        if not _NAME.fullmatch(self.plugin):
            yield f"the entry point {self.plugin!r} must be snake_case: permissions and settings are named after it"
        if self.name is None:
            yield "it has no name"
        if self.version is not None and not _VERSION.fullmatch(self.version):
            yield f"{self.version!r} is no version; write one such as 0.1.0"
        if not any(re.match(rf"{CORE}\b(?!-)", each) for each in self.requires):
            yield f"it does not depend on {CORE}, without which it cannot be imported"


def distribution_of(module: ModuleType, plugin: str) -> Distribution | None:
    """What ships `module`: by the pyproject.toml above it that names it, else by what is installed; or None."""
    file = getattr(module, "__file__", None)
    if file is not None and (folder := project_of(Path(file), plugin)) is not None:
        project = read_project(folder).get("project", {})
        dynamic = "version" in project.get("dynamic", ())
        version = None if dynamic else str(project.get("version", ""))
        return Distribution(plugin, project.get("name"), version, tuple(project.get("dependencies", ())))
    for entry in entry_points(group=GROUP, name=plugin):
        if entry.module == module.__name__ and entry.dist is not None:
            return Distribution(plugin, entry.dist.name, entry.dist.version, tuple(entry.dist.requires or ()))
    return None


def project_of(file: Path, plugin: str) -> Path | None:
    """The folder above a file whose pyproject.toml declares `plugin`, or None if there is none."""
    for folder in file.resolve().parents:
        if (folder / "pyproject.toml").is_file() and plugin in declared(read_project(folder)):
            return folder
    return None


def declared(project: dict[str, Any]) -> dict[str, str]:
    """The plugins that a pyproject.toml declares, by name, with their modules."""
    found: dict[str, str] = project.get("project", {}).get("entry-points", {}).get(GROUP, {})
    return found


def read_project(folder: Path) -> dict[str, Any]:
    """What the pyproject.toml in a folder says. Raises `OSError`, or `tomllib.TOMLDecodeError`."""
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
