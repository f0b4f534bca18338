"""What a backbone may have seen of a dataset before: such a run is warned of, and no best of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from medfm_gui.domain.cards import KNOWN_DATASETS, Overlap, known_dataset
from medfm_gui.domain.dataset import Dataset
from medfm_gui.workspace.training import RunView


def overlap(view: RunView, dataset: Dataset) -> Overlap:
    """Whether the images of a dataset were in the pretraining data of a run's backbone; ``no`` from random weights."""
    if view.spec.from_scratch:
        return "no"
    return view.spec.card.overlap(known_dataset(dataset.layout, dataset.id, dataset.name))


def warnings(views: Sequence[RunView], dataset: Dataset) -> tuple[str, ...]:
    """A sentence for each answer but no and unknown, naming the runs it holds for."""
    title = KNOWN_DATASETS.get(known_dataset(dataset.layout, dataset.id, dataset.name), dataset.name)
    said: list[str] = []
    answers: tuple[tuple[Overlap, str], ...] = (("yes", "have seen"), ("possible", "may have seen"))
    for answer, words in answers:
        runs = [view.id for view in views if overlap(view, dataset) == answer]
        if runs:
            said.append(
                f"The weights of {', '.join(runs)} {words} images of {title} in pretraining: a lead over other runs "
                "may be memory, so none of them counts as the best here."
            )
    return tuple(said)
