"""A model that comes from elsewhere: a ``.medfm`` file, looked at with suspicion, becomes a finished run.

The file is a ZIP of a handful of known members, none compressed. It cannot name a place to write, nor code to load:
the architecture comes from this computer's registry, weights are safetensors, everything else is checked JSON. Before
the run is filed a worker loads it and scores one grey image.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_file, atomic_write, sha256_file
from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError, MedfmError, NotFound
from medfm_gui.domain.evaluation import OperatingPoint
from medfm_gui.domain.portable import CARD, FORMAT, IMPORTED, ORDER, ModelCard
from medfm_gui.domain.run import FileRef, StudyImage, StudySpec, TrainSpec
from medfm_gui.workspace import data, training
from medfm_gui.workspace.errands import OnEvent, run_errand
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.models import card_of
from medfm_gui.workspace.place import Workspace, made_folder
from medfm_gui.workspace.training import RunView

POINT, CALIBRATOR = "operating_point.json", "calibrator.json"
_NEEDED = frozenset(
    {ORDER, "weights/backbone.safetensors", "weights/head.safetensors", "weights/head.json", "weights/preprocess.json"}
)
_ALLOWED = _NEEDED | {CARD, POINT, CALIBRATOR}
_MOST_TEXT = 16 << 20
_CHUNK = 1 << 20
_DAMAGED = (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError, KeyError)


@dataclass(frozen=True, slots=True)
class ImportedModel:
    """A model that was brought in: its run, its card, the SHA-256 of its file, where it was linked to known data."""

    view: RunView
    card: ModelCard
    path: Path
    sha256: str
    dataset: str = ""


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model's file whose list of members was found to be in order."""

    archive: zipfile.ZipFile
    card: ModelCard
    spec: TrainSpec
    name: str

    def check(self) -> int:
        """Compare every member with the hash on the card; returns how many there are.

        Raises:
            InputError: one is not what the card says.
        """
        for name in self.card.files:
            for _ in self.chunks(name):
                pass
        return len(self.card.files) + 1

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member, piece by piece.

        Raises:
            InputError: it is not what the card says; known when the last piece was read.
        """
        digest = hashlib.sha256()
        try:
            with self.archive.open(name) as member:
                while chunk := member.read(_CHUNK):
                    digest.update(chunk)
                    yield chunk
        except _DAMAGED as error:
            raise _changed(self.name, f"its member {name} is damaged") from error
        if digest.hexdigest() != self.card.files[name]:
            raise _changed(self.name, f"its member {name} does not have the SHA-256 that the card names")


@contextlib.contextmanager
def opened_model(path: Path) -> Iterator[OpenedModel]:
    """Open a model's file: its members, its card and its order, checked for their form.

    Raises:
        InputError: it is no model's file, was changed, or was written by a newer version.
    """
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise InputError(f"There is no file “{path}”.", "Check the path.") from error
    except _DAMAGED as error:
        raise InputError(f"“{path.name}” is no model's file (.medfm).", "Choose a file that was exported.") from error
    with archive:
        _check_members(archive, path)
        card = _card(_small(archive, CARD, path.name), path.name)
        spec = _order(_small(archive, ORDER, path.name), card, path.name)
        if set(card.files) != set(archive.namelist()) - {CARD}:
            raise _changed(path.name, "its members are not those of its card")
        yield OpenedModel(archive, card, spec, path.name)


def import_model(
    workspace: Workspace, file: Path, *, on_event: OnEvent | None = None, stop: threading.Event | None = None
) -> ImportedModel:
    """Make a finished run of a model's file.

    Where this workspace holds the very data and split that it was trained on, the run is tied to them.

    Raises:
        InputError: the file was changed, is damaged, or is no model.
        NotFound: this computer's registry has no such architecture.
        DiskFull: there is not enough space.
        Interrupted: it was stopped.
    """
    path = file.expanduser().absolute()
    with opened_model(path) as model, made_folder(workspace.root / "runs", "r", counted=True) as folder:
        known = _registered(model)
        _unpack(model, folder)
        spec = _here(workspace, model.spec, known, folder.name)
        atomic_write(folder / "spec.json", wire.encode_spec(spec))
        _keep_point(folder, model)
        _say(folder, model)
        _try_out(folder, spec, on_event, stop)
        sha256, card = sha256_file(path), model.card
    from medfm_gui.jobs.follow import read_all

    view = training.view(workspace, folder.name)
    workspace.store.put_run(spec, str(folder))
    workspace.store.record_events(view.id, read_all(folder), view.state)
    note(
        workspace,
        "model imported",
        view.id,
        sha256=sha256,
        model=card.model,
        file=path.name,
        spec=sha256_file(folder / "spec.json"),
    )
    return ImportedModel(view, card, path, sha256, spec.dataset_id)


def _check_members(archive: zipfile.ZipFile, path: Path) -> None:
    """Known names, each once, none compressed or encrypted, no more bytes than the file has."""
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise _changed(path.name, "a member stands in it twice")
    strange = sorted(set(names) - _ALLOWED)
    if strange:
        raise _changed(path.name, f"it holds “{strange[0][:80]}”, which no model's file does")
    missing = sorted((_NEEDED | {CARD}) - set(names))
    if missing:
        raise _changed(path.name, f"it lacks {missing[0]}")
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise _changed(path.name, f"its member {member.filename} is compressed or encrypted")
        if member.file_size != member.compress_size:
            raise _changed(path.name, f"its member {member.filename} does not have the size it claims")
    if sum(member.file_size for member in members) > path.stat().st_size:
        raise _changed(path.name, "its members overlap")


def _small(archive: zipfile.ZipFile, name: str, file: str) -> bytes:
    if archive.getinfo(name).file_size > _MOST_TEXT:
        raise _changed(file, f"its member {name} is too large")
    try:
        return archive.read(name)
    except _DAMAGED as error:
        raise _changed(file, f"its member {name} is damaged") from error


def _card(raw: bytes, file: str) -> ModelCard:
    try:
        wanted = json.loads(raw)["format"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _changed(file, "its card cannot be read") from error
    if wanted != FORMAT:
        raise InputError(
            f"“{file}” was written in format {str(wanted)[:20]}, and this version reads format {FORMAT}.",
            "Update MedFM Studio, or export the model again.",
        )
    return wire.decode(ModelCard, raw, what=f"The card of “{file}”")


def _order(raw: bytes, card: ModelCard, file: str) -> TrainSpec:
    if hashlib.sha256(raw).hexdigest() != card.files.get(ORDER):
        raise _changed(file, f"its member {ORDER} does not have the SHA-256 that the card names")
    try:
        spec = wire.decode_spec(raw)
    except InputError as error:
        raise _changed(file, "its order cannot be read") from error
    if not isinstance(spec, TrainSpec):
        raise _changed(file, "its order is not that of a training")
    said = (card.run, card.model, card.adapt, card.task, card.classes, card.positive, card.seed)
    if said != (spec.run, spec.card.name, spec.adapt, spec.task, spec.classes, spec.positive, spec.seed):
        raise _changed(file, "its card and its order speak of different models")
    if len(spec.classes) < 2 and spec.task is not Task.MULTILABEL:
        raise _changed(file, "it names fewer than two classes")
    return spec


def _changed(file: str, why: str) -> InputError:
    return InputError(f"“{file}” was changed or damaged: {why}.", "Nothing was imported; ask for the file again.")


def _registered(model: OpenedModel) -> BackboneCard:
    """The architecture of that name in this computer's registry; nothing of the file decides what code is loaded."""
    name = model.card.model
    if not re.fullmatch(r"(timm:)?[\w.\-]{1,120}", name):
        raise _changed(model.name, "its card names no model")
    try:
        card = card_of(name)
    except NotFound as error:
        raise NotFound(
            f"“{model.name}” is an adapted {name}, and no plugin of this computer has that model.",
            "Install or enable the plugin that has it; “medfm models” lists what is there.",
        ) from error
    if card.arch != model.spec.card.arch:
        raise InputError(
            f"“{name}” is {card.arch} on this computer, and {model.spec.card.arch[:80]} in “{model.name}”.",
            "Use the plugin's version with which the model was exported.",
        )
    return card


