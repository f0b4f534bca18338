"""The files of a report that carry its cheap models: their numbers, and what they scored on the test images."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medfm_gui.base import wire
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.report import Attachment
from medfm_gui.workspace.report_facts import ReportFacts
from medfm_gui.workspace.scores import read_scores
from medfm_gui.workspace.shortcuts import ShortcutFile
from medfm_gui.workspace.spreadsheet import guarded

SHORTCUTS, BASELINES = "shortcuts.json", "predictions-baselines.csv"

Baselines = Mapping[str, tuple[tuple[str, ...], npt.NDArray[np.float32]]]
"""Of each baseline the test images and their scores (n, classes)."""


def shortcut_files(facts: ReportFacts, file: ShortcutFile) -> list[Attachment]:
    """The baselines of a comparison and their scores; no place of this computer."""
    bare = replace(file, baselines=tuple(replace(one, predictions=None) for one in file.baselines))
    said = json.dumps(wire.plain(bare), separators=(",", ":"))
    made = [Attachment(SHORTCUTS, said, "The cheap models: numbers and tests")]
    text = _scores(file, facts)
    if text:
        made.append(Attachment(BASELINES, text, "Test predictions of the cheap models", "text/csv"))
    return made


def _scores(file: ShortcutFile, facts: ReportFacts) -> str:
    """One row an image in the order of its new name, one column a class and baseline."""
    found: dict[str, dict[str, list[float]]] = {}
    for one in file.baselines:
        if one.predictions is not None and Path(one.predictions.path).exists():
            samples, scores = read_scores(Path(one.predictions.path))
            found[one.name] = dict(zip(map(facts.names.sample, samples), scores.tolist(), strict=True))
    if not found:
        return ""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["sample", *(guarded(f"{name}: {label}") for name in found for label in facts.dataset.classes)])
    for sample in sorted(next(iter(found.values()))):
        writer.writerow([sample, *(f"{value:.9g}" for of in found.values() for value in of[sample])])
    return text.getvalue()


def baselines_of(text: str) -> Baselines:
    """The scores read back.

    Raises:
        InputError: it is no such table.
    """
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or rows[0][:1] != ["sample"] or any(len(row) != len(rows[0]) for row in rows):
        raise InputError(f"The attached {BASELINES} is no table of scores.", "It was changed; ask for the file again.")
    names = [title.partition(": ")[0] for title in rows[0][1:]]
    try:
        scores = np.array([[float(value) for value in row[1:]] for row in rows[1:]], np.float32)
    except ValueError as error:
        raise InputError(
            f"The attached {BASELINES} holds what is no number ({error}).", "It was changed; ask for the file again."
        ) from error
    samples = tuple(row[0] for row in rows[1:])
    places = {name: [at for at, other in enumerate(names) if other == name] for name in dict.fromkeys(names)}
    return {name: (samples, scores[:, columns]) for name, columns in places.items()}
