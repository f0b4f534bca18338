"""How often the 95 % interval of an AUC holds the truth: ``python -m tests.e2e.coverage_of_auc [REPLICATES]``.

Binormal scores, the smaller class of 5 to 150 units and the other three times as large. The table that it writes is
``tests/fixtures/auc_coverage.txt``; it takes minutes, so it is no part of the tests that run on every change.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
from scipy import stats

from medfm_gui.metrics.intervals import auc_interval

AREAS = (0.7, 0.9, 0.97)
SIZES = (5, 10, 20, 40, 59, 60, 100, 150)
RATIO = 3
TABLE = Path(__file__).parents[1] / "fixtures" / "auc_coverage.txt"


def covered(area: float, size: int, replicates: int, seed: int) -> tuple[float, str]:
    """The share of intervals that hold the area, and the methods that were chosen."""
    random = np.random.default_rng(seed)
    apart = np.sqrt(2) * stats.norm.ppf(area)
    labels = np.repeat([1, 0], [size, RATIO * size])
    held, methods = 0, Counter[str]()
    for _ in range(replicates):
        found = auc_interval(labels, random.normal(size=len(labels)) + apart * labels)
        assert found.low is not None and found.high is not None
        held += found.low <= area <= found.high
        methods[found.method] += 1
    return held / replicates, ", ".join(f"{name} {number}" for name, number in methods.most_common())


def main(replicates: int) -> None:
    """Write the table, a row at a time."""
    lines = [f"# {replicates} replicates; area, units of the smaller class, coverage, methods"]
    for place, area in enumerate(AREAS):
        for size in SIZES:
            share, methods = covered(area, size, replicates, seed=1000 * place + size)
            lines.append(f"{area}\t{size}\t{share:.4f}\t{methods}")
            sys.stdout.write(lines[-1] + "\n")
            sys.stdout.flush()
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
