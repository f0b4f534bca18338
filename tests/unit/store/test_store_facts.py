"""Every kind of fact: it comes back as it was put, and putting it again changes nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from medfm_gui.domain.dataset import Statement, Task
from medfm_gui.domain.errors import InternalError, NotFound, StoreError, UsageError
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.run import Phase, RunState
from medfm_gui.domain.split import Partition
from medfm_gui.store import queries
from medfm_gui.store.readers import Reader
from medfm_gui.store.rows import SampleFilter
from medfm_gui.store.schema import TABLES
from medfm_gui.store.store import Store

if TYPE_CHECKING:
    from tests.unit.store.conftest import Facts


def ask(store: Store, question: Callable[[Reader], Any]) -> Any:
    with store.reading() as reader:
        return question(reader)


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, without the numbers that only count rows."""
    found = {}
    with store.reading() as reader:
        for statement in TABLES:
            table = statement.split()[2]
            columns = [row[1] for row in reader.db.conn.execute(f"PRAGMA table_info({table})")]
            shown = ", ".join(column for column in columns if column not in ("number", "prediction_set"))
            found[table] = sorted(reader.db.conn.execute(f"SELECT {shown} FROM {table}").fetchall(), key=repr)  # noqa: S608
    return found


def test_putting_everything_again_changes_nothing_and_a_rebuild_gives_the_same(
    store: Store, path: Path, facts: Facts, tmp_path: Path
) -> None:
    facts.fill(store, tmp_path)
    first = contents(store)
    assert all(first.values()), "a table without a row is not tested"
    facts.fill(store, tmp_path)
    assert contents(store) == first
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    with Store.open(moved / path.name) as rebuilt:
        facts.fill(rebuilt, moved)
        assert contents(rebuilt) == first


def test_a_moved_workspace_gives_its_new_places(store: Store, path: Path, facts: Facts, tmp_path: Path) -> None:
    facts.fill(store, tmp_path)
    store.close()
    moved = tmp_path / "moved"
    moved.mkdir()
    path.rename(moved / path.name)
    with Store.open(moved / path.name) as opened, opened.reading() as reader:
        assert queries.dataset(reader, "skin").folder == str(moved / "datasets" / "skin")
        assert queries.splits(reader)[0].path == str(moved / "splits" / "skin-s1.json")
        assert queries.run(reader, "r0001").folder == str(moved / "runs" / "r0001")
        assert queries.studies(reader)[0].folder == str(moved / "studies" / "x")
        assert queries.reports(reader)[0].path == str(moved / "reports" / "report0001" / "report.pdf")


def test_a_dataset_and_its_samples(store: Store, facts: Facts, tmp_path: Path) -> None:
    dataset = facts.dataset()
    store.put_dataset(dataset, str(tmp_path / "datasets" / "skin"))
    row = ask(store, lambda reader: queries.dataset(reader, "skin"))
    assert (row.id, row.name, row.layout, row.task) == ("skin", "Skin lesions", "csv", Task.BINARY)
    assert (row.classes, row.positive, row.source) == (("benign", "malignant"), "malignant", "/data/skin")
    assert (row.taken, row.warnings) == ({"label": "diagnosis"}, ("two classes only",))
    assert (row.n_samples, row.n_patients, row.n_skipped) == (6, 3, 1)
    assert (row.fingerprint, row.created) == (dataset.fingerprint, dataset.created)
    page = ask(store, lambda reader: queries.samples_page(reader, "skin"))
    assert page.samples == dataset.samples
    assert page.total == 6


def test_a_dataset_that_shrank_has_no_old_samples(store: Store, facts: Facts, tmp_path: Path) -> None:
    store.put_dataset(facts.dataset(n=6), tmp_path)
    store.put_dataset(facts.dataset(n=4), tmp_path)
    assert [sample.id for sample in ask(store, lambda reader: queries.samples_page(reader, "skin")).samples] == [
        "s0",
        "s1",
        "s2",
        "s3",
    ]


