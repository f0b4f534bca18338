"""Two cheap models beside every comparison: covariates alone, and images of 32 pixels a side.

Both learn from the training side of the first run's split and are scored on the very test units that were opened. A
run that is not shown to beat them may have learned where an image comes from rather than what is on it.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write, sha256_file
from medfm_gui.datasets.units import is_case_name
from medfm_gui.domain.dataset import Dataset, Sample
from medfm_gui.domain.errors import InputError, MedfmError, NotFound
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.run import FileRef
from medfm_gui.domain.split import Partition, Split
from medfm_gui.metrics.rules import CODE_VERSION
from medfm_gui.workspace import data
from medfm_gui.workspace.comparing import OnProgress
from medfm_gui.workspace.evaluating import TEST
from medfm_gui.workspace.opened_runs import OpenedRun, OpenedRuns, OpenedTests, opened_tests, read_opened, result_path
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.scores import read_scores, scored

if TYPE_CHECKING:
    from medfm_gui.metrics.arrays import Codes, Flags, Floats
    from medfm_gui.metrics.scored import Scored

COVARIATES, THUMBNAILS = "baseline-covariates", "baseline-thumbnails"
TITLES: Mapping[str, str] = {COVARIATES: "covariates alone", THUMBNAILS: "32-pixel thumbnails"}
LEARN_AT_MOST = 5000
"""Training images that a baseline looks at; of more, as many are drawn."""
_WAY = "3"
"""Changes when the baselines are made in another way, so that kept ones are made anew."""
_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Baseline:
    """A cheap model on the opened test: its numbers, and each run minus it on the headline metric.

    ``evaluations`` and ``pairs`` are empty where it could not be made; ``note`` says why, else what it looked at.
    """

    name: str
    title: str
    note: str
    evaluations: tuple[Evaluation, ...] = ()
    pairs: tuple[Comparison, ...] = ()
    predictions: FileRef | None = None


@dataclass(frozen=True, slots=True)
class ShortcutFile:
    """``evaluations/shortcuts-<hash>.json``: the baselines of a comparison, and what has to be said of each run."""

    runs: tuple[str, ...]
    baselines: tuple[Baseline, ...]
    sentences: tuple[str, ...]


def shortcuts(
    workspace: Workspace, run_ids: Sequence[str], *, on_progress: OnProgress | None = None, keep: bool = True
) -> ShortcutFile:
    """The baselines of runs with an open test, made once and kept unless ``keep`` is off.

    A baseline that cannot be made (no covariate, no pixels) is named with its reason.

    Raises:
        SealError: the test of a run was not opened.
        UsageError, InputError: the runs cannot stand side by side.
    """
    tests = opened_tests(workspace, run_ids)
    split = data.splits_of(workspace, tests.views[0].spec.split_id)[0]
    path = result_path(workspace, "shortcuts", tests, split.fingerprint, _WAY)
    if path.exists():
        return wire.read(ShortcutFile, path)
    file = _computed(workspace, tests, split, on_progress, keep)
    if keep:
        wire.write(path, file)
    return file


def _computed(
    workspace: Workspace, tests: OpenedTests, split: Split, on_progress: OnProgress | None, keep: bool
) -> ShortcutFile:
    found = read_opened(workspace, tests, on_progress)
    made: list[Baseline] = []
    scores: dict[str, Scored] = {}
    for number, name in enumerate(TITLES):
        if on_progress is not None:
            on_progress(f"A model on {TITLES[name]}", number, len(TITLES))
        try:
            one, scores[name] = _baseline(workspace, found, split, name, keep)
            made.append(one)
        except MedfmError as error:
            made.append(Baseline(name, TITLES[name], f"could not be made: {error.message}"))
    return told_of(found.runs, made, scores, on_progress)


def told_of(
    runs: Sequence[OpenedRun],
    made: Sequence[Baseline],
    scores: Mapping[str, Scored],
    on_progress: OnProgress | None = None,
) -> ShortcutFile:
    """The baselines with each run minus each of them, adjusted over all, and what has to be said of the runs.

    Args:
        scores: of each baseline by its name; one that could not be made has none.
    """
    adjusted = _compared(runs, made, scores, on_progress)
    names = {run.view.id: run.name for run in runs}
    return ShortcutFile(tuple(names), adjusted, tuple(_sentences(adjusted, names)))


def _baseline(workspace: Workspace, found: OpenedRuns, split: Split, name: str, keep: bool) -> tuple[Baseline, Scored]:
    first = found.runs[0]
    path = _scores_path(workspace, found, split, name)
    if path.exists():
        samples, scores = read_scores(path)
        note = (path.parent / "note.txt").read_text(encoding="utf-8")
    else:
        samples = first.images.samples
        scores, note = _learned(found, split, name)
        if keep:
            _write_scores(path, samples, scores, note)
    joined = scored(found.dataset, samples, scores)
    kept = FileRef(str(path), sha256_file(path)) if path.exists() else None
    return replace(beside_runs(found.runs, name, note, joined), predictions=kept), joined


def beside_runs(runs: Sequence[OpenedRun], name: str, note: str, joined: Scored) -> Baseline:
    """The numbers of a baseline from its scores of the test images; it is compared with the runs by ``told_of``."""
    from medfm_gui.metrics.evaluate import evaluate

    unit = runs[0].units.unit
    rows = evaluate(
        joined, run=name, subset=TEST, unit=unit, point=None, sample_set=runs[0].test.sample_set,
        code_version=CODE_VERSION,
    )  # fmt: skip
    return Baseline(name, TITLES[name], note, rows)


def _scores_path(workspace: Workspace, found: OpenedRuns, split: Split, name: str) -> Path:
    first = found.runs[0]
    said = [_WAY, first.view.spec.dataset_fingerprint, split.fingerprint, first.test.sample_set]
    key = hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]
    return workspace.root / "predictions" / f"{name}-{key}" / f"{TEST}.npz"


def _write_scores(path: Path, samples: Sequence[str], scores: npt.NDArray[np.float32], note: str) -> None:
    held = io.BytesIO()
    np.savez(held, allow_pickle=False, sample=np.array(samples, dtype=np.str_), scores=scores)
    atomic_write(path.parent / "note.txt", note)
    atomic_write(path, held.getvalue())  # last: where it is, all is


def _learned(found: OpenedRuns, split: Split, name: str) -> tuple[npt.NDArray[np.float32], str]:
    """Scores (n, classes) of the test images, and what the model looked at."""
    from medfm_gui.datasets.targets import patients, targets
    from medfm_gui.metrics.arrays import clusters
    from medfm_gui.metrics.shortcuts import shortcut_scores

    dataset = found.dataset
    trained = _drawn(split.samples_in(Partition.TRAIN))
    tested = found.runs[0].images.samples
    every = [*trained, *tested]
    learn = np.arange(len(every)) < len(trained)
    answers = targets(dataset, every).astype(np.intp)
    answers[~learn] = 0  # the answers of the test are of no use here, so they are not here
    if name == COVARIATES:
        features, note = _covariates(dataset, every, learn, answers)
    else:
        features, note = _thumbnails(found, every)
    who = clusters(patients(dataset, every), len(every)).codes
    scores = shortcut_scores(features, answers, dataset.task, len(dataset.classes), learn=learn, groups=who)
    return scores[~learn].astype(
        np.float32
    ), f"logistic regression on {note}; learned from {len(trained):,} training images"


def _drawn(samples: Sequence[str]) -> tuple[str, ...]:
    if len(samples) <= LEARN_AT_MOST:
        return tuple(samples)
    places = np.sort(np.random.default_rng(0).choice(len(samples), LEARN_AT_MOST, replace=False))
    return tuple(samples[place] for place in places)


def _covariates(
    dataset: Dataset,
    samples: Sequence[str],
    learn: Flags,
    answers: Codes,
) -> tuple[Floats, str]:
    from medfm_gui.metrics.shortcuts import encoded

    by_id = {sample.id: sample for sample in dataset.samples}
    facts = [_facts(by_id[sample]) for sample in samples]
    names = sorted({name for one in facts for name in one}, key=str.casefold)
    cases = [name for name in names if is_case_name(name)]
    table = {name: [one.get(name, "") for one in facts] for name in names if name not in cases}
    found = encoded(table, learn, answers)
    left = f"; left out: {', '.join([*found.left_out, *cases])}" if found.left_out or cases else ""
    if not found.used:
        raise NotFound(
            f"“{dataset.name}” has no covariate that varies{left}.", "Import a table with columns such as age or view."
        )
    return found.columns, f"{', '.join(found.used)}{left}"


def _facts(sample: Sample) -> dict[str, str]:
    size = {"image rows": str(sample.rows), "image columns": str(sample.columns)} if sample.rows else {}
    return {**size, **sample.covariates}


def _thumbnails(found: OpenedRuns, samples: Sequence[str]) -> tuple[Floats, str]:
    from medfm_gui.datasets.pixels import PixelCache
    from medfm_gui.datasets.thumbnails import SIDE, thumbnails

    folder = Path(found.runs[0].view.spec.pixels)
    if not folder.is_dir():
        raise InputError("the pixels of the dataset are not here", "Import the dataset again.")
    cache = PixelCache(folder)
    try:
        return thumbnails(cache, samples).astype(np.float64), f"grey images of {SIDE} × {SIDE} pixels"
    finally:
        cache.close()


def _compared(
    runs: Sequence[OpenedRun], baselines: Sequence[Baseline], scores: Mapping[str, Scored], tell: OnProgress | None
) -> tuple[Baseline, ...]:
    """Holm and simultaneous intervals over all runs and both baselines."""
    from medfm_gui.metrics.family import Contender, compare_family

    known = [one.name for one in baselines if one.name in scores]
    sides = [Contender(run.view.id, run.images) for run in runs] + [Contender(name, scores[name]) for name in known]
    pairs = [(place, len(runs) + number) for number in range(len(known)) for place in range(len(runs))]
    rows = compare_family(sides, pairs, unit=runs[0].units.unit, headline_alone=True, on_progress=tell)
    return tuple(replace(one, pairs=tuple(row for row in rows if row.b == one.name)) for one in baselines)


def beats(pair: Comparison) -> bool:
    """Whether a run is shown to be better than a baseline: adjusted p below 0.05, its interval above zero.

    The interval is the simultaneous one where there is one.
    """
    p = pair.p if pair.p_adjusted is None else pair.p_adjusted
    low = pair.low if pair.low_simultaneous is None else pair.low_simultaneous
    return p is not None and p < _LEVEL and low is not None and low > 0


def _sentences(baselines: Sequence[Baseline], names: Mapping[str, str]) -> list[str]:
    from medfm_gui.metrics.names import metric_title

    said = []
    for one in baselines:
        for pair in one.pairs:
            if "failures" in pair.parameters or beats(pair):
                continue
            by = "cannot be compared with it"
            if pair.difference is not None:
                by = f"{metric_title(pair.metric)} {_signed(pair.difference)}"
                by += _certainty(pair)
            said.append(
                f"{names[pair.a]} is not shown to beat a model on {one.title} ({by}): what it scores may come from "
                "how, where or of whom the image was taken."
            )
    return said


def _certainty(pair: Comparison) -> str:
    """The interval and what decides: the adjusted p, beside an interval that is adjusted too where there is one."""
    if pair.low is None or pair.high is None:
        return f"; no interval: {pair.note}" if pair.note else ""
    level = f"{100 * pair.confidence:g} % interval"
    said = f"; {level} {_signed(pair.low)} to {_signed(pair.high)}"
    if pair.low_simultaneous is not None and pair.high_simultaneous is not None:
        said = f"; simultaneous {level} {_signed(pair.low_simultaneous)} to {_signed(pair.high_simultaneous)}"
    elif pair.p_adjusted is not None and pair.p_adjusted != pair.p:
        said += ", unadjusted"
    if pair.p_adjusted is None or pair.p_adjusted == pair.p:
        return said
    p = "< 0.001" if pair.p_adjusted < 0.001 else f"= {pair.p_adjusted:.3f}"
    return f"{said}; adjusted p {p}"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
