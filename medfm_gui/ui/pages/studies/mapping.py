"""The frames of an opened series as an array: the one place of the page that touches a file."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.errors import InputError
from medfm_gui.workspace.opening import OpenedSeries


def frames(opened: OpenedSeries, offset: int) -> npt.NDArray[Any]:
    """The array behind ``opened``, which the desk may still be filling.

    Nothing is read here: the file is opened and mapped, which takes microseconds whatever its size; the pages come
    when a frame is painted, and they are in memory, for the desk has just written them. The header is not parsed:
    shape, type and offset come with the answer.

    Raises:
        InputError: the file is gone, as when the desk has ended.
    """
    shape = (opened.count, opened.rows, opened.columns, *((3,) if opened.channels == 3 else ()))
    try:
        return np.memmap(opened.array, dtype=np.dtype(opened.dtype), mode="r", shape=shape, offset=offset)
    except (OSError, ValueError) as error:
        raise InputError("The frames of the series are gone.", "Open the series again.") from error
