"""Why not to trust an answer: the header says so, or nothing can be known of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from medfm_gui.domain.run import FileRef
from medfm_gui.imaging.objections import Expectation
from medfm_gui.workspace import prediction_doubts
from medfm_gui.workspace.prediction_units import Frame, Unit

UNIT = Unit("a.dcm", (Frame(Path("a.dcm")),), is_dicom=True)


class Headers:
    """A pool that knows one header."""

    def __init__(self, header: Any) -> None:
        self._header = header

    def headers(self, files: list[str]) -> list[Any]:
        return [SimpleNamespace(header=self._header) for _ in files]


def _said(known: dict[str, Expectation], *, modality: str = "DX", unit: Unit = UNIT) -> Any:
    header = SimpleNamespace(
        modality=modality, sop_class_uid="", position=None, orientation=None, patient_position="", patient_sex="",
        body_part="",
    )  # fmt: skip
    return prediction_doubts.doubts(Path("a.dcm"), unit, known, Headers(header))  # type: ignore[arg-type]


def test_another_modality_is_unlike_and_no_header_is_unknown() -> None:
    unlike, unknown = _said({"r1": Expectation(frozenset({"CT"}))})
    assert len(unlike) == 1 and "DX" in unlike[0] and unknown == {}
    unlike, unknown = _said({"r2": Expectation()})
    assert unlike == () and "What r2 learnt from has no DICOM header" in unknown["r2"]
    assert _said({"r1": Expectation(frozenset({"DX"}))}) == ((), {})
    assert _said({"r2": Expectation()}, unit=Unit("a.png", UNIT.frames)) == ((), {})
    assert prediction_doubts.doubts(Path("a"), UNIT, {}, Headers(None)) == ((), {})  # type: ignore[arg-type]


def test_a_dataset_is_read_once_for_all_its_runs(monkeypatch: Any, tmp_path: Path) -> None:
    from medfm_gui.datasets import files

    read: list[Path] = []

    def dataset(folder: Path) -> Any:
        read.append(folder)
        return SimpleNamespace(samples=[SimpleNamespace(covariates={"modality": "CT"})])

    monkeypatch.setattr(files, "read_dataset", dataset)
    spec = SimpleNamespace(dataset=FileRef(str(tmp_path / "manifest.json"), ""))
    away = SimpleNamespace(dataset=FileRef("", ""))
    found = prediction_doubts.expectations({"r1": spec, "r2": spec, "r3": away})  # type: ignore[dict-item]
    assert set(found) == {"r1", "r2"} and found["r1"].modalities == {"CT"} and len(read) == 1
