"""One order carried out: its events told, requests of the person heard, its end given a name."""

from __future__ import annotations

import shutil
import time
import traceback
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import InternalError, UsageError
from medfm_gui.domain.run import (
    CheckMapsSpec,
    ExportSpec,
    FeaturesSpec,
    LooksSpec,
    OutlierSpec,
    PackSpec,
    PredictSpec,
    PreflightSpec,
    ProbeSpec,
    SimilarSpec,
    Spec,
    StudySpec,
    TimmSpec,
    TrainSpec,
    WeightsSpec,
)
from medfm_gui.engine.eventlog import EventLog
from medfm_gui.engine.failure import named, resumable
from medfm_gui.engine.predict import OpenModels, predict_study, predict_subset
from medfm_gui.engine.session import PauseRequested


def carry_out(folder: Path, log: EventLog, *, startup_seconds: float = 0.0, models: OpenModels | None = None) -> bool:
    """Do what ``spec.json`` in ``folder`` orders, and say so to ``log`` until a last word.

    Args:
        startup_seconds: what starting this process took, for RunStarted.
        models: kept between orders by a worker that stays.

    Returns:
        False when it failed.
    """
    training = False
    try:
        spec = _order(folder)
        training = isinstance(spec, TrainSpec)
        _told(events_of(spec, folder, models), folder, log, startup_seconds)
    except Exception as error:  # noqa: BLE001 - border: whatever ends a job becomes its last word
        failure = named(error)
        if isinstance(failure, InternalError):
            traceback.print_exception(error)
        log.say(
            ev.RunFailed(
                time.time(), failure.kind, failure.message, failure.hint, resumable=training and resumable(failure)
            )
        )
        return False
    return True


def events_of(spec: Spec, folder: Path, models: OpenModels | None = None) -> Generator[ev.Event, None, None]:
    """The work that a spec orders, as a generator of events."""
    match spec:
        case TrainSpec():
            yield from _training(spec, folder)
        case PredictSpec():
            yield from predict_subset(spec, Path(spec.out))
        case StudySpec():
            yield from predict_study(spec, models)
        case WeightsSpec():
            yield from _weights(spec)
        case PackSpec():
            yield from _pack(spec)
        case TimmSpec():
            yield from _timm(spec)
        case PreflightSpec():
            yield from _preflight(spec, folder)
        case CheckMapsSpec():
            yield from _check_maps(spec)
        case SimilarSpec():
            yield from _similar(spec)
        case OutlierSpec():
            yield from _outlier(spec)
        case FeaturesSpec():
            yield from _features(spec)
        case LooksSpec():
            yield from _looks(spec)
        case ExportSpec():
            yield from _export(spec)
        case ProbeSpec():
            yield from _probe()


def _told(events: Generator[ev.Event, None, None], folder: Path, log: EventLog, startup_seconds: float) -> None:
    """Pass events on; at each, look whether the person wants to pause or cancel."""
    begun = time.perf_counter()
    epoch = 0
    ended = False
    try:
        for event in events:
            if isinstance(event, ev.RunStarted):
                event = replace(event, startup_seconds=startup_seconds)
            elif isinstance(event, ev.EpochFinished | ev.RunResumed):
                epoch = event.epoch
            log.say(event)
            ended = ended or isinstance(event, ev.LAST_WORDS)
            match "" if ended else _request(folder):
                case "pause":
                    events.throw(PauseRequested())
                case "cancel":
                    events.close()
                    shutil.rmtree(folder / "checkpoint", ignore_errors=True)
                    log.say(ev.RunCancelled(time.time(), "Stopped as asked."))
                    return
    except PauseRequested as pause:
        log.say(ev.RunPaused(time.time(), epoch if pause.epoch is None else pause.epoch, pause.step))
        return
    if not ended:
        log.say(ev.RunFinished(time.time(), {}, time.perf_counter() - begun))


def _order(folder: Path) -> Spec:
    try:
        return wire.decode_spec((folder / "spec.json").read_bytes())
    except FileNotFoundError:
        raise UsageError(f"“{folder}” holds no order (spec.json).", "Start the work through medfm.") from None


def _request(folder: Path) -> str:
    """What stands in the file ``request``: almost always there is none, and asking costs microseconds."""
    try:
        return (folder / "request").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _training(spec: TrainSpec, folder: Path) -> Iterator[ev.Event]:
    from medfm_gui.engine.train import (
        run_training,
    )  # brings scikit-learn and statsmodels: seconds that predictions save

    yield from run_training(spec, folder)


def _weights(spec: WeightsSpec) -> Iterator[ev.Event]:
    from medfm_gui.engine.weights import import_weights  # brings the hub's client, which no other order needs

    yield from import_weights(spec)


def _pack(spec: PackSpec) -> Iterator[ev.Event]:
    from medfm_gui.engine.pack import import_pack  # brings the hub's client, as one file does

    yield from import_pack(spec)


def _timm(spec: TimmSpec) -> Iterator[ev.Event]:
    from medfm_gui.engine.timm_card import describe

    yield from describe(spec)


def _preflight(spec: PreflightSpec, folder: Path) -> Iterator[ev.Event]:
    from medfm_gui.engine.preflight import measure  # brings scikit-learn, as a training does

    yield from measure(spec, folder)


def _check_maps(spec: CheckMapsSpec) -> Iterator[ev.Event]:
    from medfm_gui.engine.check_maps import check_maps  # brings scipy's statistics, which no prediction needs

    yield from check_maps(spec)


def _similar(spec: SimilarSpec) -> Iterator[ev.Event]:
    from medfm_gui.engine.similar_later import keep_similar  # brings scikit-learn, as a training does

    yield from keep_similar(spec)


def _outlier(spec: OutlierSpec) -> Iterator[ev.Event]:
    from medfm_gui.engine.outlier_scores import score_outliers  # brings scikit-learn, as a training does

    yield from score_outliers(spec)


def _features(spec: FeaturesSpec) -> Iterator[ev.Event]:
    from medfm_gui.engine.fill_bank import fill_bank  # brings the image reader, which a probe does not need

    yield from fill_bank(spec)


def _looks(spec: LooksSpec) -> Iterator[ev.Event]:
    from medfm_gui.engine.looks import show_looks

    yield from show_looks(spec)


def _export(spec: ExportSpec) -> Iterator[ev.Event]:
    from medfm_gui.engine.portable import export_model

    yield from export_model(spec)


def _probe() -> Iterator[ev.Event]:
    from medfm_gui.engine.probe import probe

    yield from probe()
