"""Parts of a report: limitations, small cells, the table as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfm_gui.domain.dataset import Dataset, Sample, Skipped, Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.report import Table
from medfm_gui.domain.run import FileRef
from medfm_gui.domain.split import Assignment, Partition, Split
from medfm_gui.workspace.evaluating import EvaluationFile
from medfm_gui.workspace.report_demographics import FEW, WITHHELD, demographics, suppressed
from medfm_gui.workspace.report_limits import limitations
from medfm_gui.workspace.report_table import as_csv, as_latex, checked_table, escaped
from medfm_gui.workspace.roles import NOTHING_PROMISED
from medfm_gui.workspace.usefulness import Sampling

NASTY = "\\input{x} % & _ ^ ~ $ # {} <b> \u202eright\n\nto left"


def row(value: float | None = 0.8, **more: object) -> Evaluation:
    made = Evaluation(
        "r0001", "test", "auc", value, 0.7, 0.9, "delong-logit", "image", 30, 20, 12, "hash", note="why not"
    )
    return replace(made, **more)  # type: ignore[arg-type]


def dataset(sexes: Sequence[str], patients: bool = True, **more: str) -> Dataset:
    samples = tuple(
        Sample(
            f"s{number}",
            f"{number}.png",
            (number % 2,),
            patient=f"P{number}" if patients else None,
            covariates={"sex": sex, "study_date": "20200131", **more},
        )
        for number, sex in enumerate(sexes)
    )
    skipped = (Skipped("a.png", "not_an_image"), Skipped("b.png", "not_an_image"))
    return Dataset(
        "d", "D", "folder", Task.BINARY, ("no", "yes"), "/x", samples, "f" * 64, positive="yes", skipped=skipped
    )


def split(data: Dataset, n_test: int, **more: object) -> Split:
    sides = [Partition.TEST] * n_test + [Partition.TRAIN] * (len(data.samples) - n_test)
    given_to = tuple(Assignment(sample.id, side, sample.id) for sample, side in zip(data.samples, sides, strict=True))
    return Split("d-s1", "d", data.fingerprint, "by patient", 0, given_to, "e" * 64, **more)  # type: ignore[arg-type]


def opened(*rows: Evaluation) -> EvaluationFile:
    return EvaluationFile("r0001", "test", "2026-01-01T00:00:00Z", "plan", "hash", FileRef("p", "0" * 64), rows)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8))
def test_no_hidden_count_can_be_had_from_the_sum(counts: list[int]) -> None:
    told = suppressed(counts)
    assert all(cell == f"{count:,}" for cell, count in zip(told, counts, strict=True) if cell not in (FEW, WITHHELD))
    assert all(cell == FEW for cell, count in zip(told, counts, strict=True) if 0 < count < 5)
    hidden = [count for cell, count in zip(told, counts, strict=True) if cell in (FEW, WITHHELD)]
    others = [count for cell, count in zip(told, counts, strict=True) if cell not in (FEW, WITHHELD) and count]
    assert not hidden or not others or (len(hidden) > 1 and sum(hidden) >= 5)


def test_demographics_tell_known_covariates_of_patients_and_no_date() -> None:
    data = dataset(["F"] * 9 + ["M"] * 2 + ["F"] * 8 + ["M"] * 7, patient_age="093Y")
    table, _ = demographics(data, split(data, 11))
    assert isinstance(table, Table) and "patients" in table.caption
    cells = {(line[0], line[1]): line[2:] for line in table.rows}
    assert cells["All patients", ""] == ("15", "11")
    assert cells["Sex", "F"] == ("8", WITHHELD) and cells["", "M"] == ("7", FEW)
    assert cells["Age (years)", "80 and over"] == ("15", "11")
    assert "2020" not in str(table) and "93" not in str(table)
    assert not demographics(
        replace(data, samples=tuple(replace(one, covariates={}) for one in data.samples)), split(data, 11)
    )


def test_limitations_follow_from_the_facts() -> None:
    data = dataset(["F"] * 10, patients=False, site="A")
    said = limitations([], [opened(row())], data, split(data, 4), [opened(), opened()], NOTHING_PROMISED, Sampling())
    told = dict(said)
    assert "30 images, 12 of them of the class “yes”" in told["Size of the test"]
    assert "20 patients" in told["Repeated measurements"]
    assert "2 times" in told["Openings of the test"]
    assert "not stated" in told["Sampling"] and "2 files" in told["Exclusions"]
    assert "single one" in told["Sites"] and "No scanner" in told["Scanners"]
    assert "names no patients" in told["Patients"] and "Leaks" not in told
    assert told["Protocol"] == NOTHING_PROMISED.objection and "External tests on these images" not in told
    shown = limitations(
        [], [opened(row())], data, split(data, 4), [opened()], NOTHING_PROMISED, Sampling(), ["r0007", "r0007"]
    )
    assert "2 external tests too, of r0007:" in dict(shown)["External tests on these images"]


def test_what_is_in_order_is_no_limitation() -> None:
    data = dataset(["F"] * 10)
    data = replace(
        data,
        skipped=(),
        samples=tuple(replace(one, covariates={"site": one.id, "manufacturer": one.id}) for one in data.samples),
    )
    large = row(n=400, n_patients=400, n_events=150)
    said = limitations(
        [], [opened(large)], data, split(data, 4), [opened()], replace(NOTHING_PROMISED, objection=""),
        Sampling("consecutive"),
    )  # fmt: skip
    assert [title for title, _ in said] == ["Model selection"], "there is no validation partition"
    case_control = limitations(
        [], [opened(large)], data, split(data, 4), [opened()], NOTHING_PROMISED, Sampling("case-control")
    )
    assert "case-control" in dict(case_control)["Sampling"]


def test_the_table_is_the_numbers_in_full_and_no_formula() -> None:
    text = as_csv([row(1 / 3), row(None, low=None, high=None)], {"r0001": "=1+1"})
    first, second = csv.DictReader(io.StringIO(text))
    assert float(first["value"]) == 1 / 3 and first["name"] == "'=1+1"
    assert (second["value"], second["low"], second["note"]) == ("", "", "why not")


def test_paired_differences_stand_below_the_numbers_with_both_intervals() -> None:
    pair = Comparison(
        "r0002", "r0001", "auc", 0.05, 0.01, 0.09, "delong", 0.01, 0.02, 100, "Holm over 2",
        parameters={"unit": "image", "n_events": "40"}, low_simultaneous=-0.01, high_simultaneous=1 / 9,
        simultaneous_method="max-t-bootstrap",
    )  # fmt: skip
    alone = replace(pair, low_simultaneous=None, high_simultaneous=None, simultaneous_method="")
    first, second, third = csv.DictReader(io.StringIO(as_csv([row(0.8)], {"r0002": "B"}, [pair, alone])))
    assert (first["compared_with"], first["low_simultaneous"]) == ("", "")
    assert (second["run"], second["compared_with"], second["name"]) == ("r0002", "r0001", "B")
    assert float(second["high_simultaneous"]) == 1 / 9 and (second["p_holm"], second["events"]) == ("0.02", "40")
    assert (third["low_simultaneous"], third["simultaneous_method"]) == ("", "")
    text = as_latex([row(0.8)], {}, [pair, alone])
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2
    assert "-0.010 to +0.111" in text and "1 of 2 have none: their intervals are unadjusted" in text
    older = as_latex([row(0.8)], {}, [alone, alone])
    assert "Simultaneous" not in older and "% Intervals are unadjusted for multiplicity." in older


def test_no_name_becomes_a_command_of_latex() -> None:
    text = as_latex([row(label=NASTY)], {"r0001": NASTY})
    (line,) = [one for one in text.splitlines() if "0.800" in one]
    assert "\\input" not in line and "\\textbackslash{}input\\{x\\} \\% \\& \\_" in line and "\u202e" not in line
    assert escaped("a\nb\u200bc") == "a b c"


def test_a_table_ends_in_csv_or_tex(tmp_path: Path) -> None:
    assert checked_table(tmp_path / "A.TEX").name == "A.TEX"
    (tmp_path / "b.csv").mkdir()
    for name in ("a.xlsx", "a", "b.csv"):
        with pytest.raises(UsageError):
            checked_table(tmp_path / name)
