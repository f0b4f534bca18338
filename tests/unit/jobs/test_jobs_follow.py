from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medfm_gui.base import wire
from medfm_gui.domain.errors import DiskFull
from medfm_gui.domain.events import (
    Beat,
    EpochFinished,
    Event,
    Progressed,
    RunFinished,
    RunPaused,
    RunStarted,
    Warned,
)
from medfm_gui.domain.run import Phase, RunState
from medfm_gui.jobs import follow, owner


def write(folder: Path, *events: Event, torn: bytes = b"") -> None:
    with (folder / follow.EVENTS).open("ab") as handle:
        handle.write(b"".join(wire.encode_event(event) for event in events) + torn)


def steps(count: int) -> list[Event]:
    return [Progressed(float(number), "train", number, count) for number in range(count)]


def test_a_folder_without_events_is_empty(tmp_path: Path) -> None:
    assert follow.read_all(tmp_path) == []
    assert follow.last_event(tmp_path) is None
    assert follow.cut_torn_line(tmp_path) == 0


def test_twenty_thousand_events_arrive_once_in_order_in_small_batches(tmp_path: Path) -> None:
    sent = steps(20_000)
    write(tmp_path, *sent)
    batches = list(follow.follow(tmp_path, over=lambda: True, interval_s=0))
    assert [event for batch in batches for event in batch] == sent
    assert max(map(len, batches)) == 64


def test_a_torn_last_line_is_held_back_until_it_is_whole(tmp_path: Path) -> None:
    line = wire.encode_event(Beat(2.0))
    write(tmp_path, Beat(1.0), torn=line[:10])
    tail = follow.Tail(tmp_path)
    assert tail.read() == [Beat(1.0)]
    assert tail.read() == []
    write(tmp_path, torn=line[10:])
    assert tail.read() == [Beat(2.0)]


def test_a_torn_line_that_is_cut_does_not_confuse_a_reader(tmp_path: Path) -> None:
    write(tmp_path, Beat(1.0), torn=b'{"event": "Epo')
    tail = follow.Tail(tmp_path)
    assert tail.read() == [Beat(1.0)]
    follow.append_events(tmp_path, [Beat(3.0)])
    assert tail.read() == [Beat(3.0)]
    assert follow.read_all(tmp_path) == [Beat(1.0), Beat(3.0)]


@pytest.mark.parametrize("length", [0, 1, 70_000, 140_000])
def test_cutting_takes_what_follows_the_last_newline_and_nothing_else(tmp_path: Path, length: int) -> None:
    whole = wire.encode_event(Beat(1.0)) + wire.encode_event(Warned(2.0, "x" * 70_000))
    (tmp_path / follow.EVENTS).write_bytes(whole + b"y" * length)
    assert follow.cut_torn_line(tmp_path) == length
    assert (tmp_path / follow.EVENTS).read_bytes() == whole


def test_cutting_a_file_of_one_torn_line_empties_it(tmp_path: Path) -> None:
    (tmp_path / follow.EVENTS).write_bytes(b"y" * 100_000)
    assert follow.cut_torn_line(tmp_path) == 100_000
    assert (tmp_path / follow.EVENTS).read_bytes() == b""


def test_a_line_longer_than_a_block_is_read(tmp_path: Path) -> None:
    sent: list[Event] = [Beat(1.0), Warned(2.0, "x" * 300_000), Beat(3.0)]
    write(tmp_path, *sent)
    assert follow.read_all(tmp_path) == sent
    assert follow.last_event(tmp_path) == Beat(3.0)
    write(tmp_path, sent[1])
    assert follow.last_event(tmp_path) == sent[1]


def test_a_whole_line_that_is_no_event_is_told_and_skipped(tmp_path: Path) -> None:
    write(tmp_path, Beat(5.0), torn=b'{"event": "FromTheFuture", "at": 1}\n')
    write(tmp_path, Beat(6.0))
    first, second, third = follow.read_all(tmp_path)
    assert (first, third) == (Beat(5.0), Beat(6.0))
    assert isinstance(second, Warned)
    assert second.at == 5.0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(1, 70))
def test_any_bytes_are_read_without_an_exception_and_split_alike(
    tmp_path: Path, lines: list[bytes], limit: int
) -> None:
    (tmp_path / follow.EVENTS).write_bytes(b"\n".join(lines))
    tail = follow.Tail(tmp_path)
    found = 0
    while batch := tail.read(limit):
        assert len(batch) <= limit
        found += len(batch)
    assert found == b"\n".join(lines).count(b"\n")
    follow.told(tmp_path)
    follow.last_event(tmp_path)


