"""One image of a prediction, explained in another way by the worker that is still warm; its scores are not touched."""

from __future__ import annotations

import tempfile
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write
from medfm_gui.desk.answers.predicting import Telling, answer_of
from medfm_gui.desk.asks.studies import ExplainAgain, HeatMapAnswer
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import InputError, NotFound, UnreadableFile, UsageError
from medfm_gui.domain.explain import NOT_CLASS_SPECIFIC, explanation, explanation_names
from medfm_gui.domain.run import StudyImage, StudySpec


def explain_again(room: Room, ask: ExplainAgain, told: Told) -> HeatMapAnswer:
    """Decode the image that was explained, and have a map of it made in another way.

    Raises:
        NotFound: there is no such prediction, or it was not explained.
        UsageError: there is no such explanation, or this model has none of the kind.
        UnreadableFile: the image cannot be read any more.
        Interrupted: it was cancelled.
    """
    from medfm_gui.workspace.errands import ask_warm
    from medfm_gui.workspace.prediction import MAP_NOTE, read_prediction

    card = explanation(ask.explain)
    if card is None:
        raise UsageError(f"There is no explanation “{ask.explain}”.", f"Use {explanation_names()}.")
    file = read_prediction(room.workspace, ask.prediction)
    item = file.predictions[ask.number] if 0 <= ask.number < len(file.predictions) else None
    if item is None or item.explanation is None or not item.explanation.source:
        raise NotFound("No image of this prediction was explained.", "Predict again with a heat map.")
    target = item.explanation.target
    told.progress("Decoding the image")
    with tempfile.TemporaryDirectory(dir=room.scratch, prefix="explain-") as made:
        folder = Path(made)
        pixels = folder / "image.npy"
        read = room.pool().to_npy(Path(item.explanation.source), pixels, frame=item.explanation.frame)
        if not read.ok:
            raise UnreadableFile(
                f"The image cannot be read any more: {read.message}", "Open its folder again.", reason=read.reason
            )
        order = StudySpec(
            run_folders=(str(room.workspace.run(item.run)),),
            images=(StudyImage(item.explanation.place, str(pixels)),),
            out=str(folder),
            explain=ask.explain,
            target=list(item.classes).index(target) if target in item.classes else None,
        )
        atomic_write(folder / "spec.json", wire.encode_spec(order))
        events = ask_warm(room.warm(), folder, on_event=Telling(told), stop=told.stopped)
        said = next(event for event in events if isinstance(event, ev.StudyPredicted))
        general = "" if card.class_specific else NOT_CLASS_SPECIFIC
        note = " ".join(part for part in (said.map_note, general, MAP_NOTE) if part)
        return _read(said, target, ask.explain, note)


def _read(said: ev.StudyPredicted, target: str, method: str, note: str) -> HeatMapAnswer:
    import numpy as np

    from medfm_gui.workspace.viewing import HeatMapFile

    if not said.map:
        return HeatMapAnswer(note=said.map_note)
    try:
        values = np.load(said.map, allow_pickle=False).astype(np.float32)
    except (OSError, ValueError, EOFError) as error:
        raise InputError("The heat map that was made cannot be read.", "Explain the image again.") from error
    rows, columns = values.shape
    payload = np.ascontiguousarray(values).tobytes()
    return answer_of(HeatMapFile(rows, columns, said.source, target, method, note, payload))
