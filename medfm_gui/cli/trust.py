"""``protocol lock``, ``verify``, ``rerun``: what makes numbers hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medfm_gui.base import wire
from medfm_gui.cli.answer import AsJson, Debug, Place, Quiet, answering, table
from medfm_gui.cli.runs import run_row
from medfm_gui.domain.run import Phase
from medfm_gui.domain.units import counted

_MOST = 20
"""Differences that are told to people; a damaged journal has one a line."""

protocol = typer.Typer(name="protocol", help="What is asked of the test, before it is opened.", no_args_is_help=True)


@protocol.command("lock")
def lock(
    file: Annotated[Path, typer.Argument(help="The protocol as TOML or JSON.")],
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Check, hash and lock a one-page evaluation protocol."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace.place import open_workspace
        from medfm_gui.workspace.protocol import lock_protocol

        with open_workspace(workspace) as room:
            made = lock_protocol(room, file)
        one = made.locked
        document = {
            "protocol": one.id,
            "sha256": one.sha256,
            "locked": one.locked,
            "opening": one.timing.value,
            "opened_by": list(one.opened_by),
            "is_new": made.is_new,
            "sentence": made.sentence,
            "remarks": list(made.remarks),
            "contents": wire.plain(one.protocol),
        }
        answer.give(document, [f"{one.id} (SHA-256 {one.sha256})", made.sentence, *made.remarks])


@protocol.command("list")
def list_(workspace: Place = None, json: AsJson = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """The protocols that were locked in this workspace."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace.place import open_workspace
        from medfm_gui.workspace.protocol import every_protocol, is_intact

        with open_workspace(workspace) as room:
            found = every_protocol(room)
        rows = [
            {
                "protocol": one.id,
                "sha256": one.sha256,
                "locked": one.locked,
                "opening": one.timing.value,
                "dataset": one.protocol.dataset,
                "question": one.protocol.question,
                "intact": is_intact(one),
            }
            for one in found
        ]
        shown = table(
            "protocol",
            "dataset",
            "locked",
            "opening",
            rows=[(row["protocol"], row["dataset"], row["locked"], row["opening"]) for row in rows],
        )
        answer.give({"protocols": rows}, table=shown)


def verify(
    subject: Annotated[
        str, typer.Argument(help="“journal”, a run's id, a report (id or PDF), a CSV of predictions, a .medfm.")
    ],
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Whether the journal, a run or a file is still what was written; exit status 1 where it is not."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace.place import open_workspace
        from medfm_gui.workspace.verifying_files import verify as check

        with open_workspace(workspace) as room:
            found = check(room, subject)
        document = {
            "ok": found.ok,
            "subject": found.subject,
            "checked": found.checked,
            "differences": [wire.plain(item) for item in found.differences],
            "remarks": list(found.remarks),
            **found.facts,
        }
        said = "nothing differs" if found.ok else counted(len(found.differences), "difference")
        lines = [f"{found.subject}: {said} ({found.checked} checked). This detects accidental change."]
        lines += [f"{name}: {value}" for name, value in found.facts.items() if value]
        lines += [item.message for item in found.differences[:_MOST]]
        more = len(found.differences) - _MOST
        lines += [f"and {more} more (--json lists all)"] if more > 0 else []
        answer.give(document, [*lines, *found.remarks])
        if not found.ok:
            first = found.differences[0]
            answer.remark(f"medfm: {found.subject} is not as it was written. {first.message}")
            raise typer.Exit(1)


def rerun(
    source: Annotated[str, typer.Argument(help="A run's id, or a report (PDF) with its files attached.")],
    open_test: Annotated[
        str | None, typer.Option("--open-test", help="Reason to open the test of the new run, to compare its numbers.")
    ] = None,
    workspace: Place = None,
    json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Repeat a run under a new id, and say whether the numbers are the same to the last bit."""
    with answering(json, quiet, debug) as answer:
        from medfm_gui.workspace.place import open_workspace
        from medfm_gui.workspace.repeating import rerun as repeat

        with open_workspace(workspace) as room, answer.progress() as bars:
            found = repeat(room, source, open_test=open_test, on_state=bars.run, on_event=bars.event)
        rows = [
            {
                **run_row(one.view),
                "repeats": one.original,
                "equal": one.is_equal,
                "compared": one.compared,
                "differences": [wire.plain(item) for item in one.differences],
                "remarks": list(one.remarks),
            }
            for one in found
        ]
        lines = []
        for one in found:
            said = f"the same to the last bit ({one.compared} numbers and files)" if one.is_equal else "not the same"
            lines.append(f"{one.view.id} repeats {one.original}: {one.view.state.phase.value}, {said}")
            lines += [item.message for item in one.differences] + list(one.remarks)
        answer.give({"runs": rows, "equal": all(one.is_equal for one in found)}, lines)
        failed = [one.view for one in found if one.view.state.phase is not Phase.FINISHED]
        for view in failed:
            answer.remark(f"medfm: {view.id} {view.state.phase.value}: {view.state.message} {view.state.hint}".rstrip())
        if failed:
            raise typer.Exit(1)
