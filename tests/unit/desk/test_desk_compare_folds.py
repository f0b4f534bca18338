"""The question after the folds of runs: it travels, finds all opened folds, and writes nothing."""

from __future__ import annotations

from pathlib import Path

from medfm_gui.base.settings import Settings
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.desk.answers.compare_cases import ENTRIES
from medfm_gui.desk.asks.compare_cases import FoldTable, ReadFolds
from medfm_gui.desk.protocol import answer_type, decode_answer, decode_ask, encode_value
from medfm_gui.desk.room import Room, Told
from medfm_gui.workspace.place import open_workspace
from tests.fixtures.opened import drawn_dataset, opened_folds, opened_run


def test_all_folds_of_a_run_are_found(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 200, request=SplitRequest(folds=2))
        runs = opened_folds(workspace, dataset)
        other = opened_run(workspace, drawn_dataset(workspace, 100, name="Other"))
        journal = (workspace.root / "journal.jsonl").read_bytes()
        with Room(workspace) as room:
            for named, found in ((runs[1:], {*runs}), ((other,), set())):
                ask = ReadFolds(named)
                there = decode_ask(ReadFolds, *encode_value(ask))
                answer = ENTRIES[ReadFolds].answer(room, there, Told(lambda kind, value: None))
                arrived = decode_answer(answer_type(ReadFolds), *encode_value(answer))
                assert isinstance(arrived, FoldTable) and arrived == answer
                assert {run for way in (arrived.found.ways if arrived.found else ()) for run in way.runs} == found
        assert (workspace.root / "journal.jsonl").read_bytes() == journal
        assert len(list((workspace.root / "evaluations").glob("folds-*"))) == 1, "kept, as any number that is shown"
