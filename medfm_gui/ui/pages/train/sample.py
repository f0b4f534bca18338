"""Believable answers of the desk, of phantom data only, so that the page runs alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

from medfm_gui.base.plugins import read_plugins
from medfm_gui.desk.asks.data import (
    CheckQuality,
    DatasetList,
    ListDatasets,
    ListSplits,
    MakeSplit,
    PlanSplit,
    SplitList,
    SplitMade,
    UnitList,
    UnitsOf,
)
from medfm_gui.desk.asks.train import (
    AddModel,
    CreateRuns,
    DeviceList,
    ListDevices,
    ListModels,
    Looks,
    ModelAdded,
    ModelList,
    Preflight,
    RunOrder,
    RunsMade,
    RunSpecOf,
    ShowLooks,
    ThresholdRulesOf,
)
from medfm_gui.desk.protocol import Ask
from medfm_gui.domain.cards import WeightsState, WeightsStatus, adaptation
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.split import Leak, LeakKind
from medfm_gui.store.rows import DatasetRow, SplitRow
from medfm_gui.workspace.cohort import LeakLine, Line, PlannedFold, Quality, SplitPlan
from medfm_gui.workspace.models import Model
from medfm_gui.workspace.planning import Device, Measurement, PlanCost, RunCost
from medfm_gui.workspace.threshold import KnownRules

_PRESENT = ("dinov2-s", "dinov2-b", "mae-b", "resnet50")


def dataset(
    name: str, title: str, task: Task, classes: tuple[str, ...], images: int, patients: int | None
) -> DatasetRow:
    """A dataset of phantoms."""
    return DatasetRow(
        id=name, name=title, layout="dicom", task=task, classes=classes,
        positive=classes[-1] if task is Task.BINARY else None, source=f"/data/{name}",
        folder=f"/workspace/datasets/{name}", fingerprint=f"{images:08x}41d07be5a3186e0d9f2c", taken={},
        created="2026-11-20T09:14:02Z",
        warnings=(), n_samples=images, n_patients=patients, n_skipped=0,
    )  # fmt: skip


DATASETS = (
    dataset("thorax-phantom", "Thorax phantom", Task.BINARY, ("normal", "opacity"), 3662, 1204),
    dataset("fundus-phantom", "Fundus phantom, graded", Task.ORDINAL, ("0", "1", "2", "3", "4"), 5590, None),
    dataset(
        "skin-phantom", "Skin phantom", Task.MULTICLASS, ("naevus", "melanoma", "keratosis", "carcinoma"), 25331, 8120
    ),
)


def split(name: str, of: DatasetRow, sizes: tuple[int, int, int, int], rule: str, **more: Any) -> SplitRow:
    """A split of a phantom dataset."""
    facts: dict[str, Any] = {
        "family": None, "fold": None, "acceptance": None, "n_leaks": 0, "n_dropped": 0, "warnings": (), "settings": {},
    }  # fmt: skip
    return SplitRow(
        id=name, dataset=of.id, dataset_fingerprint=of.fingerprint, path=f"/workspace/splits/{name}.json", rule=rule,
        seed=0, fingerprint="9f2c41d07be5a3186e0d", created="2026-11-20T09:20:11Z",
        sizes=dict(zip(("train", "val", "cal", "test"), sizes, strict=True)), **{**facts, **more},
    )  # fmt: skip


SPLITS = (
    split("thorax-phantom-s1", DATASETS[0], (2563, 549, 0, 550), "70/15/15 by patient, seed 0"),
    *(
        split(f"thorax-phantom-s2-f{k}", DATASETS[0], (2490, 440, 0, 732),
              f"fold {k} of 5 by patient, seed 0, validation 15%", family="thorax-phantom-s2", fold=k)
        for k in range(1, 6)
    ),
    split("fundus-phantom-s1", DATASETS[1], (3913, 838, 0, 839), "70/15/15 by image, seed 0", acceptance="as published",
          n_leaks=3, warnings=("No patients are known, so the division is by image.",)),
    split("skin-phantom-s1", DATASETS[2], (15198, 2533, 3800, 3800), "60/10/15/15 by patient, seed 0"),
)  # fmt: skip

LEAKS = tuple(
    Leak(LeakKind.PATIENT if k % 3 else LeakKind.PIXELS, f"s{k:06d}", f"s{k + 700:06d}", ("train", "test"))
    for k in range(11)
)


def models() -> tuple[Model, ...]:
    """The plugins' own cards; some weights present."""

    def status(card: Any) -> WeightsStatus:
        if card.weights.package:
            return WeightsStatus(WeightsState.BUNDLED, card.weights.label, "0" * 64, "/weights/bundled")
        state = WeightsState.PRESENT if card.name in _PRESENT else WeightsState.ABSENT
        return WeightsStatus(state, card.weights.label, "0" * 64, f"/weights/{card.name}.safetensors")

    return tuple(Model(card, status(card)) for card in read_plugins().cards)


