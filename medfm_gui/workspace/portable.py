"""Models that leave a workspace: one ``.medfm`` file with a card, the order and the merged weights."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_file, sha256_file
from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import suitable_size
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.portable import CARD, ORDER, SUFFIX, ModelCard
from medfm_gui.domain.run import ExportSpec, FileRef, TrainSpec
from medfm_gui.workspace import data, training
from medfm_gui.workspace.errands import OnEvent, run_errand
from medfm_gui.workspace.evaluating import operating_point
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.training import RunView

_POINT, _CALIBRATOR = "operating_point.json", "calibrator.json"
_STAMP = (1980, 1, 1, 0, 0, 0)
"""The time of every member: equal models are equal files."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file that was written."""

    path: Path
    sha256: str
    card: ModelCard


def export_model(
    workspace: Workspace,
    run_id: str,
    out: Path,
    *,
    on_event: OnEvent | None = None,
    stop: threading.Event | None = None,
) -> ModelFile:
    """Write a finished run's model as one file, adapters merged into the backbone; members are not compressed.

    Raises:
        UsageError: the run is not finished, or ``out`` is a folder.
        DiskFull: there is not enough space; a file that was there stays.
        Interrupted: it was stopped.
    """
    view = training.check_finished(training.view(workspace, run_id))
    training.check_has_model(view)
    where = out.expanduser().absolute()
    if where.is_dir():
        raise UsageError(f"“{where}” is a folder.", f"Name a file, such as {run_id}{SUFFIX}.")
    with tempfile.TemporaryDirectory(prefix=".export-", dir=workspace.root) as made:
        folder = Path(made)
        said = run_errand(ExportSpec(str(view.folder), made), on_event=on_event, stop=stop)
        hashes = {event.name: event.sha256 for event in said if isinstance(event, ev.FileWritten)}
        for name in (_POINT, _CALIBRATOR):
            if (view.folder / name).exists():
                shutil.copyfile(view.folder / name, folder / name)
                hashes[name] = sha256_file(folder / name)
        order = wire.encode_spec(without_places(view.spec))
        hashes[ORDER] = hashlib.sha256(order).hexdigest()
        card = _card(workspace, view, hashes)
        whole = sum((folder / name).stat().st_size for name in hashes if name != ORDER)
        with atomic_file(where, expected_bytes=whole) as handle, zipfile.ZipFile(handle, "w") as archive:
            archive.writestr(zipfile.ZipInfo(CARD, _STAMP), wire.encode(card))
            archive.writestr(zipfile.ZipInfo(ORDER, _STAMP), order)
            for name in sorted(set(hashes) - {ORDER}):
                with (folder / name).open("rb") as source, archive.open(_member(name), "w", force_zip64=True) as target:
                    while chunk := source.read(1 << 20):
                        target.write(chunk)
    sha256 = sha256_file(where)
    note(workspace, "model exported", run_id, sha256=sha256)
    return ModelFile(where, sha256, card)


def _member(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, _STAMP)


def without_places(spec: TrainSpec) -> TrainSpec:
    """The order without anything of this computer: hashes stay, paths go."""
    return replace(
        spec,
        dataset=FileRef("", spec.dataset.sha256),
        split=FileRef("", spec.split.sha256),
        pixels="",
        features="",
        weights=FileRef("", spec.weights.sha256) if spec.weights else None,
        head_weights=FileRef("", spec.head_weights.sha256) if spec.head_weights else None,
        card=replace(spec.card, plugin_folder=""),
    )


def _card(workspace: Workspace, view: RunView, hashes: dict[str, str]) -> ModelCard:
    spec, card = view.spec, view.spec.card
    point = operating_point(view.folder)
    return ModelCard(
        title=training_title(view),
        run=view.id,
        model=card.name,
        family=card.family.value,
        adapt=spec.adapt,
        pretraining="none (from scratch)" if spec.from_scratch else card.pretraining,
        pretraining_data="none" if spec.from_scratch else card.pretraining_data,
        licence=card.licence,
        non_commercial=card.non_commercial,
        task=spec.task,
        classes=spec.classes,
        positive=spec.positive,
        dataset=data.read(workspace, spec.dataset_id).name,
        dataset_fingerprint=spec.dataset_fingerprint,
        split_fingerprint=spec.split_fingerprint,
        input_size=suitable_size(card, spec.recipe.input_size or card.input_size),
        seed=spec.seed,
        created=spec.created,
        code_version=spec.code_version,
        trained_parameters=view.state.trained_parameters,
        labels_used=view.state.labels_used or 0,
        holds_features=spec.adapt == "knn",
        threshold=point.threshold if point else None,
        metrics=dict(view.state.metrics),
        files=hashes,
    )


def training_title(view: RunView) -> str:
    """What a person calls this model: the run's name without the run's id."""
    from medfm_gui.workspace.comparing import title

    return title(view).removeprefix(f"{view.id} ")
