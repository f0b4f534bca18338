"""A table of predictions that says which images look unlike the training images; the worker is a double."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import SealError, UsageError
from medfm_gui.domain.run import OutlierSpec
from medfm_gui.domain.similar import OutlierLimit
from medfm_gui.workspace import evaluating, outlier_scores, training
from medfm_gui.workspace.export import export_predictions, predictions_table
from medfm_gui.workspace.outliers import OUTLIER, SIMILAR
from medfm_gui.workspace.place import open_workspace
from medfm_gui.workspace.scores import read_scores
from medfm_gui.workspace.verifying_files import verify
from tests.fixtures.opened import drawn_dataset, opened_run

LIMIT = OutlierLimit(0.3, 0.2, 0.95, "cal", 240, 118, 10, 70, 70)
HEAD = "sample,patient,subset,label,without,with"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A run whose test is open, and a worker that gives its images distances from 0.1 on, to the last one none."""
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        run = opened_run(workspace, drawn_dataset(workspace, 120))
        folder = training.view(workspace, run).folder
        wire.write(folder / OUTLIER, LIMIT)
        (folder / SIMILAR).write_bytes(b"rows")
        samples, _ = read_scores(evaluating.test_predictions(workspace, run))
        orders: list[OutlierSpec] = []

        def work(order: OutlierSpec, **_: Any) -> list[ev.Event]:
            orders.append(order)
            scores = np.array([[0.1 + 0.01 * place] for place in range(len(samples))], np.float32)
            scores[-1] = np.nan
            np.savez(Path(order.out) / "outlier.npz", sample=np.array(samples[::-1]), scores=scores[::-1])
            return []

        monkeypatch.setattr(outlier_scores, "run_errand", work)
        yield SimpleNamespace(workspace=workspace, run=run, folder=folder, samples=samples, orders=orders)


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_columns_are_added_only_when_asked_for(place: SimpleNamespace, tmp_path: Path) -> None:
    plain = predictions_table(place.workspace, place.run, "test")
    assert plain.splitlines()[0] == HEAD and place.orders == []
    out, n = export_predictions(place.workspace, place.run, "test", tmp_path / "p.csv", outlier=True)
    text = out.read_text(encoding="utf-8")
    rows = _rows(text)
    assert text.splitlines()[0] == f"{HEAD},outlier_score,outlier" and n == len(rows) == len(place.samples)
    assert [one.subset for one in place.orders] == ["test"]
    for number, row in enumerate(rows[:-1]):
        assert row["sample"] == place.samples[number]
        assert float(row["outlier_score"]) == pytest.approx(0.1 + 0.01 * number, abs=1e-6)
        assert row["outlier"] == ("yes" if number > 20 else "no")
    assert (rows[-1]["outlier_score"], rows[-1]["outlier"]) == ("", ""), "no finite features"
    both = predictions_table(place.workspace, place.run, "test", both_scales=True, outlier=True).splitlines()[0]
    assert both == f"{HEAD},score_without,score_with,outlier_score,outlier"


def test_without_a_limit_there_is_a_score_and_no_verdict(place: SimpleNamespace) -> None:
    wire.write(place.folder / OUTLIER, OutlierLimit(None, None, 0.95, "cal", 6, 3, 10, 70, 70, "3 patients"))
    rows = _rows(predictions_table(place.workspace, place.run, "test", outlier=True))
    assert {row["outlier"] for row in rows} == {""} and rows[0]["outlier_score"] == "0.100000001"


@pytest.mark.parametrize("name", [OUTLIER, SIMILAR])
def test_a_run_that_compares_nothing_says_what_helps(place: SimpleNamespace, name: str) -> None:
    (place.folder / name).unlink()
    with pytest.raises(UsageError, match="no training images") as raised:
        predictions_table(place.workspace, place.run, "test", outlier=True)
    assert f"medfm similar {place.run}" in raised.value.hint and place.orders == []


def test_a_sealed_test_is_not_looked_at(place: SimpleNamespace) -> None:
    evaluating.evaluation_path(place.workspace, place.run).unlink()
    with pytest.raises(SealError):
        predictions_table(place.workspace, place.run, "test", outlier=True)
    assert place.orders == []


def test_such_a_table_is_verified_and_a_changed_line_is_named(place: SimpleNamespace, tmp_path: Path) -> None:
    out, _ = export_predictions(place.workspace, place.run, "test", tmp_path / "p.csv", outlier=True)
    assert verify(place.workspace, str(out)).ok
    lines = out.read_text(encoding="utf-8").splitlines()
    worse = [*lines[:3], lines[3].replace(",test,", ",val,"), *lines[4:]]
    out.write_text("\n".join(worse) + "\n", encoding="utf-8")
    (found,) = verify(place.workspace, str(out)).differences
    assert found.line == 4
    out.write_text("\n".join([*lines[:3], f"{lines[3].rpartition(',')[0]},yes", *lines[4:]]) + "\n", encoding="utf-8")
    (found,) = verify(place.workspace, str(out)).differences
    assert "other bytes" in found.message
