"""Any exception of a job as a named failure: what happened, why, what to do next."""

from __future__ import annotations

import errno

import torch
from safetensors import SafetensorError

from medfm_gui.domain.errors import DiskFull, InternalError, Interrupted, MedfmError, OutOfMemory

_FULL = (errno.ENOSPC, errno.EDQUOT)
_MAY_HELP_TO_RESUME = (DiskFull, OutOfMemory, Interrupted, InternalError)


def named(error: Exception) -> MedfmError:
    """The error of our tree that an exception amounts to."""
    if isinstance(error, MedfmError):
        return error
    if is_out_of_memory(error):
        return OutOfMemory(
            "There is not enough memory for this work.",
            "Use a smaller batch (--set batch_size=8) or smaller images (--set input_size=…), "
            "close other programs, or use --device cpu if the GPU is too small.",
        )
    full = isinstance(error, OSError) and error.errno in _FULL
    if full or isinstance(error, SafetensorError) or _says(error, "unexpected pos"):
        return DiskFull(
            "The disk is full, so the work could not be saved.", "Free some space, then resume: what was saved is kept."
        )
    if isinstance(error, torch.AcceleratorError):
        return Interrupted(
            "The GPU stopped answering (its driver was reset or the device is gone).",
            "Resume the run; if it happens again, use --device cpu.",
        )
    return InternalError(
        f"The work stopped because of a defect of this program ({type(error).__name__}).",
        "The run's log.txt holds the details; please report it.",
    )


def is_out_of_memory(error: Exception) -> bool:
    """Whether it says that memory, of the computer or of the GPU, was not enough."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or _says(error, "can't allocate memory")


def resumable(error: MedfmError) -> bool:
    """Whether the same work, gone on with, could succeed."""
    return isinstance(error, _MAY_HELP_TO_RESUME)


def _says(error: Exception, words: str) -> bool:
    """torch raises a plain RuntimeError for these, so its text is all there is to tell them by."""
    return isinstance(error, RuntimeError) and words in str(error)
