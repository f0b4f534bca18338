"""Children that decode foreign files: each has a limit of memory and of time, and takes one file with it when it dies.

One thread uses a pool at a time. Orders wait in one queue, every child has a few of them in hand;
a reader thread a child brings the answers. A child that dies or hangs costs the file it had begun:
a fresh one takes over what it had not.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import json
import os
import queue
import secrets
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from medfm_gui.base import children
from medfm_gui.domain.errors import DiskFull, InternalError
from medfm_gui.imaging.batches import Held, batch_orders
from medfm_gui.imaging.examined import VolumeJob, VolumeResult, volume_order, volume_result
from medfm_gui.imaging.file_facts import FileFacts
from medfm_gui.imaging.header import DicomHeader, header_from_values
from medfm_gui.imaging.reasons import Reason
from medfm_gui.imaging.record import Record, record_from_plain

MEMORY_BYTES = 4 << 30
SECONDS_A_FILE = 20.0
_SECONDS_TO_START = 120.0
_IN_HAND = 8
_AHEAD = 4
_MOST_CHILDREN = 16
_CHILD = "medfm_gui.imaging.child"
_SURROUNDINGS: Mapping[str, str] = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": "1073741824",  # glibc gives each image's memory back and faults it in again, else
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
}


@dataclass(frozen=True, slots=True)
class PictureJob:
    """One image to decode. ``key`` comes back with the result; ``root`` is the folder that links may not leave."""

    key: str
    path: str
    root: str | None = None
    frame: int | None = None
    clamp: tuple[float, float] | None = None
    """Bounds of a CT's values, in HU; None: the window of its header."""
    sha256: str = ""
    """Of a file whose pixels are known already: it then vouches for them, and ``stored_sha256`` may be empty."""


@dataclass(frozen=True, slots=True)
class CachedPixels:
    """Where a picture's pixels are: raw values in a shard file of the folder given, C order, from byte ``offset``."""

    shard: str
    offset: int
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class PictureResult:
    """What became of a job: a picture's facts, or a ``reason`` of ``Reason`` with a sentence.

    ``rows`` and ``columns`` are those of the whole image; ``cached`` tells the shrunk copy's shape.
    """

    key: str
    ok: bool
    reason: str = ""
    message: str = ""
    rows: int = 0
    columns: int = 0
    stored_sha256: str = ""
    header: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    cached: CachedPixels | None = None
    file: FileFacts | None = None
    """The file as it was read; None unless its pixels were cached."""


