"""Medical Segmentation Decathlon, any task: ``dataset.json`` beside ``imagesTr``, ``labelsTr`` and ``imagesTs``.

The images of ``imagesTs`` have no published labels and are left out with that reason. Tables of the same kind without
a list of pairs (nnU-Net's ``numTraining`` with ``file_ending``) are read too: then pairs are made by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from medfm_gui.datasets.layout import Layout, Tools
from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.datasets.published import find_file, junk_remark, needed
from medfm_gui.datasets.text import examples, natural, plain_name, shown
from medfm_gui.datasets.volumes import SLICES, Pairing, is_volume, stem_of
from medfm_gui.datasets.walk import Tree, walk
from medfm_gui.domain.dataset import Count, Statement, Task
from medfm_gui.domain.errors import InputError

TABLE = "dataset.json"
_LARGEST_TABLE = 16 << 20
_NO_PATIENTS = "The release says of no volume whose it is: each counts as a patient of its own."
KNOWN: Mapping[str, tuple[int, int, int | None, str]] = {
    "braintumour": (484, 266, None, "mem"),
    "heart": (20, 10, 2271, "pub"),
    "liver": (131, 70, None, "mem"),
    "hippocampus": (260, 130, 9270, "pub"),
    "prostate": (32, 16, None, "mem"),
    "lung": (63, 32, None, "mem"),
    "pancreas": (281, 139, None, "mem"),
    "hepaticvessel": (303, 140, None, "mem"),
    "spleen": (41, 20, 3650, "pub"),
    "colon": (126, 64, None, "mem"),
}
"""Task → volumes with labels, volumes without, slices of those with labels, and where the numbers are from."""


def recognises(source: Path) -> str | None:
    """A ``dataset.json`` beside the folders of images and labels."""
    table = find_file(source, TABLE) if source.is_dir() else None
    if table is None or not all((table.parent / name).is_dir() for name in ("imagesTr", "labelsTr")):
        return None
    return "dataset.json lies beside the folders imagesTr and labelsTr"


def read(source: Path, options: ImportOptions, tools: Tools) -> Listing:
    """List the labelled volumes.

    Raises:
        InputError: there is no ``dataset.json``, or it is damaged.
    """
    table = needed(find_file(source, TABLE), TABLE, source)
    root = table.parent
    facts = read_table(table)
    tree = walk(root)
    there = frozenset(name for name in tree.files if is_volume(name))
    pairing = Pairing(root)
    covariates = {"modality": modality_of(facts)} if modality_of(facts) else {}
    pairs = _pairs(facts, there, pairing)
    for image, mask in pairs:
        pairing.take(image, mask, there=there, covariates=covariates)
    tests = sorted((name for name in there if name.startswith("imagesTs/")), key=natural)
    pairing.unlabelled(tests, "A test image of the challenge; its labels are not published.")
    _leave_unlisted(pairing, there, pairs)
    return Listing(
        "msd",
        root,
        tuple(pairing.entries),
        label_names=(),
        classes=classes_of(facts),
        task=Task.SEGMENTATION,
        skipped=(*tree.skipped, *pairing.skipped),
        warnings=(*_other_tasks(source, root), _NO_PATIENTS, *junk_remark(tree.junk)),
        taken={"images and masks": "the pairs of dataset.json" if _listed(facts) else "by name, from imagesTr"},
        counts=_counts(root, facts, len(pairing.entries), len(tests)),
        statement=_statement(facts),
    )


def _other_tasks(source: Path, root: Path) -> tuple[str, ...]:
    """A warning where the source holds several tasks, of which only one can be a dataset."""
    if root == source:
        return ()
    beside = sorted(path.parent.name for path in root.parent.glob(f"*/{TABLE}") if path.parent != root)
    if not beside:
        return ()
    which = examples(map(shown, beside))
    return (f"“{shown(root.name)}” was taken; not taken were {which} beside it: name the folder of the task.",)


# -- the table


def read_table(path: Path) -> Mapping[str, Any]:
    """What ``dataset.json`` says.

    Raises:
        InputError: it is too large, or no JSON object.
    """
    try:
        if path.stat().st_size > _LARGEST_TABLE:
            raise InputError(f"“{shown(path.name)}” is too large for a list of volumes.", "Check the file.")
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"“{shown(path.name)}” cannot be read as JSON.", "Copy it again from the release.") from error
    if not isinstance(facts, dict):
        raise InputError(f"“{shown(path.name)}” holds no table of a dataset.", "Copy it again from the release.")
    return facts


def classes_of(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the values 1, 2, … from ``{"1": "anterior"}`` or ``{"anterior": 1}``; background left out.

    Raises:
        InputError: there are none, or their values are not 0, 1, 2 ….
    """
    said = facts.get("labels")
    found: dict[int, str] = {}
    for name, value in (said if isinstance(said, dict) else {}).items():
        code, title = (name, value) if isinstance(value, str) else (value, name)
        if str(code).isdecimal() and isinstance(title, str):
            found[int(code)] = shown(title.strip()) or f"label {code}"
    found.pop(0, None)
    if not found or sorted(found) != list(range(1, len(found) + 1)):
        raise InputError(
            f"The labels of {TABLE} are not 0, 1, 2 … with a name each.", "Correct them, or use the layout nifti."
        )
    return tuple(found[code] for code in sorted(found))


