"""A few test images with heat maps for the report, chosen by a rule and not by eye."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medfm_gui import __version__
from medfm_gui.base import wire
from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError, NotFound
from medfm_gui.domain.report import Picture
from medfm_gui.domain.run import EXTERNAL, StudyImage, StudySpec
from medfm_gui.workspace import data
from medfm_gui.workspace.errands import OnEvent, run_errand
from medfm_gui.workspace.evaluating import test_predictions
from medfm_gui.workspace.pixels import cache_of_run
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.report_sections import label_text
from medfm_gui.workspace.scores import read_scores
from medfm_gui.workspace.training import RunView

_EXPLAINED_RUNS = 3
_LIST = "examples.json"
_FORM = "2"
"""Changes when the list of kept pictures is written in another form, so that they are made anew."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of a sample: the image itself with its reference (``run`` is empty), or the map of a run over it."""

    path: str
    sample: str
    run: str
    said: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Examples:
    """Pictures row by row (the image, then one map a run), the runs explained, and the rule of the choice."""

    shown: tuple[Shown, ...]
    explained: tuple[str, ...]
    rule: str

    def pictures(self, alias: Callable[[str], str]) -> tuple[Picture, ...]:
        """The pictures with captions; ``alias`` gives the name that a sample bears in the report."""
        return tuple(_captioned(one, alias(one.sample)) for one in self.shown)


def _captioned(one: Shown, name: str) -> Picture:
    if not one.run:
        said = f"reference standard {one.said}"
        return Picture(one.path, f"{name}: {said}", f"Test image {name}, {said}")
    caption = f"{one.run}: {one.said}" + (f" ({one.remark})" if one.remark else "")
    return Picture(one.path, caption, f"Heat map of {one.run} over test image {name}, score for {one.said}")


def examples(
    workspace: Workspace,
    views: Sequence[RunView],
    *,
    on_event: OnEvent | None = None,
    stop: threading.Event | None = None,
    elsewhere: Path | None = None,
) -> Examples:
    """Heat maps of a few test images by the first three runs that have a gradient.

    They are made once: the run's folder keeps them for as long as neither the runs nor this program changes.

    Args:
        elsewhere: keep new ones there, not in the run's folder.

    Raises:
        Interrupted: ``stop`` was set.
        MedfmError: whatever the worker named as the reason of its failure.
    """
    kept = kept_examples(workspace, views, elsewhere=elsewhere)
    if kept is not None:
        return kept
    explained = _explained(views)
    name = _fingerprint(workspace, views[0], explained)
    folder = (elsewhere or explained[0].folder / "examples") / name
    try:
        made = _made(workspace, views[0], explained, folder, on_event, stop)
        names = tuple(replace(one, path=Path(one.path).name) for one in made.shown)
        wire.write(folder / _LIST, replace(made, shown=names))  # last: a folder without it is not complete
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # on a full disk even half of them is too much
        raise
    return made


def kept_examples(workspace: Workspace, views: Sequence[RunView], *, elsewhere: Path | None = None) -> Examples | None:
    """Those that were made before; None where a worker has to draw them first."""
    explained = _explained(views)
    if not explained:
        return Examples((), (), "")
    name = _fingerprint(workspace, views[0], explained)
    found = _kept(explained[0].folder / "examples" / name)
    return found or (_kept(elsewhere / name) if elsewhere else None)


def _explained(views: Sequence[RunView]) -> list[RunView]:
    return [view for view in views if view.spec.adapt not in ("knn", EXTERNAL)][:_EXPLAINED_RUNS]


def _fingerprint(workspace: Workspace, first: RunView, explained: Sequence[RunView]) -> str:
    """Names everything that the pictures depend on."""
    scores = sha256_file(test_predictions(workspace, first.id))
    runs = [(view.id, wire.plain(view.spec), sorted(view.state.files.items())) for view in explained]
    return hashlib.sha256(wire.canonical([__version__, _FORM, first.id, scores, runs])).hexdigest()[:16]


def _kept(folder: Path) -> Examples | None:
    """Pictures that were made before; None where one is missing."""
    if not (folder / _LIST).exists():
        return None
    found = wire.read(Examples, folder / _LIST)
    shown = tuple(replace(one, path=str(folder / Path(one.path).name)) for one in found.shown)
    if not all(Path(one.path).exists() for one in shown):
        return None
    return replace(found, shown=shown)


