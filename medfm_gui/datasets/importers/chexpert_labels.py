"""CheXpert's findings, and the policies that make targets of 1, 0, -1 and blank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medfm_gui.datasets.layout import Choice, Policy
from medfm_gui.datasets.text import plain_name

LABELS = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)
FIVE = ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion")
"""The findings by which the competition was judged."""
UNCERTAIN = "Uncertain"
_OTHER_NAMES: Mapping[str, str] = {"Lung Opacity": "airspaceopacity"}

POLICIES = (
    Policy(
        "uncertain",
        "A finding marked uncertain (-1)",
        (
            Choice("zeros", "counts as absent (U-Zeros)"),
            Choice("ones", "counts as present (U-Ones)"),
            Choice("ignore", "is unknown: left out of training and of the score (U-Ignore)"),
            Choice("label", "counts as absent, and the image gets the extra finding “Uncertain”"),
        ),
    ),
    Policy(
        "unmentioned",
        "A finding that the report does not mention (blank)",
        (Choice("zeros", "counts as absent"), Choice("ignore", "is unknown: left out of training and of the score")),
    ),
    Policy(
        "no-finding",
        "“No Finding” of an image without any positive finding",
        (Choice("as-is", "stays as the table has it"), Choice("filled", "becomes 1")),
    ),
    Policy(
        "views",
        "Views",
        (Choice("all", "frontal and lateral"), Choice("frontal", "frontal only"), Choice("lateral", "lateral only")),
    ),
    Policy(
        "labels",
        "Findings",
        (Choice("14", "all fourteen"), Choice("competition-5", f"the competition's five: {', '.join(FIVE)}")),
    ),
)
PRESETS: Mapping[str, Mapping[str, str]] = {
    "study-a": {"uncertain": "zeros", "unmentioned": "zeros", "no-finding": "filled", "views": "all", "labels": "14"},
    "study-b": {
        "uncertain": "label",
        "unmentioned": "zeros",
        "no-finding": "as-is",
        "views": "frontal",
        "labels": "competition-5",
    },
}


def column_of(names: Sequence[str], label: str) -> int:
    """The position of a finding among columns by their plain names; -1 where a table lacks it."""
    for name in (plain_name(label), _OTHER_NAMES.get(label, "")):
        if name in names:
            return names.index(name)
    return -1


@dataclass(frozen=True, slots=True)
class Marks:
    """The chosen policies, applied to one row after the other."""

    names: tuple[str, ...]
    positions: tuple[int, ...]
    meaning: Mapping[str, str]
    fills: bool
    says_uncertain: bool

    @classmethod
    def of(cls, policies: Mapping[str, str]) -> Marks:
        """Of the chosen values by the policies' names."""
        wanted = LABELS if policies["labels"] == "14" else FIVE
        uncertain = policies["uncertain"]
        meaning = {
            "1": "1",
            "0": "0",
            "-1": {"ones": "1", "ignore": "-1"}.get(uncertain, "0"),
            "": "-1" if policies["unmentioned"] == "ignore" else "0",
        }
        says_uncertain = uncertain == "label"
        return cls(
            (*wanted, UNCERTAIN) if says_uncertain else wanted,
            tuple(LABELS.index(name) for name in wanted),
            meaning,
            policies["no-finding"] == "filled",
            says_uncertain,
        )

    def made(self, cells: tuple[str, ...]) -> tuple[str, ...]:
        """The cells of all fourteen findings, in the order of ``LABELS``, as 1, 0 and -1 of the findings wanted."""
        bare = [cell.removesuffix(".0") for cell in cells]
        marks = [self.meaning.get(cell, cell) for cell in bare]
        if self.fills and all(mark == "0" for mark in marks):
            marks[0] = "1"
        chosen = tuple(marks[position] for position in self.positions)
        if not self.says_uncertain:
            return chosen
        return (*chosen, "1" if any(bare[position] == "-1" for position in self.positions) else "0")