def test_two_samples_of_one_id_are_refused_and_nothing_of_them_stays(
    store: Store, facts: Facts, tmp_path: Path
) -> None:
    dataset = facts.dataset()
    twice = replace(dataset, samples=(*dataset.samples, dataset.samples[0]))
    with pytest.raises(InternalError, match="could not do what was asked"):
        store.put_dataset(twice, tmp_path)
    assert ask(store, queries.datasets) == ()
    with pytest.raises(NotFound, match="no dataset “skin”"):
        ask(store, lambda reader: queries.dataset(reader, "skin"))


class TestSamplesPage:
    def ids(self, store: Store, dataset: str = "skin", **asked: Any) -> list[str]:
        page = ask(store, lambda reader: queries.samples_page(reader, dataset, **asked))
        return [sample.id for sample in page.samples]

    def test_pages_follow_one_another(self, store: Store, facts: Facts, tmp_path: Path) -> None:
        store.put_dataset(facts.dataset(), tmp_path)
        assert self.ids(store, offset=0, limit=4) == ["s0", "s1", "s2", "s3"]
        assert self.ids(store, offset=4, limit=4) == ["s4", "s5"]
        assert self.ids(store, offset=6, limit=4) == []
        assert ask(store, lambda reader: queries.samples_page(reader, "none")).total == 0

    def test_filters(self, store: Store, facts: Facts, tmp_path: Path) -> None:
        dataset = facts.dataset()
        store.put_dataset(dataset, tmp_path)
        store.put_split(facts.split(dataset), tmp_path / "s.json")
        assert self.ids(store, only=SampleFilter(class_index=1)) == ["s1", "s3", "s5"]
        assert self.ids(store, only=SampleFilter(patient="patient-1")) == ["s2", "s3"]
        assert self.ids(store, only=SampleFilter(text="IMAGES/4")) == ["s4"]
        assert self.ids(store, only=SampleFilter(text="%")) == []
        assert self.ids(store, only=SampleFilter(split="skin-s1", partition=Partition.TEST)) == ["s4", "s5"]
        assert self.ids(store, only=SampleFilter(split="skin-s1")) == [sample.id for sample in dataset.samples]
        both = SampleFilter(class_index=0, split="skin-s1", partition=Partition.TRAIN)
        page = ask(store, lambda reader: queries.samples_page(reader, "skin", limit=1, offset=1, only=both))
        assert page.total == 2 and [sample.id for sample in page.samples] == ["s2"]
        with pytest.raises(UsageError, match="without its split"):
            self.ids(store, only=SampleFilter(partition=Partition.TEST))

    def test_a_positive_finding_of_several(self, store: Store, facts: Facts, tmp_path: Path) -> None:
        store.put_dataset(facts.dataset(n=4, task=Task.MULTILABEL), tmp_path)
        assert self.ids(store, only=SampleFilter(class_index=0)) == ["s1", "s3"]
        assert self.ids(store, only=SampleFilter(class_index=1)) == ["s0", "s2"]
        assert self.ids(store, only=SampleFilter(class_index=2)) == []

    def test_text_that_is_not_utf8_is_found(self, store: Store, facts: Facts, tmp_path: Path) -> None:
        dataset = facts.dataset(n=2)
        odd = replace(dataset.samples[0], id="caf\udce9", path="caf\udce9.png", patient="p\udcff", group="\udcfe")
        odd = replace(odd, covariates={"site\udce9": "\udce9"}, fold="\udce9")
        store.put_dataset(replace(dataset, samples=(odd, dataset.samples[1]), source="/data/\udce9"), tmp_path)
        page = ask(store, lambda reader: queries.samples_page(reader, "skin", only=SampleFilter(patient="p\udcff")))
        assert page.samples == (odd,)
        assert ask(store, lambda reader: queries.dataset(reader, "skin")).source == "/data/\udce9"