def _made(
    workspace: Workspace,
    first: RunView,
    explained: Sequence[RunView],
    kept: Path,
    on_event: OnEvent | None,
    stop: threading.Event | None,
) -> Examples:
    dataset = data.read(workspace, first.spec.dataset_id)
    samples, scores = read_scores(test_predictions(workspace, first.id))
    chosen, target, rule = _choose(dataset, samples, scores, first.id)
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="medfm-") as made:
        images = _pixels(explained[0], chosen, Path(made))
        order = StudySpec(
            run_folders=tuple(str(view.folder) for view in explained),
            images=tuple(StudyImage(name, str(path)) for name, path in images.items()),
            out=str(Path(made) / "maps"),
            explain="gradcam",
            target=target,
            device=explained[0].spec.device,
        )
        (Path(made) / "maps").mkdir()
        (Path(made) / "job").mkdir()
        events = run_errand(order, folder=Path(made) / "job", on_event=on_event, stop=stop)
        said = {(event.source, event.run): event for event in events if isinstance(event, ev.StudyPredicted)}
        shown: list[Shown] = []
        for name, path in images.items():
            shown += _row(dataset, name, path, explained, said, kept, target)
    return Examples(tuple(shown), tuple(view.id for view in explained), rule)


def _choose(
    dataset: Dataset, samples: Sequence[str], scores: npt.NDArray[np.float32], run: str
) -> tuple[list[str], int, str]:
    """Sample ids, the explained class, and the sentence that says how they were chosen."""
    target = dataset.positive_index if dataset.task is Task.BINARY else None
    column = target if target is not None else int(np.argmax(scores.mean(axis=0)))
    by_id = {sample.id: sample for sample in dataset.samples}
    order = [samples[index] for index in np.argsort(scores[:, column], kind="stable")]

    def has(name: str) -> bool:
        found = by_id[name].target
        return found[column] == 1 if dataset.task is Task.MULTILABEL else found[0] == column

    with_it = [name for name in order if has(name)]
    without = [name for name in order if not has(name)]
    wanted = [*with_it[-1:], *with_it[:1], *without[-1:], *without[:1]]
    label = dataset.classes[column]
    rule = (
        f"Test images chosen by the score for “{label}” of {run}: with “{label}” the highest and the lowest score, "
        f"without it the highest and the lowest. Maps explain the score for “{label}”."
    )
    return list(dict.fromkeys(wanted)), column, rule


def _pixels(view: RunView, samples: Sequence[str], folder: Path) -> dict[str, Path]:
    cache = cache_of_run(view.spec)
    paths = {}
    for number, name in enumerate(samples):
        path = folder / f"{number:02d}.npy"
        np.save(path, np.asarray(cache.image(name)), allow_pickle=False)
        paths[name] = path
    return paths


def _row(
    dataset: Dataset,
    name: str,
    pixels: Path,
    explained: Sequence[RunView],
    said: dict[tuple[str, str], ev.StudyPredicted],
    kept: Path,
    target: int,
) -> list[Shown]:
    from medfm_gui.imaging.overlay import overlay, to_eight_bit, write_png

    picture = np.load(pixels, allow_pickle=False)
    label = label_text(dataset, next(sample.target for sample in dataset.samples if sample.id == name))
    plain = kept / f"{name}.png"
    write_png(plain, to_eight_bit(picture))
    row = [Shown(str(plain), name, "", label)]
    for view in explained:
        event = said[name, view.id]
        path = plain
        if event.map:
            path = kept / f"{name}-{view.id}.png"
            write_png(path, overlay(picture, np.load(event.map, allow_pickle=False)))
        score = f"{dataset.classes[target]} {event.scores[target]:.2f}"
        row.append(Shown(str(path), name, view.id, score, event.map_note))
    return row


def plain_pictures(
    workspace: Workspace, views: Sequence[RunView], samples: Sequence[str], *, elsewhere: Path | None = None
) -> dict[str, Path]:
    """Images of these samples as a run saw them, as PNG beside the heat maps; none where no run's pixels are here.

    Raises:
        DiskFull: they do not fit.
    """
    from medfm_gui.imaging.overlay import to_eight_bit, write_png

    found: dict[str, Path] = {}
    for view in views:
        if view.spec.adapt == EXTERNAL:
            continue
        folder = elsewhere / view.id if elsewhere else view.folder / "cases"
        try:
            cache = cache_of_run(view.spec)
            for name in samples:
                path = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.png"
                if not path.exists():
                    folder.mkdir(parents=True, exist_ok=True)
                    write_png(path, to_eight_bit(np.asarray(cache.image(name))))
                found[name] = path
        except (NotFound, InputError):  # the pixels were let go to save space
            found.clear()
            continue
        return found
    return found
