"""Published results of the two studies beside one's own: other splits, so never tested, and never guessed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from medfm_gui.base.resources import resources_folder
from medfm_gui.domain.cards import KNOWN_DATASETS, known_dataset
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.metrics.names import METRICS, headline, metric_title
from medfm_gui.workspace.opened_runs import opened_tests, read_opened
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.sidebyside import is_whole, stored

NOT_COMPARABLE = "other split: not comparable"
UNPUBLISHED = "not published here"


@dataclass(frozen=True, slots=True)
class PublishedResult:
    """One number of a study; ``value`` None stands for one that is not published here.

    ``metric`` is an id of ``metrics.names`` where the program computes the same number, else the study's own words.
    ``source`` tells where it was read: ``figure``, ``history``, ``second-hand`` or ``abstract``.
    """

    study: str
    dataset: str
    metric: str
    model: str
    setting: str
    value: float | None
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class OwnResult:
    """A run's test in a study's own definition of a metric, to be laid beside what the study published.

    ``name`` is the id of that definition (``metrics.studies``), ``metric`` that of the published number. ``value``
    None: ``note`` says why it cannot be made.
    """

    run: str
    study: str
    metric: str
    name: str
    value: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class References:
    """Published results for the dataset of some runs, and the charts in which they stand as hollow marks.

    ``dataset`` is the title of the known dataset, empty where it is none of the studies'. ``studies`` tells what each
    study is, ``sources`` what each source means.
    """

    runs: tuple[str, ...]
    dataset: str
    results: tuple[PublishedResult, ...]
    charts: tuple[ChartSpec, ...]
    studies: tuple[tuple[str, str], ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    own: tuple[OwnResult, ...] = ()


def published(dataset: str) -> tuple[PublishedResult, ...]:
    """What the studies published of a known dataset (a key of ``KNOWN_DATASETS``), in their order."""
    return tuple(result for result in _every() if result.dataset == dataset)


def references(workspace: Workspace, run_ids: Sequence[str], names: dict[str, str] | None = None) -> References:
    """Published results for the dataset that these opened runs were tested on.

    Args:
        names: what people read for a run's id.

    Raises:
        SealError, UsageError, InputError, NotFound: as ``sidebyside.stored``.
    """
    kept = stored(workspace, run_ids)
    row = kept.runs[0].dataset
    key = known_dataset(row.layout, row.id, row.name)
    results = published(key) if key else ()
    ids = tuple(run.row.id for run in kept.runs)
    if not results:
        return References(ids, KNOWN_DATASETS.get(key, "") if key else "", (), ())
    families = {run.row.id: run.row.family for run in kept.runs}
    own = [one for one in kept.evaluations if is_whole(one)]
    wanted = dict.fromkeys(result.metric for result in results if result.value is not None)
    metrics = sorted((name for name in wanted if name in METRICS), key=lambda name: name != headline(row.task))
    charts = tuple(_chart(metric, own, results, names or {}, families) for metric in metrics)
    raw = _document()
    studies = tuple((str(one["name"]), str(one["title"])) for one in raw["study"])
    sources = tuple((k, str(v)) for k, v in raw["sources"].items())
    defined = own_results(workspace, ids, results)
    return References(ids, KNOWN_DATASETS[key], results, charts, studies, sources, defined)


_DEFINED = {
    ("A", "auc"): "study_a_roc_auc",
    ("A", "auc_mean_labels"): "study_a_roc_auc",
    ("A", "balanced_accuracy"): "study_a_recall_macro",
    ("A", "kappa_quadratic"): "study_a_kappa_quadratic",
    ("B", "auc"): "study_b_auroc_macro",
    ("B", "auc_macro_ovr"): "study_b_auroc_macro",
    ("B", "auc_mean_labels"): "study_b_auroc_macro",
}
"""A study's name and its published metric → what the study's own code calls that number."""
OWN_TITLES: Mapping[str, str] = {
    "study_a_roc_auc": "study A: ROC-AUC of class 1, over pairs of classes, or a mean over findings in which one "
    "without positives counts 0.5; three decimals",
    "study_a_recall_macro": "study A: mean recall over classes at the highest score; three decimals",
    "study_a_kappa_quadratic": "study A: kappa with quadratic weights at the highest score; three decimals",
    "study_b_auroc_macro": "study B: mean AUROC over classes or findings that have both outcomes",
}
"""What a definition says, in words."""


def own_results(
    workspace: Workspace, run_ids: Sequence[str], results: Sequence[PublishedResult]
) -> tuple[OwnResult, ...]:
    """The opened tests of these runs in the definitions of the studies that published something, image by image."""
    from medfm_gui.metrics.studies import study_a, study_b

    wanted = [
        (study, metric, _DEFINED[study, metric])
        for study, metric in dict.fromkeys((one.study, one.metric) for one in results)
        if (study, metric) in _DEFINED
    ]
    if not wanted:
        return ()
    found: list[OwnResult] = []
    for run in read_opened(workspace, opened_tests(workspace, run_ids)).runs:
        for study, metric, name in wanted:
            try:
                made = study_a(run.images) if study == "A" else study_b(run.images)
                value, note = made.get(name), ""
            except InputError as error:
                value, note = None, f"{error.message} {error.hint}"
            found.append(OwnResult(run.view.id, study, metric, name, value, note))
    return tuple(found)


def _chart(
    metric: str,
    own: Sequence[Evaluation],
    results: Sequence[PublishedResult],
    names: dict[str, str],
    families: dict[str, str],
) -> ChartSpec:
    from medfm_gui.metrics.charts import interval_chart

    chart = interval_chart([row for row in own if row.metric == metric], names, families)
    marks = [result for result in results if result.metric == metric and result.value is not None]
    start = len(chart.series)
    hollow = tuple(
        Series(
            f"{result.model}{', ' + result.setting if result.setting else ''} (study {result.study})",
            (float(result.value or 0.0),), (float(start + place),), markers=True, hollow=True,
        )
        for place, result in enumerate(marks)
    )  # fmt: skip
    title = metric_title(metric)
    series = (*chart.series, *hollow)
    note = f"Hollow: published, {NOT_COMPARABLE}. {chart.note}".strip()
    return replace(
        chart, id=f"references-{metric}", title=f"{title[:1].upper()}{title[1:]} and published results",
        x_label=title, series=series, rows=tuple(item.name for item in series), x_range=None, note=note,
    )  # fmt: skip


def _document() -> dict[str, Any]:
    return tomllib.loads((resources_folder() / "references" / "studies.toml").read_text(encoding="utf-8"))


def _every() -> tuple[PublishedResult, ...]:
    found = []
    for table in _document()["table"]:
        for entry in table["results"]:
            model, values = str(entry[0]), entry[1:]
            found += [
                PublishedResult(
                    str(table["study"]), str(column["dataset"]), str(column["metric"]), model,
                    str(column.get("setting", table.get("setting", ""))),
                    float(value) if isinstance(value, (int, float)) else None,
                    str(table["source"]), str(table.get("note", "")),
                )
                for column, value in zip(table["columns"], values, strict=True)
            ]  # fmt: skip
    return tuple(found)
