"""What the simulation of ``tests/e2e/coverage_of_auc.py`` found: the 95 % interval of an AUC covers 93 to 99 %."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.coverage_of_auc import AREAS, RATIO, SIZES, TABLE, covered


def test_the_kept_table_is_whole_and_within_bounds() -> None:
    lines = Path(TABLE).read_text(encoding="utf-8").splitlines()
    assert int(lines[0].split()[1]) >= 4000
    rows = [line.split("\t") for line in lines[1:]]
    assert [(float(area), int(size)) for area, size, _, _ in rows] == [(a, s) for a in AREAS for s in SIZES]
    assert all(0.93 <= float(share) <= 0.99 for _, _, share, _ in rows)


def test_a_row_can_be_made_again() -> None:
    share, methods = covered(0.9, 10, 200, seed=1010)
    assert 0.9 < share <= 1 and methods == "newcombe 200" and RATIO == 3
