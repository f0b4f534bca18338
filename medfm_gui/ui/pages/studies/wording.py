"""What the page says: titles and captions of the tree, decisions, where a threshold came from."""

from __future__ import annotations

import datetime
from pathlib import PurePath

from medfm_gui.desk.asks.studies import EarlierPrediction, RunSaid
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.units import counted
from medfm_gui.ui.pages.studies.nodes import Node, pseudonym
from medfm_gui.ui.widgets.text import one_line
from medfm_gui.workspace.opening import age_text, date_text

_LONGEST = 160
_FITTED = {"cal": "calibration", "val": "validation", "train": "training"}
NOT_CALIBRATED = "Scores of the models, not calibrated: read them against the threshold, not as a chance of disease."


def line(text: str, longest: int = _LONGEST) -> str:
    """Text of unknown origin on one line."""
    return one_line(text.strip(), longest)


def title(node: Node, *, identity_shown: bool) -> str:
    """The first line of a row."""
    if node.kind == "patient":
        return line(node.patient) if identity_shown and node.patient else pseudonym(node.patient)
    if node.kind == "study" and node.study is not None:
        return line(node.study.description) or "Study without a description"
    if node.kind == "pictures":
        return "Pictures"
    if node.kind == "picture":
        return line(PurePath(node.key.path).name)
    return line(node.series.description if node.series else "") or f"Series {node.place + 1}"


def caption(node: Node, *, identity_shown: bool) -> str:
    """The second line of a row."""
    if node.kind == "patient":
        first = node.studies[0] if node.studies else None
        who = (first.sex, age_text(first.age)) if first is not None and identity_shown else ()
        return _joined(*who, counted(len(node.studies), "study"))
    if node.kind == "study" and node.study is not None:
        return _joined(
            date_text(node.study.date), node.study.modality, counted(len(node.study.series), "series", "series")
        )
    if node.kind == "pictures":
        return counted(len(node.children), "file")
    if node.kind == "picture":
        return PurePath(node.key.path.removesuffix(".gz")).suffix.lstrip(".").upper()
    series = node.series
    if series is None:
        return ""
    size = f"{series.columns} × {series.rows}" if series.rows else ""
    return _joined(series.modality, counted(series.n_instances, "image"), size)


def _joined(*parts: str) -> str:
    return " · ".join(line(part, 60) for part in parts if part)


# -- answers


def decision(said: RunSaid) -> str:
    """The answer of a run as a sentence, with the number it rests on; never a bare “positive”."""
    if said.threshold is not None and said.positive in said.classes:
        score = said.classes[said.positive]
        if score is None:
            return f"{line(said.positive)}: not scored"
        where = "at or above" if score >= said.threshold else "below"
        origin = threshold_origin(said.threshold_note)
        return (
            f"{line(said.positive)} {_against(score, said.threshold)}, {where} the threshold {said.threshold:.2f}"
            + (f" ({origin})" if origin else "")
        )
    scores = {name: score for name, score in said.classes.items() if score is not None}
    if said.task == Task.MULTILABEL:
        found = [f"{line(name, 60)} {score:.2f}" for name, score in scores.items() if score >= 0.5]
        return f"At or above 0.50: {', '.join(found)}" if found else "No class at or above 0.50"
    if not scores:
        return "Not scored"
    top = max(scores, key=lambda name: scores[name])
    return f"Highest of {len(said.classes)}: {line(top)} {scores[top]:.2f}"


def _against(score: float, threshold: float) -> str:
    """Two digits, or as many as show on which side of the threshold it lies."""
    for digits in (2, 3, 4):
        if f"{score:.{digits}f}" != f"{threshold:.{digits}f}":
            return f"{score:.{digits}f}"
    return f"{score:.5f}"


def threshold_origin(note: str) -> str:
    """``youden, fitted on val; counts …`` → ``Youden on validation``."""
    rule, _, rest = note.partition(";")[0].strip().partition(", fitted on ")
    rule = rule[:1].upper() + rule[1:]
    return line(f"{rule} on {_FITTED.get(rest, rest)}" if rest else rule, 80)


def threshold_remark(note: str) -> str:
    """What else is to be known of the threshold."""
    rest = line(note.partition(";")[2], 200)
    return f"{rest[:1].upper()}{rest[1:]}." if rest else ""


def calibration(said: RunSaid) -> str:
    """How the probabilities of a run were put right, or that they were not."""
    if not said.is_calibrated:
        return "Not calibrated: no chance of disease."
    note = line(said.calibration_note, 200)
    return f"{note[:1].upper()}{note[1:]}." if note else ""


def seeds(said: RunSaid) -> str:
    """What the range beside a probability is, and what it is not."""
    return f"Ranges: spread over {said.seeds} seeds, no confidence interval." if said.seeds > 1 else ""


def class_set(said: RunSaid) -> str:
    """The set of classes, where there is one."""
    return f"Set of classes: {', '.join(line(name, 60) for name in said.class_set)}" if said.class_set else ""


def is_below(said: RunSaid) -> bool:
    """Whether the explained class lies below its threshold."""
    score = said.classes.get(said.map_target)
    return (
        said.threshold is not None and said.map_target == said.positive and score is not None and score < said.threshold
    )


def when(stamp: str) -> str:
    """``2026-11-22 07:16`` in local time of a stamp in UTC; the stamp itself if it is none."""
    try:
        at = datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    except ValueError:
        return line(stamp, 40)
    return at.astimezone().strftime("%Y-%m-%d %H:%M")


def earlier(one: EarlierPrediction) -> tuple[str, str]:
    """Title and caption of an earlier prediction."""
    return when(one.created), _joined(counted(len(one.runs), "run"), counted(one.n_images, "image"))
