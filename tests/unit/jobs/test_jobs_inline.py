from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from medfm_gui.domain.errors import NonFiniteLoss, WorkspaceBusy
from medfm_gui.domain.events import EpochFinished, Event, RunFinished, RunStarted
from medfm_gui.domain.run import Phase
from medfm_gui.jobs import follow, owner, request
from medfm_gui.jobs.inline import run_inline
from medfm_gui.jobs.request import Request

if TYPE_CHECKING:
    from tests.unit.jobs.conftest import Lab

Events = Generator[Event, None, None]


def good() -> Events:
    yield RunStarted(1.0, "cpu")
    yield EpochFinished(2.0, 1, 1, {"auc": 0.5})
    yield RunFinished(3.0, {"auc": 0.5}, 1.0)


def test_the_same_files_and_states_as_in_a_process(lab: Lab, tmp_path: Path) -> None:
    state = run_inline(tmp_path, good(), on_events=lab.watched)
    assert follow.read_all(tmp_path) == list(good()) == lab.watched.events
    assert state == follow.state_of(tmp_path)
    assert state.phase is Phase.FINISHED
    assert owner.read_owner(tmp_path) is None


def test_a_named_failure_becomes_the_last_event(tmp_path: Path) -> None:
    def fails() -> Events:
        yield RunStarted(1.0, "cpu")
        raise NonFiniteLoss("The loss became NaN at step 3.", "Lower lr.")

    state = run_inline(tmp_path, fails())
    assert (state.phase, state.error_kind, state.hint) == (Phase.FAILED, "non_finite_loss", "Lower lr.")
    assert state == follow.state_of(tmp_path)


def test_a_defect_is_named_without_its_text(tmp_path: Path) -> None:
    def fails() -> Events:
        yield RunStarted(1.0, "cpu")
        raise KeyError("Doe^John")

    state = run_inline(tmp_path, fails())
    assert state.error_kind == "internal_error"
    assert "Doe" not in state.message


def test_events_without_a_last_word_are_a_failure(tmp_path: Path) -> None:
    def ends() -> Events:
        yield RunStarted(1.0, "cpu")

    assert run_inline(tmp_path, ends()).error_kind == "worker_failed"


def test_a_cancel_closes_the_work(tmp_path: Path) -> None:
    closed = []

    def endless() -> Events:
        try:
            yield RunStarted(1.0, "cpu")
            request.ask(tmp_path, Request.CANCEL)
            for epoch in range(1, 100):
                yield EpochFinished(2.0, epoch, 100, {})
        finally:
            closed.append(True)

    state = run_inline(tmp_path, endless())
    assert (state.phase, state.epoch, closed) == (Phase.CANCELLED, 1, [True])


def test_an_owned_run_is_refused(tmp_path: Path) -> None:
    owner.claim(tmp_path)
    with pytest.raises(WorkspaceBusy):
        run_inline(tmp_path, good())