def test_splits_and_the_newest(store: Store, facts: Facts, tmp_path: Path) -> None:
    dataset = facts.dataset()
    early = facts.split(dataset, "skin-s9")
    late = replace(facts.split(dataset, "skin-s10"), family="skin-s10", fold=2)
    later = facts.split(dataset, "skin-s1", created="2026-11-21T00:00:00Z")
    for split in (later, late, early):
        store.put_split(split, tmp_path / "splits" / f"{split.id}.json")
    rows = ask(store, lambda reader: queries.splits(reader, "skin"))
    assert [row.id for row in rows] == ["skin-s9", "skin-s10", "skin-s1"]
    assert ask(store, lambda reader: queries.newest_split(reader, "skin")).id == "skin-s1"
    assert ask(store, lambda reader: queries.newest_split(reader, "other")) is None
    assert ask(store, lambda reader: queries.splits(reader, "other")) == ()
    row = rows[1]
    assert (row.family, row.fold, row.seed, row.rule) == ("skin-s10", 2, 2**64 - 1, "67/33")
    assert (row.acceptance, row.n_leaks, row.n_dropped, row.settings) == ("official list", 0, 0, {"by": "patient"})
    assert row.sizes == {"train": 4, "val": 0, "cal": 0, "test": 2} == late.sizes
    assert (row.fingerprint, row.dataset_fingerprint, row.warnings) == ("e" * 64, "f" * 64, ())


class TestRuns:
    def test_what_was_ordered(self, store: Store, facts: Facts, tmp_path: Path) -> None:
        spec = facts.spec()
        store.put_run(spec, tmp_path / "runs" / "r0001")
        row = ask(store, lambda reader: queries.run(reader, "r0001"))
        assert (row.model, row.family, row.adapt, row.seed) == ("tiny", "DINOv2", "full", spec.seed)
        assert (row.dataset, row.split, row.fold, row.shots, row.preset) == ("skin", "skin-s1", None, None, "")
        assert (row.task, row.from_scratch, row.weights_sha256) == (Task.BINARY, False, "a" * 64)
        assert row.recipe["epochs"] == 3 and row.recipe["amp"] is True and row.recipe["threshold_rule"] == "youden"
        assert (row.dataset_fingerprint, row.split_fingerprint) == ("f" * 64, "e" * 64)
        assert (row.created, row.code_version) == (spec.created, "1.0")
        assert row.state == RunState()
        with pytest.raises(NotFound, match="no run “r0002”"):
            ask(store, lambda reader: queries.run(reader, "r0002"))

    def test_a_run_without_weights(self, store: Store, facts: Facts, tmp_path: Path) -> None:
        store.put_run(replace(facts.spec(), weights=None, from_scratch=True), tmp_path)
        row = ask(store, lambda reader: queries.run(reader, "r0001"))
        assert row.from_scratch and row.weights_sha256 is None

    def test_the_state_is_that_of_the_events(self, store: Store, facts: Facts, tmp_path: Path) -> None:
        events = facts.events()
        state = facts.state(events)
        store.put_run(facts.spec(), tmp_path)
        store.record_events("r0001", events, state)
        row = ask(store, lambda reader: queries.run(reader, "r0001"))
        assert row.state == replace(state, curve=())
        assert ask(store, lambda reader: queries.curve(reader, "r0001")) == state.curve

    def test_ordering_it_again_keeps_its_state(self, store: Store, facts: Facts, tmp_path: Path) -> None:
        events = facts.events()
        store.put_run(facts.spec(), tmp_path)
        store.record_events("r0001", events, facts.state(events))
        store.put_run(replace(facts.spec(), device="cuda:0"), tmp_path)
        assert ask(store, lambda reader: queries.run(reader, "r0001")).state.phase is Phase.FINISHED
        assert len(ask(store, lambda reader: queries.curve(reader, "r0001"))) == 3

    def test_lists(self, store: Store, facts: Facts, tmp_path: Path) -> None:
        store.put_run(facts.spec("r0002", created="2026-11-20T09:00:00Z"), tmp_path)
        store.put_run(facts.spec("r0001"), tmp_path)
        store.put_run(facts.spec("r0003", dataset_id="chest"), tmp_path)
        store.record_events("r0001", (), RunState(phase=Phase.RUNNING))
        store.flush()

        def ids(**asked: Any) -> list[str]:
            return [row.id for row in ask(store, lambda reader: queries.runs(reader, **asked))]

        assert ids() == ["r0002", "r0001", "r0003"]
        assert ids(phase=Phase.RUNNING) == ["r0001"]
        assert ids(dataset_id="skin") == ["r0002", "r0001"]
        assert ids(phase=Phase.QUEUED, dataset_id="chest") == ["r0003"]

    def test_a_state_with_numbers_that_are_not_finite(self, store: Store, facts: Facts, tmp_path: Path) -> None:
        store.put_run(facts.spec(), tmp_path)
        wild = RunState(
            phase=Phase.RUNNING, seconds_left=math.inf, samples_per_second=math.nan, metrics={"x": math.inf}
        )
        events = (facts.epoch(1, loss=math.nan, auc=math.inf, kappa=None),)
        store.record_events("r0001", events, wild)
        store.flush()
        state = ask(store, lambda reader: queries.run(reader, "r0001")).state
        assert (state.seconds_left, state.samples_per_second, state.metrics) == (None, 0.0, {"x": math.inf})
        (point,) = ask(store, lambda reader: queries.curve(reader, "r0001"))
        assert point.metrics == {"auc": None, "kappa": None, "loss": None}
        with store.reading() as reader:
            rows = reader.db.conn.execute("SELECT metric, value, status FROM metric_points ORDER BY metric").fetchall()
        assert rows == [("auc", None, "value: inf"), ("kappa", None, "not finite"), ("loss", None, "value: nan")]

    def test_a_run_that_was_never_put(self, store: Store, facts: Facts) -> None:
        events = facts.events()
        with pytest.raises(NotFound, match="“r0001” is not in the database"):
            store.record_events("r0001", events, facts.state(events))
        store.record_events("r0001", events[:3], facts.state(events[:3]))
        with pytest.raises(NotFound):
            store.flush()
        store.flush()


