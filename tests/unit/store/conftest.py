"""Small facts of every kind, and stores to put them into."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import BackboneCard, Family, WeightsSource
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.dataset import Dataset, Sample, Skipped, Task
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.report import ReportFile
from medfm_gui.domain.run import FileRef, RunState, TrainSpec, fold
from medfm_gui.domain.split import Assignment, Partition, Split
from medfm_gui.domain.study import Instance, Study
from medfm_gui.domain.study import Series as ImageSeries
from medfm_gui.store.store import Store

CARD = BackboneCard(
    name="tiny",
    title="Tiny",
    family=Family.DINOV2,
    arch="vit",
    entry="backbone:build",
    plugin="p",
    plugin_folder="/p",
    pretraining="none",
    pretraining_data="none",
    parameters_m=1.0,
    input_size=32,
    native_size=32,
    multiple=16,
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    features="cls",
    cam="blocks",
    licence="MIT",
    weights=WeightsSource(),
    adaptations=("knn", "linear", "full"),
    feature_dim=8,
)


@dataclass(frozen=True)
class Facts:
    """Builders; what a test does not name is plausible."""

    def dataset(self, dataset_id: str = "skin", n: int = 6, *, task: Task = Task.BINARY) -> Dataset:
        """``n`` samples of ``n // 2`` patients; a multi-label one has three findings."""
        multi = task is Task.MULTILABEL
        return Dataset(
            id=dataset_id,
            name="Skin lesions",
            layout="csv",
            task=task,
            classes=("a", "b", "c") if multi else ("benign", "malignant"),
            source="/data/skin",
            samples=tuple(
                self.sample(number, (number % 2, 1 - number % 2, -1) if multi else None) for number in range(n)
            ),
            fingerprint="f" * 64,
            positive="malignant" if task is Task.BINARY else None,
            created="2026-11-20T10:00:00Z",
            taken={"label": "diagnosis"},
            warnings=("two classes only",),
            skipped=(Skipped("notes.txt", "not_an_image"),),
        )

    def sample(self, number: int, target: tuple[int, ...] | None = None) -> Sample:
        return Sample(
            id=f"s{number}",
            path=f"images/{number}.png",
            target=target or (number % 2,),
            patient=f"patient-{number // 2}",
            group=f"g{number // 2}",
            fold=None,
            frame=None if number else 3,
            rows=20,
            columns=30,
            pixels_sha256=f"{number:064x}",
            covariates={"age": str(40 + number)},
        )

    def split(self, dataset: Dataset, split_id: str = "", *, created: str = "2026-11-20T11:00:00Z") -> Split:
        """The last third of the samples is the test."""
        n_train = 2 * len(dataset.samples) // 3
        sides = [Partition.TRAIN if number < n_train else Partition.TEST for number in range(len(dataset.samples))]
        return Split(
            id=split_id or f"{dataset.id}-s1",
            dataset=dataset.id,
            dataset_fingerprint=dataset.fingerprint,
            rule="67/33",
            seed=2**64 - 1,
            assignments=tuple(
                Assignment(sample.id, side, sample.group or sample.id)
                for sample, side in zip(dataset.samples, sides, strict=True)
            ),
            fingerprint="e" * 64,
            created=created,
            acceptance="official list",
            settings={"by": "patient"},
        )

    def spec(self, run: str = "r0001", *, dataset_id: str = "skin", created: str = "2026-11-20T12:00:00Z") -> TrainSpec:
        return TrainSpec(
            run=run,
            dataset=FileRef("/w/datasets/skin/manifest.json", "d" * 64),
            split=FileRef("/w/splits/skin-s1.json", "s" * 64),
            pixels="/w/datasets/skin/pixels",
            features="/w/features",
            card=CARD,
            adapt="full",
            recipe=Recipe(epochs=3, input_size=32),
            seed=2**64 - 1,
            device="cpu",
            weights=FileRef("/weights/tiny.safetensors", "a" * 64),
            created=created,
            code_version="1.0",
            dataset_id=dataset_id,
            dataset_fingerprint="f" * 64,
            split_id=f"{dataset_id}-s1",
            split_fingerprint="e" * 64,
            positive="malignant",
            classes=("benign", "malignant"),
        )

    def epoch(self, number: int, **metrics: float | None) -> ev.EpochFinished:
        return ev.EpochFinished(
            at=1000.0 + number, epoch=number, epochs=3, metrics=metrics or {"auc": 0.5 + number / 10}, seconds=1.5
        )

    def events(self) -> tuple[ev.Event, ...]:
        """A run that was paused in its third epoch, resumed after the second, and finished."""
        return (
            ev.RunStarted(at=1000.0, device="cpu", startup_seconds=4.0),
            ev.StageStarted(at=1000.0, stage="train", total=12),
            self.epoch(1),
            self.epoch(2),
            self.epoch(3, auc=0.1),
            ev.RunPaused(at=1004.0, epoch=3),
            ev.RunStarted(at=2000.0, device="cpu"),
            ev.RunResumed(at=2000.0, epoch=2),
            self.epoch(3, auc=0.9, loss=None),
            ev.FileWritten(at=2001.0, name="weights/model.safetensors", sha256="b" * 64),
            ev.Warned(at=2001.0, message="few images"),
            ev.RunFinished(at=2002.0, metrics={"auc": 0.9}, seconds=9.0, trained_parameters=10),
        )

    def state(self, events: Sequence[ev.Event]) -> RunState:
        return fold(RunState(), events)

    def scores(self, n: int = 6, classes: int = 2) -> npt.NDArray[np.float32]:
        return np.random.default_rng(0).random((n, classes), dtype=np.float32)

    def evaluation(self, run: str = "r0001", metric: str = "auc", value: float | None = 0.8) -> Evaluation:
        return Evaluation(
            run=run,
            subset="test",
            metric=metric,
            value=value,
            low=0.7,
            high=0.9,
            method="DeLong, logit",
            unit="image",
            n=6,
            n_patients=3,
            n_events=3,
            sample_set="5" * 64,
            parameters={"positive": "malignant"},
            code_version="1.0",
        )

    def comparison(self, a: str = "r0001", b: str = "r0002", metric: str = "auc") -> Comparison:
        simultaneous = (-0.15, 0.35, "max-t-bootstrap")
        return Comparison(
            a, b, metric, 0.1, -0.1, 0.3, "DeLong", 0.3, 0.6, 6, "Holm over 2", 0.9, {"unit": "image"}, *simultaneous
        )

    def chart(self, chart_id: str = "roc") -> ChartSpec:
        line = Series("r0001", (0.0, 1.0), (0.0, float("nan")), low=(0.0, float("-inf")), family="DINOv2")
        return ChartSpec(chart_id, "lines", "ROC", series=(line,), x_range=(0.0, 1.0), diagonal=True)

    def study(self, uid: str = "1.2.3") -> Study:
        instance = Instance("1.2.3.4.5", "/data/study/1.dcm")
        axial = ImageSeries("1.2.3.4", "CT", "axial", (instance,), 512, 512, (0.7, 0.8), 1.5, ("uneven spacing",))
        scout = replace(axial, description="scout", spacing_mm=None, slice_spacing_mm=None, warnings=())
        return Study(uid, "PAT^ONE", "20261101", "CT", "Abdomen", (axial, scout), "F", "055Y")

    def fill(self, store: Store, root: Path) -> None:
        """One fact of every kind, as a rebuild would put them."""
        dataset = self.dataset()
        names = [sample.id for sample in dataset.samples]
        events = self.events()
        store.put_dataset(dataset, root / "datasets" / "skin")
        store.put_split(self.split(dataset), root / "splits" / "skin-s1.json")
        store.put_run(self.spec(), root / "runs" / "r0001")
        store.record_events("r0001", events, self.state(events))
        store.put_predictions("r0001", "test", names, self.scores(), [sample.target for sample in dataset.samples])
        store.put_evaluations([self.evaluation(), self.evaluation(metric="brier", value=float("nan"))])
        store.put_comparisons([self.comparison(), self.comparison(metric="brier")])
        store.put_chart("r0001", self.chart())
        store.put_study(self.study(), root / "studies" / "x")
        store.put_study_prediction("p1", 0, study="1.2.3", run="r0001", created="2026", prediction='{"scores":[1]}')
        file = ReportFile(str(root / "reports" / "report0001" / "report.pdf"), 3, "c" * 64)
        store.put_report("report0001", "Report", "2026", file, ["r0001"])
        store.journal("2026-11-20T12:00:00Z", "run created", "r0001", {"model": "tiny"})
        store.put_opening("r0001", "test", "5" * 64, "final", "2026-11-20T13:00:00Z")


@pytest.fixture
def facts() -> Facts:
    return Facts()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test's database is."""
    return tmp_path / "medfm.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as opened:
        yield opened


@pytest.fixture
def child() -> list[str]:
    """The command of a Python that finds this package; a program text follows."""
    return [sys.executable, "-P", "-c"]
