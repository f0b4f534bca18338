"""``evaluate``, ``predictions``, ``compare``, ``report``, ``rebuild``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group

from medfm_gui.base import wire
from medfm_gui.cli.answer import AsJson, ClassSets, Debug, Place, Quiet, answering, table
from medfm_gui.cli.cases import added, number, pair_table
from medfm_gui.cli.runs import Run, Runs, run_row
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.report import Outline, Part
from medfm_gui.domain.units import counted

if TYPE_CHECKING:
    from medfm_gui.workspace.roles import Standing


def _rows(found: tuple[Evaluation, ...]) -> list[tuple[str, ...]]:
    return [
        (
            row.run,
            row.metric + (f" ({row.label})" if row.label else "") + _subset(row),
            number(row.value) or "not estimable",
            f"{number(row.low)}–{number(row.high)}" if row.low is not None else "",
            row.method,
            str(row.n),
        )
        for row in found
    ]


def _subset(row: Evaluation) -> str:
    return "" if row.subset == "test" else f", {row.subset}"


def protocol_document(promised: Standing) -> dict[str, object] | None:
    """The protocol that results stand under; ``objection`` is why it makes none of them primary."""
    locked = promised.locked
    if locked is None:
        return None
    said = {"protocol": locked.id, "sha256": locked.sha256, "locked": locked.locked, "opening": locked.timing.value}
    return {**said, "objection": promised.objection, "departures": list(promised.departures)}


def evaluate(
    run: Runs,
    open_test: Annotated[
        str | None, typer.Option("--open-test", help="Reason for opening the sealed test set.")
    ] = None,
    on: Annotated[str | None, typer.Option("--on", help="Another dataset: an external test of the runs.")] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="THEIR=OURS", help="Which of its classes is which of the runs'."),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="With --on: a covariate whose values are sites.")] = "",
    class_sets: ClassSets = None,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """The test results of finished runs; opens the sealed test set, with a reason, where it is not open yet."""
    if on is not None or map_ or by:
        from medfm_gui.cli.outside import evaluate_on

        evaluate_on(run, on, map_ or [], by, open_test, workspace, json, quiet, debug)
        return
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.cli.cases import beside_test
        from medfm_gui.workspace.evaluating import evaluate as open_and_evaluate
        from medfm_gui.workspace.place import open_workspace
        from medfm_gui.workspace.roles import standing
        from medfm_gui.workspace.training import view

        with open_workspace(workspace) as room:
            opening = open_and_evaluate(room, run, reason=open_test, on_event=bars.event)
            promised = {one: standing(room, [view(room, one)]) for one in run}
            more, remarks, tables = beside_test(room, run, class_sets=class_sets)
        document = {
            **more,
            "evaluations": [
                {**wire.plain(row), "role": promised[row.run].role(row).value} for row in opening.evaluations
            ],
            "without_flagged": [wire.plain(row) for row in opening.without_flagged],
            "flagged": {file.run: list(file.flagged) for file in opening.files if file.flagged},
            "protocol": protocol_document(promised[run[0]]),
            "test_openings": opening.test_openings,
            "openings": [{"run": file.run, "opened": file.opened, "reason": file.reason} for file in opening.files],
        }
        rows = _rows((*opening.evaluations, *opening.without_flagged))
        shown = table("run", "metric", "value", "95 % interval", "method", "n", rows=rows)
        said = [f"This test set was opened {counted(opening.test_openings, 'time')} in this workspace."]
        said += [
            f"{file.run}: the leak gate flagged {counted(len(file.flagged), 'test image')}; "
            + ("the last rows are without them." if file.without_flagged else "what is left cannot be scored.")
            for file in opening.files
            if file.flagged
        ]
        answer.give(document, [*said, *remarks], Group(shown, *tables) if tables else shown)


def predictions(
    run: Run,
    out: Annotated[Path, typer.Option(help="CSV file to write.")],
    subset: Annotated[str, typer.Option(help="test, val or cal.")] = "test",
    both_scales: Annotated[
        bool, typer.Option("--both-scales", help="Also columns score_CLASS, and prob_CLASS: calibrated probabilities.")
    ] = False,
    outlier: Annotated[
        bool,
        typer.Option(
            "--outlier", help="Also columns outlier_score and outlier: how unlike its training images each image is."
        ),
    ] = False,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """The probabilities of a run, one row a sample, as CSV."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.workspace.export import export_predictions
        from medfm_gui.workspace.outliers import limit_line, outlier_limit
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            path, rows = export_predictions(
                room, run, subset, out, both_scales=both_scales, outlier=outlier, on_event=bars.event
            )
            limit = outlier_limit(room.run(run)) if outlier else None
        document = {"run": run, "subset": subset, "path": str(path), "rows": rows}
        more = {"outlier_limit": wire.plain(limit)} if limit is not None else {}
        said = [limit_line(limit)] if limit is not None else []
        answer.give({**document, **more}, [f"{rows} rows in {path}", *said])


