"""Runs on phantom images, in every state, for the page alone and for its tests; nothing was measured on a patient."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

from medfm_gui.desk.asks.map_checks import CheckMaps, KeptMapChecks, ListMapChecks
from medfm_gui.desk.asks.runs import (
    CancelRuns,
    CheckResumable,
    Exported,
    ExportPredictions,
    ListRuns,
    LogText,
    LookAtSeal,
    MeasureRun,
    OpenTest,
    PauseRuns,
    RetryRuns,
    RunDetails,
    RunFacts,
    RunItem,
    RunList,
    RunLog,
    RunsAsked,
    RunUse,
    SealFacts,
    TestFacts,
    TestOpened,
)
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import NotFound
from medfm_gui.domain.evaluation import Evaluation, OperatingPoint
from medfm_gui.domain.events import EpochFinished
from medfm_gui.domain.run import Phase, RunState
from medfm_gui.domain.threshold import RuleOrigin
from medfm_gui.store.rows import Opening, RunRow
from medfm_gui.ui.pages.runs.sample_maps import checked
from medfm_gui.ui.sample import Answers

_MODELS = {
    "dinov2-s": ("DINOv2 ViT-S/14", "DINOv2"),
    "dinov2-b": ("DINOv2 ViT-B/14", "DINOv2"),
    "mae-b": ("MAE ViT-B/16", "MAE"),
    "clip-b": ("CLIP ViT-B/16", "CLIP"),
    "vmamba-t": ("VMamba-T", "VMamba"),
    "efficientnet-lite0": ("EfficientNet-Lite0", "Baseline"),
}
_RECIPE: dict[str, bool | int | float | str | None] = {
    "epochs": 20,
    "batch_size": 32,
    "lr": 1e-4,
    "weight_decay": 0.05,
    "warmup_epochs": 1,
    "input_size": 224,
    "amp": True,
    "augment": True,
    "k": 20,
    "temperature": 0.07,
    "threshold_rule": "youden",
    "unit": "patient",
    "patience": 0,
}
_NAMES = {"chest": "Chest phantoms, nodule or none", "breast": "Breast phantoms, four densities"}


def curve(
    epochs: int, *, of: int = 20, top: float = 0.88, seconds: float = 41.0, path: bool = False
) -> tuple[EpochFinished, ...]:
    """Epochs of a training that gets better, then levels off."""
    points, best = [], 0.0
    for epoch in range(1, epochs + 1):
        gain = 1 - math.exp(-epoch / 5)
        auc = 0.55 + 0.33 * gain + 0.008 * math.sin(epoch * 2.1)
        metrics = {
            "train_loss": 0.69 - 0.45 * gain,
            "val_loss": 0.70 - 0.33 * gain + 0.012 * max(0, epoch - 12),
            **({"c": 10.0 ** (epoch / 3 - 5)} if path else {"lr": 5e-5 * (1 + math.cos(math.pi * epoch / (of + 1)))}),
            "auc": auc,
            "average_precision": auc - 0.07,
            "brier": 0.25 - 0.13 * gain,
        }
        points.append(EpochFinished(epoch * seconds, epoch, of, metrics, seconds, best=auc > best))
        best = max(best, auc)
    return tuple(points)


def item(
    number: int, model: str, adapt: str, state: RunState, *, data: str = "chest", seed: int = 0, opened: bool = False
) -> RunItem:
    """A run of the sample workspace."""
    title, family = _MODELS[model]
    task = Task.BINARY if data == "chest" else Task.ORDINAL
    row = RunRow(
        id=f"r{number:04d}",
        folder=f"/workspace/runs/r{number:04d}",
        dataset=f"{data}-phantoms",
        dataset_fingerprint="5b" * 32,
        split=f"{data}-phantoms-s1",
        split_fingerprint="c4" * 32,
        fold=None,
        task=task,
        model=model,
        family=family,
        adapt=adapt,
        shots=None,
        seed=seed,
        preset="",
        recipe=_RECIPE,
        weights_sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        from_scratch=False,
        created=f"2026-11-{19 + number // 6:02d}T{8 + number % 6:02d}:{number * 7 % 60:02d}:00Z",
        code_version="0.1.0",
        state=state,
    )
    name = f"{title} · {adapt}" + (f" · seed {seed}" if seed else "")
    supervised = state.phase in (Phase.RUNNING, Phase.QUEUED)
    return RunItem(row, name, opened, supervised, title, _NAMES[data])


def _finished(
    auc: float, *, epochs: int = 20, seconds: float = 640.0, parameters: int = 0, ordinal: bool = False
) -> RunState:
    metrics = {
        "auc": auc,
        "average_precision": auc - 0.06,
        "sensitivity": auc - 0.04,
        "specificity": auc - 0.07,
        "balanced_accuracy": auc - 0.055,
        "brier": 0.41 - 0.33 * auc,
        "log_loss": 1.2 - auc,
    }
    if ordinal:
        metrics = {"kappa_quadratic": auc - 0.1, "balanced_accuracy": auc - 0.2, "grade_error": 0.42}
    return RunState(
        phase=Phase.FINISHED,
        stage="predict",
        samples_per_second=118.4,
        epoch=epochs,
        epochs=epochs,
        metrics=metrics,
        seconds=seconds,
        startup_seconds=3.4,
        trained_parameters=parameters,
        device="cuda:0",
        facts={"trained of the backbone": "all of it"} if parameters > 1_000_000 else {},
        labels_used=2304 + 492,
        peak_memory_bytes=5_120_000_000 if epochs > 1 and parameters > 10_000 else 940_000_000,
    )


def running(epoch: int = 7, done: int = 1472) -> RunState:
    """A training within an epoch."""
    return RunState(
        phase=Phase.RUNNING,
        stage="train",
        done=done,
        total=2304,
        samples_per_second=61.3,
        seconds_left=(2304 - done) / 61.3,
        epoch=epoch,
        epochs=20,
        curve=curve(epoch),
        startup_seconds=4.1,
        device="cuda:0",
    )


_QUEUED = RunState(phase=Phase.QUEUED, message="It waits for its turn on cuda:0.")
_MEMORY = RunState(
    phase=Phase.FAILED,
    stage="train",
    epochs=20,
    device="cuda:0",
    error_kind="out_of_memory",
    message="The GPU has 8.0 GB of memory; a step of 32 images of 448 pixels needed more.",
    hint="Train again with a smaller batch_size or input_size.",
)
_INTERRUPTED = replace(
    running(4, 640),
    phase=Phase.FAILED,
    seconds_left=None,
    curve=(),
    error_kind="interrupted",
    message="The run was interrupted: the program that supervised it is gone (ended, crashed, or the computer "
    "went down).",
    hint="“medfm resume r0010” goes on after epoch 4.",
    resumable=True,
)
_NO_WEIGHTS = RunState(
    phase=Phase.FAILED,
    error_kind="weights_absent",
    message="The weights of VMamba-T are not on this computer.",
    hint="Get them with “medfm weights pull vmamba-t” or “medfm weights import FILE --model vmamba-t”.",
)
_PAUSED = RunState(
    phase=Phase.PAUSED, stage="train", done=300, total=2304, epoch=9, epochs=20, resumable=True, device="cuda:0"
)
_CANCELLED = RunState(phase=Phase.CANCELLED, stage="train", epoch=2, epochs=20, message="The run was cancelled.")

RUNS: tuple[RunItem, ...] = (
    item(1, "efficientnet-lite0", "knn", _finished(0.791, epochs=1, seconds=0.03), opened=True),
    item(2, "efficientnet-lite0", "linear", _finished(0.856, seconds=21, parameters=2562), opened=True),
    item(3, "dinov2-s", "linear", _finished(0.873, seconds=184, parameters=770), opened=True),
    item(4, "dinov2-s", "full", _finished(0.902, seconds=2710, parameters=21_666_818)),
    item(5, "mae-b", "linear", _finished(0.812, seconds=212, parameters=1538), opened=True),
    item(6, "clip-b", "linear", _finished(0.861, seconds=205, parameters=1026)),
    item(7, "dinov2-s", "linear", _finished(0.868, seconds=181, parameters=770), seed=1),
    item(8, "dinov2-b", "full", _MEMORY),
    item(9, "vmamba-t", "full", _NO_WEIGHTS),
    item(10, "mae-b", "full", _INTERRUPTED),
    item(11, "clip-b", "full", _CANCELLED),
    item(12, "dinov2-s", "linear", _finished(0.874, seconds=96, parameters=1155, ordinal=True), data="breast"),
    item(13, "mae-b", "full", _PAUSED, data="breast"),
    item(14, "dinov2-b", "full", running()),
    item(15, "dinov2-b", "full", _QUEUED, seed=1),
    item(16, "dinov2-b", "linear", _QUEUED, data="breast"),
)

LOG = """--- worker started 2026-11-22T06:31:08Z
[weights] dinov2-b: 173 tensors, 86.6 M parameters, SHA-256 9f86d081884c7d65…
[train] 2,304 images, 20 epochs of 72 steps, batches of 32, automatic mixed precision
[train] epoch 1: train loss 0.608, validation loss 0.640, AUC 0.614
[train] epoch 2: train loss 0.541, validation loss 0.591, AUC 0.655"""


def evaluations(run: RunItem) -> tuple[Evaluation, ...]:
    """Test numbers of a run, a little below those of validation."""

    def row(metric: str, value: float, spread: float, method: str) -> Evaluation:
        low, high = max(0.0, value - spread), min(1.0, value + spread * 0.9)
        return Evaluation(run.row.id, "test", metric, value, low, high, method, "patient", 492, 246, 118, "ab" * 32)

    state = run.row.state
    wide = {"sensitivity": 0.061, "specificity": 0.048}
    return tuple(
        row(name, value - 0.012, wide.get(name, 0.031), "delong-logit") for name, value in state.metrics.items()
    )


def details(run: RunItem) -> RunFacts:
    """All facts of a sample run."""
    state = run.row.state
    begun = state.phase not in (Phase.QUEUED,) and state.error_kind != "weights_absent"
    point = OperatingPoint(0.417, "youden", "val", "patient", "nodule") if run.row.task is Task.BINARY else None
    finished = state.phase is Phase.FINISHED
    test = TestFacts(evaluations(run), "2026-11-21T16:40:00Z", "Final evaluation, protocol version 1.2", 4)
    return RunFacts(
        item=run,
        curve=curve(min(state.epoch, 20), path=run.row.adapt == "linear") if run.row.adapt != "knn" else (),
        started=time.time() - 1260 if begun else None,
        versions={"medfm": "0.1.0", "torch": "2.14.1", "timm": "1.0.31"} if begun else {},
        sizes={"train": 2304, "val": 494, "cal": 0, "test": 492},
        split_rule="70/15/15 by patient, seed 0",
        point=point if finished else None,
        test=test if run.is_opened else None,
        predictions=("test", "val") if run.is_opened else ("val",),
        threshold_from=RuleOrigin.DEFAULT if run.row.task is Task.BINARY else RuleOrigin.UNKNOWN,
    )


def sample_answers(runs: Sequence[RunItem] = RUNS) -> Answers:
    """Answers about these runs."""
    known = {one.row.id: one for one in runs}

    def one(run: str) -> RunItem:
        if run not in known:
            raise NotFound(f"There is no run “{run}”.", "“medfm runs” lists them.")
        return known[run]

    def asked(ids: Sequence[str], done: Sequence[str] = ()) -> RunsAsked:
        return RunsAsked(tuple(one(run) for run in ids), tuple(done or ids), ())

    looks = (
        Opening("r0001", "test", "ab" * 32, "2026-11-20T10:12:00Z", "First look for the pilot", is_first=True),
        Opening("r0003", "test", "ab" * 32, "2026-11-21T16:40:00Z", "Final evaluation, protocol 1.2", is_first=True),
    )
    return {
        ListRuns: lambda ask: RunList(tuple(run for run in runs if not ask.runs or run.row.id in ask.runs)),
        RunDetails: lambda ask: details(one(ask.run)),
        RunLog: lambda ask: LogText(ask.run, LOG),
        MeasureRun: lambda ask: RunUse(ask.run, 2_310_000_000, 2_870_000_000, 1.1, 5_640_000_000, 87.0),
        PauseRuns: lambda ask: asked(ask.runs),
        CancelRuns: lambda ask: asked(ask.runs),
        CheckResumable: lambda ask: asked(ask.runs),
        RetryRuns: lambda ask: asked(ask.runs, [f"r{20 + place:04d}" for place, _ in enumerate(ask.runs)]),
        LookAtSeal: lambda ask: SealFacts(ask.runs, 492, looks),
        OpenTest: lambda ask: TestOpened(ask.runs, (), 3),
        ExportPredictions: lambda ask: Exported(ask.path, 492),
        ListMapChecks: lambda ask: KeptMapChecks((checked(ask.run),) if ask.run == "r0004" else ()),
        CheckMaps: lambda ask: checked(ask.run, ask.explain, ask.subset),
    }


ANSWERS: Answers = sample_answers()
