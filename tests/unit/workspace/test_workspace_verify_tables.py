"""Rows of a printed table beside those made anew: what is hidden names no row, and earlier spellings count."""

from __future__ import annotations

from medfm_gui.domain.report import Table
from medfm_gui.workspace.evidence_numbers import Printed
from medfm_gui.workspace.report_demographics import FEW, WITHHELD
from medfm_gui.workspace.verifying_pages import _long, tables_differ

HIDDEN = frozenset({FEW, WITHHELD})


def _classes(*rows: tuple[str, ...]) -> Table:
    return Table("Images of each class by partition.", ("Class", "train", "test"), rows, (1, 2))


def test_a_class_whose_counts_are_hidden_is_the_same_row() -> None:
    """The attached split leaves rare findings out, so that they count as none."""
    made = _classes(("Nodule", "0", "0"), ("Effusion", "31", "12"))
    shown = _classes(("Nodule", WITHHELD, FEW), ("Effusion", "31", "12"))
    assert not tables_differ("Data", made, shown, hidden=HIDDEN)
    wrong = _classes(("Nodule", WITHHELD, FEW), ("Effusion", "30", "12"))
    (found,) = tables_differ("Data", made, wrong, hidden=HIDDEN)
    assert (found.expected, found.found) == ("31", "30") and "Effusion" in found.where


def test_earlier_spellings_of_a_number_are_the_same_number() -> None:
    def table(value: str, method: str) -> Table:
        return Table("Calibration.", ("Run", "Number", "Estimate", "Method"), (("r1", "slope", value, method),))

    made = table("-0.070 (-0.565 to 0.424)", "–")
    assert not tables_differ("X", made, table("-0.070 (-0.565–0.424)", "not estimable"), hidden=HIDDEN)
    assert tables_differ("X", made, table("-0.070 (-0.565–0.425)", "–"), hidden=HIDDEN)


def test_long_texts_are_known_though_they_are_not_looked_for_as_a_whole() -> None:
    """A conclusion about many runs is no text that somebody put in."""
    long = "a long conclusion " * 80
    table = Table("T.", ("A", "B"), (("x", long), ("y", "short")))
    section = Printed("S", (long, "short"), (("name", long), ("other", "short")), (table,))
    solid = "".join(long.split())
    assert list(_long(section)) == [solid, f"name{solid}", f"x{solid}"]