class TestPredictions:
    def test_they_come_back_bit_by_bit(self, store: Store, facts: Facts) -> None:
        scores = facts.scores(5, 3)
        scores[2] = np.nan
        names = ["a", "caf\udce9", "c\0d", "", "e"]
        targets = [(0,), (1,), (2,), (0,), (1,)]
        store.put_predictions("r1", "test", names, scores.astype(np.float64), targets)
        found = ask(store, lambda reader: queries.predictions(reader, "r1", "test"))
        assert found.samples == tuple(names) and found.targets == tuple(targets)
        assert found.scores.dtype == np.float32
        np.testing.assert_array_equal(found.scores, scores)
        with store.reading() as reader:
            assert reader.db.conn.execute("SELECT n_not_finite FROM prediction_sets").fetchone() == (1,)

    def test_new_ones_replace_the_old(self, store: Store, facts: Facts) -> None:
        store.put_predictions("r1", "test", ["a", "b"], facts.scores(2, 4), [(0, 1, -1, 0), (1, 1, 1, 1)])
        store.put_predictions("r1", "val", ["z"], facts.scores(1), [(0,)])
        store.put_predictions("r1", "test", ["c"], facts.scores(1), np.array([[1]]))  # type: ignore[arg-type]
        assert ask(store, lambda reader: queries.predictions(reader, "r1", "test")).samples == ("c",)
        assert ask(store, lambda reader: queries.predictions(reader, "r1", "val")).samples == ("z",)
        with store.reading() as reader:
            assert reader.db.conn.execute("SELECT count(*) FROM predictions").fetchone() == (2,)

    def test_none_and_empty(self, store: Store) -> None:
        with pytest.raises(NotFound, match="no predictions for “test”"):
            ask(store, lambda reader: queries.predictions(reader, "r1", "test"))
        store.put_predictions("r1", "test", [], np.zeros((0, 2), np.float32), [])
        assert ask(store, lambda reader: queries.predictions(reader, "r1", "test")).scores.shape == (0, 2)

    def test_lengths_that_do_not_fit_are_refused(self, store: Store, facts: Facts) -> None:
        with pytest.raises(InternalError, match="1 samples and 2 labels do not fit 2 rows"):
            store.put_predictions("r1", "test", ["a"], facts.scores(2), [(0,), (1,)])