def _unpack(model: OpenedModel, folder: Path) -> None:
    for name in sorted(set(model.card.files) - {ORDER}):
        with atomic_file(folder / name, expected_bytes=model.archive.getinfo(name).file_size) as handle:
            for chunk in model.chunks(name):
                handle.write(chunk)


def _here(workspace: Workspace, spec: TrainSpec, card: BackboneCard, run: str) -> TrainSpec:
    """The order as this workspace keeps it: its own card, no foreign place, its own data where they are the same."""
    made = replace(
        spec,
        run=run,
        card=card,
        dataset=FileRef("", spec.dataset.sha256),
        split=FileRef("", spec.split.sha256),
        pixels="",
        features=str(workspace.root / "features"),
        weights=FileRef("", spec.weights.sha256) if spec.weights else None,
        head_weights=None,
        dataset_id="",
        split_id="",
        device="auto",
    )
    found = same_data(workspace, spec)
    if found is None:
        return made
    dataset, split = found
    folder, file = workspace.dataset(dataset), workspace.split(split)
    return replace(
        made,
        dataset=FileRef(str(folder / "manifest.json"), sha256_file(folder / "manifest.json")),
        split=FileRef(str(file), sha256_file(file)),
        pixels=str(folder / "pixels"),
        dataset_id=dataset,
        split_id=split,
    )


