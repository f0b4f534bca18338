"""Whether a run is what it was: its files by their hashes, its numbers computed again from its predictions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain.errors import MedfmError, UsageError
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.run import Phase
from medfm_gui.workspace import data, training
from medfm_gui.workspace.evaluating import TEST, evaluation_path, opened, operating_point, test_predictions
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.scores import read_scores, scored
from medfm_gui.workspace.training import RunView
from medfm_gui.workspace.verifying import Difference, Verification

if TYPE_CHECKING:
    from medfm_gui.domain.dataset import Dataset

_CLOSE = 1e-9
"""How far a number that is computed again may lie from the stored one: rounding of another processor, no more."""
_NEXT = {
    Phase.QUEUED: "Wait for its end.",
    Phase.RUNNING: "Wait for its end.",
    Phase.PAUSED: "Go on with it, and wait for its end.",
    Phase.FAILED: "Look at why it failed, and resume it or train anew.",
    Phase.CANCELLED: "Resume it, or train anew.",
}
"""What to do about a run that has no end yet, by its phase."""
_WORDS = frozenset({"note", "code_version", "method", "test"})
_NOT_NUMBERS = frozenset({"code_version"})
_SIMULTANEOUS = frozenset({"low_simultaneous", "high_simultaneous", "simultaneous_method"})
"""What comparisons of earlier versions do not have."""


def verify_run(workspace: Workspace, run_id: str) -> Verification:
    """Compare a run's files with the hashes that were recorded, and its numbers with what its predictions give.

    Looked at are the order, the dataset and the split that it names, every file that it wrote, validation metrics,
    and, where its test was opened, the test's scores, its rows and the database's rows. Nothing is opened by this.

    Raises:
        NotFound: there is no such run.
        UsageError: it is not finished.
    """
    view = training.view(workspace, run_id)
    if view.state.phase is not Phase.FINISHED:
        raise UsageError(f"{run_id} is {view.state.phase.value}: it left nothing to verify.", _NEXT[view.state.phase])
    found = [*_order(workspace, view), *_files(view)]
    checked = 3 + len(view.state.files)
    remarks: list[str] = []
    try:
        dataset = data.read(workspace, view.spec.dataset_id)
    except MedfmError:
        remarks.append("Its dataset is not in this workspace, so no number could be computed again.")
        return Verification(run_id, checked, tuple(found), {}, tuple(remarks))
    for looked_at in (_validation, _tested):
        try:
            count, differences = looked_at(workspace, view, dataset)
        except MedfmError as error:
            count, differences = 1, [Difference(run_id, "unreadable", error.message)]
        checked += count
        found += differences
    if not evaluation_path(workspace, run_id).exists():
        remarks.append("Its test is sealed, so it has no test results to verify.")
    return Verification(run_id, checked, tuple(found), {"sample_set": _sample_set(workspace, run_id)}, tuple(remarks))


def _sample_set(workspace: Workspace, run_id: str) -> str:
    try:
        return opened(workspace, run_id).sample_set
    except MedfmError:
        return ""


def _order(workspace: Workspace, view: RunView) -> Iterable[Difference]:
    """The order against the journal, and the files that it names against its hashes."""
    from medfm_gui.workspace.journal import entries

    spec = view.spec
    said = [entry for entry in entries(workspace.root) if entry.subject == view.id and "spec" in entry.details]
    if said:
        yield from _file(f"runs/{view.id}/spec.json", view.folder / "spec.json", said[-1].details["spec"])
    if spec.dataset_id:
        manifest = workspace.root / "datasets" / spec.dataset_id / "manifest.json"
        yield from _file(f"datasets/{spec.dataset_id}/manifest.json", manifest, spec.dataset.sha256)
    if spec.split_id:
        yield from _file(
            f"splits/{spec.split_id}.json", workspace.root / f"splits/{spec.split_id}.json", spec.split.sha256
        )
    if spec.weights is not None and spec.weights.path:
        yield from _file(f"weights of {spec.card.name}", Path(spec.weights.path), spec.weights.sha256)


def _files(view: RunView) -> Iterable[Difference]:
    for name, digest in sorted(view.state.files.items()):
        yield from _file(f"runs/{view.id}/{name}", view.folder / name, digest)


def _file(where: str, path: Path, digest: str) -> Iterable[Difference]:
    try:
        found = sha256_file(path)
    except FileNotFoundError:
        yield Difference(where, "missing", f"{where} is gone.", expected=digest)
        return
    except OSError as error:
        yield Difference(where, "unreadable", f"{where} cannot be read ({error.strerror}).", expected=digest)
        return
    if found != digest:
        yield Difference(
            where, "changed", f"{where} was changed after it was written (its SHA-256 differs).", None, digest, found
        )


def _validation(workspace: Workspace, view: RunView, dataset: Dataset) -> tuple[int, list[Difference]]:
    from medfm_gui.metrics.evaluate import validation_metrics

    path = view.folder / "predictions" / "val.npz"
    if not path.exists():
        return 0, []
    pooled = scored(dataset, *read_scores(path)).by_unit(view.spec.recipe.counted)
    point = operating_point(view.folder)
    again = validation_metrics(dataset.task, pooled.targets, pooled.scores, dataset.positive_index, point=point)
    stored = view.state.metrics
    found = [
        differs(f"{view.id} validation {name}", stored[name], again.get(name))
        for name in stored
        if name in again and not is_close(stored[name], again[name])
    ]
    return len(again), found


def _tested(workspace: Workspace, view: RunView, dataset: Dataset) -> tuple[int, list[Difference]]:
    from medfm_gui.datasets.split import sample_set_hash
    from medfm_gui.metrics.evaluate import evaluate
    from medfm_gui.store import queries

    if not evaluation_path(workspace, view.id).exists():
        return 0, []
    file = opened(workspace, view.id)
    path = test_predictions(workspace, view.id)
    where = f"predictions/{view.id}-{TEST}/{TEST}.npz"
    found = list(_file(where, path, file.predictions.sha256))
    samples, scores = read_scores(path)
    sample_set = sample_set_hash(dataset, samples)
    if sample_set != file.sample_set:
        found.append(differs(f"{view.id} test images (SHA-256)", file.sample_set, sample_set))
    again = evaluate(
        scored(dataset, samples, scores),
        run=view.id,
        subset=TEST,
        unit=view.spec.recipe.counted,
        point=operating_point(view.folder),
        sample_set=sample_set,
        code_version=file.evaluations[0].code_version if file.evaluations else "",
    )
    found += rows_differ(file.evaluations, again)
    with workspace.store.reading() as reader:
        kept = queries.evaluations(reader, [view.id], TEST)
        held = queries.predictions(reader, view.id, TEST)
    found += rows_differ(file.evaluations, kept, where="database, ")
    if held.samples != samples or held.scores.tobytes() != scores.tobytes():
        found.append(
            Difference("medfm.sqlite", "changed", f"The database's test scores of {view.id} are not its file's.")
        )
    return len(again) + len(kept) + 2, found


def rows_differ(
    stored: Sequence[Evaluation], again: Sequence[Evaluation], *, where: str = "", words: bool = False
) -> list[Difference]:
    """Where rows that should be the same are not; each is found by run, metric, class and parameters.

    Args:
        words: also methods and notes, which earlier versions may have worded otherwise.
    """
    names = {_key(row): row for row in again}
    found = []
    for row in stored:
        other = names.pop(_key(row), None)
        title = f"{where}{row.run} {row.metric}" + (f" ({row.label})" if row.label else "")
        if other is None:
            found.append(Difference(title, "missing", f"{title} stands in one place and not in the other."))
        else:
            found += fields_differ(title, row, other, words=words)
    found += [
        Difference(f"{where}{run} {metric}", "inserted", f"{where}{run} {metric} is not among the stored rows.")
        for run, metric, *_ in names
    ]
    return found


def pairs_differ(stored: Sequence[Comparison], again: Sequence[Comparison], *, words: bool = False) -> list[Difference]:
    """The same for paired comparisons; with ``words`` none may be missing either."""
    found = []
    names = {(pair.a, pair.b, pair.metric, pair.parameters.get("failures")): pair for pair in again}
    for pair in stored:
        other = names.get((pair.a, pair.b, pair.metric, pair.parameters.get("failures")))
        title = f"{pair.a} − {pair.b} {pair.metric}"
        if other is None:
            found.append(Difference(title, "inserted", f"{title} does not come of these predictions."))
        else:
            found += fields_differ(title, pair, other, words=words)
    if words:
        said = {(pair.a, pair.b, pair.metric, pair.parameters.get("failures")) for pair in stored}
        for key in names:
            if key not in said:
                title = f"{key[0]} − {key[1]} {key[2]}"
                found.append(Difference(title, "missing", f"{title} comes of these predictions, and is not told."))
    return found


def _key(row: Evaluation) -> tuple[str, ...]:
    more = sorted(f"{name}={value}" for name, value in row.parameters.items())
    return (row.run, row.metric, row.label, row.subset, row.unit, *more)


def fields_differ(
    title: str, stored: Evaluation | Comparison, again: Evaluation | Comparison, *, words: bool = False
) -> list[Difference]:
    """Where one row is not another, field by field."""
    found = []
    is_older = not words and isinstance(stored, Comparison) and stored.low_simultaneous is None
    is_older = is_older and isinstance(stored, Comparison) and not stored.simultaneous_method
    for item in fields(stored):
        if item.name in (_NOT_NUMBERS if words else _WORDS) or (is_older and item.name in _SIMULTANEOUS):
            continue
        one, other = getattr(stored, item.name), getattr(again, item.name)
        if not is_close(one, other):
            found.append(differs(f"{title} {item.name}", one, other))
    return found


def is_close(one: object, other: object) -> bool:
    """Equal, or two numbers that differ by rounding alone."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_CLOSE, abs_tol=_CLOSE)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return dict(one) == dict(other)
    return one == other


def differs(where: str, stored: object, again: object) -> Difference:
    """A number that is not what it was."""
    return Difference(
        where,
        "differs",
        f"{where}: stored is {_shown(stored)}, computed again {_shown(again)}.",
        None,
        *map(_shown, (stored, again)),
    )


def _shown(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)[:200]
