"""What the window looks at: logs and first words of runs, files left out, curves with fewer points."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.dataset import Skipped
from medfm_gui.domain.events import Beat, RunStarted
from medfm_gui.jobs.follow import append_events
from medfm_gui.workspace.monitoring import end_of_log, first_start, use_of
from medfm_gui.workspace.sidebyside import thinned
from medfm_gui.workspace.sources import look_at, skipped_groups


def _log(folder: Path, text: str) -> None:
    (folder / "log.txt").write_bytes(text.encode())


def test_a_run_that_printed_nothing_has_an_empty_log(tmp_path: Path) -> None:
    assert end_of_log(tmp_path, 10) == ("", False)


@pytest.mark.parametrize(("lines", "kept", "more"), [(2, "b\nc", True), (3, "a\nb\nc", False)])
def test_the_end_of_a_log_says_whether_there_is_more(tmp_path: Path, lines: int, kept: str, more: bool) -> None:
    _log(tmp_path, "a\nb\nc\n")
    assert end_of_log(tmp_path, lines) == (kept, more)


def test_a_log_with_one_endless_line_is_cut(tmp_path: Path) -> None:
    _log(tmp_path, "x" * 3_000_000)
    text, more = end_of_log(tmp_path, 10)
    assert more
    assert len(text) < 100_000
    assert text.endswith("…")


def test_the_first_start_is_found_behind_beats_and_is_the_first(tmp_path: Path) -> None:
    assert first_start(tmp_path) is None
    now = time.time()
    append_events(tmp_path, [Beat(now), RunStarted(now, "cpu"), RunStarted(now + 1, "cuda:0")])
    found = first_start(tmp_path)
    assert found is not None
    assert found.device == "cpu"


def test_a_run_without_a_worker_uses_nothing(tmp_path: Path) -> None:
    assert use_of(tmp_path) is None


def test_a_long_curve_is_thinned_to_its_ends_and_a_short_one_stays() -> None:
    x = tuple(float(k) for k in range(1001))
    long = Series("a", x, x, low=x)
    short = Series("b", (0.0, 1.0), (0.0, 1.0))
    chart = ChartSpec("roc", "lines", "ROC", series=(long, short))
    thin = thinned(chart, 11)
    assert thin.series[0].x == thin.series[0].y == thin.series[0].low == tuple(float(k) for k in range(0, 1001, 100))
    assert thin.series[0].high == ()
    assert thin.series[1] == short
    assert thinned(chart, 1001) == chart


def test_skipped_files_are_grouped_by_reason_the_most_frequent_first() -> None:
    skipped = [Skipped(f"{k}.dcm", "damaged") for k in range(600)]
    skipped += [Skipped("b.txt", "no_image"), Skipped("a.dcm", "alien")]
    groups = skipped_groups(skipped)
    assert [(group.reason, group.count, len(group.items)) for group in groups] == [
        ("damaged", 600, 500),
        ("alien", 1, 1),
        ("no_image", 1, 1),
    ]


def test_a_source_that_holds_one_folder_is_looked_at_there(tmp_path: Path) -> None:
    inside = tmp_path / "Export" / "Export"
    inside.mkdir(parents=True)
    (inside / "a.png").touch()
    (inside / "labels.csv").write_text("path,label\na.png,x\na.png,y\n")
    facts = look_at(str(tmp_path / "Export"))
    assert (facts.path, facts.layout, facts.table) == (str(inside), "csv", "labels.csv")
