"""Scores of a run on a partition, as the worker left them, joined with labels and patients."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError

if TYPE_CHECKING:
    from medfm_gui.metrics.scored import Scored


_DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)
"""What NumPy and zipfile were seen to raise on damaged files."""


def read_scores(path: Path) -> tuple[tuple[str, ...], npt.NDArray[np.float32]]:
    """Sample ids and probabilities (n, classes) of a predictions file.

    Raises:
        InputError: the file is damaged.
    """
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as arrays:
            samples = tuple(str(name) for name in arrays["sample"])
            return samples, arrays["scores"].astype(np.float32)
    except _DAMAGED as error:
        raise InputError(f"The predictions “{path}” cannot be read.", "Let the run predict again.") from error


def scored(dataset: Dataset, samples: Sequence[str], scores: npt.NDArray[np.float32]) -> Scored:
    """Scores joined with the reference standard, the patients and the units of a dataset."""
    from medfm_gui.datasets.judged import judged

    return judged(dataset, samples, scores)
