"""External tests of runs as they are kept, and what has to be known before another dataset is opened as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medfm_gui.base import wire
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError, MedfmError
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.metrics.names import headline, metric_title
from medfm_gui.workspace import data, training
from medfm_gui.workspace.comparing import title
from medfm_gui.workspace.elsewhere import EXTERNAL_TEST, FROZEN, ExternalTest, mapped_dataset
from medfm_gui.workspace.evaluating import count_openings
from medfm_gui.workspace.journal import entries
from medfm_gui.workspace.opened_runs import chart_owner
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.subgrouping import GROUP
from medfm_gui.workspace.training import RunView

_MOST_SITES = 60


@dataclass(frozen=True, slots=True)
class KeptTests:
    """External tests of runs, the oldest first; ``openings`` counts how often the images of each were opened.

    ``charts`` has one for each dataset (``external-<id>``): the headline as the runs are, for all and by site.
    """

    runs: tuple[str, ...]
    files: tuple[ExternalTest, ...]
    openings: tuple[int, ...]
    charts: tuple[ChartSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """A dataset as an external test of runs: its classes, the label map as names suggest it, and what parts it by site.

    ``obstacles`` are the runs that cannot be tested on it with the reason; ``journalled`` counts earlier openings of
    it as an external test.
    """

    runs: tuple[str, ...]
    dataset: str
    images: int
    theirs: tuple[str, ...]
    ours: tuple[str, ...]
    suggested: tuple[tuple[str, str], ...]
    sites: tuple[str, ...]
    journalled: int
    obstacles: tuple[tuple[str, str], ...] = ()


def kept_tests(workspace: Workspace, run_ids: Sequence[str]) -> KeptTests:
    """The external tests of these runs; files that cannot be read are left out."""
    found = []
    for run_id in dict.fromkeys(run_ids):
        for path in (workspace.root / "evaluations").glob(f"{run_id}-on-*.json"):
            try:
                file = wire.read(ExternalTest, path)
            except InputError:
                continue
            if file.run == run_id:
                found.append(file)
    found.sort(key=lambda file: file.opened)
    outside = [entry.details.get("sample_set") for entry in entries(workspace.root) if entry.what == EXTERNAL_TEST]
    counts = {
        name: outside.count(name) + count_openings(workspace, {name}) for name in {file.sample_set for file in found}
    }
    openings = tuple(counts[file.sample_set] for file in found)
    views = {run_id: training.view(workspace, run_id) for run_id in {file.run for file in found}}
    charts = [
        external_chart([file for file in found if file.dataset == name], views, run_ids)
        for name in dict.fromkeys(file.dataset for file in found)
    ]
    return KeptTests(tuple(run_ids), tuple(found), openings, tuple(charts))


def keep_charts(workspace: Workspace, run_ids: Sequence[str]) -> None:
    """Keep the charts of the external tests of these runs with their other charts."""
    if run_ids:
        for chart in kept_tests(workspace, run_ids).charts:
            workspace.store.put_chart(chart_owner(run_ids), chart)


def external_chart(files: Sequence[ExternalTest], views: Mapping[str, RunView], order: Sequence[str]) -> ChartSpec:
    """A forest of the headline: the newest test of each run, its own number first, then its sites'."""
    newest = {file.run: file for file in files}
    names: list[str] = []
    series: list[Series] = []
    main = headline(views[files[0].run].spec.task)
    for run in (run for run in order if run in newest):
        told: list[tuple[str, Evaluation]] = []
        for row in newest[run].evaluations:
            is_main = row.metric == main and not row.label and "failures" not in row.parameters
            if is_main and row.parameters.get("calibration") == FROZEN and row.value is not None:
                told.append((row.parameters.get("site", ""), row))
        known = [(site, row) for site, row in told if row.low is not None and row.high is not None]
        if known:
            start = len(names)
            names += [f"{run}, {site or 'all'}" for site, _ in known]
            family = views[run].spec.card.family.value
            series.append(
                Series(
                    title(views[run]), tuple(row.value or 0.0 for _, row in known),
                    tuple(float(start + place) for place in range(len(known))),
                    tuple(row.low or 0.0 for _, row in known), tuple(row.high or 0.0 for _, row in known),
                    family, markers=True,
                )
            )  # fmt: skip
    name = metric_title(main)
    return ChartSpec(
        f"external-{files[0].dataset}", "intervals", f"{name[:1].upper()}{name[1:]} on {files[0].dataset}", name,
        series=tuple(series), rows=tuple(names), note="Scores as they are; 95 % intervals.",
    )  # fmt: skip


def look_at_site(workspace: Workspace, run_ids: Sequence[str], dataset_id: str) -> SiteFacts:
    """What a dataset is to these runs; nothing is opened, and no label of it is counted.

    Raises:
        NotFound: no such dataset or run.
    """
    theirs = data.read(workspace, dataset_id)
    views = [training.view(workspace, run_id) for run_id in run_ids]
    ours = views[0].spec.classes
    folded = {name.casefold(): name for name in ours}
    suggested = tuple((name, folded[name.casefold()]) for name in theirs.classes if name.casefold() in folded)
    obstacles = []
    for view in views:
        try:
            training.check_has_model(view)
        except MedfmError as error:
            obstacles.append((view.id, error.message))
            continue
        if view.spec.dataset_fingerprint == theirs.fingerprint:
            obstacles.append((view.id, f"{view.id} was trained on “{theirs.name}” itself."))
    said = sum(
        entry.what == EXTERNAL_TEST and entry.details.get("dataset") == theirs.id for entry in entries(workspace.root)
    )
    return SiteFacts(
        tuple(run_ids), theirs.id, len(theirs.samples), theirs.classes, ours, suggested, _sites(theirs), said,
        tuple(obstacles),
    )  # fmt: skip


def check_map(workspace: Workspace, run_id: str, dataset_id: str, labels: dict[str, str]) -> None:
    """Whether a label map leaves something to test.

    Raises:
        UsageError, InputError: as ``elsewhere.mapped_dataset``.
    """
    mapped_dataset(data.read(workspace, dataset_id), training.view(workspace, run_id), labels)


def _sites(theirs: Dataset) -> tuple[str, ...]:
    """Covariates that may name a site: two values or more, and not as many as there are images."""
    values: dict[str, set[str]] = {}
    for sample in theirs.samples:
        for name, value in {**sample.covariates, **({GROUP: sample.group} if sample.group else {})}.items():
            if value:
                values.setdefault(name, set()).add(value)
    return tuple(sorted((name for name, found in values.items() if 2 <= len(found) <= _MOST_SITES), key=str.casefold))
