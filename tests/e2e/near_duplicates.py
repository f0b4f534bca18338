"""``python -m tests.e2e.near_duplicates [SET …] [--planted N] [--out DIR]``: copies planted among real images.

Every change (recompressed, cropped by 5 %, turned, mirrored, brighter, more contrast, all at once) is made of N
images of a set and put beside the others as a further file. The program imports the folder and makes a split; what it
then keeps as near-duplicates is compared with what was planted. One JSON line a set on stdout; ends with 1 where fewer
than 95 % of the planted pairs are found or more than 1 % of the images stand in a pair of strangers: two patients in
``nih-cxr``, two classes elsewhere. Run by hand (minutes a set).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance

from tests.fixtures.command import Medfm, medfm_in

FOUND = 0.95
"""Of the planted pairs, at least."""
FALSE = 0.01
"""Of the images, at most, in a pair of strangers."""
_CROP = 0.05


@dataclass(frozen=True, slots=True)
class RealSet:
    """A folder of real images; ``column`` holds what two strangers differ in."""

    name: str
    table: str
    column: str


SETS = (
    RealSet("nih-cxr", "labels_all.csv", "patient_id"),
    RealSet("isic-uda1", "labels.csv", "benign_malignant"),
    RealSet("brain-mri", "labels.csv", "tumour"),
)

Change = Callable[[Image.Image, np.random.Generator], Image.Image]


def _cropped(left: float, top: float) -> Change:
    def change(image: Image.Image, draw: np.random.Generator) -> Image.Image:
        wide, high = image.size
        x, y = round(wide * _CROP * left), round(high * _CROP * top)
        return image.crop((x, y, x + round(wide * (1 - _CROP)), y + round(high * (1 - _CROP))))

    return change


def _cropped_anywhere(image: Image.Image, draw: np.random.Generator) -> Image.Image:
    return _cropped(float(draw.random()), float(draw.random()))(image, draw)


def _cropped_each_side(image: Image.Image, draw: np.random.Generator) -> Image.Image:
    wide, high = image.size
    x, y = round(wide * _CROP), round(high * _CROP)
    return image.crop((x, y, wide - x, high - y))


def _turned(how: Image.Transpose) -> Change:
    return lambda image, draw: image.transpose(how)


def _brighter(factor: float) -> Change:
    return lambda image, draw: ImageEnhance.Brightness(image).enhance(factor)


def _contrast(factor: float) -> Change:
    return lambda image, draw: ImageEnhance.Contrast(image).enhance(factor)


def _all(image: Image.Image, draw: np.random.Generator) -> Image.Image:
    return _brighter(1.15)(_turned(Image.Transpose.ROTATE_270)(_cropped_anywhere(image, draw), draw), draw)


CHANGES: Mapping[str, Change] = {
    "recompressed": lambda image, draw: image,
    "cropped in the middle": _cropped(0.5, 0.5),
    "cropped anywhere": _cropped_anywhere,
    "cropped on each side": _cropped_each_side,
    "turned": _turned(Image.Transpose.ROTATE_90),
    "mirrored": _turned(Image.Transpose.FLIP_LEFT_RIGHT),
    "brighter": _brighter(1.25),
    "darker": _brighter(0.8),
    "more contrast": _contrast(1.3),
    "less contrast": _contrast(0.75),
    "all at once": _all,
}
_QUALITY: Mapping[str, int] = {"recompressed": 60, "all at once": 80}


def main(arguments: Sequence[str]) -> int:
    """Run the sets that are named, or all."""
    names = [item.name for item in SETS]
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.near_duplicates", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="SET", help=f"one of: {', '.join(names)}")
    parser.add_argument("--planted", type=int, default=30, help="images a change")
    parser.add_argument("--only", type=int, default=0, help="take the first so many images of a set")
    parser.add_argument("--out", type=Path, help="an empty folder to work in")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in names]:
        parser.error(f"there is no set {unknown[0]}; sets are: {', '.join(names)}")
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        root = (options.out or Path(folder)).absolute()
        medfm = medfm_in(root / "workspace")
        medfm.workspace.mkdir(parents=True)
        for item in SETS:
            if item.name in (options.names or names):
                lines.append(measure(medfm, root / item.name, item, options.planted, options.only))
    return 0 if all(line["ok"] for line in lines) else 1


def measure(medfm: Medfm, folder: Path, item: RealSet, planted: int, only: int) -> dict[str, Any]:
    """Plant, import, divide, count; prints and returns the set's line."""
    kind_of, original_of = plant(folder, item, planted, only)
    dataset = medfm.json("import", "csv", str(folder / "labels.csv"), "--label", "kind", "--name", item.name)["dataset"]
    begun = time.perf_counter()
    medfm.json("split", dataset, "--by", "image", timeout_s=3600)
    seconds = time.perf_counter() - begun
    home = medfm.workspace / "datasets" / dataset
    names = {}
    for line in (home / "samples.jsonl").read_text(encoding="utf-8").splitlines():
        sample = json.loads(line)
        names[sample["id"]] = sample["path"].rpartition("/")[2]
    pairs = [
        (names[pair[0]], names[pair[1]])
        for pair in json.loads((home / "near-duplicates.json").read_text(encoding="utf-8"))["pairs"]
    ]
    line = _counted(item, pairs, kind_of, original_of)
    line["seconds"] = round(seconds)
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    return line


