"""Which training images a run is compared with, and from which score on an image is unlike them.

Features come from the bank, where the backbone is frozen. Of a trained backbone those of calibration and validation
images are kept when they are scored, which is done anyway; training images are looked at once more, as many as cost a
few per cent of the training at most. The images are drawn by the run's seed, every class in its proportion.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

import numpy as np
import torch

from medfm_gui.base import wire
from medfm_gui.datasets.targets import patients, targets
from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.similar import SELECTED_ON, OutlierLimit
from medfm_gui.domain.split import Partition
from medfm_gui.engine.adaptations.grid_table import whole_reading
from medfm_gui.engine.features import StoredFeatures
from medfm_gui.engine.fitted import Fitted
from medfm_gui.engine.head import HeadFacts
from medfm_gui.engine.material import Material
from medfm_gui.engine.reading import Reading
from medfm_gui.engine.scoring import Scorer
from medfm_gui.engine.similar import (
    NEAR,
    SIMILAR,
    Kept,
    Rows,
    SimilarCases,
    SimilarFacts,
    head_of_run,
    same_patient,
    vectors_of,
    write_similar,
)
from medfm_gui.metrics.outliers import LEVEL, fit_limit

OUTLIER = "outlier.json"
MOST = 5000
"""Images of a partition that are looked at, at most."""
_MOST_BYTES = 32 << 20
_SHARE = 0.09
"""Images looked at once more against images trained on: a look costs a third of a training step, or half of one."""
_FEWEST = 128
_ROWS_AT_ONCE = 64
_NONE_LEFT = "no calibration image was left that the model did not learn from"

Look = Callable[[Sequence[str]], Generator[ev.Event, None, Rows]]
"""How features of samples are had, event by event."""


def side_of(material: Material) -> Partition | None:
    """Where the limit comes from: images that the model did not learn from, whose labels are not needed."""
    return next((side for side in (Partition.CAL, Partition.VAL) if material.ids[side]), None)


def kept_of(material: Material, fitted: Fitted) -> Mapping[Partition, Kept]:
    """What to take out of the pass that scores the side of the limit; nothing where a bank has it."""
    side = side_of(material)
    if side is None or not fitted.backbone_trained:
        return {}
    return {side: Kept(frozenset(looked_at(material, side)))}


def looked_at(material: Material, partition: Partition, most: int = MOST) -> list[str]:
    """Samples of a partition, drawn by the seed, every class in its proportion; in the order of the partition."""
    return drawn(material.dataset, material.ids[partition], most, material.spec.seed)


def drawn(dataset: Dataset, ids: Sequence[str], most: int, seed: int) -> list[str]:
    """At most ``most`` of these samples by lot; each class (each set of labels) in its proportion, at least once."""
    if len(ids) <= most:
        return list(ids)
    groups: dict[object, list[str]] = {}
    for one, target in zip(ids, targets(dataset, ids).tolist(), strict=True):
        groups.setdefault(tuple(target) if isinstance(target, list) else target, []).append(one)
    places = []
    for members in groups.values():
        lots = sorted(members, key=lambda one: _lot(seed, one))
        places += [(number / len(lots), _lot(seed, one), one) for number, one in enumerate(lots)]
    chosen = {one for _, _, one in sorted(places)[:most]}
    return [one for one in ids if one in chosen]


def references_wanted(material: Material, fitted: Fitted) -> list[str]:
    """The training images to compare with: bounded by memory, and of a trained backbone by what they cost."""
    most = min(MOST, max(1, _MOST_BYTES // (2 * _width(fitted.head.facts))))
    if fitted.backbone_trained:
        trained_on = _epochs(material, fitted) * len(material.ids[Partition.TRAIN])
        most = min(most, max(_FEWEST, round(_SHARE * trained_on)))
    return looked_at(material, Partition.TRAIN, most)


def fixed_outlier_limit(
    material: Material, fitted: Fitted, kept: Mapping[Partition, Kept]
) -> Generator[ev.Event, None, OutlierLimit | None]:
    """Keep the training images' features and fix the limit, beside the operating point.

    Args:
        kept: as ``kept_of`` gave it, filled.

    Returns:
        None, and no file, where not one training image has finite features.
    """
    references, side = references_wanted(material, fitted), side_of(material)
    of_limit = [] if side is None or side in kept else looked_at(material, side)
    look = looking(material, fitted, [*references, *of_limit])
    cases = cases_of_rows(material, (yield from look(references)))
    if cases is None:
        yield ev.Warned(time.time(), "No training image has finite features, so nothing can be told to be unlike them.")
        return None
    yield ev.FileWritten(time.time(), SIMILAR, write_similar(material.folder, cases))
    held: Rows = kept[side].rows if side is not None and side in kept else (yield from look(of_limit))
    limit = limit_of(material, cases, side, held)
    yield ev.FileWritten(time.time(), OUTLIER, wire.write(material.folder / OUTLIER, limit))
    return limit


def cases_of_rows(material: Material, rows: Rows) -> SimilarCases | None:
    """Training images with finite features, with their labels."""
    if not rows:
        return None
    held = torch.stack(list(rows.values())).float()
    finite = held.isfinite().all(dim=1)
    ids = [one for one, there in zip(rows, finite.tolist(), strict=True) if there]
    if not ids:
        return None
    classes = material.dataset.classes
    labels = targets(material.dataset, ids)
    flags = labels if material.dataset.task is Task.MULTILABEL else np.eye(len(classes), dtype=np.int8)[labels]
    of = len(material.ids[Partition.TRAIN])
    facts = SimilarFacts(tuple(ids), classes, of, head_of_run(material.folder))
    return SimilarCases(held[finite], torch.from_numpy(flags.astype(np.int8)), facts)


def limit_of(material: Material, cases: SimilarCases, side: Partition | None, rows: Rows) -> OutlierLimit:
    """The limit that images of a partition set, each compared with training images of other patients."""
    near = min(NEAR, len(cases.rows))
    ids = list(rows)
    who = patients(material.dataset, ids)
    if side is None or not ids:
        return OutlierLimit(None, None, LEVEL, "", 0, None, near, len(cases.rows), cases.facts.of, _NONE_LEFT)
    own = patients(material.dataset, cases.facts.samples)
    vectors = torch.stack([rows[one] for one in ids]).float()
    scores = cases.near(vectors, same_patient(who, own)).scores.numpy()
    found = fit_limit(scores, who)
    failed = len(ids) - found.n
    notes = [
        found.why_not,
        SELECTED_ON if side is Partition.VAL and found.limit is not None else "",
        f"{failed} images without finite features or without another patient’s do not count" if failed else "",
    ]
    return OutlierLimit(
        found.limit,
        found.pooled,
        LEVEL,
        side.value,
        found.n,
        None if who is None else found.n_patients,
        near,
        len(cases.rows),
        cases.facts.of,
        "; ".join(filter(None, notes)),
    )


def looking(material: Material, fitted: Fitted, every: Sequence[str]) -> Look:
    """How features of samples are had: of a frozen backbone those that its bank has cost nothing.

    ``every`` are all that will be looked at, for a bank is opened once.
    """
    if fitted.backbone_trained:
        return _anew(material, fitted)
    return _through_bank(material, fitted.head.facts, every)


def _through_bank(material: Material, head: HeadFacts, every: Sequence[str]) -> Look:
    opened: list[StoredFeatures] = []

    def look(ids: Sequence[str]) -> Generator[ev.Event, None, Rows]:
        if not opened:
            whole = _bank_reading(material, head)
            opened.append((yield from material.frozen().look(every, whole)).read_as(head.reads))
        rows: Rows = {}
        for some in _parts(ids):
            vectors = vectors_of(torch.from_numpy(opened[0].of(some))).half()
            rows |= dict(zip(some, vectors, strict=True))
        return rows

    return look


def _bank_reading(material: Material, head: HeadFacts) -> Reading:
    """How the bank was filled that the head was trained from: a grid of heads reads one bank, each head a part."""
    if material.spec.adapt != "linear-grid":
        return head.reads
    return whole_reading(material.spec.recipe, maps=material.backbone.card.convolutional)


def _anew(material: Material, fitted: Fitted) -> Look:
    def look(ids: Sequence[str]) -> Generator[ev.Event, None, Rows]:
        if not ids:
            return {}
        recipe, kept = material.spec.recipe, Kept(frozenset(ids))
        scorer = Scorer(
            material.backbone, fitted.head, material.device, material.images, recipe.batch_size, recipe.workers, kept
        )
        yield from scorer.scores(ids, "features")
        return kept.rows

    return look


def _width(facts: HeadFacts) -> int:
    """About how many numbers a row has."""
    return max(1, facts.feature_dim)


def _epochs(material: Material, fitted: Fitted) -> int:
    """Epochs that were trained, at least: the recipe’s, or the best one and the patience behind it."""
    recipe: Recipe = material.spec.recipe
    if material.chosen is not None:
        return int(material.chosen.get("epochs", recipe.epochs))
    best = int(fitted.chosen.get("epochs", recipe.epochs))
    return min(recipe.epochs, best + recipe.patience) if recipe.patience > 0 else recipe.epochs


def _lot(seed: int, sample: str) -> bytes:
    return hashlib.sha256(f"similar {seed} {sample}".encode("utf-8", "surrogateescape")).digest()


def _parts(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _ROWS_AT_ONCE] for start in range(0, len(ids), _ROWS_AT_ONCE))
