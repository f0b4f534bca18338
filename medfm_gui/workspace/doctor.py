"""What this computer can do: devices, versions, disk, network, and what stands in the way."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from medfm_gui import __version__
from medfm_gui.base.plugins import read_plugins
from medfm_gui.base.settings import Settings, default_workspace, network_allowed, weights_folder
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.run import ProbeSpec
from medfm_gui.workspace.errands import run_errand

_LOW_DISK_GB = 5.0


@dataclass(frozen=True, slots=True)
class Device:
    """A processor that trains: its name for ``--device`` and its memory in GB (None if unknown)."""

    id: str
    name: str
    memory_gb: float | None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the way, and what to do about it."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The answer of ``medfm doctor``."""

    devices: tuple[Device, ...]
    torch: str
    versions: dict[str, str]
    disk_free_gb: float
    weights_dir: str
    workspace: str
    network: str
    problems: tuple[Problem, ...]


def examine(settings: Settings, workspace: Path | None = None) -> Diagnosis:
    """Look at this computer; the tensor side answers from a worker, so a broken torch is a problem and no crash."""
    problems: list[Problem] = []
    facts: dict[str, str] = {}
    try:
        for event in run_errand(ProbeSpec()):
            if isinstance(event, ev.Answered):
                facts.update(event.facts)
    except MedfmError as error:
        problems.append(Problem(error.message, error.hint))
    place = workspace or default_workspace(settings)
    free = _free_gb(place)
    if free < _LOW_DISK_GB:
        problems.append(
            Problem(f"Only {free:.1f} GB are free for the workspace.", "Free some space or choose another disk.")
        )
    problems += [
        Problem(f"The plugin “{Path(item.folder).name}” cannot be used: {item.reason}.", "Repair or remove it.")
        for item in read_plugins().broken
    ]
    problems += _sqlite_problems()
    return Diagnosis(
        devices=tuple(Device(**row) for row in json.loads(facts.get("devices", "[]"))),
        torch=facts.get("torch", ""),
        versions=_versions(),
        disk_free_gb=round(free, 1),
        weights_dir=str(weights_folder(settings)),
        workspace=str(place),
        network="on" if network_allowed(settings) else "off",
        problems=tuple(problems),
    )


def _free_gb(place: Path) -> float:
    existing = next(folder for folder in (place, *place.parents) if folder.exists())
    return shutil.disk_usage(existing).free / 1e9


def _sqlite_problems() -> list[Problem]:
    from medfm_gui.store.schema import SQLITE_FLOOR, sqlite_version

    if sqlite_version() >= SQLITE_FLOOR:
        return []
    found = ".".join(map(str, sqlite_version()))
    return [Problem(f"SQLite {found} can damage databases.", "Install the package pysqlite3 0.6.1 or newer.")]


def _versions() -> dict[str, str]:
    wanted = ("torch", "torchvision", "timm", "transformers", "pydicom", "numpy", "scikit-learn", "PySide6", "typst")
    found = {"medfm": __version__, "python": platform.python_version()}
    for name in wanted:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = ""
    from medfm_gui.store.schema import sqlite_version

    found["sqlite"] = ".".join(map(str, sqlite_version()))
    return found