@dataclass(frozen=True, slots=True)
class HeaderResult:
    """A DICOM header, or why there is none."""

    path: str
    ok: bool
    reason: str = ""
    message: str = ""
    header: DicomHeader | None = None


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What a MATLAB file says beside its pixels, or why nothing."""

    path: str
    ok: bool
    reason: str = ""
    message: str = ""
    record: Record | None = None


_Answers = collections.deque[tuple[str, dict[str, Any], str]]
"""Key of the order, the child's words, and the name of the child's shard."""
_Events = queue.SimpleQueue[tuple["_Child", bytes]]
"""Lines of the children; an empty one is the last."""
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class _Order:
    key: str
    words: Mapping[str, Any]
    answers: _Answers


class _Child:
    """A process, the orders it has in hand (the first is being worked on), and since when."""

    def __init__(self, events: _Events, shard: Path | None, settings: Mapping[str, Any]) -> None:
        self.shard = shard
        self.in_hand: collections.deque[tuple[int, _Order]] = collections.deque()
        self.is_ready = False
        self.since = time.monotonic()
        self.process: subprocess.Popen[bytes] = children.spawn(
            children.python(_CHILD),
            environment=children.clean_environment(_SURROUNDINGS),
            folder=Path(tempfile.gettempdir()),
            stdout=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._read, args=(events,), name="decode answers", daemon=True)
        self._reader.start()
        self.tell({"shard": str(shard) if shard else None, **settings})

    def _read(self, events: _Events) -> None:
        assert self.process.stdout is not None  # noqa: S101 - opened as a pipe above
        for line in self.process.stdout:
            events.put((self, line))
        events.put((self, b""))

    def tell(self, words: Mapping[str, Any]) -> None:
        """Send a line; a child that is gone will be noticed by its reader."""
        assert self.process.stdin is not None  # noqa: S101 - opened as a pipe above
        with contextlib.suppress(OSError):
            self.process.stdin.write(json.dumps(words).encode("ascii") + b"\n")
            self.process.stdin.flush()

    def give(self, number: int, order: _Order) -> None:
        """Add an order to those in hand."""
        if not self.in_hand:
            self.since = time.monotonic()
        self.in_hand.append((number, order))
        self.tell({"id": number, **order.words})

    def end(self, *, kill: bool) -> None:
        """Let the process finish, or kill it, and collect it."""
        if kill:
            self.process.kill()
        with contextlib.suppress(OSError):
            self.process.stdin.close()  # type: ignore[union-attr]
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        self.process.stdout.close()  # type: ignore[union-attr]


class DecodePool:
    """Decoding children, used as a context manager.

    Args:
        shards: folder in which shrunk pixels are collected; None keeps no pixels.
        short_side: the shorter side of cached pixels at most; None keeps full size.
        processes: how many children; by default one a core, but one core is left free from three up.
        seconds_a_file, memory_bytes: the limits for one file and for one child.
        is_patient: the children leave the processor to others first, for work that nobody waits for.
    """

    def __init__(
        self,
        shards: Path | None = None,
        *,
        short_side: int | None = 512,
        processes: int | None = None,
        seconds_a_file: float = SECONDS_A_FILE,
        memory_bytes: int = MEMORY_BYTES,
        is_patient: bool = False,
    ) -> None:
        cores = os.cpu_count() or 2
        self._most = processes or min(_MOST_CHILDREN, cores if cores <= 2 else cores - 1)
        self._shards = shards
        if shards is not None:
            shards.mkdir(parents=True, exist_ok=True)
        self._settings = {"short_side": short_side, "memory_bytes": memory_bytes, "is_patient": is_patient}
        self._seconds_a_file = seconds_a_file
        self._children: list[_Child] = []
        self._waiting: collections.deque[_Order] = collections.deque()
        self._events: _Events = queue.SimpleQueue()
        self._numbers = itertools.count()
        self._failed_starts = 0
        self._written: set[Path] = set()

    @property
    def size(self) -> int:
        """How many children there are at most."""
        return self._most

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End all children; what they wrote is durable afterwards."""
        for child in self._children:
            child.end(kill=bool(child.in_hand) or not child.is_ready)
        self._children.clear()
        self._waiting.clear()
        self.sync()

    def pictures(self, jobs: Iterable[PictureJob]) -> Iterator[PictureResult]:
        """Decode images; results come in any order, each job gives one. Jobs are drawn as they are needed.

        Raises:
            DiskFull: the cache could not be written.
            InternalError: children cannot be started.
        """
        yield from self.run(map(_picture_order, jobs), _picture_result)
        self.sync()

    def headers(self, paths: Iterable[str | Path], *, root: str | Path | None = None) -> Iterator[HeaderResult]:
        """Read DICOM headers; the pixels are looked for, not read. Results come in any order.

        Args:
            root: the folder that links may not lead out of.
        """
        place = None if root is None else _absolute(root)
        held: Held = {}
        for key, words in self.run(batch_orders(paths, place, held), lambda key, words, _: (key, words)):
            batch = held.pop(key)
            if words["ok"]:
                yield from map(_batched_header, batch, words["headers"])
            else:  # one of them ended or held up the child: each by itself, so that it takes no other with it
                singly = ((path, {"work": "header", "path": _absolute(path), "root": place}) for path in batch)
                yield from self.run(singly, _header_result)

    def records(self, paths: Iterable[str | Path], *, root: str | Path | None = None) -> Iterator[RecordResult]:
        """Read what MATLAB files say beside their pixels. Results come in any order.

        Args:
            root: the folder that links may not lead out of.
        """
        place = None if root is None else _absolute(root)
        orders = ((str(path), {"work": "record", "path": _absolute(path), "root": place}) for path in paths)
        yield from self.run(orders, _record_result)

    def telling(self, files: Iterable[tuple[str, Sequence[str]]]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Which parts of DICOM files' paths tell who the patient is, in any order; none of a file that is not read."""
        orders = ((path, {"work": "telling", "path": _absolute(path), "parts": list(parts)}) for path, parts in files)
        yield from self.run(orders, lambda path, said, _: (path, tuple(map(str, said.get("parts", ())))))

    def volumes(self, jobs: Iterable[VolumeJob]) -> Iterator[VolumeResult]:
        """Look at volumes with their masks, and keep the middle slice of each; results come in any order.

        Raises:
            DiskFull: the previews could not be written.
        """
        placed = (
            VolumeJob(
                job.key,
                _absolute(job.path),
                tuple(map(_absolute, job.masks)),
                None if job.root is None else _absolute(job.root),
                job.apart,
            )
            for job in jobs
        )
        yield from self.run(map(volume_order, placed), volume_result)
        self.sync()

    def to_npy(self, path: str | Path, out: Path, *, frame: int | None = None) -> PictureResult:
        """Decode one image at full size into an ``.npy`` file; the result's key is the path."""
        (result,) = self.to_npys([(PictureJob(str(path), str(path), frame=frame), out)])
        return result

    def to_npys(self, files: Iterable[tuple[str | Path | PictureJob, Path]]) -> Iterator[PictureResult]:
        """Decode images at full size, each into an ``.npy`` file of its own; results come in any order.

        The key of a result is its job's, of a mere path the path.
        """
        yield from self.run((_npy_order(job, out) for job, out in files), _picture_result)

    def run(
        self, orders: Iterable[tuple[str, Mapping[str, Any]]], result: Callable[[str, dict[str, Any], str], _Result]
    ) -> Iterator[_Result]:
        """Hand out orders, a bounded number at a time, and yield their results. May be nested, not threaded.

        Args:
            orders: the key that comes back with the answer, and the words for a child.
            result: makes a result of key, the child's answer, and the name of the child's shard.
        """
        source = iter(orders)
        answers: _Answers = collections.deque()
        bound = self._most * (_IN_HAND + _AHEAD)
        pending = 0
        try:
            while True:
                for key, words in itertools.islice(source, bound - pending):
                    self._waiting.append(_Order(key, words, answers))
                    pending += 1
                if not pending:
                    return
                while not answers:
                    self._step()
                while answers:
                    key, words, shard = answers.popleft()
                    pending -= 1
                    yield result(key, words, shard)
        finally:  # left early: what was not begun is forgotten, what was is answered to nobody
            self._waiting = collections.deque(order for order in self._waiting if order.answers is not answers)

    def _hand_out(self) -> None:
        """Give waiting orders to the children with the fewest in hand; start one while none is idle."""
        while self._waiting:
            idlest = min(self._children, key=lambda child: len(child.in_hand), default=None)
            if (idlest is None or idlest.in_hand) and len(self._children) < self._most:
                idlest = self._start()
            if idlest is None or len(idlest.in_hand) >= _IN_HAND:
                return
            idlest.give(next(self._numbers), self._waiting.popleft())

    def _start(self) -> _Child:
        shard = self._shards / f"shard-{secrets.token_hex(6)}.pixels" if self._shards else None
        child = _Child(self._events, shard.absolute() if shard else None, self._settings)
        self._children.append(child)
        return child

    def _step(self) -> None:
        """Wait for one answer, one death, or one deadline."""
        self._hand_out()
        now = time.monotonic()
        limits = [self._deadline(child) for child in self._children if child.in_hand or not child.is_ready]
        try:
            child, line = self._events.get(timeout=max(0.0, min(limits, default=now + 1.0) - now))
        except queue.Empty:
            for late in [child for child in self._children if self._deadline(child) <= time.monotonic()]:
                self._bury(late, Reason.TIMED_OUT)
            return
        if child not in self._children:
            return  # the last words of one that was buried
        if not line or not self._heard(child, line):
            self._bury(child, Reason.DECODER_DIED)

    def _deadline(self, child: _Child) -> float:
        if not child.is_ready:
            return child.since + _SECONDS_TO_START
        if not child.in_hand:
            return float("inf")
        return child.since + float(child.in_hand[0][1].words.get("seconds", self._seconds_a_file))

    def _heard(self, child: _Child, line: bytes) -> bool:
        """Take in an answer; False if it is none, which only a broken child would say."""
        try:
            words = json.loads(line)
            if words.get("ready"):
                child.is_ready = True
                child.since = time.monotonic()
                self._failed_starts = 0
                return True
            number, order = child.in_hand[0]
            if words["id"] != number:
                return False
        except (ValueError, KeyError, IndexError, AttributeError, TypeError):
            return False
        child.in_hand.popleft()
        child.since = time.monotonic()
        if words.get("fatal"):
            raise DiskFull("The disk is full, so the pixels could not be kept.", "Free some space and do it again.")
        if words.get("cached") and child.shard:
            self._written.add(child.shard)
        order.answers.append((order.key, words, child.shard.name if child.shard else ""))
        return True

    def _bury(self, child: _Child, reason: Reason) -> None:
        """End a child; the file it had begun is lost, the others in its hands go back to the front of the queue."""
        self._children.remove(child)
        child.end(kill=True)
        begun = None
        if child.is_ready and child.in_hand:
            begun = child.in_hand.popleft()[1]
        self._waiting.extendleft(order for _, order in reversed(child.in_hand))
        if begun is not None:
            begun.answers.append((begun.key, {"ok": False, "reason": reason.value, "message": _LAST_WORDS[reason]}, ""))
        elif not child.is_ready:
            self._failed_starts += 1
            if self._failed_starts >= 3:
                raise InternalError("Decoding processes cannot be started.", "Install MedFM Studio again.")

    def sync(self) -> None:
        """Force to the disk what was written to the shards so far; a child that was killed could not."""
        for shard in self._written:
            with shard.open("r+b") as handle:
                os.fsync(handle.fileno())
        self._written.clear()


def _absolute(path: str | Path) -> str:
    """A child works in another folder."""
    return str(Path(path).absolute())


_LAST_WORDS: Mapping[Reason, str] = {
    Reason.DECODER_DIED: "The decoder broke down on this file.",
    Reason.TIMED_OUT: "The file took too long to decode.",
}


def _picture_order(job: PictureJob) -> tuple[str, dict[str, Any]]:
    root = _absolute(job.root) if job.root is not None else None
    words = {"work": "picture", "path": _absolute(job.path), "root": root, "frame": job.frame}
    return job.key, {**words, "clamp": job.clamp, "sha256": job.sha256}


def _npy_order(job: str | Path | PictureJob, out: Path) -> tuple[str, dict[str, Any]]:
    key, words = _picture_order(job if isinstance(job, PictureJob) else PictureJob(str(job), str(job)))
    return key, {**words, "work": "npy", "out": _absolute(out)}


def _picture_result(key: str, words: dict[str, Any], shard: str) -> PictureResult:
    cached = words.get("cached")
    return PictureResult(
        key=key,
        ok=bool(words["ok"]),
        reason=str(words.get("reason", "")),
        message=str(words.get("message", "")),
        rows=int(words.get("rows", 0)),
        columns=int(words.get("columns", 0)),
        stored_sha256=str(words.get("stored_sha256", "")),
        header=words.get("header") or {},
        notes=tuple(words.get("notes", ())),
        cached=CachedPixels(shard, cached["offset"], tuple(cached["shape"]), cached["dtype"]) if cached else None,
        file=FileFacts(*words["file"]) if words.get("file") else None,
    )


def _header_result(key: str, words: dict[str, Any], shard: str) -> HeaderResult:
    header = header_from_values(words["values"]) if words.get("values") else None
    return HeaderResult(key, bool(words["ok"]), str(words.get("reason", "")), str(words.get("message", "")), header)


def _batched_header(path: str, said: list[Any]) -> HeaderResult:
    """One file of a batch: the values of its header, or the reason and the message of its refusal."""
    if len(said) == 2:
        return HeaderResult(path, False, str(said[0]), str(said[1]))
    return HeaderResult(path, True, header=header_from_values(said))


def _record_result(key: str, words: dict[str, Any], shard: str) -> RecordResult:
    record = record_from_plain(words["record"]) if words.get("record") else None
    return RecordResult(key, bool(words["ok"]), str(words.get("reason", "")), str(words.get("message", "")), record)
