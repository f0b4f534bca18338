"""A run once more: the same order under a new id, and whether the same numbers come out.

The order is that of a run of this workspace, or of a report's attachments. What decides the result has to be here:
the data and the split by their fingerprints, the weights by their hash. On the same computer the numbers are the same
to the last bit.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from medfm_gui import __version__
from medfm_gui.base.atomic import sha256_file
from medfm_gui.base.weights_status import bundled_file
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.errors import InputError, NotFound, UsageError, WeightsAbsent
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.portable import imported_from
from medfm_gui.domain.run import EXTERNAL, FileRef, Phase, TrainSpec
from medfm_gui.workspace import data, evaluating, training
from medfm_gui.workspace.errands import OnEvent
from medfm_gui.workspace.evidence import read_evidence
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.models import model
from medfm_gui.workspace.place import Workspace, now
from medfm_gui.workspace.portable_in import same_data
from medfm_gui.workspace.training import OnState, RunView
from medfm_gui.workspace.verifying import Difference
from medfm_gui.workspace.verifying_runs import differs


@dataclass(frozen=True, slots=True)
class Original:
    """What is repeated: an order, what came of it, and, where its test was opened, the rows of the test."""

    spec: TrainSpec
    metrics: Mapping[str, float]
    files: Mapping[str, str]
    rows: tuple[Evaluation, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeat:
    """A run that repeats another, and what of it is not the same to the last bit.

    ``compared`` counts numbers and files that both have; none is compared of a run that did not finish.
    """

    original: str
    view: RunView
    compared: int
    differences: tuple[Difference, ...]
    remarks: tuple[str, ...] = field(default_factory=tuple)

    @property
    def is_equal(self) -> bool:
        """Every number and every file is the same."""
        return self.compared > 0 and not self.differences


def rerun(
    workspace: Workspace,
    source: str,
    *,
    open_test: str | None = None,
    on_state: OnState | None = None,
    on_event: OnEvent | None = None,
    stop: threading.Event | None = None,
) -> list[Repeat]:
    """Repeat a run, or every run of a report.

    Args:
        source: a run's id, or the path of a report with attached files.
        open_test: the reason to open the sealed test of the new runs, so that test numbers are compared as well;
            it counts as an opening. None leaves it sealed.

    Raises:
        NotFound: there is no such run or file, or its data are not in this workspace.
        InputError: the report carries no orders, or the weights here are others.
        WeightsAbsent: the weights are not on this computer.
    """
    originals = _originals(workspace, source)
    drafts = [_draft(workspace, one.spec) for one in originals]
    made = training.create_drafts(workspace, drafts)
    for one, new in zip(originals, made, strict=True):
        note(workspace, "run repeated", new.id, original=one.spec.run)
    views = training.run_to_end(workspace, [new.id for new in made], on_state=on_state)
    if open_test is not None:
        finished = [view.id for view in views if view.state.phase is Phase.FINISHED]
        evaluating.evaluate(workspace, finished, reason=open_test, on_event=on_event, stop=stop)
    return [_compared(workspace, one, view) for one, view in zip(originals, views, strict=True)]


def _originals(workspace: Workspace, source: str) -> list[Original]:
    if re.fullmatch(r"[\w\-]+", source) and (workspace.root / "runs" / source).is_dir():
        view = training.view(workspace, source)
        if imported_from(view.state.facts):
            raise UsageError(
                f"{source} was imported as a finished model; it was not trained here.",
                "Repeat it where it was trained.",
            )
        if view.spec.adapt == EXTERNAL:
            raise _not_ours(source)
        path = evaluating.evaluation_path(workspace, source)
        rows = evaluating.opened(workspace, source).evaluations if path.exists() else ()
        return [Original(view.spec, view.state.metrics, view.state.files, rows)]
    path = Path(source).expanduser().absolute()
    if not path.is_file():
        raise NotFound(f"“{source}” is neither a run of this workspace nor a report.", "“medfm runs” lists the runs.")
    if path.suffix.lower() != ".pdf":
        raise UsageError(f"“{path.name}” is no report.", "Name a run, or a report (PDF) with its files attached.")
    from medfm_gui.reports.attached import read_pdf

    held = read_evidence(read_pdf(path)[0])
    specs = [spec for spec in held.specs if spec.adapt != EXTERNAL]
    if not specs:
        raise _not_ours(", ".join(spec.run for spec in held.specs))
    ended = {one.run: one for one in held.outcomes}
    lost = [spec.run for spec in specs if spec.run not in ended]
    if lost:
        raise InputError(f"The report carries no results of {lost[0]}.", "It was changed; ask for the file again.")
    return [
        Original(
            spec,
            ended[spec.run].metrics,
            ended[spec.run].files,
            tuple(row for row in held.rows if row.run == spec.run),
        )
        for spec in specs
    ]


def _not_ours(run: str) -> UsageError:
    return UsageError(
        f"{run} are the predictions of another system, which this program cannot train.", "Repeat a run of its own."
    )


def _draft(workspace: Workspace, spec: TrainSpec) -> TrainSpec:
    """The same order, with the places of this workspace; nothing that decides the result is changed."""
    found = same_data(workspace, spec)
    if found is None:
        _explain(workspace, spec)
    dataset, split = found or ("", "")
    one = model(workspace.settings, spec.card.name)
    folder, file = workspace.dataset(dataset), workspace.split(split)
    return replace(
        spec,
        run="",
        dataset=FileRef(str(folder / "manifest.json"), sha256_file(folder / "manifest.json")),
        split=FileRef(str(file), sha256_file(file)),
        pixels=str(folder / "pixels"),
        features=str(workspace.root / "features"),
        card=_same_card(one.card, spec.card),
        weights=_weights(workspace, spec.weights, spec.card.name),
        head_weights=_weights(workspace, spec.head_weights, training.ATTENTION_BLOCKS),
        created=now(),
        code_version=__version__,
        dataset_id=dataset,
        split_id=split,
    )


def _explain(workspace: Workspace, spec: TrainSpec) -> None:
    """Say what is missing.

    Raises:
        NotFound: the dataset, or the split, with these fingerprints.
    """
    same = [one.id for one in data.every_dataset(workspace) if one.fingerprint == spec.dataset_fingerprint]
    if same:
        raise NotFound(
            f"The split of {spec.run} (SHA-256 {spec.split_fingerprint[:16]}…) is not in this workspace.",
            f"Divide “{same[0]}” as it was divided then; the report tells the rule and the seed.",
        )
    raise NotFound(
        f"The data that {spec.run} was trained on (fingerprint {spec.dataset_fingerprint[:16]}…) are not in this "
        "workspace.",
        f"Import “{spec.dataset_id}” again from the same files; an edited label makes other data.",
    )


def _same_card(here: BackboneCard, then: BackboneCard) -> BackboneCard:
    """The card of the order, with the code of this computer.

    Raises:
        InputError: the registry's model of that name is another one now.
    """
    if here.arch != then.arch:
        raise InputError(
            f"“{then.name}” is {here.arch} now, and was {then.arch[:80]}.", "Use the plugin's version of that time."
        )
    return replace(then, plugin_folder=here.plugin_folder, entry=here.entry, plugin=here.plugin)


def _weights(workspace: Workspace, wanted: FileRef | None, name: str) -> FileRef | None:
    if wanted is None:
        return None
    one = model(workspace.settings, name)
    if not one.weights.is_here:
        raise WeightsAbsent(
            f"The weights of {one.card.title} are not on this computer.",
            f"Get them with “medfm weights pull {name}” or “medfm weights import FILE --model {name}”.",
        )
    if one.weights.sha256 != wanted.sha256:
        bundled = bundled_file(one.card)  # an imported file hides it
        if bundled is not None and sha256_file(bundled) == wanted.sha256:
            return FileRef(str(bundled), wanted.sha256)
        raise InputError(
            f"The weights of {one.card.title} on this computer are others than those of the run.",
            f"Bring in the file with the SHA-256 {wanted.sha256}.",
        )
    return FileRef(one.weights.path, one.weights.sha256)


def _compared(workspace: Workspace, one: Original, view: RunView) -> Repeat:
    """Numbers and files of both, bit for bit."""
    if view.state.phase is not Phase.FINISHED:
        return Repeat(one.spec.run, view, 0, ())
    found = [
        differs(f"validation {name}", value, view.state.metrics.get(name))
        for name, value in one.metrics.items()
        if view.state.metrics.get(name) != value
    ]
    shared = sorted(set(one.files) & set(view.state.files))
    found += [
        Difference(name, "differs", f"{name} has other bytes.", None, one.files[name], view.state.files[name])
        for name in shared
        if one.files[name] != view.state.files[name]
    ]
    compared = len(one.metrics) + len(shared)
    again: tuple[Evaluation, ...] = ()
    if evaluating.evaluation_path(workspace, view.id).exists():
        again = evaluating.opened(workspace, view.id).evaluations
    rows = _tested(one.rows, again)
    remarks = []
    if not compared:
        remarks.append("The first run did not come to an end, so there is nothing to compare with.")
    if one.rows and not again:
        remarks.append("Its test stays sealed, so test numbers were not compared (--open-test REASON).")
    if one.spec.code_version != view.spec.code_version:
        remarks.append(f"The first run was made by version {one.spec.code_version}, this one by {__version__}.")
    if one.rows and again:
        compared += len(one.rows)
        found += rows
    return Repeat(one.spec.run, view, compared, tuple(found), tuple(remarks))


def _tested(first: Sequence[Evaluation], again: Sequence[Evaluation]) -> list[Difference]:
    if not first or not again:
        return []
    numbers = {(row.metric, row.label, row.parameters.get("failures")): row for row in again}
    found = []
    for row in first:
        other = numbers.get((row.metric, row.label, row.parameters.get("failures")))
        before = (row.value, row.low, row.high, row.n)
        after = (other.value, other.low, other.high, other.n) if other else None
        if before != after:
            found.append(differs(f"test {row.metric}" + (f" ({row.label})" if row.label else ""), before, after))
    return found