def plant(folder: Path, item: RealSet, planted: int, only: int) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Fill a folder with the set and its changed copies; returns what each file is of, and of a copy its original."""
    source = shared_folder() / item.name
    with (source / item.table).open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))[: only or None]
    (folder / "images").mkdir(parents=True)
    kind_of: dict[str, str] = {}
    original_of: dict[str, tuple[str, str]] = {}
    for row in rows:
        kind_of[row["file"]] = row[item.column]
        shutil.copyfile(source / "images" / row["file"], folder / "images" / row["file"])
    draw = np.random.default_rng(1)
    for number, (name, change) in enumerate(CHANGES.items()):
        for place in draw.choice(len(rows), min(planted, len(rows)), replace=False):
            file = rows[place]["file"]
            copy = f"copy{number:02d}_{Path(file).stem}.jpg"
            with Image.open(source / "images" / file) as image:
                changed = change(image.convert("RGB" if image.mode == "RGB" else "L"), draw)
            changed.save(folder / "images" / copy, "JPEG", quality=_QUALITY.get(name, 92))
            kind_of[copy] = kind_of[file]
            original_of[copy] = (file, name)
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(("file", "kind"))
        writer.writerows((f"images/{name}", "odd" if number % 2 else "even") for number, name in enumerate(kind_of))
    return kind_of, original_of


def _counted(
    item: RealSet,
    pairs: Sequence[tuple[str, str]],
    kind_of: Mapping[str, str],
    original_of: Mapping[str, tuple[str, str]],
) -> dict[str, Any]:
    together = {frozenset(pair) for pair in pairs}
    found: dict[str, list[bool]] = {name: [] for name in CHANGES}
    for copy, (original, change) in original_of.items():
        found[change].append(frozenset((copy, original)) in together)
    strangers = {name for pair in pairs if kind_of[pair[0]] != kind_of[pair[1]] for name in pair}
    every = [one for some in found.values() for one in some]
    line: dict[str, Any] = {"set": item.name, "images": len(kind_of), "planted": len(every), "pairs": len(pairs)}
    line["found"] = round(float(np.mean(every)), 4)
    line["found by change"] = {name: round(float(np.mean(some)), 3) for name, some in found.items()}
    line["images falsely flagged"] = round(len(strangers) / len(kind_of), 5)
    line["ok"] = line["found"] >= FOUND and line["images falsely flagged"] <= FALSE
    return line


def shared_folder() -> Path:
    """Where the real images are: ``MEDFM_SHARED/data``, or beside the repository."""
    named = os.environ.get("MEDFM_SHARED")
    return (Path(named) if named else Path(__file__).resolve().parents[3] / "shared") / "data"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