def modality_of(facts: Mapping[str, Any]) -> str:
    """The modality, or those of the channels one after the other."""
    said = facts.get("modality", facts.get("channel_names"))
    if isinstance(said, dict):
        return ", ".join(shown(str(said[key])) for key in sorted(said, key=str))
    return shown(said) if isinstance(said, str) else ""


def _listed(facts: Mapping[str, Any]) -> list[Any]:
    listed = facts.get("training")
    return listed if isinstance(listed, list) else []


def _pairs(facts: Mapping[str, Any], there: frozenset[str], pairing: Pairing) -> list[tuple[str, str]]:
    """Image and mask of every listed pair, relative to the folder; without a list, by name."""
    pairs = []
    for item in _listed(facts):
        said = (item.get("image"), item.get("label")) if isinstance(item, dict) else (None, None)
        image, mask = (_inside(name) if isinstance(name, str) else "" for name in said)
        if image and mask:
            pairs.append((image, mask))
        else:
            pairing.skip(str(said[0] or item)[:200], "bad_path", "dataset.json does not name a file of its own folder.")
    if _listed(facts):
        return pairs
    images = sorted((name for name in there if name.startswith("imagesTr/")), key=natural)
    masks = {stem_of(name): name for name in there if name.startswith("labelsTr/")}
    for image in images:
        stem = stem_of(image)
        if stem not in masks and stem.endswith("_0000"):  # nnU-Net numbers the channels
            stem = stem.removesuffix("_0000")
        pairs.append((image, masks.get(stem, f"labelsTr/{PurePosixPath(image).name}")))
    return pairs


def _inside(name: str) -> str:
    """The path as it is below the folder; empty if it leads out of it."""
    path = PurePosixPath(name.replace("\\", "/"))
    return "" if path.is_absolute() or ".." in path.parts or ":" in name else str(path)


def _leave_unlisted(pairing: Pairing, there: frozenset[str], pairs: list[tuple[str, str]]) -> None:
    known = {name for pair in pairs for name in pair}
    for name in sorted(there - known, key=natural):
        if name.startswith("labelsTr/"):
            pairing.skip(name, "missing_image", "This mask belongs to no listed image.")
        elif not name.startswith("imagesTs/"):
            pairing.skip(name, "not_listed", "dataset.json does not name this volume.")


def _counts(root: Path, facts: Mapping[str, Any], labelled: int, tests: int) -> tuple[Count, ...]:
    names = {plain_name(root.name).lstrip("task0123456789"), plain_name(str(facts.get("name", "")))}
    task = next((task for task in KNOWN if any(name.endswith(task) for name in names if name)), "")
    if task:
        known, known_tests, slices, source = KNOWN[task]
        counts = [
            Count("volumes with masks", labelled, known, source),
            Count("test volumes without masks", tests, known_tests, source),
        ]
        return (*counts, Count(SLICES, 0, slices, "pub")) if slices else tuple(counts)
    said = {name: facts[name] for name in ("numTraining", "numTest") if isinstance(facts.get(name), int)}
    return (
        Count("volumes with masks", labelled, said.get("numTraining"), TABLE),
        Count("test volumes without masks", tests, said.get("numTest"), TABLE),
    )


def _statement(facts: Mapping[str, Any]) -> Statement:
    def text(name: str) -> str:
        return shown(str(facts.get(name, "")).strip())

    return Statement(
        unit="volume",
        sampling="unknown",
        reference_standard=text("description"),
        licence=text("licence") or text("license"),
        source=text("reference"),
    )


def volumes_of(tree: Tree) -> frozenset[str]:
    """The volumes of a tree, by name."""
    return frozenset(name for name in tree.files if is_volume(name))


PRESETS: Mapping[str, Mapping[str, str]] = {"study-b": {}}
"""Study B's code leaves nothing to choose: all volumes that have labels, each label a class."""

LAYOUT = Layout(
    "msd", "Medical Segmentation Decathlon (dataset.json)", "segmentation", recognises, read, presets=PRESETS
)
