"""Real images where they are at hand: what the importers and the leak gate must find in them."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.datasets.ingest import ImportOptions, read_source
from medfm_gui.datasets.split import SplitRequest, make_split
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import LeakError
from medfm_gui.imaging.pool import DecodePool

SHARED = Path(os.environ.get("MEDFM_SHARED") or Path(__file__).resolve().parents[4] / "shared") / "data"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared images are not on this computer")


def imported(name: str, layout: str = "auto", **options: Any) -> Dataset:
    with DecodePool() as pool:
        return read_source(
            layout, SHARED / name, ImportOptions(**options), dataset_id="d", name=name, pixels=None, pool=pool, key=b"k"
        )


def test_breastmnist_leaks_and_the_gate_says_so() -> None:
    dataset = imported("breastmnist")
    assert dataset.classes == ("malignant", "normal, benign")
    assert Counter((sample.fold, sample.target) for sample in dataset.samples) == {
        ("train", (0,)): 147, ("train", (1,)): 399, ("val", (0,)): 21,
        ("val", (1,)): 57, ("test", (0,)): 42, ("test", (1,)): 114,
    }  # fmt: skip
    with pytest.raises(LeakError, match=r"#train 115\) and .*#test 76\)") as caught:
        make_split(dataset, SplitRequest())
    (leak,) = caught.value.leaks
    by_id = {sample.id: sample for sample in dataset.samples}
    assert [(by_id[name].fold, by_id[name].frame) for name in (leak.a, leak.b)] == [("train", 115), ("test", 76)]
    (split,) = make_split(dataset, SplitRequest(drop=True))
    assert split.sizes == {"train": 545, "val": 78, "cal": 0, "test": 156}


def test_dermoscopy_is_recognised() -> None:
    dataset = imported("isic-uda1")
    assert (dataset.task, dataset.positive, len(dataset.samples)) == (Task.BINARY, "malignant", 557)
    assert Counter(sample.target[0] for sample in dataset.samples) == {0: 398, 1: 159}
    assert any("2 sets of images with identical pixels" in warning for warning in dataset.warnings)
    (split,) = make_split(dataset, SplitRequest(seed=1))
    assert not split.leaks


def test_radiographs_by_patient_with_one_or_many_findings() -> None:
    dataset = imported("nih-cxr/labels_all.csv", "csv", labels=("folder_label",))
    assert (dataset.positive, len(dataset.samples), dataset.n_patients) == ("Pneumonia", 1000, 682)
    (split,) = make_split(dataset, SplitRequest())
    assert split.sizes["test"] == pytest.approx(150, abs=5)
    findings = imported("nih-cxr/labels_all.csv", "csv", labels=("finding_labels",))
    assert findings.task is Task.MULTILABEL
    assert len(findings.classes) == 14
    positives = {name: sum(sample.target[n] for sample in findings.samples) for n, name in enumerate(findings.classes)}
    assert (positives["Infiltration"], positives["Hernia"]) == (187, 3)


def test_tumours_with_official_folds() -> None:
    dataset = imported("brain-mri", "csv", labels=("tumour",), fold="patient_fold")
    assert Counter(sample.target[0] for sample in dataset.samples) == {0: 476, 1: 236, 2: 310}
    splits = make_split(dataset, SplitRequest())
    assert len(splits) == 5
    assert sum(split.sizes["test"] for split in splits) == 1022


def test_folders_of_classes() -> None:
    dataset = imported("mednist")
    assert (dataset.layout, len(dataset.classes), len(dataset.samples)) == ("folder", 6, 1500)
    assert dataset.skipped == ()
