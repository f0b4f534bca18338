"""``train``, ``runs``, ``pause``, ``resume``, ``cancel``, ``supervise``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medfm_gui.cli.answer import Answer, AsJson, Debug, Place, Quiet, answering, table
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.portable import imported_from
from medfm_gui.domain.presets import preset_remarks
from medfm_gui.domain.run import Phase
from medfm_gui.domain.threshold import ALIKE, DEFAULT_RULE, RULE, RuleOrigin, has_threshold, rule_in_words

if TYPE_CHECKING:
    from medfm_gui.workspace.place import Workspace
    from medfm_gui.workspace.training import RunView

Run = Annotated[str, typer.Argument(help="Id of the run.")]
Runs = Annotated[list[str], typer.Argument(help="Ids of runs.")]


class Backend(StrEnum):
    """Where runs are computed: processes of this computer."""

    LOCAL = "local"


Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the end, or start in the background.")]


def train(
    dataset: Annotated[str, typer.Option(help="Id of the dataset.")],
    model: Annotated[list[str], typer.Option(help="Registry name of a model; several for several runs.")],
    adapt: Annotated[list[str], typer.Option(help="A way to adapt, e.g. linear; several for several runs.")],
    split: Annotated[str | None, typer.Option(help="Id of the split; default: the newest of the dataset.")] = None,
    shots: Annotated[
        list[str] | None,
        typer.Option(help="Training patients a class, with commas, as in 1,2,4,all; a run each. Default: all."),
    ] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Seed; several for several runs.")] = None,
    seeds: Annotated[int | None, typer.Option(help="So many seeds, from 0: 5 for 0 to 4.")] = None,
    preset: Annotated[str, typer.Option(help="A named recipe.")] = "",
    set_: Annotated[list[str] | None, typer.Option("--set", help="A setting as key=value, e.g. epochs=10.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:0.")] = "auto",
    backend: Annotated[Backend, typer.Option(help="Where the runs are computed.")] = Backend.LOCAL,
    from_scratch: Annotated[bool, typer.Option("--from-scratch", help="Start from random weights.")] = False,
    wait: Wait = True,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train: one run for each combination of model, adaptation, number of shots, seed and fold."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace import training
        from medfm_gui.workspace.place import open_workspace

        request = training.TrainRequest(
            dataset=dataset,
            models=tuple(dict.fromkeys(model)),
            adapts=tuple(dict.fromkeys(adapt)),
            split=split,
            seeds=_seeds(seed, seeds),
            shots=_shots(shots or ["all"]),
            preset=preset,
            settings=_settings(set_ or []),
            device=device,
            from_scratch=from_scratch,
        )
        for sentence in preset_remarks(preset):
            answer.remark(sentence)
        with open_workspace(workspace) as room:
            made = training.create_runs(room, request)
            for sentence in _of_the_rule(made, request.settings):
                answer.remark(sentence)
            views = _carry_out(answer, room, [view.id for view in made], wait)
        _tell(answer, views, wait)


def _of_the_rule(made: Sequence[RunView], told: Mapping[str, str]) -> Iterator[str]:
    """What is to be said of a threshold rule that was not told: nobody chose it, or a locked protocol did."""
    if RULE in told:
        return
    rules = {view.spec.recipe.threshold_rule for view in made if view.spec.threshold_from is RuleOrigin.PROTOCOL}
    for rule in sorted(rules):
        yield f"Threshold rule: {rule_in_words(rule)}, as the locked protocol names it."
    if any(view.spec.threshold_from is RuleOrigin.DEFAULT for view in made):
        yield (
            f"No threshold rule was chosen: {rule_in_words(DEFAULT_RULE)} is taken, which {ALIKE}. Choose one with "
            "--set threshold_rule=sensitivity:0.9, specificity:0.9, cost:5 (a miss costs five false alarms) or youden."
        )


def _seeds(named: Sequence[int] | None, count: int | None) -> tuple[int, ...]:
    if count is None:
        return tuple(dict.fromkeys(named or [0]))
    if named or count < 1:
        raise UsageError("Seeds are named by --seed, or counted by --seeds.", "Use one of them, e.g. --seeds 5.")
    return tuple(range(count))


def _shots(words: Sequence[str]) -> tuple[int | None, ...]:
    found: list[int | None] = []
    for word in (part.strip() for text in words for part in text.split(",") if part.strip()):
        if word != "all" and not word.isdecimal():
            raise UsageError(f"“{word}” is no number of shots.", "Use --shots 1,2,4,8,16,all.")
        found.append(None if word == "all" else int(word))
    return tuple(dict.fromkeys(found))


def _settings(pairs: Sequence[str]) -> dict[str, str]:
    settings = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key.strip():
            raise UsageError(f"“{pair}” is not a setting.", "Write --set key=value.")
        settings[key.strip()] = value.strip()
    return settings


def _carry_out(answer: Answer, room: Workspace, run_ids: Sequence[str], wait: bool) -> list[RunView]:
    from medfm_gui.workspace import training

    if not wait:
        return training.start_in_background(room, run_ids)
    with answer.progress() as bars:
        return training.run_to_end(room, run_ids, on_state=bars.run)


def _tell(answer: Answer, views: Sequence[RunView], wait: bool) -> None:
    """Answer with runs; those that were waited for and did not finish are named, and make the command fail."""
    give_runs(answer, views)
    if wait and any(view.state.phase is not Phase.FINISHED for view in views):
        for view in views:
            if view.state.phase is not Phase.FINISHED:
                answer.remark(
                    f"medfm: {view.id} {view.state.phase.value}: {view.state.message} {view.state.hint}".rstrip()
                )
        raise typer.Exit(1)


def give_runs(answer: Answer, views: Sequence[RunView]) -> None:
    """The answer of every command that returns runs."""
    rows = [
        (
            view.id,
            view.state.phase.value + " (imported)" * bool(imported_from(view.state.facts)),
            view.spec.card.name,
            view.spec.adapt,
            "all" if view.spec.shots is None else view.spec.shots,
            view.spec.seed,
            view.spec.split_id,
            headline(view),
            _left(view),
        )
        for view in views
    ]
    shown = table("run", "state", "model", "adaptation", "shots", "seed", "split", "validation", "left", rows=rows)
    answer.give({"runs": [run_row(view) for view in views]}, table=shown)


def headline(view: RunView) -> str:
    """The first validation metric of a finished run."""
    return next((f"{name} {value:.3f}" for name, value in view.state.metrics.items()), "")


def _left(view: RunView) -> str:
    return f"{view.state.seconds_left:.0f} s" if view.state.seconds_left is not None else ""


def run_row(view: RunView) -> dict[str, Any]:
    """A run as a document."""
    state, spec = view.state, view.spec
    row: dict[str, Any] = {
        "run": view.id,
        "model": spec.card.name,
        "family": spec.card.family.value,
        "adapt": spec.adapt,
        "shots": spec.shots,
        "seed": spec.seed,
        "fold": spec.fold,
        "dataset": spec.dataset_id,
        "split": spec.split_id,
        "state": state.phase.value,
        "metrics": dict(state.metrics),
        "metrics_subset": "val",
        "positive": spec.positive,
        "threshold_rule": spec.recipe.threshold_rule if has_threshold(spec.task) else None,
        "threshold_rule_from": spec.threshold_from.value or None,
        "seconds": state.seconds,
        "startup_seconds": state.startup_seconds,
        "samples_per_second": state.samples_per_second,
        "trained_parameters": state.trained_parameters,
        "labels_used": state.labels_used,
        "peak_memory_bytes": state.peak_memory_bytes,
        "peak_memory_mb": round(state.peak_memory_bytes / 1e6, 1),
        "facts": dict(state.facts),
        "epoch": state.epoch,
        "from_scratch": spec.from_scratch,
        "weights": _weights(view),
        "device": state.device or spec.device,
        "resumable": state.resumable,
        "warnings": list(state.warnings),
        "imported": imported_from(state.facts),
        "folder": str(view.folder),
    }
    if state.error_kind:
        row["reason"] = state.error_kind
        row["error"] = {"kind": state.error_kind, "message": state.message, "hint": state.hint}
    return row


def _weights(view: RunView) -> str:
    if view.spec.weights is not None:
        return view.spec.weights.sha256
    return "random" if view.spec.from_scratch or not imported_from(view.state.facts) else "imported"


def runs(workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """The runs of the workspace: queue and history."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace import training
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            views = training.every_run(room)
        give_runs(answer, views)


def pause(run: Runs, workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """Ask runs to save their place and stop."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace import training
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            views = [training.pause(room, run_id) for run_id in run]
        give_runs(answer, views)


def cancel(
    run: Runs, workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False
) -> None:
    """Stop runs for good."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace import training
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            views = [training.cancel(room, run_id) for run_id in run]
        give_runs(answer, views)


def resume(
    run: Runs,
    wait: Wait = True,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Go on with paused or interrupted runs, to the same result as without the stop."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace import training
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            for run_id in run:
                training.check_resumable(room, run_id)
            views = _carry_out(answer, room, run, wait)
        _tell(answer, views, wait)


def supervise(
    run: Runs, workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False
) -> None:
    """Look after runs until they end: what “train --no-wait” starts in the background."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace.place import open_workspace

        with open_workspace(workspace) as room:
            views = _carry_out(answer, room, run, wait=True)
        _tell(answer, views, wait=True)
