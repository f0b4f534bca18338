"""The embedding map: a dataset's images as points in the plane, by the first two principal components of features.

Features come from a bank that a run left, or are computed by a worker with weights that are on this computer. The
plane is kept in ``datasets/<id>/embedding/`` for each bank. No label takes part in it.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medfm_gui.base.atomic import atomic_write, sha256_file
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError, MedfmError, NotFound, WeightsAbsent
from medfm_gui.domain.run import FeaturesSpec, FileRef
from medfm_gui.workspace import covariates, data, sealing
from medfm_gui.workspace.errands import OnEvent, run_errand
from medfm_gui.workspace.place import Workspace

if TYPE_CHECKING:
    from medfm_gui.datasets.bank_rows import BankRows
    from medfm_gui.workspace.models import Model

HIDDEN = "hidden (sealed test)"
NOT_RECORDED = "not recorded"
OTHER = "other"
_MOST_GROUPS = 10
_OTHERS = "other ("
_LEAST = 3


@dataclass(frozen=True, slots=True)
class BankChoice:
    """A bank that a map can be made of: its folder's name, the model, how many of the samples it holds."""

    name: str
    model: str
    n_samples: int


@dataclass(frozen=True, slots=True)
class Embedding:
    """Points of the images that have features; without any (``n`` 0) ``models`` could compute them here.

    ``payload`` holds, one behind the other, n float32 x, n float32 y, n uint32 places in the dataset, n uint8 numbers
    of groups. ``explained`` is the share of the variance along x and y. ``groups`` name the colours; ``by`` says what
    they are of. ``n_missing`` images have no features. ``models`` are names and titles, small ones first.
    """

    dataset: str
    n: int = 0
    n_missing: int = 0
    bank: str = ""
    model: str = ""
    by: str = "label"
    groups: tuple[str, ...] = ()
    explained: tuple[float, float] = (0.0, 0.0)
    banks: tuple[BankChoice, ...] = ()
    colourings: tuple[str, ...] = ()
    models: tuple[tuple[str, str], ...] = ()
    payload: bytes = b""


def embedding(
    workspace: Workspace, dataset_id: str, *, bank: str = "", by: str = "label", split_id: str = "", keep: bool = True
) -> Embedding:
    """The map of a dataset.

    Args:
        bank: the bank's name; empty: the one used last.
        by: what gives the colours: ``label``, ``partition`` (of ``split_id``), or a covariate's name.
        keep: write the plane beside the dataset, for the next time.

    Raises:
        NotFound: there is no such dataset, split or bank.
        InputError: the bank holds fewer than three of its images.
    """
    from medfm_gui.datasets.bank_rows import banks_of, open_bank

    dataset = data.read(workspace, dataset_id)
    features = workspace.root / "features"
    known = banks_of(features, dataset.fingerprint)
    opened = [found for facts in known if (found := open_bank(features, facts, dataset)) is not None]
    choices = tuple(
        BankChoice(one.facts.name, one.facts.model, int((one.places >= 0).sum()))
        for one in opened
        if (one.places >= 0).sum() >= _LEAST
    )
    computable = tuple((one.card.name, one.card.title) for one in _models(workspace))
    if not choices:
        return Embedding(dataset_id, n_missing=len(dataset.samples), models=computable)
    name = bank or max(choices, key=lambda one: one.n_samples).name
    rows = next((one for one in opened if one.facts.name == name), None)
    if rows is None or name not in {one.name for one in choices}:
        raise NotFound("These features are gone.", "Choose another model, or compute them again.")
    positions, plane, explained = _plane(workspace, dataset, rows, keep=keep)
    groups, codes = _groups(workspace, dataset, positions, by, split_id)
    return Embedding(
        dataset=dataset_id,
        bank=name,
        model=rows.facts.model,
        by=by,
        groups=groups,
        explained=explained,
        n=len(positions),
        n_missing=len(dataset.samples) - len(positions),
        banks=choices,
        colourings=_colourings(dataset),
        models=computable,
        payload=b"".join(part.tobytes() for part in (plane[:, 0], plane[:, 1], positions.astype(np.uint32), codes)),
    )