def compare(
    run: Runs,
    subgroup: Annotated[
        str | None, typer.Option(metavar="COVARIATE", help="Also the numbers by the values of a covariate.")
    ] = None,
    net_benefit: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LOW HIGH", help="Also calibration, and net benefit between two threshold probabilities."),
    ] = None,
    prevalence: Annotated[
        float | None, typer.Option(help="Share of the event in the intended population, for net benefit.")
    ] = None,
    event: Annotated[
        str, typer.Option(metavar="CLASS", help="With several classes: the one that subgroups and net benefit are of.")
    ] = "",
    all_pairs: Annotated[
        bool, typer.Option("--all-pairs", help="Also every run against every other: exploratory, Holm over all.")
    ] = False,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Paired comparison on the test set; the first run is the reference. Folds of a cross-validation are summed up."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.cli.folds import compared_folds
        from medfm_gui.workspace.comparing import compare as compare_runs
        from medfm_gui.workspace.place import open_workspace
        from medfm_gui.workspace.roles import standing
        from medfm_gui.workspace.shortcuts import shortcuts

        with open_workspace(workspace) as room:
            asked = bool(subgroup is not None or net_benefit or prevalence is not None or event or all_pairs)
            if (folds := compared_folds(room, run, asks_more=asked)) is not None:
                answer.give(*folds)
                return
            found = compare_runs(room, run)
            cheap = shortcuts(room, run)
            promised = standing(room, found.views)
            extra, lines, tables = added(
                room, run, subgroup=subgroup, net_benefit=net_benefit, prevalence=prevalence, event=event,
                all_pairs=all_pairs,
            )  # fmt: skip
        runs = [
            {
                **run_row(view),
                "evaluations": [{**wire.plain(row), "role": promised.role(row).value} for row in test.evaluations],
                "without_flagged": [wire.plain(row) for row in test.without_flagged],
            }
            for view, test in zip(found.views, found.tests, strict=True)
        ]
        pairs = [
            {**wire.plain(pair), "role": promised.role_of_pair(pair, found.views).value} for pair in found.file.pairs
        ]
        document = {
            "runs": runs,
            "pairs": pairs,
            "sentence": found.file.sentence,
            "reference": found.file.runs[0],
            "protocol": protocol_document(promised),
            "baselines": [wire.plain(one) for one in cheap.baselines],
            "baseline_sentences": list(cheap.sentences),
            **extra,
        }
        shown = pair_table((*found.file.pairs, *(pair for one in cheap.baselines for pair in one.pairs)))
        lines = [*cheap.sentences, *(f"{one.title}: {one.note}." for one in cheap.baselines), *lines]
        answer.give(document, [found.file.sentence, *lines], Group(shown, *tables) if tables else shown)


def report(
    run: Runs,
    out: Annotated[Path, typer.Option(help="PDF file to write.")],
    title: Annotated[str, typer.Option(help="Title instead of the usual one.")] = "",
    purpose: Annotated[str, typer.Option(help="What the report is for, in your own words.")] = "",
    without: Annotated[list[Part] | None, typer.Option(help="A section to leave out; may be given again.")] = None,
    attach: Annotated[
        bool | None,
        typer.Option(
            "--attachments/--no-attachments",
            help="Whether orders, results and scores travel inside; else unless the dataset forbids it.",
        ),
    ] = None,
    images_consent: Annotated[
        bool,
        typer.Option(
            "--images-consent", help="Pictures of cases may be shown, whatever the dataset states; you answer for it."
        ),
    ] = False,
    subgroup: Annotated[
        list[str] | None,
        typer.Option(metavar="COVARIATE", help="Also the numbers by the values of a covariate; may be given again."),
    ] = None,
    net_benefit: Annotated[
        tuple[float, float] | None, typer.Option(metavar="LOW HIGH", help="Net benefit between two probabilities.")
    ] = None,
    prevalence: Annotated[
        float | None, typer.Option(help="Share of the event in the intended population, for net benefit.")
    ] = None,
    class_sets: ClassSets = None,
    table_file: Annotated[
        Path | None, typer.Option("--table", metavar="FILE", help="Also the results table, as .csv or .tex.")
    ] = None,
    card: Annotated[Path | None, typer.Option(metavar="FILE", help="Also the model card, as JSON.")] = None,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """The report of runs whose test was opened, as a PDF."""
    with answering(json, quiet, debug) as answer, answer.progress() as bars:
        from medfm_gui.workspace.place import open_workspace
        from medfm_gui.workspace.report_permission import permission_of_runs
        from medfm_gui.workspace.reporting import write_report

        parts = tuple(part for part in Part if part not in (without or ()))
        by = tuple(subgroup or ())
        outline = Outline(title, parts, attach, purpose, net_benefit, prevalence, by, images_consent, class_sets)
        with open_workspace(workspace) as room:
            written = write_report(
                room, run, outline=outline, out=out, table=table_file, card=card, on_event=bars.event
            )
            allowed = permission_of_runs(room, run)
        beside = {
            key: str(path.expanduser().absolute()) for key, path in (("table", table_file), ("card", card)) if path
        }
        said = {"attachments": allowed.files(outline), "pictures": allowed.pictures(outline)}
        lines = [f"{written.path} ({written.pages} pages)", *beside.values()]
        if attach is None and not said["attachments"]:
            lines.append(f"No file travels in it: {allowed.reason}. --attachments puts them in all the same.")
        if not said["pictures"] and Part.EXAMPLES in parts:
            lines.append(f"No picture of a case is in it: {allowed.reason}. --images-consent shows them all the same.")
        reason = {"reason": allowed.reason} if allowed.reason else {}
        answer.give({**wire.plain(written), **beside, **said, **reason}, lines)


def rebuild(workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """Make the database again from the workspace's files."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.base.settings import default_workspace, load_settings
        from medfm_gui.workspace.rebuild import rebuild as rebuild_index

        root = (workspace or default_workspace(load_settings())).expanduser().absolute()
        found = rebuild_index(root)
        answer.give(dataclasses.asdict(found), [f"{found.runs} runs and {found.datasets} datasets indexed again."])