class TestNumbers:
    def test_evaluations_come_back_in_the_order_asked(self, store: Store, facts: Facts) -> None:
        mine = [facts.evaluation(metric="kappa"), facts.evaluation(), replace(facts.evaluation(), label="benign")]
        other = facts.evaluation("r0002")
        val = replace(facts.evaluation(), subset="val")
        store.put_evaluations([other])
        store.put_evaluations([*mine, val])
        found = ask(store, lambda reader: queries.evaluations(reader, ["r0001", "r0002", "r0003"], "test"))
        assert found == (*mine, other)
        assert val in ask(store, lambda reader: queries.evaluations(reader, ["r0001"]))

    def test_a_number_made_again_replaces_the_older(self, store: Store, facts: Facts) -> None:
        store.put_evaluations([facts.evaluation(value=0.8)])
        again = replace(facts.evaluation(value=0.7), method="bootstrap", n=5)
        store.put_evaluations([again])
        assert ask(store, lambda reader: queries.evaluations(reader, ["r0001"])) == (again,)

    def test_a_number_that_is_not_finite_is_none(self, store: Store, facts: Facts) -> None:
        store.put_evaluations([replace(facts.evaluation(value=math.nan), high=math.inf)])
        (found,) = ask(store, lambda reader: queries.evaluations(reader, ["r0001"]))
        assert (found.value, found.low, found.high) == (None, 0.7, None)
        with store.reading() as reader:
            assert reader.db.conn.execute("SELECT status FROM evaluations").fetchone() == ("value: nan, high: inf",)

    def test_comparisons_belong_to_their_runs(self, store: Store, facts: Facts) -> None:
        pair = facts.comparison()
        three = [facts.comparison(b="r0002"), facts.comparison(b="r0003")]
        store.put_comparisons([pair])
        store.put_comparisons(three)
        assert ask(store, lambda reader: queries.comparisons(reader, ["r0002", "r0001"])) == (pair,)
        assert ask(store, lambda reader: queries.comparisons(reader, ["r0001", "r0003", "r0002"])) == tuple(three)
        wild = replace(pair, difference=math.nan, p=None)
        store.put_comparisons([wild])
        assert ask(store, lambda reader: queries.comparisons(reader, ["r0001", "r0002"])) == (
            replace(wild, difference=None),
        )

    @pytest.mark.parametrize("kind", [Evaluation, Comparison])
    def test_every_field_is_stored(self, kind: type, store: Store, facts: Facts) -> None:
        """A field that is added to the noun and not to the table would come back as its default."""
        made = replace(facts.evaluation(), confidence=0.9, label="benign", note="few events")
        asked: Evaluation | Comparison = made if kind is Evaluation else facts.comparison()
        untold = [
            item.name
            for item in fields(kind)
            if item.default is not MISSING and getattr(asked, item.name) == item.default
        ]
        assert untold == []
        store.put_evaluations([made])
        store.put_comparisons([facts.comparison()])
        found = ask(store, lambda reader: queries.evaluations(reader, ["r0001"])) + ask(
            store, lambda reader: queries.comparisons(reader, ["r0001", "r0002"])
        )
        assert asked in found


def test_charts_of_an_owner(store: Store, facts: Facts) -> None:
    store.put_chart("r1+r2", facts.chart("roc"))
    store.put_chart("r1+r2", replace(facts.chart("intervals"), title="\udcff"))
    store.put_chart("r1", facts.chart("roc"))
    store.put_chart("r1+r2", replace(facts.chart("roc"), note="new"))
    intervals, roc = store.charts("r1+r2")
    assert (intervals.id, intervals.title) == ("intervals", "\\udcff")
    assert roc.note == "new" and roc.x_range == (0.0, 1.0)
    assert math.isnan(roc.series[0].y[1]) and roc.series[0].low == (0.0, -math.inf)
    assert store.charts("nobody") == ()


