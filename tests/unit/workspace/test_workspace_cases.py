"""What lies behind a comparison: subgroups, usefulness, seeds, disagreements, published results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medfm_gui.base.settings import Settings
from medfm_gui.cli.cases import added
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.domain.cards import KNOWN_DATASETS
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError, NotFound, UsageError
from medfm_gui.metrics.names import METHODS, METRICS
from medfm_gui.workspace import disagreements as cases
from medfm_gui.workspace import references, subgrouping, usefulness
from medfm_gui.workspace.all_pairs import EXPLORATORY, every_pair
from medfm_gui.workspace.comparing import compare
from medfm_gui.workspace.evaluating import test_predictions as predictions_of
from medfm_gui.workspace.opened_runs import chart_owner, opened_tests, read_opened
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.seeds import seed_table
from tests.fixtures.opened import drawn_dataset, opened_run

COVARIATES = {
    "sex": ("F", "M", "F", "M", ""),
    "age": ("034Y", "67", "81", "12Y", "044Y"),
    "site <b>": ("north", "south"),
    "dose": tuple(str(number) for number in range(1, 14)),
    "scanner": tuple(f"model {number}" for number in range(30)),
    "constant": ("same",),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    folder = tmp_path_factory.mktemp("cases") / "ws"
    with open_workspace(folder, settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 2400, covariates=COVARIATES, per_patient=1)
        seeds = tuple(opened_run(workspace, dataset, seed=seed) for seed in range(5))
        other = opened_run(workspace, dataset, seed=7, signal=0.4, settings={"epochs": "3", "balanced_sampling": "yes"})
        yield SimpleNamespace(workspace=workspace, dataset=dataset, seeds=seeds, other=other)


def test_every_covariate_that_parts_the_test_is_offered(place: SimpleNamespace) -> None:
    found = {one.name: one for one in subgrouping.covariates(place.workspace, place.seeds[:1])}
    assert set(found) == set(COVARIATES) - {"constant"}
    assert found["sex"].n_values == 2 and found["sex"].n_missing > 0 and found["site <b>"].n_missing == 0


def test_subgroups_are_those_of_the_scores(place: SimpleNamespace) -> None:
    runs = (place.seeds[0], place.other)
    told: list[str] = []
    file = subgrouping.subgroup_table(
        place.workspace, runs, "sex", on_progress=lambda text, done, total: told.append(text)
    )
    assert told and set(file.values) == {"F", "M", "not recorded"}
    by_id = {sample.id: sample for sample in place.dataset.samples}
    opened = read_opened(place.workspace, opened_tests(place.workspace, runs))
    for run in opened.runs:
        women = np.array([by_id[name].covariates.get("sex") == "F" for name in run.units.samples])
        wanted = roc_auc_score(run.units.events[women], run.units.event_scores[women])
        (row,) = [one for one in file.rows if (one.run, one.label, one.metric) == (run.view.id, "F", "auc")]
        assert row.value == pytest.approx(wanted) and row.n == women.sum() and row.low < row.value < row.high  # type: ignore[operator]
        assert row.parameters["covariate"] == "sex" and row.metric in METRICS and row.method in METHODS
    assert {row.metric for row in file.rows} == {"auc", "sensitivity", "specificity"}
    points = [x for series in file.chart.series for x in series.x]
    assert (
        len(points) == len(file.chart.rows) == sum(row.metric == "auc" and row.value is not None for row in file.rows)
    )
    assert "no p value" in file.note


def test_a_second_look_reads_what_was_kept(place: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    first = subgrouping.subgroup_table(place.workspace, place.seeds[:2], "site <b>")
    monkeypatch.setattr(subgrouping, "read_opened", None)
    assert subgrouping.subgroup_table(place.workspace, place.seeds[:2], "site <b>") == first
    stored = place.workspace.store.charts(chart_owner(place.seeds[:2]))
    assert first.chart in stored


def test_nothing_is_kept_where_nothing_may_be_written(place: SimpleNamespace) -> None:
    before = sorted((place.workspace.root / "evaluations").iterdir())
    subgrouping.subgroup_table(place.workspace, place.seeds[3:4], "sex", keep=False)
    usefulness.usefulness_table(place.workspace, place.seeds[3:4], 0.1, 0.4, prevalence=0.2, keep=False)
    seed_table(place.workspace, place.seeds[3:4], keep=False)
    assert sorted((place.workspace.root / "evaluations").iterdir()) == before


def test_ages_ranges_and_many_names(place: SimpleNamespace) -> None:
    ages = subgrouping.subgroup_table(place.workspace, place.seeds[:1], "age")
    assert ages.values == ("0 to 19", "20 to 39", "40 to 59", "60 to 79", "80 and over")
    doses = subgrouping.subgroup_table(place.workspace, place.seeds[:1], "dose")
    assert [value.split()[0] for value in doses.values] == ["below", "4", "7", "11"]
    assert doses.values[-1] == "11 and over"
    scanners = subgrouping.subgroup_table(place.workspace, place.seeds[:1], "scanner")
    assert len(scanners.values) == 12 and scanners.values[-1] == "other values"
    small = [row for row in scanners.rows if row.label == "model 3" and row.metric == "auc"]
    assert small[0].value is None and small[0].n > 0 and "fewer than 20" in small[0].note
    with pytest.raises(NotFound):
        subgrouping.subgroup_table(place.workspace, place.seeds[:1], "nothing of the kind")


def test_net_benefit_is_withheld_until_a_prevalence_is_named(place: SimpleNamespace) -> None:
    runs = (place.seeds[0], place.other)
    held = usefulness.usefulness_table(place.workspace, runs, 0.05, 0.5)
    assert not held.charts and "withheld" in held.withheld and held.distorted == (place.other,)
    by = {(row.run, row.metric): row for row in held.rows}
    assert by[runs[0], "calibration_in_the_large"].value is None and by[runs[0], "ece"].value is None
    assert by[runs[0], "calibration_slope"].value > by[runs[1], "calibration_slope"].value  # type: ignore[operator]
    named = usefulness.usefulness_table(place.workspace, runs, 0.05, 0.5, prevalence=0.1)
    assert named.charts[0].id == "decision" and not named.withheld and named.prevalence == 0.1
    assert by[runs[0], "ppv"].value is None and by[runs[0], "ppv"].note.startswith("withheld")
    worth = {(row.run, row.metric): row for row in named.rows}
    for run in runs:
        ppv, npv = worth[run, "ppv"], worth[run, "npv"]
        assert ppv.low <= ppv.value <= ppv.high and npv.low <= npv.value <= npv.high  # type: ignore[operator]
        assert worth[run, "brier_at_prevalence"].low < worth[run, "brier_at_prevalence"].value  # type: ignore[operator]
        assert ppv.parameters["prevalence"] == "0.1" and float(ppv.parameters["threshold"]) > 0
    assert [series.name for series in named.charts[0].series][-2:] == ["treat all", "treat none"]
    for low, high in ((0.5, 0.1), (0.0, 0.4), (0.2, 1.0)):
        with pytest.raises(UsageError):
            usefulness.usefulness_table(place.workspace, runs, low, high)
    with pytest.raises(UsageError):
        usefulness.usefulness_table(place.workspace, runs, 0.1, 0.4, prevalence=1.0)


def test_consecutive_cases_are_told_as_they_are(place: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usefulness, "sampling_in", lambda said: usefulness.Sampling("consecutive"))
    found = usefulness.usefulness_table(place.workspace, place.seeds[:1], 0.05, 0.5)
    assert found.prevalence is None and found.charts and not found.withheld
    by = {row.metric: row for row in found.rows}
    assert by["calibration_in_the_large"].low < by["calibration_in_the_large"].value and by["ece"].value >= 0  # type: ignore[operator]
    assert all(row.metric in METRICS and row.method in METHODS for row in found.rows)
    monkeypatch.setattr(usefulness, "sampling_in", lambda said: usefulness.Sampling("enriched", 0.04))
    assert usefulness.usefulness_table(place.workspace, place.seeds[:1], 0.05, 0.5).prevalence == 0.04


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("12 %", 0.12), ("0.5%", 0.005), ("0.3", 0.3), (".3", 0.3), ("1 in 250", 0.004), ("12 of 1,000", 0.012),
     ("", None), ("rare", None), ("0", None), ("120 %", None), ("3", None)],
)  # fmt: skip
def test_a_prevalence_in_words(text: str, wanted: float | None) -> None:
    assert usefulness.share(text) == (pytest.approx(wanted) if wanted else None)


def test_seeds_have_two_intervals(place: SimpleNamespace) -> None:
    file = seed_table(place.workspace, (*place.seeds, place.other))
    group, single = file.groups
    assert group.runs == place.seeds and group.seeds == (0, 1, 2, 3, 4) and single.runs == (place.other,)
    mean = np.mean(group.values)  # type: ignore[arg-type]
    assert group.over_seeds.value == pytest.approx(mean) == group.over_patients.value
    assert group.over_seeds.high - group.over_seeds.low < group.over_patients.high - group.over_patients.low  # type: ignore[operator]
    assert single.over_seeds.low is None and single.over_patients.low is not None
    assert file.pairs[0].p is None and "fewer than 5 seeds" in file.pairs[0].note
    assert "at least 5 seeds" in file.sentence and len(file.charts) == 1
    assert group.name.endswith(", as r0001") and single.name.endswith(", as r0006"), "they differ in their settings"
    assert seed_table(place.workspace, (*place.seeds, place.other)) == file
    assert "one trained model" in seed_table(place.workspace, place.seeds[:1]).sentence


def test_cases_where_runs_differ_or_all_err(place: SimpleNamespace) -> None:
    runs = (place.seeds[0], place.other)
    found = cases.disagreements(place.workspace, runs)
    assert found.mapped == runs
    assert found.n_found == found.n_differ + found.n_all_err == len(found.cases) < found.n_units
    gaps = [case.gap for case in found.cases]
    assert gaps == sorted(gaps, reverse=True) and found.probability_of == "with" and found.unit == "image"
    labels = {sample.id: sample.target[0] for sample in place.dataset.samples}
    for case in found.cases[:50]:
        a, b = case.probabilities
        assert case.gap == pytest.approx(abs(a - b)) and case.reference == ("without", "with")[labels[case.sample]]  # type: ignore[operator]
        assert case.wrong == tuple(name != case.reference for name in case.decided)
        assert len(set(case.decided)) == 2 or all(case.wrong)
        assert case.place == f"/nowhere/{int(case.sample[1:])}.png"
    differ = cases.disagreements(place.workspace, runs, cases.Kind.DIFFER)
    wrong = cases.disagreements(place.workspace, runs, cases.Kind.ALL_ERR)
    assert (len(differ.cases), len(wrong.cases)) == (found.n_differ, found.n_all_err)
    assert all(len(set(case.decided)) == 2 for case in differ.cases) and all(all(case.wrong) for case in wrong.cases)
    alone = cases.disagreements(place.workspace, runs[:1])
    assert alone.n_differ == 0 and all(case.wrong == (True,) for case in alone.cases)


def test_units_of_patients_several_findings_and_failures(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        binary = drawn_dataset(workspace, 600, name="Pairs", covariates={"view": ("AP", "PA")})
        pair = [
            opened_run(workspace, binary, seed=seed, failed=3 * seed, settings={"unit": "patient"}) for seed in (0, 1)
        ]
        found = cases.disagreements(workspace, pair)
        assert found.unit == "patient" and all(case.n_images == 2 for case in found.cases)
        assert any(None in case.probabilities and "not scored" in case.decided for case in found.cases)
        table = subgrouping.subgroup_table(workspace, pair, "view")
        assert table.unit == "patient" and sum(row.n for row in table.rows if row.metric == "auc") == 2 * found.n_units
        several = drawn_dataset(
            workspace, 300, name="Findings", task=Task.MULTILABEL, classes=("oedema", "mass"), request=SplitRequest()
        )
        run = opened_run(workspace, several, seed=2)
        mass = cases.disagreements(workspace, [run], finding="mass")
        assert mass.findings == ("oedema", "mass") and {case.reference for case in mass.cases} <= {"present", "absent"}
        with pytest.raises(UsageError):
            cases.disagreements(workspace, [run], finding="stone")
        with pytest.raises(UsageError):
            usefulness.usefulness_table(workspace, [run], 0.1, 0.4)


def test_published_results_stand_beside_and_are_never_guessed(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        grades = ("0", "1", "2", "3", "4")
        aptos = drawn_dataset(workspace, 600, name="APTOS 2019", task=Task.ORDINAL, classes=grades)
        run = opened_run(workspace, aptos)
        found = references.references(workspace, [run], {run: f"{run} mine"})
        assert found.dataset == KNOWN_DATASETS["aptos2019"] and len(found.results) == 15
        (chart,) = found.charts
        assert [one.hollow for one in chart.series] == [False] + [True] * 13 and not chart.series[1].low
        best = max((result for result in found.results if result.value), key=lambda result: result.value or 0)
        assert (best.model, best.value, best.source, best.metric) == ("AIMv2-L", 0.915, "figure", "kappa_quadratic")
        assert [result.model for result in found.results if result.value is None] == ["CLIP", "All models"]
        assert references.NOT_COMPARABLE in chart.note and "figure" in dict(found.sources)
        plain = drawn_dataset(workspace, 400, name="Plain")
        assert not references.references(workspace, [opened_run(workspace, plain)]).results


def test_the_list_of_published_results_is_whole() -> None:
    every = [result for key in KNOWN_DATASETS for result in references.published(key)]
    assert {result.study for result in every} == {"A", "B"}
    assert {result.source for result in every} <= {"figure", "history", "second-hand", "abstract"}
    assert all(result.value is None or 0 < result.value < 1 for result in every)
    assert all(result.metric in METRICS or " " in result.metric or result.metric == "Dice" for result in every)
    nih = [result for result in references.published("nih-cxr14") if result.model == "DINOv2 ViT-L/14"]
    assert [result.value for result in nih] == [0.502, 0.528, 0.519, 0.584, 0.601, 0.763]


def test_scores_of_another_order_are_put_in_the_first_ones(place: SimpleNamespace) -> None:
    workspace: Workspace = place.workspace
    runs = place.seeds[3:5]
    plain = read_opened(workspace, opened_tests(workspace, runs))
    path = predictions_of(workspace, runs[1])
    with np.load(path, allow_pickle=False) as held:
        samples, scores = held["sample"], held["scores"]
    try:
        np.savez(path, sample=samples[::-1], scores=scores[::-1])
        turned = read_opened(workspace, opened_tests(workspace, runs))
        assert np.array_equal(turned.runs[1].units.scores, plain.runs[1].units.scores)
        np.savez(path, sample=samples[:-1], scores=scores[:-1])
        with pytest.raises(InputError):
            read_opened(workspace, opened_tests(workspace, runs))
    finally:
        np.savez(path, sample=samples, scores=scores)


def test_a_subgroup_that_a_protocol_declares(place: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = SimpleNamespace(id="p1", protocol=SimpleNamespace(subgroups=("Sex",)))
    monkeypatch.setattr(subgrouping, "standing", lambda *_: SimpleNamespace(locked=locked, is_binding=True))
    file = subgrouping.subgroup_table(place.workspace, place.seeds[2:3], "sex", keep=False)
    assert file.note.startswith("Declared in the protocol p1") and "Exploratory" not in file.chart.note
    other = subgrouping.subgroup_table(place.workspace, place.seeds[2:3], "site <b>", keep=False)
    assert other.note == subgrouping.NOTE


def test_the_command_line_tells_them(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 800, per_patient=1, covariates={"sex": ("F", "M")})
        runs = [opened_run(workspace, dataset, seed=seed) for seed in (0, 1)]
        document, lines, tables = added(workspace, runs, subgroup="sex", net_benefit=(0.1, 0.4), prevalence=0.2)
        assert document["subgroups"]["values"] == ["F", "M"] or document["subgroups"]["values"] == ["M", "F"]
        assert len(document["subgroups"]["evaluations"]) == 2 * 2 * 3 and document["usefulness"]["prevalence"] == 0.2
        assert document["usefulness"]["charts"][0]["id"] == "decision" and len(tables) == 2 and "0.2" in lines[-1]
        assert added(workspace, runs, subgroup=None, net_benefit=None, prevalence=None) == ({}, [], [])
        with pytest.raises(UsageError):
            added(workspace, runs, subgroup=None, net_benefit=None, prevalence=0.2)


def test_one_run_is_enough_for_a_table(place: SimpleNamespace) -> None:
    workspace: Workspace = place.workspace
    assert len(subgrouping.subgroup_table(workspace, place.seeds[:1], "sex").runs) == 1


def test_a_declared_covariate_has_one_interaction_test_and_no_other_has(
    place: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = place.seeds[3:4]
    assert subgrouping.subgroup_table(place.workspace, run, "sex", keep=False).interactions == ()
    locked = SimpleNamespace(id="p1", protocol=SimpleNamespace(subgroups=("sex", "age")))
    monkeypatch.setattr(subgrouping, "standing", lambda *_: SimpleNamespace(locked=locked, is_binding=True))
    (found,) = subgrouping.subgroup_table(place.workspace, run, "sex", keep=False).interactions
    assert found.values == ("F", "M") and found.df == 1 and found.method == "wald-areas-delong"
    assert found.p is not None and 0 < found.p < 1 and found.run == run[0]
    assert subgrouping.subgroup_table(place.workspace, run, "scanner", keep=False).interactions == ()
    document, lines, _ = added(place.workspace, run, subgroup="sex", net_benefit=None, prevalence=None)
    assert document["subgroups"]["interactions"][0]["p"] == found.p
    assert "interaction with sex" in lines[1] and "not adjusted for 2" in lines[0]


def test_all_pairs_are_exploratory_and_adjusted_together(place: SimpleNamespace) -> None:
    runs = (*place.seeds[:2], place.other)
    pairs = every_pair(place.workspace, runs)
    assert [(pair.a, pair.b) for pair in pairs] == [(runs[1], runs[0]), (runs[2], runs[0]), (runs[2], runs[1])]
    assert {pair.metric for pair in pairs} == {"auc"} and {pair.parameters["pairs"] for pair in pairs} == {EXPLORATORY}
    assert all(pair.p_adjusted >= pair.p and "Holm over 3" in pair.note for pair in pairs)  # type: ignore[operator]
    against = {(pair.a, pair.b): pair for pair in compare(place.workspace, runs).file.pairs if pair.metric == "auc"}
    assert pairs[0].difference == against[runs[1], runs[0]].difference
    assert {pair.simultaneous_method for pair in (*pairs, *against.values())} == {"max-t-bootstrap"}
    for pair in (*pairs, *against.values()):
        assert pair.low_simultaneous < pair.low < pair.high < pair.high_simultaneous  # type: ignore[operator]
    wider = pairs[0].high_simultaneous - against[runs[1], runs[0]].high_simultaneous  # type: ignore[operator]
    assert wider > 0, "three pairs need more room than two"
