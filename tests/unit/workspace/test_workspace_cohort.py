from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.workspace import cohort, data, sealing

NOWHERE: Any = None  # no workspace is touched: reading is replaced


@pytest.fixture(autouse=True, scope="module")
def nothing_sealed() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "sealed_samples", lambda workspace, name: frozenset())
        yield


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[dict[str, str]]], cohort.Characteristics]:
    def describe(rows: Sequence[dict[str, str]]) -> cohort.Characteristics:
        samples = tuple(
            Sample(f"s{number:06d}", f"{number}.png", (number % 2,), covariates=row) for number, row in enumerate(rows)
        )
        made = Dataset("d", "d", "csv", Task.BINARY, ("a", "b"), str(Path("x")), samples, "f", positive="b")
        monkeypatch.setattr(data, "read", lambda workspace, name: made)
        return cohort.characteristics(NOWHERE, "d")

    return describe


def section(table: cohort.Characteristics, title: str) -> list[tuple[str, int | None]]:
    return [(line.name, line.counts[0]) for found in table.sections if found.title == title for line in found.lines]


def test_ages_are_grouped_however_they_are_written(described: Callable[..., cohort.Characteristics]) -> None:
    table = described([{"age": value} for value in ("64", "064Y", "17.5", "011M", "80", "unknown", "40")])
    assert section(table, "Age") == [
        ("0–17 years", 2),
        ("40–59 years", 1),
        ("60–79 years", 2),
        ("80 years and older", 1),
        ("not recorded", 1),
    ]


def test_numbers_become_ranges_in_their_order(described: Callable[..., cohort.Characteristics]) -> None:
    table = described([{"dose": str(number / 2)} for number in range(20)] * 2)
    lines = section(table, "Dose")
    assert [name for name, _ in lines] == ["0 to below 2.5", "2.5 to below 5", "5 to below 7", "7 to 9.5"]
    assert sum(count or 0 for _, count in lines) == 40


def test_rare_words_are_joined_and_identifiers_left_out(described: Callable[..., cohort.Characteristics]) -> None:
    rows = [{"device": f"type {number % 14}", "uid": f"u{number}", "site": "AB"[number % 2]} for number in range(56)]
    table = described(rows)
    assert section(table, "Device")[-1] == ("other (6 values)", 24)
    assert table.left_out == ("Uid",)
    assert section(table, "Site") == [("A", 28), ("B", 28)]


@given(
    st.lists(st.dictionaries(st.sampled_from(["x", "age"]), st.text(max_size=6), max_size=2), min_size=2, max_size=30)
)
def test_every_section_counts_every_image(rows: list[dict[str, str]]) -> None:
    samples = tuple(Sample(f"s{at}", f"{at}", (at % 2,), covariates=row) for at, row in enumerate(rows))
    made = Dataset("d", "d", "csv", Task.BINARY, ("a", "b"), "x", samples, "f", positive="b")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "read", lambda workspace, name: made)
        table = cohort.characteristics(NOWHERE, "d")
    for found in table.sections:
        assert sum(line.counts[0] or 0 for line in found.lines) == len(rows)


def test_findings_are_counted_each(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = (Sample("s1", "1", (1, 1, -1)), Sample("s2", "2", (0, 1, 0)))
    made = Dataset("d", "d", "csv", Task.MULTILABEL, ("x", "y", "z"), "s", samples, "f")
    monkeypatch.setattr(data, "read", lambda workspace, name: made)
    table = cohort.characteristics(NOWHERE, "d")
    assert section(table, "Class") == [("x", 1), ("y", 2)]
    assert table.patients == (None,)
