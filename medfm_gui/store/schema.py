"""The tables as version 1 of the database has them, and the SQLite they need.

Foreign keys join only what one file holds together (a dataset and its samples), so that a folder that
was deleted by hand never keeps the rest from being indexed. Columns that hold text of a file or a person
may hold the bytes instead, where the text is not UTF-8 (see ``cells.py``). A number that is not finite is
NULL with its name in ``status``; a seed is text, since it may have 64 bits. Folders and files below the
workspace are stored relative to it.
"""

from __future__ import annotations

from medfm_gui.store.connection import sqlite3

APPLICATION_ID = 0x4D656446
"""“MedF” in the header: no other program's database is taken for ours."""

SQLITE_FLOOR = (3, 51, 3)
"""Older libraries corrupt a write-ahead log that two connections use (fixed in SQLite 3.51.3)."""


def sqlite_version() -> tuple[int, ...]:
    """The version of the SQLite library in use."""
    version: tuple[int, ...] = sqlite3.sqlite_version_info
    return version


TABLES: tuple[str, ...] = (
    """CREATE TABLE datasets (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, layout TEXT NOT NULL, task TEXT NOT NULL, classes TEXT NOT NULL,
        positive TEXT, source TEXT NOT NULL, folder TEXT NOT NULL, fingerprint TEXT NOT NULL, created TEXT NOT NULL,
        taken TEXT NOT NULL, warnings TEXT NOT NULL, n_samples INTEGER NOT NULL, n_patients INTEGER,
        n_skipped INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE samples (
        dataset TEXT NOT NULL REFERENCES datasets (id) ON DELETE CASCADE, position INTEGER NOT NULL,
        id TEXT NOT NULL, path TEXT NOT NULL, frame INTEGER, target TEXT NOT NULL, patient TEXT, group_name TEXT,
        fold TEXT, image_rows INTEGER NOT NULL, image_columns INTEGER NOT NULL, pixels_sha256 TEXT NOT NULL,
        covariates TEXT NOT NULL,
        PRIMARY KEY (dataset, position)
    ) WITHOUT ROWID""",
    """CREATE TABLE splits (
        id TEXT PRIMARY KEY, dataset TEXT NOT NULL, dataset_fingerprint TEXT NOT NULL, path TEXT NOT NULL,
        rule TEXT NOT NULL, seed TEXT NOT NULL, fingerprint TEXT NOT NULL, created TEXT NOT NULL,
        family TEXT, fold INTEGER, acceptance TEXT, n_leaks INTEGER NOT NULL, n_dropped INTEGER NOT NULL,
        warnings TEXT NOT NULL, settings TEXT NOT NULL,
        n_train INTEGER NOT NULL, n_val INTEGER NOT NULL, n_cal INTEGER NOT NULL, n_test INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE assignments (
        split TEXT NOT NULL REFERENCES splits (id) ON DELETE CASCADE, sample TEXT NOT NULL, position INTEGER NOT NULL,
        partition TEXT NOT NULL, group_name TEXT NOT NULL,
        PRIMARY KEY (split, sample)
    ) WITHOUT ROWID""",
    """CREATE TABLE runs (
        id TEXT PRIMARY KEY, folder TEXT NOT NULL, dataset TEXT NOT NULL, dataset_fingerprint TEXT NOT NULL,
        split TEXT NOT NULL, split_fingerprint TEXT NOT NULL, fold INTEGER, task TEXT NOT NULL,
        model TEXT NOT NULL, family TEXT NOT NULL, adapt TEXT NOT NULL, shots INTEGER, seed TEXT NOT NULL,
        preset TEXT NOT NULL, recipe TEXT NOT NULL, weights_sha256 TEXT, from_scratch INTEGER NOT NULL,
        created TEXT NOT NULL, code_version TEXT NOT NULL,
        phase TEXT NOT NULL DEFAULT 'queued', stage TEXT NOT NULL DEFAULT '', done INTEGER NOT NULL DEFAULT 0,
        total INTEGER NOT NULL DEFAULT 0, samples_per_second REAL, seconds_left REAL,
        epoch INTEGER NOT NULL DEFAULT 0, epochs INTEGER NOT NULL DEFAULT 0, metrics TEXT NOT NULL DEFAULT '{}',
        seconds REAL, startup_seconds REAL, trained_parameters INTEGER NOT NULL DEFAULT 0,
        device TEXT NOT NULL DEFAULT '', error_kind TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '',
        hint TEXT NOT NULL DEFAULT '', resumable INTEGER NOT NULL DEFAULT 0, warnings TEXT NOT NULL DEFAULT '[]',
        files TEXT NOT NULL DEFAULT '{}'
    ) WITHOUT ROWID""",
    """CREATE TABLE epochs (
        run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, epoch INTEGER NOT NULL, epochs INTEGER NOT NULL,
        at REAL, seconds REAL, best INTEGER NOT NULL,
        PRIMARY KEY (run, epoch)
    ) WITHOUT ROWID""",
    """CREATE TABLE metric_points (
        run TEXT NOT NULL, epoch INTEGER NOT NULL, metric TEXT NOT NULL, value REAL, status TEXT NOT NULL,
        PRIMARY KEY (run, epoch, metric),
        FOREIGN KEY (run, epoch) REFERENCES epochs (run, epoch) ON DELETE CASCADE
    ) WITHOUT ROWID""",
    """CREATE TABLE prediction_sets (
        number INTEGER PRIMARY KEY, run TEXT NOT NULL, subset TEXT NOT NULL, n_samples INTEGER NOT NULL,
        n_classes INTEGER NOT NULL, n_not_finite INTEGER NOT NULL,
        UNIQUE (run, subset)
    )""",
    """CREATE TABLE predictions (
        prediction_set INTEGER NOT NULL REFERENCES prediction_sets (number) ON DELETE CASCADE,
        position INTEGER NOT NULL, sample TEXT NOT NULL, target TEXT NOT NULL, scores BLOB NOT NULL,
        PRIMARY KEY (prediction_set, position)
    ) WITHOUT ROWID""",
    """CREATE TABLE evaluations (
        run TEXT NOT NULL, subset TEXT NOT NULL, metric TEXT NOT NULL, label TEXT NOT NULL, unit TEXT NOT NULL,
        parameters TEXT NOT NULL, position INTEGER NOT NULL, value REAL, low REAL, high REAL, status TEXT NOT NULL,
        method TEXT NOT NULL, n INTEGER NOT NULL, n_patients INTEGER, n_events INTEGER, sample_set TEXT NOT NULL,
        confidence REAL NOT NULL, note TEXT NOT NULL, code_version TEXT NOT NULL,
        PRIMARY KEY (run, subset, metric, label, unit, parameters)
    ) WITHOUT ROWID""",
    """CREATE TABLE comparisons (
        runs TEXT NOT NULL, position INTEGER NOT NULL, a TEXT NOT NULL, b TEXT NOT NULL, metric TEXT NOT NULL,
        difference REAL, low REAL, high REAL, status TEXT NOT NULL, test TEXT NOT NULL, p REAL, p_adjusted REAL,
        n INTEGER NOT NULL, note TEXT NOT NULL, confidence REAL NOT NULL, parameters TEXT NOT NULL,
        PRIMARY KEY (runs, position)
    ) WITHOUT ROWID""",
    """CREATE TABLE charts (
        owner TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL, spec TEXT NOT NULL,
        PRIMARY KEY (owner, id)
    ) WITHOUT ROWID""",
    """CREATE TABLE studies (
        uid TEXT PRIMARY KEY, patient TEXT NOT NULL, date TEXT NOT NULL, modality TEXT NOT NULL,
        description TEXT NOT NULL, sex TEXT NOT NULL, age TEXT NOT NULL, folder TEXT NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE series (
        study TEXT NOT NULL REFERENCES studies (uid) ON DELETE CASCADE, position INTEGER NOT NULL, uid TEXT NOT NULL,
        modality TEXT NOT NULL, description TEXT NOT NULL, n_instances INTEGER NOT NULL, image_rows INTEGER NOT NULL,
        image_columns INTEGER NOT NULL, row_spacing_mm REAL, column_spacing_mm REAL, slice_spacing_mm REAL,
        warnings TEXT NOT NULL,
        PRIMARY KEY (study, position)
    ) WITHOUT ROWID""",
    """CREATE TABLE study_predictions (
        prediction TEXT NOT NULL, number INTEGER NOT NULL, study TEXT NOT NULL, run TEXT NOT NULL,
        created TEXT NOT NULL, outcome TEXT NOT NULL,
        PRIMARY KEY (prediction, number)
    ) WITHOUT ROWID""",
    """CREATE TABLE reports (
        id TEXT PRIMARY KEY, title TEXT NOT NULL, created TEXT NOT NULL, path TEXT NOT NULL, pages INTEGER NOT NULL,
        sha256 TEXT NOT NULL, runs TEXT NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE journal (
        number INTEGER PRIMARY KEY, at TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL, details TEXT NOT NULL,
        UNIQUE (at, what, subject, details)
    )""",
    """CREATE TABLE test_openings (
        run TEXT NOT NULL, subset TEXT NOT NULL, sample_set TEXT NOT NULL, at TEXT NOT NULL, reason TEXT NOT NULL,
        PRIMARY KEY (run, subset, sample_set, at)
    ) WITHOUT ROWID""",
)
"""Parents before children."""

INDEXES: tuple[str, ...] = (
    "CREATE UNIQUE INDEX samples_by_id ON samples (dataset, id)",
    "CREATE INDEX splits_by_dataset ON splits (dataset, created)",
    "CREATE INDEX assignments_by_partition ON assignments (split, partition, position)",
    "CREATE INDEX runs_by_phase ON runs (phase)",
    "CREATE INDEX runs_by_dataset ON runs (dataset)",
    "CREATE INDEX study_predictions_by_study ON study_predictions (study)",
    "CREATE INDEX study_predictions_by_run ON study_predictions (run)",
    "CREATE INDEX journal_by_subject ON journal (subject)",
    "CREATE INDEX test_openings_by_sample_set ON test_openings (sample_set)",
)
