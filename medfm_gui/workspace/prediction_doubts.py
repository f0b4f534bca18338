"""Why not to trust an answer about a DICOM image: it contradicts itself, or is not what the runs learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.domain.run import TrainSpec
from medfm_gui.workspace.prediction_units import Unit

if TYPE_CHECKING:
    from medfm_gui.imaging.objections import Expectation
    from medfm_gui.imaging.pool import DecodePool


def expectations(specs: Mapping[str, TrainSpec]) -> dict[str, Expectation]:
    """Modalities and body parts that each run learnt from; a model from elsewhere has none here.

    Raises:
        NotFound, InputError: the dataset of a run is gone or damaged.
    """
    from medfm_gui.datasets.files import read_dataset
    from medfm_gui.imaging.objections import Expectation

    found: dict[str, Expectation] = {}
    by_path: dict[str, Expectation] = {}
    for run, spec in specs.items():
        path = spec.dataset.path
        if not path:
            continue
        if path not in by_path:
            seen = [sample.covariates for sample in read_dataset(Path(path).parent).samples]
            by_path[path] = Expectation(
                modalities=frozenset(item["modality"] for item in seen if item.get("modality")),
                body_parts=frozenset(item["body_part"] for item in seen if item.get("body_part")),
            )
        found[run] = by_path[path]
    return found


def doubts(
    file: Path, unit: Unit, known: Mapping[str, Expectation], pool: DecodePool
) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Where a DICOM file looks unlike what it claims to be or what the runs learnt from; by run what is not known."""
    if not unit.is_dicom:
        return (), {}
    from medfm_gui.imaging.objections import objections

    (header,) = (item.header for item in pool.headers([str(file)]))
    if header is None:
        return (), {}
    said: dict[str, None] = dict.fromkeys(objections(header, None))
    unknown: dict[str, str] = {}
    for run, expected in known.items():
        said.update(dict.fromkeys(objections(header, expected)))
        if header.modality and not expected.modalities:
            unknown[run] = (
                f"What {run} learnt from has no DICOM header, so whether this {header.modality} image is of its kind "
                "is not known."
            )
    return tuple(said), unknown
