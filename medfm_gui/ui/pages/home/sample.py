"""Sample answers: a workspace of simulated patients on a computer with one GPU."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from medfm_gui.desk.asks.home import (
    DemoMade,
    Examination,
    Examine,
    FindPlaces,
    LastExamination,
    LookAround,
    Overview,
    Place,
    PlaceList,
    RunDemo,
)
from medfm_gui.store.rows import JournalRow
from medfm_gui.ui.sample import Answers
from medfm_gui.workspace.doctor import Device, Diagnosis


def ago(**time: float) -> str:
    """A moment before now, as the journal writes it."""
    return (datetime.now(UTC) - timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%SZ")


EMPTY = Overview(root="/home/reader/MedFM workspace", is_demo=False, demo_folder="/home/reader/.local/share/demo")

FULL = Overview(
    root="/home/reader/studies/chest radiographs",
    is_demo=False,
    demo_folder="/home/reader/.local/share/MedFM Studio/demo",
    datasets=2,
    images=3_420,
    patients=1_184,
    splits=2,
    untrained=("abdomen-phantom",),
    runs_running=1,
    runs_queued=2,
    runs_finished=9,
    runs_failed=1,
    unopened=3,
    newest_runs=("r0009", "r0010", "r0011"),
    studies=4,
    predictions=6,
    study="1.2.826.0.1.3680043.10.1234.5",
    reports=1,
    journal=(
        JournalRow(ago(minutes=4), "run created", "r0013", {"model": "dinov2-b", "adapt": "linear"}),
        JournalRow(ago(minutes=9), "run finished", "r0011", {}),
        JournalRow(ago(minutes=52), "report written", "report0001", {"runs": "r0009 r0010"}),
        JournalRow(ago(hours=1), "runs compared", "r0009 r0010", {}),
        JournalRow(ago(hours=1.2), "test opened", "r0010", {"reason": "interim look, declared"}),
        JournalRow(ago(days=1), "prediction made", "p0006", {"runs": "r0009"}),
        JournalRow(ago(days=3), "split made", "thorax-phantom-split", {}),
        JournalRow(ago(days=20), "dataset imported", "thorax-phantom", {"layout": "dicom"}),
    ),
)

COMPUTER = Examination(
    at=ago(hours=3),
    computer="reading-room",
    diagnosis=Diagnosis(
        devices=(
            Device("cuda:0", "NVIDIA RTX 4000 Ada Generation", 20.0),
            Device("cpu", "Intel(R) Xeon(R) w3-2423", 62.6),
        ),
        torch="2.14.1",
        versions={
            "medfm": "0.1.0",
            "python": "3.11.7",
            "torch": "2.14.1",
            "timm": "1.0.31",
            "pydicom": "3.0.2",
            "scikit-learn": "1.9.1",
            "sqlite": "3.53.4",
        },
        disk_free_gb=412.3,
        weights_dir="/home/reader/.local/share/MedFM Studio/weights",
        workspace="/home/reader/studies/chest radiographs",
        network="off",
        problems=(),
    ),
    weights_present=5,
    weights_total=21,
)

ANSWERS: Answers = {
    LookAround: lambda ask: FULL,
    LastExamination: lambda ask: COMPUTER,
    Examine: lambda ask: COMPUTER,
    FindPlaces: lambda ask: PlaceList(tuple(Place(path, "workspace") for path in ask.paths)),
    RunDemo: lambda ask: DemoMade(
        ("r0001", "r0002"), "1.2.826.0.1.3680043.10.1234.5", 7, "Which of the two is better is not shown."
    ),
}
