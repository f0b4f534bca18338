from __future__ import annotations

import re
from pathlib import Path

import medfm_gui
from medfm_gui.store import headers
from medfm_gui.store.connection import connect, sqlite3
from medfm_gui.store.schema import INDEXES, SQLITE_FLOOR, TABLES, sqlite_version
from medfm_gui.store.store import Store


def test_the_library_is_one_without_the_write_ahead_log_defect() -> None:
    assert sqlite3.__name__ == "pysqlite3"
    assert sqlite_version() >= SQLITE_FLOOR == (3, 51, 3)


def test_nothing_imports_the_standard_librarys_sqlite() -> None:
    pattern = re.compile(r"^\s*(import sqlite3|from sqlite3)", re.MULTILINE)
    sources = sorted(Path(medfm_gui.__file__).parent.rglob("*.py"))
    assert len(sources) > 20
    assert [str(path) for path in sources if pattern.search(path.read_text(encoding="utf-8"))] == []


def test_every_connection_has_the_safeguards_on(store: Store) -> None:
    wanted = {"foreign_keys": 1, "trusted_schema": 0, "synchronous": 2, "cell_size_check": 1}
    for mode in ("ro", "rw"):
        db = connect(store.path, mode=mode)
        try:
            found = {name: db.conn.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}
            assert found == wanted
            assert db.conn.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
            assert db.conn.execute("PRAGMA query_only").fetchone()[0] == (mode == "ro")
        finally:
            db.close()


def test_the_tables_and_indexes_are_those_declared(store: Store) -> None:
    names = [re.findall(r"(?:TABLE|INDEX) (\w+)", statement)[0] for statement in (*TABLES, headers.TABLE, *INDEXES)]
    with store.reading() as reader:
        made = reader.db.conn.execute("SELECT name FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
        parents = reader.db.conn.execute("PRAGMA foreign_key_list(samples)").fetchall()
    assert sorted(names) == sorted(name for (name,) in made)
    assert parents[0][2:7] == ("datasets", "dataset", "id", "NO ACTION", "CASCADE")


def test_what_is_asked_often_is_found_by_an_index(store: Store) -> None:
    questions = {
        "SELECT * FROM runs WHERE phase = 'running'": "runs_by_phase",
        "SELECT * FROM samples WHERE dataset = 'd' AND position >= 5 AND position < 9": "PRIMARY KEY",
        "SELECT * FROM samples WHERE dataset = 'd' AND id = 's'": "samples_by_id",
        "SELECT * FROM prediction_sets WHERE run = 'r' AND subset = 'test'": "sqlite_autoindex_prediction_sets_1",
        "SELECT * FROM predictions WHERE prediction_set = 1 ORDER BY position": "PRIMARY KEY",
        "SELECT * FROM evaluations WHERE run = 'r'": "PRIMARY KEY",
        "SELECT * FROM metric_points WHERE run = 'r'": "PRIMARY KEY",
        "SELECT * FROM test_openings WHERE sample_set = 'x'": "test_openings_by_sample_set",
    }
    with store.reading() as reader:
        for sql, index in questions.items():
            plan = " ".join(row[3] for row in reader.db.conn.execute(f"EXPLAIN QUERY PLAN {sql}"))
            assert plan.startswith("SEARCH") and index in plan, (sql, plan)