def test_a_run_that_nobody_started_is_queued_and_says_so(tmp_path: Path) -> None:
    state = follow.state_of(tmp_path)
    assert state.phase is Phase.QUEUED
    assert "Nobody has started it" in state.message


def own(folder: Path, *, dead: bool = False, waits_for: str = "") -> None:
    me = owner.myself()
    started = "1" if dead else me.started
    wire.write(folder / "owner.json", owner.Owner(me.pid, me.boot_id, started, waits_for=waits_for))


def test_a_run_whose_owner_lives_is_what_its_events_say(tmp_path: Path) -> None:
    own(tmp_path)
    write(tmp_path, RunStarted(1.0, "cpu"), EpochFinished(2.0, 1, 5, {}))
    assert follow.state_of(tmp_path).phase is Phase.RUNNING


def test_a_paused_run_that_stands_in_line_again_reads_as_queued(tmp_path: Path) -> None:
    write(tmp_path, RunStarted(1.0, "cpu"), RunPaused(2.0, 1))
    assert follow.state_of(tmp_path).phase is Phase.PAUSED
    own(tmp_path, waits_for="It waits for its turn on cpu.")
    state = follow.state_of(tmp_path)
    assert (state.phase, state.message) == (Phase.QUEUED, "It waits for its turn on cpu.")


def test_a_finished_run_stays_finished_whoever_owns_it(tmp_path: Path) -> None:
    write(tmp_path, RunStarted(1.0, "cpu"), RunFinished(2.0, {}, 1.0))
    own(tmp_path, waits_for="something")
    assert follow.state_of(tmp_path).phase is Phase.FINISHED
    own(tmp_path, dead=True)
    assert follow.state_of(tmp_path).phase is Phase.FINISHED


@pytest.mark.parametrize(
    ("events", "checkpoint", "resumable", "place"),
    [
        ([], False, True, "from the beginning"),
        ([RunStarted(1.0, "cpu")], False, True, "from the beginning"),
        ([RunStarted(1.0, "cpu"), EpochFinished(2.0, 3, 5, {})], True, True, "after epoch 3"),
        ([RunStarted(1.0, "cpu"), EpochFinished(2.0, 3, 5, {})], False, False, "new run"),
    ],
)
def test_a_run_of_a_dead_owner_reads_as_interrupted_and_nothing_is_written(
    tmp_path: Path, events: list[Event], checkpoint: bool, resumable: bool, place: str
) -> None:
    own(tmp_path, dead=True)
    write(tmp_path, *events)
    if checkpoint:
        (tmp_path / "checkpoint").mkdir()
        (tmp_path / "checkpoint" / "last.safetensors").touch()
    before = {path: path.read_bytes() for path in tmp_path.glob("*") if path.is_file()}
    state = follow.state_of(tmp_path)
    assert (state.phase, state.error_kind, state.resumable) == (Phase.FAILED, "interrupted", resumable)
    assert place in state.hint
    assert {path: path.read_bytes() for path in tmp_path.glob("*") if path.is_file()} == before


def test_a_temporary_file_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / ".last.safetensors.x.tmp").touch()
    assert not follow.has_checkpoint(tmp_path)


def test_a_run_taken_over_while_it_is_read_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, RunStarted(1.0, "cpu"))
    told = follow.told

    def slow(folder: Path) -> RunState:
        found = told(folder)
        own(tmp_path)  # somebody resumes it now
        return found

    monkeypatch.setattr(follow, "told", slow)
    assert follow.state_of(tmp_path).phase is Phase.RUNNING


def test_waiting_for_an_end_ends_with_the_time(tmp_path: Path) -> None:
    own(tmp_path)
    write(tmp_path, RunStarted(1.0, "cpu"))
    assert follow.wait_for_end(tmp_path, timeout_s=0.1).phase is Phase.RUNNING
    write(tmp_path, RunPaused(1.0, 1))
    assert follow.wait_for_end(tmp_path, timeout_s=5).phase is Phase.PAUSED


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / follow.EVENTS).symlink_to("/dev/full")
    monkeypatch.setattr(follow, "cut_torn_line", lambda folder: 0)
    with pytest.raises(DiskFull, match="could not be written down"):
        follow.append_events(tmp_path, [Beat(1.0)])


def test_another_error_of_the_system_stays_itself(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        follow.append_events(tmp_path / "absent", [Beat(1.0)])
