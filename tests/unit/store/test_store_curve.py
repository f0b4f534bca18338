from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medfm_gui.domain.events import EpochFinished, Event, Progressed, RunResumed
from medfm_gui.domain.run import RunState, fold
from medfm_gui.store import queries
from medfm_gui.store.store import Store

if TYPE_CHECKING:
    from tests.unit.store.conftest import Facts

EVENTS: st.SearchStrategy[list[Event]] = st.lists(
    st.one_of(
        st.builds(
            EpochFinished,
            at=st.just(1.0),
            epoch=st.integers(1, 6),
            epochs=st.just(6),
            metrics=st.dictionaries(st.sampled_from(["auc", "loss"]), st.none() | st.floats(0, 1), max_size=2),
            best=st.booleans(),
        ),
        st.builds(RunResumed, at=st.just(1.0), epoch=st.integers(0, 6)),
        st.just(Progressed(1.0, "train", 1, 2)),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, cuts=st.lists(st.integers(0, 12), max_size=3))
def test_the_stored_curve_is_the_folded_one_however_the_events_are_cut(
    store: Store, facts: Facts, tmp_path: Path, events: list[Event], cuts: list[int]
) -> None:
    store.put_run(facts.spec(), tmp_path)
    store.record_events("r0001", [RunResumed(0.0, 0)], RunState())
    state = RunState()
    for start, end in pairwise(sorted({0, *cuts, 12})):
        state = fold(state, events[start:end])
        store.record_events("r0001", events[start:end], state)
    store.flush()
    with store.reading() as reader:
        assert queries.curve(reader, "r0001") == state.curve
        assert queries.run(reader, "r0001").state.epoch == state.epoch


@pytest.mark.parametrize("times", [1, 2])
def test_reading_a_whole_run_again_gives_the_same_curve(store: Store, facts: Facts, tmp_path: Path, times: int) -> None:
    events = facts.events()
    store.put_run(facts.spec(), tmp_path)
    for _ in range(times):
        store.record_events("r0001", events, facts.state(events))
    with store.reading() as reader:
        curve = queries.curve(reader, "r0001")
    assert [point.epoch for point in curve] == [1, 2, 3]
    assert curve[2].metrics == {"auc": 0.9, "loss": None}
