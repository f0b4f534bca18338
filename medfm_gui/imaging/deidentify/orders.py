"""What the front asks of the decode children: look at files for risks, write files anew. No pydicom here."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medfm_gui.domain.deidentification import Deidentification, Flag
from medfm_gui.imaging.deidentify.secrets import Secrets
from medfm_gui.imaging.pool import DecodePool


@dataclass(frozen=True, slots=True)
class Look:
    """What a header says of risks, or why the file is not written (``reason``); ``field_mm`` is the longer side."""

    path: str
    ok: bool
    reason: str = ""
    message: str = ""
    modality: str = ""
    flags: tuple[Flag, ...] = ()
    about: str = ""
    frames: int = 1
    field_mm: float | None = None
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class WriteJob:
    """One file to write anew; ``patient`` is the id that the index has, compared with the file's, never written."""

    path: str
    out: Path
    patient: str
    pseudonym: str
    study: str
    series: str
    number: int
    is_looked_at: bool = False
    has_face: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a job: rows of the tally (tag, keyword, action, within, count), or why there is no file."""

    path: str
    ok: bool
    reason: str = ""
    message: str = ""
    tally: Sequence[Sequence[object]] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)


def look(paths: Iterable[str], pool: DecodePool) -> Generator[Look]:
    """Read headers for risks; results come in any order."""
    orders = ((path, {"work": "deidentify look", "path": path}) for path in paths)
    yield from pool.run(orders, _looked)


def write(
    jobs: Iterable[WriteJob], options: Deidentification, secrets: Secrets, pool: DecodePool
) -> Generator[Written]:
    """Write files anew; results come in any order.

    Raises:
        DiskFull: there is no room.
    """
    shared = {
        "work": "deidentify",
        "options": {**dataclasses.asdict(options), "dates": options.dates.value},
        "secrets": [secrets.uids.hex(), secrets.dates.hex(), secrets.sites.hex()],
    }
    yield from pool.run(((job.path, {**shared, **_words(job)}) for job in jobs), _written)


def _words(job: WriteJob) -> Mapping[str, Any]:
    return {
        "path": job.path,
        "out": str(job.out.absolute()),
        "patient": job.patient,
        "pseudonym": job.pseudonym,
        "study": job.study,
        "series": job.series,
        "number": job.number,
        "looked_at": job.is_looked_at,
        "has_face": job.has_face,
    }


def _looked(key: str, words: dict[str, Any], shard: str) -> Look:
    if not words["ok"]:
        return Look(key, False, str(words.get("reason", "")), str(words.get("message", "")))
    return Look(
        path=key,
        ok=True,
        modality=str(words["modality"]),
        flags=tuple(Flag(flag) for flag in words["flags"]),
        about=str(words["about"]),
        frames=int(words["frames"]),
        field_mm=words["field_mm"],
        bytes=int(words["bytes"]),
    )


def _written(key: str, words: dict[str, Any], shard: str) -> Written:
    return Written(
        path=key,
        ok=bool(words["ok"]),
        reason=str(words.get("reason", "")),
        message=str(words.get("message", "")),
        tally=words.get("tally") or (),
        notes=tuple(words.get("notes", ())),
    )
