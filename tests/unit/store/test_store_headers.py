"""Headers that are kept from one reading to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from medfm_gui.store import headers
from medfm_gui.store.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "medfm.sqlite"


def count(store: Store) -> int:
    store.flush()
    with store.reading() as reader:
        return int(reader.db.conn.execute("SELECT count(*) FROM headers").fetchone()[0])


def test_what_was_put_comes_back_also_in_another_process(path: Path) -> None:
    said = ["1.2", "", None, 3, [1.0, 2.5], True]
    with Store.open(path) as store:
        assert store.headers.of("/studies/a") == {}
        store.headers.put(
            {"/studies/a": {"1.dcm": (100, 7, said)}, "/studies/b": {"x\udcff": (1, 2, ["empty", "It is."])}}
        )
    with Store.open(path) as store:
        assert store.headers.of("/studies/a") == {"1.dcm": (100, 7, said)}
        assert store.headers.of("/studies/b") == {"x\udcff": (1, 2, ["empty", "It is."])}
        assert store.headers.of("/studies") == {}


def test_the_newest_wins_and_many_parts_become_one(path: Path) -> None:
    with Store.open(path) as store:
        for number in range(40):
            store.headers.put(
                {"/a": {f"{number}.dcm": (number, 1, ["x", "y"]), "same.dcm": (number, number, ["x", "y"])}}
            )
        assert count(store) <= headers._MOST_PARTS
        found = store.headers.of("/a")
        assert len(found) == 41 and found["same.dcm"] == (39, 39, ["x", "y"])


def test_rows_of_another_form_are_as_good_as_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(path) as store:
        store.headers.put({"/a": {"1.dcm": (1, 1, ["x", "y"])}})
    monkeypatch.setattr(headers, "header_form", lambda: "fields of the next version")
    with Store.open(path) as store:
        assert store.headers.of("/a") == {}
        for _ in range(headers._MOST_PARTS + 2):
            store.headers.put({"/a": {"1.dcm": (2, 2, ["x", "y"])}})
        store.flush()
        assert store.headers.of("/a") == {"1.dcm": (2, 2, ["x", "y"])}
