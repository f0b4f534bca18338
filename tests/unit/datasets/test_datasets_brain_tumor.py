"""The brain tumour release: numbers as names, records, folds, and archives that are not unpacked yet."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from medfm_gui.datasets.boxes import own_boxes
from medfm_gui.datasets.importers import brain_tumor
from medfm_gui.datasets.ingest import ImportOptions, read_source
from medfm_gui.datasets.layouts import choose
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.imaging.pool import DecodePool
from tests.fixtures.matlab_files import folds, record

Tree = Callable[[Mapping[str, str | bytes]], Path]
Read = Callable[..., Dataset]


def said(**fields: object) -> str:
    """A file of the pool that decodes nothing: its record as JSON."""
    return json.dumps({"label": 1, "patient": "", "rows": 4, "columns": 5, **fields})


def release() -> dict[str, str | bytes]:
    return {
        "brainTumorDataPublic_1-766/1.mat": said(label=1, patient="100360", box=[0.2, 0.2, 0.6, 0.4]),
        "brainTumorDataPublic_1-766/2.mat": said(label=2, patient="100360", box=[]),
        "brainTumorDataPublic_1-766/10.mat": said(label=3, patient="MR017260F"),
        "cvind.mat": said(folds=[1, 1, *[2] * 7, 5]),
    }


def by_name(dataset: Dataset) -> dict[str, Sample]:
    return {Path(sample.path).stem: sample for sample in dataset.samples}


def test_classes_patients_folds_and_boxes(tree: Tree, read: Read) -> None:
    source = tree(release())
    layout, why = choose("auto", source)
    assert (layout.name, why.startswith("“1.mat”")) == ("brain-tumor", True)
    assert "numbered MATLAB files" in why
    dataset = read(source)
    assert (dataset.task, dataset.classes) == (Task.MULTICLASS, ("meningioma", "glioma", "pituitary"))
    found = by_name(dataset)
    assert [found[name].target for name in ("1", "2", "10")] == [(0,), (1,), (2,)]
    assert [found[name].fold for name in ("1", "2", "10")] == ["1", "1", "5"]
    assert found["1"].patient == found["2"].patient != found["10"].patient
    assert "100360" not in repr(dataset)
    assert dict(found["1"].covariates) == {
        "box_xc": "0.4000", "box_yc": "0.3000", "box_w": "0.4000", "box_h": "0.2000",
    }  # fmt: skip
    assert len(own_boxes(dataset)) == 1
    counts = {count.what: (count.known, count.found) for count in dataset.counts}
    assert counts == {
        "slices": (3_064, 3), "slices of meningioma": (708, 1), "slices of glioma": (1_426, 1),
        "slices of pituitary": (930, 1), "patients": (233, 2),
    }  # fmt: skip


def test_what_is_left_out_and_why(tree: Tree, read: Read) -> None:
    files = release() | {
        "3.mat": "no record",
        "4.mat": said(label=7),
        "other.mat": said(),
        "brainTumorDataPublic_2299-3064.zip": "PK",
        "._1.mat": "junk",
    }
    dataset = read(tree(files))
    assert {(item.path, item.reason) for item in dataset.skipped} == {
        ("3.mat", "unsupported_format"), ("4.mat", "no_label"),
    }  # fmt: skip
    warnings = " ".join(dataset.warnings)
    assert "1 MATLAB file not called by a number were not taken: other.mat" in warnings
    assert "brainTumorDataPublic_2299-3064.zip may not be unpacked yet" in warnings
    assert "._1.mat" in warnings


@pytest.mark.parametrize(
    ("contents", "why"),
    [(None, "no cvind.mat"), ("broken", "not used"), (said(folds=[1, 2]), "2 numbers for images up to 10")],
)
def test_without_a_usable_list_of_folds(tree: Tree, read: Read, contents: str | None, why: str) -> None:
    files = release()
    del files["cvind.mat"]
    if contents is not None:
        files["cvind.mat"] = contents
    dataset = read(tree(files))
    assert {sample.fold for sample in dataset.samples} == {None}
    assert any(why in warning for warning in dataset.warnings)


def test_archives_that_are_not_unpacked(tree: Tree, read: Read) -> None:
    source = tree({"brainTumorDataPublic_1-766.zip": "PK", "cvind.mat": said(folds=[1])})
    assert choose("auto", source)[0].name == "brain-tumor"
    with pytest.raises(InputError, match=r"only brainTumorDataPublic_1-766\.zip") as caught:
        read(source)
    assert caught.value.hint.startswith("Unpack")
    assert brain_tumor.recognises(source / "cvind.mat") is None
    with pytest.raises(InputError, match=r"holds no numbered \.mat file"):
        read(tree({"nothing/a.txt": "a"}) / "nothing", "brain-tumor")


def test_real_files_through_real_children(tmp_path: Path) -> None:
    source = tmp_path / "figshare"
    generator = np.random.default_rng(3)
    mask = np.zeros((20, 16), np.uint8)
    mask[4:8, 2:10] = 1
    for number in range(1, 7):
        image = generator.integers(0, 4000, (20, 16)).astype(np.int16)
        record(source / f"{number}.mat", image, label=1 + number % 3, patient=f"P{number // 2}", mask=mask)
    folds(source / "cvind.mat", [1, 2, 3, 4, 5, 1])
    (source / "7.mat").write_bytes((source / "6.mat").read_bytes()[:2000])
    with DecodePool(tmp_path / "pixels", processes=1) as pool:
        dataset = read_source(
            "auto", source, ImportOptions(), dataset_id="d", name="d", pixels=None, pool=pool, key=b"k"
        )
    assert len(dataset.samples) == 6
    assert [(item.path, item.reason) for item in dataset.skipped] == [("7.mat", "truncated")]
    assert {(sample.rows, sample.columns) for sample in dataset.samples} == {(20, 16)}
    assert dataset.samples[0].covariates["box_xc"] == "0.3750"
