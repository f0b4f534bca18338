"""From which files, programs and devices the numbers of a report came, and how often its test was looked at."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import medfm_gui
from medfm_gui import __version__
from medfm_gui.domain.report import Attachment, Charts, Facts, Paragraph, Part, Section, Table
from medfm_gui.domain.split import Split
from medfm_gui.domain.units import counted
from medfm_gui.metrics.rules import RULES
from medfm_gui.workspace.evaluating import EvaluationFile
from medfm_gui.workspace.report_charts import chart_text
from medfm_gui.workspace.training import RunView

ENVIRONMENT = "environment.json"
FILES_ATTACHED, CHARTS_ATTACHED = "Files attached to this report.", "Charts of this report, as they are attached."
_PACKAGES = (
    "torch", "torchvision", "timm", "transformers", "peft", "numpy", "scipy", "scikit-learn", "statsmodels", "pydicom",
    "SimpleITK", "nibabel", "pillow", "matplotlib", "typst", "PySide6",
)  # fmt: skip
_ROOMS = ("domain", "datasets", "metrics", "workspace")
"""Where numbers and sentences of a report are made."""
_SYSTEMS = {"Linux": "Linux", "Darwin": "macOS", "Windows": "Windows"}


@cache
def environment() -> Mapping[str, str]:
    """Versions of this program, its rules, Python and packages, and the family of the system: no host, user or path."""
    found = {
        "medfm": __version__,
        "rules": f"{RULES}",
        "code": code_hash(),
        "python": platform.python_version(),
        "system": _SYSTEMS.get(platform.system(), "other"),
        "processor": platform.machine(),
    }
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@cache
def code_hash() -> str:
    """Twelve digits of a hash over the code that makes numbers and sentences; empty where its text is not here.

    Two programs of one version say the same in the same words where these digits are the same.
    """
    root = Path(medfm_gui.__file__).parent
    whole = hashlib.sha256()
    found = sorted(path for room in _ROOMS for path in (root / room).rglob("*.py"))
    for path in found:
        whole.update(f"{path.relative_to(root).as_posix()}\n".encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()[:12] if found else ""


def environment_file(views: Sequence[RunView]) -> Attachment:
    """The environment in which the report was written, and device and program of each run, as a file."""
    runs = {view.id: {"device": view.state.device, "medfm": view.spec.code_version} for view in views}
    text = json.dumps({"report": dict(environment()), "runs": runs}, indent=1)
    return Attachment(ENVIRONMENT, text, "Versions and devices; no host, no user")


def provenance_section(
    views: Sequence[RunView],
    tests: Sequence[EvaluationFile],
    openings: Sequence[EvaluationFile],
    split: Split,
    journal: Sequence[tuple[str, str]] = (),
    folds: Sequence[Split] = (),
) -> Section:
    """From which files the numbers came, and how often the test was looked at."""
    facts: list[tuple[str, str]] = []
    for view, test in zip(views, tests, strict=True):
        facts.append((f"{view.id} weights (SHA-256)", view.spec.weights.sha256 if view.spec.weights else "random"))
        facts += [(f"{view.id} {name}", digest) for name, digest in sorted(view.state.files.items())]
        facts.append((f"{view.id} test predictions", test.predictions.sha256))
        facts.append((f"{view.id} device, version", f"{view.state.device}, {view.spec.code_version}"))
    if folds:
        facts += [(f"{test.run} test images (SHA-256)", test.sample_set) for test in tests]
        facts += [(f"{one.id} (SHA-256)", one.fingerprint) for one in folds]
    else:
        facts += [("Test images (SHA-256)", tests[0].sample_set), ("Split (SHA-256)", split.fingerprint)]
    facts += [
        (f"{view.id} leak certificate", view.spec.split_certificate) for view in views if view.spec.split_certificate
    ]
    facts += journal
    facts.append(("Written with", ", ".join(f"{name} {version}" for name, version in environment().items())))
    table = Table(
        "Openings of the tests of these folds in this workspace."
        if folds
        else "Openings of this test set in this workspace.",
        ("When", "Run", "Reason"),
        tuple((item.opened, item.run, item.reason) for item in openings),
    )
    return Section(Part.PROVENANCE.heading, (Paragraph(looks(openings, len(folds))), table, Facts(tuple(facts))))


def attached_blocks(files: Sequence[Attachment], sections: Sequence[Section]) -> tuple[Table, ...]:
    """The attached files and the charts of the sections, each with its SHA-256."""
    made = []
    if files:
        rows = tuple((one.name, one.description, sha256_of(one.text)) for one in files)
        made.append(Table(FILES_ATTACHED, ("File", "What it is", "SHA-256"), rows))
    drawn = [chart for section in sections for block in section.blocks if isinstance(block, Charts)
             for chart in block.charts]  # fmt: skip
    if files and drawn:
        charts = tuple((chart.title, sha256_of(chart_text(chart))) for chart in drawn)
        made.append(Table(CHARTS_ATTACHED, ("Chart", "SHA-256 of its data"), charts))
    return tuple(made)


def sha256_of(text: str) -> str:
    """The SHA-256 of a text as it is attached."""
    return hashlib.sha256(text.encode("utf-8", errors="replace")).hexdigest()


def looks(openings: Sequence[EvaluationFile], folds: int = 0) -> str:
    """How often the test was looked at, and what that means; with ``folds``, of the tests of so many."""
    opened = counted(len(openings), "time")
    if folds:
        return (
            f"The tests of these {folds} folds were opened {opened} in all. The best of several ways "
            "over the same folds flatters itself."
        )
    return f"This test set was opened {opened}. The best of several runs on one test set flatters itself."


def omissions_section(names: Sequence[str], openings: Sequence[EvaluationFile], folds: int = 0) -> Section:
    """What the author left out, and how often the test was looked at, which no report keeps to itself."""
    return Section(
        "Left out", (Paragraph(f"Not in this report: {'; '.join(names)}."), Paragraph(looks(openings, folds)))
    )
