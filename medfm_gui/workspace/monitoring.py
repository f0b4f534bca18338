"""Looking after runs that exist: the end of a log, what a worker holds, the same run once more, the seal of a test."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.split import Partition
from medfm_gui.store.rows import Opening
from medfm_gui.workspace import data, evaluating, training
from medfm_gui.workspace.models import model
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.training import RunView

_LOG = "log.txt"
_LONGEST_TAIL = 1 << 18
_LONGEST_LINE = 2000
_FIRST_EVENTS = 512


@dataclass(frozen=True, slots=True)
class Use:
    """What a worker holds now; None where this system does not say. ``cores``: 1.0 is one core since its start."""

    memory_bytes: int | None
    peak_bytes: int | None
    cores: float | None
    gpu_bytes: int | None = None
    gpu_percent: float | None = None


@dataclass(frozen=True, slots=True)
class Seal:
    """How the seal of a test stands: runs that have not opened it, its images, and who opened them before."""

    sealed: tuple[str, ...]
    images: int
    earlier: tuple[Opening, ...]


def end_of_log(folder: Path, lines: int) -> tuple[str, bool]:
    """The last lines of a run's log, and whether there are more before; empty where nothing was printed."""
    try:
        with (folder / _LOG).open("rb") as handle:
            size = handle.seek(0, os.SEEK_END)
            handle.seek(max(0, size - _LONGEST_TAIL))
            text = handle.read(_LONGEST_TAIL).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return "", False
    every = text.splitlines()
    kept = every[-lines:]
    cut = size > _LONGEST_TAIL or len(every) > len(kept)
    # a progress bar rewrites its line with carriage returns, which splitlines has split already
    return "\n".join(line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…" for line in kept), cut


def first_start(folder: Path) -> ev.RunStarted | None:
    """The event with which a run's first worker began; None where none has."""
    from medfm_gui.jobs.follow import Tail

    tail = Tail(folder)
    seen = 0
    while seen < _FIRST_EVENTS and (events := tail.read()):
        seen += len(events)
        for event in events:
            if isinstance(event, ev.RunStarted):
                return event
    return None


def use_of(folder: Path) -> Use | None:
    """What the worker of a run holds now; None when it has none that lives."""
    from medfm_gui.jobs.owner import alive, read_owner

    owner = read_owner(folder)
    if owner is None or owner.worker is None or not alive(owner.worker):
        return None
    pid = owner.worker.pid
    memory, peak, cores = _of_linux(pid) if sys.platform == "linux" else (None, None, None)
    gpu_bytes, gpu_percent = _of_gpu(pid)
    return Use(memory, peak, cores, gpu_bytes, gpu_percent)


def _of_linux(pid: int) -> tuple[int | None, int | None, float | None]:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        times = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        return None, None, None
    sizes = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    ticks = os.sysconf("SC_CLK_TCK")
    lived = uptime - int(times[19]) / ticks
    used = (int(times[11]) + int(times[12])) / ticks
    return _kilobytes(sizes.get("VmRSS")), _kilobytes(sizes.get("VmHWM")), used / lived if lived > 1 else None


def _kilobytes(text: str | None) -> int | None:
    return int(text.split()[0]) * 1024 if text else None


def _of_gpu(pid: int) -> tuple[int | None, float | None]:
    """Memory of a process on NVIDIA GPUs and how busy the first of these is, as ``nvidia-smi`` says."""
    import shutil
    import subprocess

    program = shutil.which("nvidia-smi")
    if program is None:
        return None, None
    asked = ("--query-compute-apps=pid,used_memory,gpu_uuid", "--query-gpu=uuid,utilization.gpu")
    try:
        apps, gpus = (
            subprocess.run(
                [program, query, "--format=csv,noheader,nounits"], capture_output=True, text=True, check=True, timeout=5
            ).stdout
            for query in asked
        )
        ours = [row for line in apps.splitlines() if (row := _cells(line)) and row[0] == str(pid)]
        busy = {row[0]: row[1] for line in gpus.splitlines() if len(row := _cells(line)) > 1}
        if not ours:
            return None, None
        return sum(int(row[1]) for row in ours) * 1024 * 1024, float(busy[ours[0][2]])
    except (OSError, ValueError, LookupError, subprocess.SubprocessError):
        return None, None


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split(",")]


def repeat_run(workspace: Workspace, run_id: str) -> RunView:
    """Make the same run once more under a new id; nothing starts yet.

    Raises:
        InputError: the data, the split or the weights are no longer what the run used.
        NotFound, WeightsAbsent, UsageError: they are no longer there.
    """
    spec = training.spec_of(workspace.run(run_id))
    _check_unchanged(workspace, run_id)
    settings = {
        item.name: _written(value) for item in fields(Recipe) if (value := getattr(spec.recipe, item.name)) is not None
    }
    request = training.TrainRequest(
        dataset=spec.dataset_id,
        models=(spec.card.name,),
        adapts=(spec.adapt,),
        split=spec.split_id,
        seeds=(spec.seed,),
        preset=spec.preset,
        settings=settings,
        device=spec.device,
        from_scratch=spec.from_scratch,
        shots=(spec.shots,),
        threshold_from=spec.threshold_from,
    )
    return training.create_runs(workspace, request)[0]


def _written(value: object) -> str:
    """A setting as it is written on a command line."""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _check_unchanged(workspace: Workspace, run_id: str) -> None:
    spec = training.spec_of(workspace.run(run_id))
    dataset = data.read(workspace, spec.dataset_id)
    if dataset.fingerprint != spec.dataset_fingerprint:
        raise InputError(
            f"The dataset “{spec.dataset_id}” is not what {run_id} was trained on any more.",
            "Start a new run; its results cannot be put beside the old ones.",
        )
    if sha256_file(workspace.split(spec.split_id)) != spec.split.sha256:
        raise InputError(
            f"The split “{spec.split_id}” is not what {run_id} was trained on any more.",
            "Start a new run; its results cannot be put beside the old ones.",
        )
    if spec.weights is not None and model(workspace.settings, spec.card.name).weights.sha256 not in (
        "",  # absent: said with its own advice when the run is made
        spec.weights.sha256,
    ):
        raise InputError(
            f"The weights of {spec.card.title} on this computer are not those that {run_id} started from.",
            "Start a new run with the present weights, or import the earlier file in Settings.",
        )


def seal(workspace: Workspace, run_ids: Sequence[str]) -> Seal:
    """How the seal of the test of these runs stands; nothing is opened, nothing is counted.

    Raises:
        NotFound: a run, its dataset or its split is not there.
    """
    from medfm_gui.datasets.split import sample_set_hash
    from medfm_gui.store import queries

    sealed = tuple(run_id for run_id in run_ids if not evaluating.evaluation_path(workspace, run_id).exists())
    sets: dict[str, int] = {}
    for split_id in dict.fromkeys(training.spec_of(workspace.run(run_id)).split_id for run_id in sealed):
        split = data.splits_of(workspace, split_id)[0]
        ids = split.samples_in(Partition.TEST)
        sets[sample_set_hash(data.read(workspace, split.dataset), ids)] = len(ids)
    with workspace.store.reading() as reader:
        earlier = [look for name in sets for look in queries.openings(reader, sample_set=name)]
    return Seal(sealed, sum(sets.values()), tuple(sorted(earlier, key=lambda look: (look.at, look.run))))
