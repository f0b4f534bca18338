"""What of a dataset may stand in a report that leaves the computer: pictures of cases, predictions sample by sample.

The dataset's own statement decides. Pictures need its word, or a person who takes them on themselves. Files hold no
picture and no id of a patient, and a report is recomputed from them: they stay out only where the dataset forbids it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medfm_gui.domain.dataset import Statement
from medfm_gui.domain.report import Outline
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.statements import statement_of
from medfm_gui.workspace.training import view


@dataclass(frozen=True, slots=True)
class Permission:
    """What the statement allows of itself; ``reason`` says why it does not, empty where it does.

    ``forbids``: it says in so many words that nothing may be passed on; else it may simply be silent.
    """

    reason: str = ""
    forbids: bool = False

    @property
    def is_given(self) -> bool:
        """Whether images may be passed on."""
        return not self.reason

    def pictures(self, outline: Outline) -> bool:
        """Whether pictures of cases stand in the report."""
        return self.is_given or outline.images_consent

    def files(self, outline: Outline) -> bool:
        """Whether files travel in the report."""
        return not self.forbids if outline.attachments is None else outline.attachments


def permission_of(statement: Statement) -> Permission:
    """What a dataset's statement allows."""
    if statement.redistribution is True:
        return Permission()
    licence = " ".join(statement.licence.split())
    if statement.redistribution is False:
        under = f" ({licence})" if licence else ""
        return Permission(f"the dataset states that it may not be redistributed{under}", forbids=True)
    return Permission("the dataset does not state that it may be redistributed")


def permission_of_runs(workspace: Workspace, run_ids: Sequence[str]) -> Permission:
    """What the dataset of these runs allows.

    Raises:
        NotFound: the run or its dataset is not here.
    """
    return permission_of(statement_of(workspace, view(workspace, run_ids[0]).spec.dataset_id))


def no_pictures(permission: Permission) -> str:
    """Why no picture stands in a report, as a sentence."""
    return (
        f"No picture of a case stands here: {permission.reason}, and nobody took on themselves that pictures may be "
        "shown."
    )


def no_files(permission: Permission) -> str:
    """Why no file travels in a report, as what was left out."""
    return f"attached files (they hold predictions sample by sample, and {permission.reason})"
