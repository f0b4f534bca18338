"""The window's questions about de-identification: examined, written, cancelled; answers cross the pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pydicom.data
import pytest
from pydicom.uid import UID

from medfm_gui.base.settings import Settings
from medfm_gui.desk.answers.deidentify import ENTRIES
from medfm_gui.desk.asks.deidentify import DeidentifyStudies, ExamineStudies
from medfm_gui.desk.protocol import Ask, answer_type, decode_answer, decode_ask, encode_value
from medfm_gui.desk.room import Room, Told
from medfm_gui.desk.table import every_entry
from medfm_gui.domain.deidentification import Dates, Deidentification, Deidentified, Examined
from medfm_gui.domain.errors import Interrupted
from medfm_gui.workspace.place import open_workspace
from medfm_gui.workspace.studies import import_studies


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    data = pydicom.dcmread(str(pydicom.data.get_testdata_file("CT_small.dcm")))
    for number in range(4):
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.3.4.{number}")
        data.InstanceNumber, data.ImagePositionPatient = number, [0, 0, 5 * number]
        (tmp_path / "in").mkdir(exist_ok=True)
        data.save_as(tmp_path / "in" / f"{number}.dcm", enforce_file_format=True)
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace, Room(workspace) as room:
        import_studies(workspace, tmp_path / "in", pool=room.pool())
        yield room


def study_of(room: Room) -> str:
    from medfm_gui.workspace.studies import every_study

    (study,) = every_study(room.workspace)
    return study.uid


def answered(room: Room, ask: Ask[Any], say: Callable[[str, Any], None] = lambda kind, value: None) -> Any:
    """The question as it arrives in the desk, the answer as it arrives in the window."""
    body, payload = encode_value(ask)
    heard = decode_ask(type(ask), body, payload)
    body, payload = encode_value(ENTRIES[type(ask)].answer(room, heard, Told(say)))
    return decode_answer(answer_type(type(ask)), body, payload)


def test_both_questions_are_in_the_table() -> None:
    assert every_entry()[DeidentifyStudies].writes and not every_entry()[ExamineStudies].writes


def test_examined_and_written(room: Room, tmp_path: Path) -> None:
    uid = study_of(room)
    found: Examined = answered(room, ExamineStudies((uid,)))
    assert (found.files, found.patients, found.flagged, found.held) == (4, 1, (), ())
    told: list[str] = []
    ask = DeidentifyStudies((uid,), str(tmp_path / "out"), Deidentification(Dates.SHIFT), faces_known=True)
    done: Deidentified = answered(room, ask, lambda kind, value: told.append(value.text))
    assert done.written == 4 and done.studies == () and len(list((tmp_path / "out").rglob("*.dcm"))) == 4
    assert {"Looking at headers", "Writing", "Reading again"} <= set(told)
    assert {one.keyword for one in done.removals if one.action == "shifted"} >= {"StudyDate"}


def test_cancelled_writing_leaves_nothing(room: Room, tmp_path: Path) -> None:
    ask = DeidentifyStudies((study_of(room),), str(tmp_path / "out"), Deidentification())
    told = Told(lambda kind, value: None)
    told.stopped.set()
    with pytest.raises(Interrupted):
        ENTRIES[DeidentifyStudies].answer(room, ask, told)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))