def compute_features(
    workspace: Workspace,
    dataset_id: str,
    model: str = "",
    *,
    on_event: OnEvent | None = None,
    stop: threading.Event | None = None,
) -> str:
    """Let a worker fill the bank with a dataset; returns the bank's name. What was computed when it is stopped stays.

    Args:
        model: a model whose weights are here; empty: the quickest of them.

    Raises:
        WeightsAbsent: no model's weights are on this computer, or not those of this one.
        Interrupted: it was stopped.
    """
    from medfm_gui.domain import events as ev
    from medfm_gui.workspace import models

    chosen = models.model(workspace.settings, model) if model else next(iter(_models(workspace)), None)
    if chosen is None or not chosen.weights.is_here:
        raise WeightsAbsent(
            "No pretrained weights are on this computer, so no features can be computed.",
            "Import weights on the Settings page or with “medfm weights import FILE --model NAME”.",
        )
    folder = workspace.dataset(dataset_id)
    order = FeaturesSpec(
        dataset=FileRef(str(folder / "manifest.json"), sha256_file(folder / "manifest.json")),
        pixels=str(folder / "pixels"),
        features=str(workspace.root / "features"),
        card=chosen.card,
        weights=FileRef(chosen.weights.path, chosen.weights.sha256),
    )
    said = run_errand(order, on_event=on_event, stop=stop)
    return next(event.facts["bank"] for event in said if isinstance(event, ev.Answered))


def _models(workspace: Workspace) -> list[Model]:
    """Models whose weights are here, small ones first: a map needs no large one."""
    from medfm_gui.workspace.models import every_model

    found, _ = every_model(workspace.settings)
    return sorted((one for one in found if one.weights.is_here), key=lambda one: one.card.parameters_m)


# -- the plane


def _plane(
    workspace: Workspace, dataset: Dataset, rows: BankRows, *, keep: bool
) -> tuple[NDArray[np.int64], NDArray[np.float32], tuple[float, float]]:
    """Samples that have features, their points n × 2, and the explained shares."""
    positions = np.flatnonzero(rows.places >= 0)
    file = workspace.dataset(dataset.id) / "embedding" / f"{rows.facts.name}.npz"
    kept = _kept_plane(file, dataset.fingerprint, positions)
    if kept is not None:
        return positions, *kept
    plane, explained = principal_plane(rows, positions)
    if not keep:
        return positions, plane, explained
    with contextlib.suppress(MedfmError, OSError):  # where it cannot be kept it is worked out again
        file.parent.mkdir(exist_ok=True)
        _keep_plane(file, dataset.fingerprint, positions, plane, explained)
    return positions, plane, explained