def same_data(workspace: Workspace, spec: TrainSpec) -> tuple[str, str] | None:
    """The ids of the dataset and the split here that have the fingerprints of an order; those of its names first."""
    from medfm_gui.datasets.files import read_split

    for path in sorted(
        (workspace.root / "splits").glob("*.json"), key=lambda path: (path.stem != spec.split_id, path.stem)
    ):
        split = read_split(path)
        if (split.fingerprint, split.dataset_fingerprint) != (spec.split_fingerprint, spec.dataset_fingerprint):
            continue
        with contextlib.suppress(MedfmError):
            if data.read(workspace, split.dataset).fingerprint == spec.dataset_fingerprint:
                return split.dataset, split.id
    return None


def _keep_point(folder: Path, model: OpenedModel) -> None:
    """A threshold that the card names, where the file of an earlier version has no operating point of its own."""
    card = model.card
    if card.threshold is None or POINT in card.files or card.positive is None:
        return
    point = OperatingPoint(
        card.threshold, "as imported", "val", model.spec.recipe.counted, card.positive, "how it was chosen is not told"
    )
    wire.write(folder / POINT, point)


def _say(folder: Path, model: OpenedModel) -> None:
    """The events of a run that is finished, so that it is listed, shown and used as any other."""
    card, at = model.card, time.time()
    facts = {
        IMPORTED: model.name,
        "trained as": card.run,
        "trained on": card.dataset,
        "licence": card.licence + " (non-commercial)" * card.non_commercial,
    }
    written = {name: digest for name, digest in card.files.items() if name != ORDER}
    if POINT not in written and (folder / POINT).exists():
        written[POINT] = sha256_file(folder / POINT)
    said: list[ev.Event] = [ev.RunStarted(at, "")]
    said += [ev.FileWritten(at, name, digest) for name, digest in sorted(written.items())]
    said.append(
        ev.RunFinished(
            at,
            dict(card.metrics),
            0.0,
            trained_parameters=card.trained_parameters,
            labels_used=card.labels_used,
            facts=facts,
        )
    )
    atomic_write(folder / "events.jsonl", b"".join(map(wire.encode_event, said)))


def _try_out(folder: Path, spec: TrainSpec, on_event: OnEvent | None, stop: threading.Event | None) -> None:
    """Let a worker load the model and score one grey image.

    Raises:
        InputError: it cannot be loaded, or what it says is no probability a class.
    """
    with tempfile.TemporaryDirectory(prefix="medfm-import-") as made:
        image = Path(made) / "grey.npy"
        np.save(image, np.full((64, 64), 128, np.uint8))
        (Path(made) / "maps").mkdir()
        order = StudySpec((str(folder),), (StudyImage("grey", str(image)),), str(Path(made) / "maps"), device="cpu")
        said = run_errand(order, on_event=on_event, stop=stop)
    scores = next((event.scores for event in said if isinstance(event, ev.StudyPredicted)), ())
    if len(scores) != len(spec.classes) or not all(math.isfinite(score) and 0 <= score <= 1 for score in scores):
        raise InputError("The model was loaded, and does not give one probability a class.", "Export it again.")