def test_studies_with_their_series(store: Store, facts: Facts, tmp_path: Path) -> None:
    store.put_study(facts.study("1.2.3"), tmp_path / "studies" / "a")
    store.put_study(replace(facts.study("1.2.4"), date="20261102", series=()), tmp_path / "studies" / "b")
    newest, older = ask(store, queries.studies)
    assert (newest.uid, newest.series) == ("1.2.4", ())
    assert (older.patient, older.sex, older.age, older.modality) == ("PAT^ONE", "F", "055Y", "CT")
    axial, scout = older.series
    assert (axial.spacing_mm, axial.slice_spacing_mm, axial.n_instances) == ((0.7, 0.8), 1.5, 1)
    assert (axial.rows, axial.columns, axial.warnings) == (512, 512, ("uneven spacing",))
    assert (scout.uid, scout.description, scout.spacing_mm) == (axial.uid, "scout", None)
    store.put_study(replace(facts.study("1.2.3"), series=()), tmp_path)
    assert ask(store, queries.studies)[1].series == ()


def test_study_predictions_and_reports(store: Store, facts: Facts, tmp_path: Path) -> None:
    facts.fill(store, tmp_path)
    store.put_study_prediction("p1", 1, study="9.9", run="r0002", created="2026", prediction="{}")
    (row,) = ask(store, lambda reader: queries.study_predictions(reader, "1.2.3"))
    assert (row.prediction, row.number, row.run, row.outcome) == ("p1", 0, "r0001", '{"scores":[1]}')
    assert len(ask(store, queries.study_predictions)) == 2
    (report,) = ask(store, queries.reports)
    assert (report.id, report.title, report.pages, report.runs) == ("report0001", "Report", 3, ("r0001",))
    assert report.sha256 == "c" * 64


def test_the_journal(store: Store) -> None:
    for number in range(5):
        store.journal("now", "done", f"r{number % 2}", {"step": str(number)})
    store.journal("now", "done", "r0", {"step": "0"})
    lines = ask(store, lambda reader: queries.journal(reader, limit=3))
    assert [line.details["step"] for line in lines] == ["2", "3", "4"]
    assert [line.details["step"] for line in ask(store, lambda reader: queries.journal(reader, subject="r1"))] == [
        "1",
        "3",
    ]


def test_openings_know_the_first_look(store: Store) -> None:
    store.put_opening("r1", "test", "set", "second look", "2026-02")
    store.put_opening("r1", "test", "set", "final", "2026-01")
    store.put_opening("r2", "test", "set", "other run", "2026-03")
    store.put_opening("r1", "test", "another", "other samples", "2026-04")
    looks = ask(store, lambda reader: queries.openings(reader, sample_set="set"))
    assert [(look.reason, look.is_first) for look in looks] == [
        ("final", True),
        ("second look", False),
        ("other run", True),
    ]
    assert [look.sample_set for look in ask(store, lambda reader: queries.openings(reader, run_id="r1"))] == [
        "set",
        "set",
        "another",
    ]
    assert len(ask(store, queries.openings)) == 4


def test_all_questions_of_one_block_see_one_moment(store: Store, facts: Facts, tmp_path: Path) -> None:
    with store.reading() as reader:
        assert queries.runs(reader) == ()
        store.put_run(facts.spec(), tmp_path)
        assert queries.runs(reader) == ()
    assert len(ask(store, queries.runs)) == 1


def test_a_closed_store_says_so(store: Store, facts: Facts, tmp_path: Path) -> None:
    with store.reading() as reader:
        store.close()
        assert queries.runs(reader) == ()
    with pytest.raises(StoreError, match="closed"), store.reading():
        pass
    with pytest.raises(StoreError, match="closed"):
        store.put_run(facts.spec(), tmp_path)
    store.close()


def test_volumes_and_slices_are_called_so(store: Store, facts: Facts, tmp_path: Path) -> None:
    made = facts.dataset("scans", task=Task.MULTILABEL)
    volumes = replace(made, samples=tuple(replace(sample, slices=12) for sample in made.samples))
    slices = replace(made, id="cuts", statement=Statement(unit="slice of a volume"))
    for dataset in (made, volumes, slices):
        store.put_dataset(replace(dataset, id=dataset.id if dataset is not made else "plain"), tmp_path)
    units = {row.id: row.unit for row in ask(store, queries.datasets)}
    assert units == {"plain": "image", "scans": "volume", "cuts": "slice"}
    page = ask(store, lambda reader: queries.samples_page(reader, "scans", offset=0, limit=2, only=SampleFilter()))
    assert [sample.slices for sample in page.samples] == [12, 12]