def principal_plane(rows: BankRows, positions: NDArray[np.int64]) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Project on the first two principal components: two passes over the bank, memory width² and a block of rows.

    A component's sign is that in which its largest loading is positive, so that a map does not flip.

    Raises:
        InputError: fewer than three samples have features.
    """
    if len(positions) < _LEAST:
        raise InputError("Fewer than three images have features.", "Compute the features of the whole dataset.")
    width = rows.width
    total = np.zeros(width)
    products = np.zeros((width, width))
    for _, block in rows.blocks(positions):
        values = np.nan_to_num(block.astype(np.float64))
        total += values.sum(axis=0)
        products += values.T @ values
    mean = total / len(positions)
    covariance = products / len(positions) - np.outer(mean, mean)
    scale, axes = _top_two(covariance)
    plane = np.empty((len(positions), 2), np.float32)
    for place, block in rows.blocks(positions):
        plane[place] = (np.nan_to_num(block) - mean) @ axes
    whole = max(float(np.trace(covariance)), 1e-12)
    return plane, (float(scale[0] / whole), float(scale[1] / whole))


def _top_two(covariance: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from scipy.linalg import eigh

    width = len(covariance)
    if width == 1:
        return np.array([covariance[0, 0], 0.0]), np.array([[1.0, 0.0]])
    values, axes = eigh(covariance, subset_by_index=(width - 2, width - 1))
    values, axes = np.maximum(values[::-1], 0.0), axes[:, ::-1]
    largest = np.abs(axes).argmax(axis=0)
    return values, axes * np.where(axes[largest, (0, 1)] < 0, -1.0, 1.0)


def _kept_plane(
    file: Path, fingerprint: str, positions: NDArray[np.int64]
) -> tuple[NDArray[np.float32], tuple[float, float]] | None:
    try:
        with np.load(file, allow_pickle=False) as kept:
            if str(kept["fingerprint"]) != fingerprint or not np.array_equal(kept["positions"], positions):
                return None
            plane, share = np.asarray(kept["plane"], np.float32), kept["explained"]
    except (OSError, ValueError, KeyError, EOFError):
        return None
    return plane, (float(share[0]), float(share[1]))


def _keep_plane(
    file: Path,
    fingerprint: str,
    positions: NDArray[np.int64],
    plane: NDArray[np.float32],
    explained: tuple[float, float],
) -> None:
    import io

    out = io.BytesIO()
    np.savez(out, fingerprint=np.array(fingerprint), positions=positions, plane=plane, explained=np.array(explained))
    atomic_write(file, out.getvalue())


# -- colours


def _colourings(dataset: Dataset) -> tuple[str, ...]:
    names = dict.fromkeys(name for sample in dataset.samples[:2000] for name in sample.covariates)
    repeating = [name for name in names if 1 < len({one.covariates.get(name) for one in dataset.samples[:2000]}) <= 200]
    return ("label", *repeating)


def _groups(
    workspace: Workspace, dataset: Dataset, positions: NDArray[np.int64], by: str, split_id: str
) -> tuple[tuple[str, ...], NDArray[np.uint8]]:
    """Names of the groups, the frequent ones first, and of each point the number of its group."""
    from collections import Counter

    samples = [dataset.samples[place] for place in positions.tolist()]
    order: tuple[str, ...] = ()
    hidden = frozenset() if by == "partition" else sealing.sealed_samples(workspace, dataset.id)
    if by == "partition":
        sides = {item.sample: item.partition.value for item in data.splits_of(workspace, split_id)[0].assignments}
        values = [sides.get(sample.id, "in no partition") for sample in samples]
    elif by == "label":
        values = [HIDDEN if sample.id in hidden else _label(dataset, sample.target) for sample in samples]
    else:
        keeps = sealing.is_neutral(by)
        group_of, listed = covariates.grouping(by, dataset.samples)  # ages and numbers as in the table of counts
        values = [HIDDEN if sample.id in hidden and not keeps else group_of(sample) for sample in samples]
        values = [OTHER if value.startswith(_OTHERS) else value for value in values]
        order = tuple(listed)
    counted = Counter(values)
    special = [name for name in (OTHER, HIDDEN, NOT_RECORDED) if name in counted]
    named = [name for name, _ in counted.most_common() if name not in special]
    if by == "label" and dataset.task is not Task.MULTILABEL:
        order = dataset.classes
    if order:
        named = [name for name in order if name in counted]
    shown = named if len(named) <= _MOST_GROUPS else named[: _MOST_GROUPS - 1]
    more = (OTHER,) if len(named) > len(shown) and OTHER not in special else ()
    groups = (*shown, *more, *special)
    number = {name: place for place, name in enumerate(groups)}
    other = number.get(OTHER, 0)
    return groups, np.array([number.get(value, other) for value in values], np.uint8)


def _label(dataset: Dataset, target: tuple[int, ...]) -> str:
    if dataset.task is Task.MULTILABEL:
        found = [dataset.classes[place] for place, value in enumerate(target) if value == 1]
        return found[0] if len(found) == 1 else "several findings" if found else "no finding"
    return dataset.classes[target[0]] if target else NOT_RECORDED
