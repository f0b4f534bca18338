"""The results table of a report as a file of its own: CSV for a spreadsheet, LaTeX for a manuscript."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.metrics.names import method_title, metric_title, multiplicity
from medfm_gui.workspace.comparing import ComparisonFile
from medfm_gui.workspace.report_sections import estimate, pairs_table
from medfm_gui.workspace.spreadsheet import guarded

SUFFIXES = (".csv", ".tex")
_COLUMNS = (
    "run", "name", "metric", "class", "value", "low", "high", "confidence", "method", "unit", "n", "patients",
    "events", "note", "compared_with", "p", "p_holm", "low_simultaneous", "high_simultaneous", "simultaneous_method",
)  # fmt: skip
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "–": "--", "−": "$-$", "·": r"\textperiodcentered{}",
}  # fmt: skip


def checked_table(path: Path) -> Path:
    """The absolute path of a table that can be written.

    Raises:
        UsageError: it ends neither in ``.csv`` nor in ``.tex``, or it is a folder.
    """
    path = path.expanduser().absolute()
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"“{path.name}” is no kind of table.", "End its name in .csv or .tex.")
    if path.is_dir():
        raise UsageError(f"“{path}” is a folder.", "Name a file, e.g. results.csv.")
    return path


def table_text(path: Path, rows: Sequence[Evaluation], names: dict[str, str], pairs: Sequence[Comparison] = ()) -> str:
    """The rows as the file's ending wants them, then the paired differences; ``names`` are the titles of the runs."""
    return as_latex(rows, names, pairs) if path.suffix.lower() == ".tex" else as_csv(rows, names, pairs)


def as_csv(rows: Sequence[Evaluation], names: dict[str, str], pairs: Sequence[Comparison] = ()) -> str:
    """Every number in full digits, one row each; a number that is not estimable is empty, and the note says why.

    Below them a row a paired difference: ``run`` minus ``compared_with``.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        cells: tuple[str | float | None, ...] = (
            row.run, names.get(row.run, row.run), row.metric, row.label, row.value, row.low, row.high, row.confidence,
            row.method, row.unit, row.n, row.n_patients, row.n_events, row.note, "", None, None, None, None, "",
        )  # fmt: skip
        writer.writerow(_written(cells))
    for pair in pairs:
        known = pair.parameters
        cells = (
            pair.a, names.get(pair.a, pair.a), pair.metric, "", pair.difference, pair.low, pair.high, pair.confidence,
            pair.test, known.get("unit", ""), pair.n, known.get("n_patients"), known.get("n_events"), pair.note,
            pair.b, pair.p, pair.p_adjusted, pair.low_simultaneous, pair.high_simultaneous, pair.simultaneous_method,
        )  # fmt: skip
        writer.writerow(_written(cells))
    return text.getvalue()


def _written(cells: Sequence[str | float | None]) -> list[str | float]:
    return [guarded(cell) if isinstance(cell, str) else "" if cell is None else cell for cell in cells]


def as_latex(rows: Sequence[Evaluation], names: dict[str, str], pairs: Sequence[Comparison] = ()) -> str:
    """A ``tabular`` with rules of *booktabs*, as the pages show it; every text is escaped: none is a command."""
    lines = [
        "% Needs \\usepackage{booktabs} and an engine that reads UTF-8.",
        r"\begin{tabular}{lllllrrr}",
        r"\toprule",
        r"Run & Metric & Class & Estimate (95\,\% interval) & Method & $n$ & Patients & Events \\",
        r"\midrule",
    ]
    last = ""
    for row in rows:
        if last and row.run != last:
            lines.append(r"\addlinespace")
        cells = (
            names.get(row.run, row.run) if row.run != last else "", metric_title(row.metric), row.label, estimate(row),
            method_title(row.method), f"{row.n}", _count(row.n_patients), _count(row.n_events),
        )  # fmt: skip
        lines.append(" & ".join(map(escaped, cells)) + r" \\")
        last = row.run
    lines += [r"\bottomrule", r"\end{tabular}", ""]
    return "\n".join([*lines, *(_latex_pairs(pairs) if pairs else ())])


def _latex_pairs(pairs: Sequence[Comparison]) -> list[str]:
    """A second ``tabular`` with the paired differences, as the pages show them."""
    table = pairs_table(ComparisonFile((), tuple(pairs), ""))
    shape = "".join("r" if place in table.numeric else "l" for place in range(len(table.header)))
    head = [escaped(name) for name in table.header]
    body = [" & ".join(map(escaped, row)) + r" \\" for row in table.rows]
    how = multiplicity(pairs)
    return [
        "",
        rf"\begin{{tabular}}{{{shape}}}",
        r"\toprule",
        " & ".join(head) + r" \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        *([f"% {escaped(how)}"] if how else []),
        "",
    ]


def escaped(text: str) -> str:
    """Text that LaTeX prints as it is: nothing in it is a command, a comment or a line's end."""
    plain = re.sub(r"[\s\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+", " ", text)
    return "".join(_LATEX.get(character, character) for character in plain)


def _count(value: int | None) -> str:
    return "" if value is None else str(value)
