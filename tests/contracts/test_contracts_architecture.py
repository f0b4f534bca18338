"""The architecture as a machine-checked promise: import contracts, sizes, and what opening the program loads."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*ROOT.glob("medfm_gui/**/*.py"), *ROOT.glob("plugins/**/*.py"), *ROOT.glob("installer/**/*.py")])
HEAVY = (
    "torch", "torchvision", "timm", "transformers", "SimpleITK", "pydicom", "matplotlib", "scipy", "sklearn", "PySide6",
)  # fmt: skip
FLOORS = {
    "torch": "2.10",
    "transformers": "5.3",
    "pydicom": "3.0.2",
    "pillow": "12.3",
    "timm": "1.0.31",
    "pysqlite3": "0.6.1",
    "PySide6": "6.11.2",
}
FORBIDDEN = re.compile(
    r"weights_only\s*=\s*False|pickle\.load|joblib\.load|trust_remote_code\s*=\s*True|shell\s*=\s*True|allow_pickle\s*=\s*True"
    r"|yaml\.load\(|\beval\(\s*[^)]|os\.system\("
)


def _trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in SOURCES:
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def test_no_file_is_over_500_lines() -> None:
    long = {str(path): n for path in SOURCES if (n := len(path.read_text(encoding="utf-8").splitlines())) > 500}
    assert not long


def test_no_function_is_over_80_lines_and_no_class_has_over_20_methods() -> None:
    large: list[str] = []
    for path, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > 80:
                    large.append(f"{path}:{node.name} has {lines} lines")
            elif isinstance(node, ast.ClassDef):
                methods = sum(isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) for item in node.body)
                if methods > 20:
                    large.append(f"{path}:{node.name} has {methods} methods")
    assert not large


def test_every_package_tells_its_purpose() -> None:
    silent = [str(path) for path, tree in _trees() if not ast.get_docstring(tree)]
    assert not silent


def test_nothing_runs_code_from_data() -> None:
    found = [
        f"{path}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if FORBIDDEN.search(line) and ".eval()" not in line
    ]
    assert not found


@pytest.mark.parametrize("module", ["medfm_gui.cli", "medfm_gui.workspace.place", "medfm_gui.jobs.process"])
def test_a_front_loads_no_heavy_library_before_it_needs_one(module: str) -> None:
    code = f"import sys, json, {module}; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize(("package", "floor"), sorted(FLOORS.items()))
def test_installed_versions_are_above_the_safe_floors(package: str, floor: str) -> None:
    assert Version(importlib.metadata.version(package)) >= Version(floor)


def test_pyside_stays_below_the_version_that_aborts() -> None:
    assert Version(importlib.metadata.version("PySide6")) < Version("6.12")


def test_unsafe_packages_are_not_installed() -> None:
    installed = {(item.metadata["Name"] or "").lower() for item in importlib.metadata.distributions()}
    assert not installed & {"python-gdcm", "gdcm", "albumentations", "pytorch-lightning"}


def test_the_project_names_no_place_of_the_machine_it_was_made_on() -> None:
    parent = str(ROOT.parent) + "/"
    texts = [*SOURCES, *ROOT.glob("*.md"), *ROOT.glob("*.toml"), *ROOT.glob("tests/**/*.py")]
    assert not [str(path) for path in texts if parent in path.read_text(encoding="utf-8")]
