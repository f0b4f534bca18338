"""One tree of errors; each says what happened, why, and what to do next.

MedfmError
├── UsageError            the request itself cannot be carried out as it was put
├── NotFound              no dataset, split, run, model, study of that name
├── InputError            something that was read from outside
│   ├── UnreadableFile    a file that cannot become pixels (carries a reason code)
│   ├── TableError        a CSV that does not say what is needed
│   └── SplitError        a split that cannot be made or must not exist
│       └── LeakError     a patient or an image on two sides, without an acceptance
├── SealError             a look at the test set that was not declared
├── WeightsError
│   ├── WeightsAbsent     the file is not on this computer
│   ├── WeightsRejected   the file is there and is not what it should be
│   └── Offline           the network is switched off
├── PluginError           a plugin that cannot be loaded
├── RunError
│   ├── Interrupted       the process that did the work is gone
│   ├── OutOfMemory
│   ├── NonFiniteLoss
│   └── WorkerFailed
├── StoreError
│   ├── DatabaseBusy
│   ├── DatabaseDamaged
│   └── NewerWorkspace
├── WorkspaceBusy         another program holds what this one needs
├── DiskFull
└── InternalError         a defect of this program

Decide by type or ``kind``, never by text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medfm_gui.domain.split import Leak


class MedfmError(Exception):
    """A named failure.

    Args:
        message: what happened and why, one sentence for a reader who does not program.
        hint: what to do next, one sentence.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def kind(self) -> str:
        """The stable name of this error on the wire, e.g. ``weights_absent``."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(MedfmError):
    """The request itself cannot be carried out as it was put."""


class NotFound(MedfmError):
    """No object of that name in this workspace."""


class InputError(MedfmError):
    """Something read from outside is not usable."""


class UnreadableFile(InputError):
    """A file that cannot become pixels.

    Args:
        reason: a stable code of the ingest gate, e.g. ``truncated``, ``not_an_image``, ``empty``.
    """

    def __init__(self, message: str, hint: str = "", *, reason: str = "unreadable") -> None:
        super().__init__(message, hint)
        self.reason = reason


class TableError(InputError):
    """A table that does not hold what an import needs."""


class SplitError(InputError):
    """A split that cannot be made, or must not exist."""


class LeakError(SplitError):
    """A patient or an identical image on two sides of a split, without an acceptance.

    Args:
        leaks: what the two sides share, pair by pair; empty where only the fact is known.
    """

    def __init__(self, message: str, hint: str = "", *, leaks: tuple[Leak, ...] = ()) -> None:
        super().__init__(message, hint)
        self.leaks = leaks


class SealError(MedfmError):
    """The test set is sealed and the look at it was not declared."""


class WeightsError(MedfmError):
    """Weights are absent, wrong or not to be had."""


class WeightsAbsent(WeightsError):
    """The weights are not on this computer."""


class WeightsRejected(WeightsError):
    """The file is not the weights it should be."""


class Offline(WeightsError):
    """The network is switched off, or cannot be reached."""


class PluginError(MedfmError):
    """A plugin that cannot be loaded."""


class RunError(MedfmError):
    """A run that could not go on."""


class Interrupted(RunError):
    """The process that did the work is gone; the run can be resumed."""


class OutOfMemory(RunError):
    """Memory of the computer or of the GPU was not enough."""


class NonFiniteLoss(RunError):
    """The loss became NaN or infinite."""


class WorkerFailed(RunError):
    """The worker ended without saying why."""


class StoreError(MedfmError):
    """The database cannot do what was asked."""


class DatabaseBusy(StoreError):
    """Another program holds the database."""


class DatabaseDamaged(StoreError):
    """The database file is corrupt."""


class NewerWorkspace(StoreError):
    """The workspace was written by a newer version."""


class WorkspaceBusy(MedfmError):
    """Another program holds what this one needs."""


class DiskFull(MedfmError):
    """There is not enough free space; nothing that was complete is lost."""


class InternalError(MedfmError):
    """A defect of this program; the details are in the log."""


def every_error() -> tuple[type[MedfmError], ...]:
    """All classes of the tree, root first."""
    found: list[type[MedfmError]] = [MedfmError]
    for error in found:
        found.extend(error.__subclasses__())
    return tuple(found)


def error_from_wire(kind: str, message: str, hint: str) -> MedfmError:
    """The error that ``kind`` names, made again on this side of a process border."""
    for error in every_error():
        made = error(message, hint)
        if made.kind == kind:
            return made
    return MedfmError(message, hint)
