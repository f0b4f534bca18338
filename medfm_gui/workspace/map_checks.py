"""What the heat maps of a run are worth: checks of the model, made once and kept beside it."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import SealError, UnreadableFile, UsageError
from medfm_gui.domain.explain import Box, MapChecks, explanation, explanation_names
from medfm_gui.domain.run import CheckMapsSpec
from medfm_gui.domain.split import Partition
from medfm_gui.workspace import data, training
from medfm_gui.workspace.errands import OnEvent, run_errand
from medfm_gui.workspace.evaluating import TEST, evaluation_path
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import Workspace, now


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """Which maps of a run to check, on which of its images.

    ``boxes`` is a table of marked findings (see ``datasets.boxes``), ``masks`` a folder of masks called like the
    images; without them the dataset's own columns are looked at. At most ``images`` images are moved and looked at
    with other weights; marked findings are all taken.
    """

    run: str
    explain: str = "gradcam"
    subset: str = "val"
    images: int = 32
    boxes: Path | None = None
    seed: int = 0
    device: str = "auto"
    masks: Path | None = None


def check_maps(
    workspace: Workspace,
    request: CheckRequest,
    *,
    on_event: OnEvent | None = None,
    stop: threading.Event | None = None,
) -> MapChecks:
    """Measure them; the result stays in the run's folder (``checks_path``).

    Raises:
        Interrupted: it was stopped.
        SealError: the run's test set was not opened.
        UsageError: the run is not finished or has no maps, or an option is not known.
        TableError: the table of boxes is not one.
        InputError: no mask belongs to an image, or one cannot be read.
    """
    view = training.check_finished(training.view(workspace, request.run))
    training.check_has_model(view)
    if explanation(request.explain) is None:
        raise UsageError(f"There is no explanation “{request.explain}”.", f"Use {explanation_names()}.")
    if request.subset not in tuple(Partition):
        raise UsageError(f"There is no partition “{request.subset}”.", f"Use one of: {', '.join(Partition)}.")
    if request.images < 1:
        raise UsageError(f"Maps of {request.images} images cannot be checked.", "Use --images 32.")
    if request.subset == TEST and not evaluation_path(workspace, request.run).exists():
        raise SealError(
            f"The test set of {request.run} is sealed, and its maps would show it.",
            "Check the maps on --subset val, or open the test first with “medfm evaluate”.",
        )
    path = checks_path(view.folder, request.explain, request.subset)
    order = CheckMapsSpec(
        run_folder=str(view.folder),
        out=str(path),
        explain=request.explain,
        subset=request.subset,
        images=request.images,
        boxes=_boxes(workspace, view.spec.dataset_id, request),
        seed=request.seed,
        device=request.device,
        created=now(),
    )
    with tempfile.TemporaryDirectory(prefix="medfm-maps-") as made:
        run_errand(order, folder=Path(made), on_event=on_event, stop=stop)
    note(workspace, "heat maps checked", request.run, explanation=request.explain, subset=request.subset)
    return wire.read(MapChecks, path)


def checks_path(folder: Path, explain: str, subset: str) -> Path:
    """Where the checks of a run are kept."""
    return folder / "map_checks" / f"{explain}-{subset}.json"


def kept_checks(workspace: Workspace, run_id: str, explain: str) -> MapChecks | None:
    """The newest checks of these maps; None where there are none of the model as it is now."""
    view = training.view(workspace, run_id)
    paths = [path for part in Partition if (path := checks_path(view.folder, explain, part)).exists()]
    found = sorted((wire.read(MapChecks, path) for path in paths), key=lambda one: one.created, reverse=True)
    return next((one for one in found if _is_of(one, view.state.files)), None)


def sentences(workspace: Workspace, run_id: str, explain: str) -> dict[str, str]:
    """What was found out about these maps: a check's name → its sentence; empty where nothing was."""
    found = kept_checks(workspace, run_id, explain)
    return {check.name: check.sentence for check in found.checks} if found else {}


def _is_of(found: MapChecks, files: Mapping[str, str]) -> bool:
    """Whether the files that the run wrote last are those that were checked."""
    return all(files.get(name) == sha256 for name, sha256 in found.model)


def _boxes(workspace: Workspace, dataset_id: str, request: CheckRequest) -> tuple[Box, ...]:
    from medfm_gui.datasets.boxes import own_boxes, read_boxes

    dataset = data.read(workspace, dataset_id)
    if request.masks:
        return _of_masks(dataset, request.masks.expanduser().absolute())
    return read_boxes(request.boxes.expanduser().absolute(), dataset) if request.boxes else own_boxes(dataset)


def _of_masks(dataset: Dataset, folder: Path) -> tuple[Box, ...]:
    """Masks are foreign files: a child with limits decodes them."""
    import numpy as np

    from medfm_gui.datasets.masks import boxes_of_mask, mask_files
    from medfm_gui.imaging.pool import DecodePool

    files = mask_files(folder, dataset)
    boxes: list[Box] = []
    with tempfile.TemporaryDirectory(prefix="medfm-masks-") as made, DecodePool() as pool:
        outs = {str(path): (sample, Path(made) / f"{sample}.npy") for sample, path in files.items()}
        for result in pool.to_npys([(path, out) for path, (_, out) in outs.items()]):
            if not result.ok:
                raise UnreadableFile(
                    f"The mask “{Path(result.key).name}” cannot be read: {result.message}",
                    "Take it out of the folder, or restore it.",
                    reason=result.reason,
                )
            sample, out = outs[result.key]
            boxes += boxes_of_mask(sample, np.load(out, allow_pickle=False))
            out.unlink()
    return tuple(sorted(boxes, key=lambda box: box.sample))
