"""Masks of findings: which file of a folder belongs to which sample, and a mask as boxes that cover it exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from medfm_gui.datasets.text import words
from medfm_gui.datasets.walk import looks_like_image, walk
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.explain import Box

_ENDINGS = words("_mask -mask _seg _segmentation _label _gt")
_FINEST = 256


def mask_files(folder: Path, dataset: Dataset) -> Mapping[str, Path]:
    """Sample id → its mask: called like the image's path or file name, whatever the ending, perhaps with ``_mask``.

    Raises:
        InputError: the folder cannot be read, or no file of it belongs to a sample.
    """
    by_path: dict[str, Path] = {}
    by_name: dict[str, list[Path]] = {}
    for name in (one for one in walk(folder).files if looks_like_image(one)):
        stem = _bare(name)
        by_path[stem] = folder / name
        by_name.setdefault(PurePosixPath(stem).name, []).append(folder / name)
    stems = [_bare(sample.path) for sample in dataset.samples]
    names = [PurePosixPath(stem).name for stem in stems]
    often = Counter(names)
    found: dict[str, Path] = {}
    for sample, stem, name in zip(dataset.samples, stems, names, strict=True):
        alone = by_name.get(name, []) if often[name] == 1 else []
        path = by_path.get(stem) or (alone[0] if len(alone) == 1 else None)
        if path is not None:
            found[sample.id] = path
    if not found:
        raise InputError(
            f"No file in “{folder.name}” is called like an image of “{dataset.id}”.",
            "Name each mask like its image (case/01.png or case/01_mask.png for case/01.jpg).",
        )
    return found


def boxes_of_mask(sample: str, mask: npt.NDArray[Any]) -> tuple[Box, ...]:
    """What is not 0 in a mask H × W (or H × W × 3) as boxes that do not overlap; none for an empty one.

    A mask of more than 256 rows or columns is thinned to that, by leaving rows and columns out.
    """
    marked: npt.NDArray[np.bool_] = np.asarray(mask != 0)
    if marked.ndim == 3:
        marked = np.asarray(marked.any(axis=2))
    steps = [-(-side // _FINEST) for side in marked.shape]
    marked = marked[:: steps[0], :: steps[1]]
    rows, columns = marked.shape
    begun: dict[tuple[int, int], int] = {}
    boxes: list[Box] = []
    for row, line in enumerate([*marked, np.zeros(columns, np.bool_)]):
        edges = np.flatnonzero(np.diff(np.concatenate(([False], line, [False])).astype(np.int8)))
        runs = {(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)}
        for run in [one for one in begun if one not in runs]:
            boxes.append(Box(sample, run[0] / columns, begun.pop(run) / rows, run[1] / columns, row / rows))
        for run in runs:
            begun.setdefault(run, row)
    return tuple(sorted(boxes, key=lambda box: (box.y0, box.x0)))


def _bare(name: str) -> str:
    """A path without its ending, nor what says that it is a mask."""
    stem = str(PurePosixPath(name).with_suffix("")).casefold()
    return next((stem.removesuffix(ending) for ending in _ENDINGS if stem.endswith(ending)), stem)
