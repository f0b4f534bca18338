"""Whether a file that left a workspace is still what was written: a report, a table of predictions, a model.

Foreign files are data: read with limits, never believed.
"""

from __future__ import annotations

import re
from pathlib import Path

from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain.errors import InputError, NotFound, UsageError
from medfm_gui.workspace.journal import Entry, entries
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.verifying import Difference, Verification, verify_journal
from medfm_gui.workspace.verifying_report import verify_report
from medfm_gui.workspace.verifying_runs import verify_run

_LARGEST_ATTACHED = 256 << 20
_OUTLIER_HEAD = ",outlier_score,outlier"
_OUTLIER_CELLS = rf"({_OUTLIER_HEAD}|,[0-9.e+-]*,(yes|no)?)$"


def verify(workspace: Workspace, subject: str) -> Verification:
    """The journal, a run or a report by its id, or a file: ``.pdf`` report, ``.csv`` of predictions, ``.medfm`` model.

    Raises:
        NotFound: there is neither a run nor a file of that name.
        UsageError: a file of another kind.
        InputError: a file that cannot be read.
    """
    if subject == "journal":
        return verify_journal(workspace)
    if re.fullmatch(r"[\w\-]+", subject) and (workspace.root / "runs" / subject / "spec.json").exists():
        return verify_run(workspace, subject)
    path = Path(subject).expanduser().absolute()
    report = workspace.root / "reports" / subject / "report.pdf"
    if re.fullmatch(r"[\w\-]+", subject) and report.is_file() and not path.is_file():
        return verify_report(workspace, report)
    if not path.is_file():
        raise NotFound(
            f"“{subject}” is neither a run or report of this workspace nor a file.",
            "Name a run, “journal”, a report (its id or .pdf), predictions (.csv) or a model (.medfm).",
        )
    match path.suffix.lower():
        case ".pdf":
            return verify_report(workspace, path)
        case ".csv":
            return verify_table(workspace, path)
        case ".medfm":
            return verify_model(path)
    raise UsageError(
        f"“{path.name}” is nothing that can be verified.", "Name a .pdf, a .csv, a .medfm, a run or “journal”."
    )


def verify_table(workspace: Workspace, path: Path) -> Verification:
    """A table of predictions that this workspace exported, against what it would export now.

    Raises:
        InputError: the journal knows of no export that this table could be.
    """
    from medfm_gui.workspace.export import predictions_table

    text, sha256 = _read_table(path), sha256_file(path)
    exports = [entry for entry in entries(workspace.root) if entry.what == "predictions exported"]
    same = [entry for entry in exports if entry.details.get("sha256") == sha256]
    if same:
        remark = f"Exactly as it was exported from {same[-1].subject} at {same[-1].at}."
        return Verification(path.name, 1, (), {"sha256": sha256, "run": same[-1].subject}, (remark,))
    text = _without_outlier(text)
    both = bool(text) and ",score_" in text[0]
    best: tuple[int, Entry, list[str]] | None = None
    for entry in {(one.subject, one.details.get("subset", "")): one for one in exports}.values():
        now = predictions_table(
            workspace, entry.subject, entry.details.get("subset", ""), both_scales=both
        ).splitlines()
        alike = len(set(now) & set(text))
        if best is None or alike > best[0]:
            best = (alike, entry, now)
    if best is None or not best[0]:
        raise InputError(f"This workspace did not export “{path.name}”.", "Verify it where it was exported.")
    _, entry, now = best
    found = []
    for number in range(max(len(now), len(text))):
        was, is_ = (lines[number] if number < len(lines) else "" for lines in (now, text))
        if was != is_:
            kind = "changed" if was and is_ else "removed" if was else "inserted"
            said = f"Line {number + 1} of “{path.name}” is not as it was exported from {entry.subject}."
            found.append(Difference(path.name, kind, said, number + 1, was[:200], is_[:200]))
    if not found:
        found.append(
            Difference(path.name, "changed", f"“{path.name}” has the lines of {entry.subject} and other bytes.")
        )
    return Verification(path.name, len(now), tuple(found), {"sha256": sha256, "run": entry.subject})


def _without_outlier(text: list[str]) -> list[str]:
    """A table without its columns of outlier scores, which only a worker could compute again: the hash holds them."""
    if not text or not text[0].endswith(_OUTLIER_HEAD):
        return text
    return [re.sub(_OUTLIER_CELLS, "", line) for line in text]


def _read_table(path: Path) -> list[str]:
    try:
        if path.stat().st_size > _LARGEST_ATTACHED:
            raise InputError(f"“{path.name}” is too large for a table of predictions.", "Choose another file.")
        return path.read_bytes().decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"“{path.name}” cannot be read as a table.", "It is damaged, or no CSV.") from error


def verify_model(path: Path) -> Verification:
    """A model's file: its card, its members, their hashes."""
    from medfm_gui.workspace.portable_in import opened_model

    try:
        with opened_model(path) as model:
            members = model.check()
            card = model.card
    except InputError as error:
        return Verification(path.name, 1, (Difference(path.name, "changed", error.message),))
    return Verification(path.name, members, (), {"sha256": sha256_file(path), "title": card.title, "model": card.model})