def plan_cost(ask: Preflight) -> PlanCost:
    """Costs as a workstation with one GPU would have them."""
    cards = {model.card.name: model.card for model in models()}
    folds: dict[str, tuple[int | None, ...]] = {"thorax-phantom-s2": (1, 2, 3, 4, 5)}
    runs: list[RunCost] = []
    seen: set[str] = set()
    for request in ask.requests:
        way = adaptation(request.adapts[0])
        folds_of_it = folds.get(request.split or "", (None,))
        for fold, name, shots, seed in product(folds_of_it, request.models, request.shots, request.seeds):
            card, tunes = cards[name], way is not None and way.by_gradient
            known = not tunes and name in seen
            seen.add(name if not tunes else "")
            share = 1.0 if request.adapts[0] == "full" else 0.004
            parameters = round(card.parameters_m * 1e6 * share) if tunes else card.feature_dim * 2 + 2
            few = 1.0 if shots is None else 0.1
            runs.append(
                RunCost(
                    name, card.title, request.adapts[0], seed, fold, request.from_scratch, parameters,
                    parameters * 4, parameters * 20 if tunes else 0,
                    seconds=11.0 if known else few * card.parameters_m * (14.0 if tunes else 0.6) + 9,
                    memory_bytes=round(card.parameters_m * (9e7 if tunes else 2e7) + 9e8),
                    images=3112, images_known=3112 if known else 0, shots=shots,
                )
            )  # fmt: skip
    measured = Measurement("k", device="cuda:0", forward_s=0.002, startup_s=6.1, batches=14, images=3112, missing=3112)
    return PlanCost(tuple(runs), (measured,), 1, 412_000_000_000)


def planned_split(ask: PlanSplit) -> SplitPlan:
    """Division by image leaks; everything else is clean."""
    if ask.wish.by == "image" and not (ask.wish.accept or ask.wish.drop or ask.wish.move):
        leaking = tuple(LeakLine(leak, leak.a, leak.b) for leak in LEAKS)
        said = "11 pairs of images on different sides share a patient or are identical."
        return SplitPlan(leaks=leaking, n_leaks=len(LEAKS), n_drop=len(LEAKS), message=said)
    sizes = {"train": 700, "val": 150, "test": 150}
    lines = (Line("clear", (560, 120, None)), Line("nodule", (140, 30, None)))
    return SplitPlan(tuple(sizes), (PlannedFold("70/15/15 by patient, seed 0", sizes, lines),))


def made_split(ask: MakeSplit) -> SplitMade:
    """A split that is there already."""
    return SplitMade("thorax-phantom-s1", SPLITS[:1])


def looks(ask: ShowLooks) -> Looks:
    """Phantoms: discs on a gradient, mirrored and lighter or darker from view to view."""
    side, views = 160, 4 if ask.request.adapts[0] not in ("knn", "linear", "linear-grid") else 0
    made = bytearray()
    for row in range(3):
        for view in range(1 + views):
            for y in range(side):
                for x in range(side):
                    at = side - 1 - x if view % 2 else x
                    inside = (at - 60 - 15 * row) ** 2 + (y - 80) ** 2 < (28 + 6 * row) ** 2
                    grey = min(255, 40 + at // 2 + y // 4 + 90 * inside + 8 * view)
                    made += bytes((grey, grey, grey))
    columns = ("As it is seen", *(f"View {number + 1}" for number in range(views)))
    return Looks(("s000001", "s000700", "s001400"), columns, side, 224, payload=bytes(made))


ANSWERS: Mapping[type[Ask[Any]], Callable[[Any], Any]] = {
    ListDatasets: lambda ask: DatasetList(DATASETS),
    ListSplits: lambda ask: SplitList(tuple(one for one in SPLITS if one.dataset == ask.dataset)),
    ListModels: lambda ask: ModelList(models(), ()),
    ListDevices: lambda ask: DeviceList((Device("cuda:0", "NVIDIA RTX A5000", 24.0), Device("cpu", "AMD EPYC", 64.0))),
    AddModel: lambda ask: ModelAdded("resnet50"),
    CheckQuality: lambda ask: Quality(ask.dataset, (), (), 0, (), 0, ("patient", "image"), True, ()),
    PlanSplit: planned_split,
    MakeSplit: made_split,
    ShowLooks: looks,
    Preflight: plan_cost,
    CreateRuns: lambda ask: RunsMade(("r0007", "r0008")),
    UnitsOf: lambda ask: UnitList(("image", "study", "patient")),
    ThresholdRulesOf: lambda ask: KnownRules(ask.dataset, ask.split),
    RunSpecOf: lambda ask: RunOrder(
        ask.run, "thorax-phantom", "thorax-phantom-s1", "dinov2-b", "full", False, 3, "auto",
        settings={"epochs": "30", "lr": "5e-05", "unit": "patient"}, threshold_rule="specificity:0.95",
    ),
}  # fmt: skip
