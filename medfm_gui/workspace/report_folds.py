"""A report of the folds of a cross-validation: they have no common test, so some sections are told fold by fold.

The section of the cross-validation itself is made of what was stored, and can be made again of the attached files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.protocol import Role
from medfm_gui.domain.report import Block, Charts, Outline, Paragraph, Part, Section, Table
from medfm_gui.domain.split import Partition, Split
from medfm_gui.domain.units import counted, unit_title
from medfm_gui.metrics.names import method_title, metric_title, multiplicity
from medfm_gui.workspace import report_sections as write
from medfm_gui.workspace.crossvalidation import CrossValidation
from medfm_gui.workspace.fold_pairs import MODELS_HELD, FoldPair
from medfm_gui.workspace.fold_roles import promised_of_folds, role_of_ways
from medfm_gui.workspace.held_out import FOLD
from medfm_gui.workspace.report_demographics import count_told, suppressed
from medfm_gui.workspace.roles import NOTHING_PROMISED, Standing
from medfm_gui.workspace.training import RunView

OF_ONE_TEST: Final = (
    Part.CALIBRATION, Part.COMPARISON, Part.SUBGROUPS, Part.LADDER, Part.EXAMPLES, Part.FAILURES,
)  # fmt: skip
"""Sections that speak of one set of test images, which folds have not."""
TITLE: Final = "Cross-validation of adapted foundation models"
_WIDTHS: Final = (20.0, 10.0, 14.0, 16.0, 17.0, 11.0, 11.0, 6.0)
_PAIR_WIDTHS: Final = (25.0, 14.0, 16.0, 15.0, 7.0, 7.0, 14.0, 5.0, 5.0)
SPREAD: Final = "SD over folds (no interval)"


def without_one_test(outline: Outline) -> Outline:
    """The outline without the sections that need one test."""
    return replace(outline, parts=tuple(part for part in outline.parts if part not in OF_ONE_TEST))


def not_told(outline: Outline) -> str:
    """Which of the sections that were asked for need one test; empty where none is."""
    lost = [part.heading for part in outline.parts if part in OF_ONE_TEST]
    return f"what needs one common test ({', '.join(lost)})" if lost else ""


def folds_section(
    found: CrossValidation, promised: Standing = NOTHING_PROMISED, views: Sequence[RunView] = ()
) -> Section:
    """Means over folds with intervals and spread, each fold, and the ways in pairs; what was promised is marked."""
    blocks: list[Block] = [Paragraph(text) for text in found.sentence.splitlines() if text != MODELS_HELD]
    blocks += [Paragraph(text) for text in promised_of_folds(promised, found, views)]
    blocks += folds_tables(found, promised, views)
    if multiple := multiplicity(found.comparisons):
        blocks.append(Paragraph(multiple, "small"))
    if found.charts:
        ways = ", ".join(way.name for way in found.ways)
        blocks.append(Charts(found.charts, tuple(f"{chart.title}, for {ways}." for chart in found.charts)))
    blocks += [Paragraph(text, "small") for text in _notes(found)]
    blocks.append(Paragraph(MODELS_HELD, "small"))
    notes = [pair.comparison.note for pair in found.pairs] + [way.mean.note for way in found.ways]
    blocks += [Paragraph(f"{text}.", "small") for text in dict.fromkeys(notes) if text]
    if found.left_out:
        said = f"Left out of the means, for no second fold of theirs is here: {', '.join(found.left_out)}."
        blocks.append(Paragraph(said, "small"))
    return Section(Part.FOLDS.heading, tuple(blocks))


def _notes(found: CrossValidation) -> list[str]:
    """What is said of the ways, once where it is the same of all."""
    notes = dict.fromkeys(way.note for way in found.ways)
    if len(notes) == 1:
        return list(notes)
    return [f"{', '.join(way.name for way in found.ways if way.note == note)}: {note}" for note in notes]


def folds_tables(
    found: CrossValidation, promised: Standing = NOTHING_PROMISED, views: Sequence[RunView] = ()
) -> list[Table]:
    """Means, folds, and differences; each can be made again of the predictions."""
    made = [_means(found, promised), _by_fold(found)]
    if found.pairs:
        roles = [role_of_ways(promised, pair.comparison, found, views) for pair in found.pairs]
        made += [_pairs(found.pairs, roles), _within(found.pairs)]
    return made


def _means(found: CrossValidation, promised: Standing) -> Table:
    rows = []
    for way in found.ways:
        metric, *told = _mean(way.mean, way.spread, way.lowest, way.highest)
        metric += " (primary)" * (promised.role(way.mean) is Role.PRIMARY)
        rows.append((way.name, f"{len(way.rows)} {_what(way.by)}", metric, *told))
        if way.pooled is not None:
            rows.append((way.name, "pooled, each calibrated", *_mean(way.pooled, None, None, None)))
    rows += [
        (one.name, one.mean.parameters.get("mean over", ""), *_mean(one.mean, one.spread, one.lowest, one.highest))
        for one in found.repeats
    ]
    header = ("Way", "Mean over", "Metric", "Mean (95 % interval)", "Method", SPREAD, "lowest to highest", "n")
    unit = found.ways[0].mean.unit
    return Table(f"Mean over folds, by {unit_title(unit)}.", header, tuple(rows), (5, 6, 7), widths=_WIDTHS)


def _mean(row: Evaluation, spread: float | None, lowest: float | None, highest: float | None) -> tuple[str, ...]:
    between = "–" if lowest is None or highest is None else f"{lowest:.3f} to {highest:.3f}"
    return (
        metric_title(row.metric), write.estimate(row), method_title(row.method),
        "–" if spread is None else f"{spread:.3f}", between, f"{row.n:,}",
    )  # fmt: skip


def _what(by: str) -> str:
    return "folds" if by == FOLD else f"values of “{by}”, each left out in turn"


def _by_fold(found: CrossValidation) -> Table:
    rows = tuple(
        (
            way.name,
            row.label,
            row.run,
            write.estimate(row),
            method_title(row.method),
            count_told(row.n),
            "–" if row.n_events is None else count_told(row.n_events, row.n),
        )
        for way in found.ways
        for row in way.rows
    )
    header = ("Way", "Held out", "Run", "Estimate (95 % interval)", "Method", "n", "events")
    name = metric_title(found.metric)
    return Table(f"{name[:1].upper()}{name[1:]} within each fold.", header, rows, (5, 6))


def _pairs(pairs: Sequence[FoldPair], roles: Sequence[Role]) -> Table:
    is_family = any(pair.comparison.simultaneous_method for pair in pairs)
    rows = tuple(
        (
            f"{row.a} − {row.b}",
            metric_title(row.metric) + " (primary)" * (role is Role.PRIMARY),
            write.difference_text(row.difference, row.low, row.high),
            method_title(row.test),
            write.p_text(row.p),
            write.p_text(row.p_adjusted),
            *((write.simultaneous_text(row),) if is_family else ()),
            row.parameters["folds"],
            f"{row.n:,}",
        )
        for row, role in zip((pair.comparison for pair in pairs), roles, strict=True)
    )
    together = (write.SIMULTANEOUS,) if is_family else ()
    header = ("Ways", "Metric", "Mean difference (95 % interval)", "Test", "p", "p (Holm)", *together, "folds", "n")
    return Table("Ways compared over the same folds.", header, rows, (4, 5, len(header) - 2, len(header) - 1),
                 widths=_PAIR_WIDTHS if is_family else ())  # fmt: skip


def _within(pairs: Sequence[FoldPair]) -> Table:
    rows = tuple(
        (f"{pair.comparison.a} − {pair.comparison.b}", label, write.difference_text(value, None, None))
        for pair in pairs
        for label, value in zip(pair.labels, pair.values, strict=True)
    )
    return Table("Difference within each fold.", ("Ways", "Held out", "Difference"), rows, (2,))


def folds_summary(found: CrossValidation) -> str:
    """Mean and interval of each way, and what the pairs say, in one paragraph."""
    lines = []
    for way in found.ways:
        spread = f", SD over folds {way.spread:.3f}" if way.spread is not None else ""
        lines.append(
            f"{way.name}: mean {metric_title(way.mean.metric)} over {len(way.rows)} {_what(way.by)} "
            f"{write.estimate(way.mean)}{spread} ({counted(way.mean.n, way.mean.unit)})."
        )
    return " ".join([*lines, *found.sentence.splitlines()])


def folds_limits(found: CrossValidation, openings: int) -> tuple[tuple[str, str], ...]:
    """What a cross-validation cannot say; ``openings`` of the tests of its folds."""
    folds = sum(len(way.rows) for way in found.ways)
    made = [("Folds", f"Each number within a fold is of a model of its own, of {folds} in all. {MODELS_HELD}")]
    ways = len({way.name.partition(", division")[0] for way in found.ways})
    if ways > 1 or openings > folds:
        told = f"{counted(ways, 'way')} {'is' if ways == 1 else 'are'} told"
        said = f"The tests of these folds were opened {counted(openings, 'time')} in this workspace, and {told}: "
        made.append(("Openings of the test", f"{said}the best of several ways over the same folds flatters itself."))
    made.append(("Finished model", "No single model was tested on all images: a model that is trained on all of them "
                                   "afterwards is not the one that these numbers speak of."))  # fmt: skip
    return tuple(made)


def with_folds(section: Section, splits: Sequence[Split]) -> Section:
    """The section of the split with every fold of every division, and how many images each holds."""
    rows = tuple(
        (
            split.id,
            str(split.fold),
            str(split.seed),
            *(f"{split.sizes[side.value]:,}" if split.sizes[side.value] >= 5 else count_told(split.sizes[side.value])
              for side in Partition),
            split.fingerprint[:16],
        )
        for split in splits
    )  # fmt: skip
    header = ("Split", "fold", "seed", *(side.value for side in Partition), "Fingerprint begins with")
    table = Table("The folds, in images.", header, rows, (1, 2, 3, 4, 5, 6))
    said = Paragraph("What follows of the split is of the first of these folds; all were made by one rule.", "small")
    return replace(section, blocks=(table, said, *section.blocks))


def tested_by_fold(dataset: Dataset, splits: Sequence[Split]) -> Table:
    """Images of each class by the fold that tests them; small cells suppressed."""
    from medfm_gui.workspace.report_demographics import classes_of

    by_id = {sample.id: sample for sample in dataset.samples}
    counted = [[0] * len(dataset.classes) for _ in splits]
    for column, split in zip(counted, splits, strict=True):
        for name in split.samples_in(Partition.TEST):
            for number in classes_of(by_id[name], dataset):
                column[number] += 1
    told = [suppressed(column) for column in counted]
    rows = tuple((name, *(column[place] for column in told)) for place, name in enumerate(dataset.classes))
    header = ("Class", *(f"fold {split.fold}, seed {split.seed}" for split in splits))
    return Table("Images of each class by the fold that tests them.", header, rows, tuple(range(1, len(header))))
