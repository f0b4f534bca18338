"""Which layout ``auto`` takes: real folders keep theirs, and no release is taken for another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from medfm_gui.datasets.layout import Layout
from medfm_gui.datasets.layouts import LAYOUTS, choose

SHARED = Path(os.environ.get("MEDFM_SHARED") or Path(__file__).resolve().parents[4] / "shared") / "data"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared images are not on this computer")
@pytest.mark.parametrize(
    ("folder", "layout"),
    [
        ("brain-mri", "csv"),
        ("breastmnist", "medmnist"),
        ("ct-abdomen", "dicom"),
        ("cxr-dicom", "dicom"),
        ("isic-uda1", "csv"),
        ("mednist", "folder"),
        ("mr-brain-study", "dicom"),
        ("nih-cxr", "csv"),
        ("nih-cxr/labels_all.csv", "csv"),
    ],
)
def test_real_folders_are_none_of_the_releases(folder: str, layout: str) -> None:
    assert choose("auto", SHARED / folder)[0].name == layout


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_nothing_is_recognised_in_an_empty_folder_or_where_there_is_none(tmp_path: Path, layout: Layout) -> None:
    recognises = layout.recognises
    assert recognises(tmp_path) is None
    assert recognises(tmp_path / "nothing") is None
    (tmp_path / "note.txt").write_text("a note")
    assert recognises(tmp_path / "note.txt") is None


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_presets_name_policies_and_values_that_there_are(layout: Layout) -> None:
    policies = {policy.name: {choice.value for choice in policy.choices} for policy in layout.policies}
    for preset in layout.presets.values():
        assert all(value in policies[name] for name, value in preset.items())
    assert all(policy.standard in policies[policy.name] for policy in layout.policies)
