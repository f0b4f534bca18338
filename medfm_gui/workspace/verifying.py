"""Whether what a workspace says is still what was written: the journal's chain of hashes.

This detects accidental change, and a careless one. Whoever can write the folder can also write a new chain; the head
hash in a report that has left the computer is what such a chain has to agree with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from medfm_gui.base import wire
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.protocol import LockedProtocol
from medfm_gui.domain.report import Facts, Report
from medfm_gui.workspace.journal import Entry
from medfm_gui.workspace.place import Workspace

JOURNAL = "journal.jsonl"
HEAD = "Journal head (SHA-256)"
"""Under which name the hash of the journal's last line stands in a report."""
MOST = 1_000_000_000
BROKEN = (KeyError, IndexError, ValueError, TypeError, AttributeError, ArithmeticError, OSError)
"""What a file that was changed can make of arithmetic and of paths."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was written.

    ``where`` is a file or a number, for a journal with its line (from 1). ``kind`` is ``changed``, ``removed``,
    ``inserted``, ``unreadable``, ``missing`` or ``differs``; ``expected`` and ``found`` are given where they are short.
    """

    where: str
    kind: str
    message: str
    line: int | None = None
    expected: str = ""
    found: str = ""


def in_file(name: str, differences: Iterable[Difference]) -> list[Difference]:
    """The differences with the file in their sentences, where it is not there already."""
    return [
        one if name in one.message or one.where in name else replace(one, message=f"{name}: {one.message}")
        for one in differences
    ]


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared and what differed; ``facts`` are worth knowing and no difference (e.g. the head hash)."""

    subject: str
    checked: int
    differences: tuple[Difference, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Nothing differs."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the journal: its number from 1, its hash, and what it says (None: it cannot be read)."""

    number: int
    sha256: str
    entry: Entry | None


_Said = tuple[str, str, str, tuple[tuple[str, str], ...]]
_NOTHING: _Said = ("", "", "", ())


def verify_journal(workspace: Workspace) -> Verification:
    """Follow the chain of the journal from its first line, hold it against the database and against filed reports.

    A changed, removed or inserted line is named by its number. It detects accidental change.
    """
    lines, torn = _lines(workspace)
    known = _known_by_database(workspace)
    lost = _Lost(sorted((known or frozenset()) - {_said(line.entry) for line in lines if line.entry}))
    found = _broken(lines, known, lost)
    found += [_changed(line, lost) for line in lines if line.entry is None and line.number not in _named(found)]
    if known is not None:
        found += _beside_the_database(lines, known, lost, found)
    if torn:
        found.append(
            Difference(JOURNAL, "unreadable", "The last line was not written to its end.", line=len(lines) + 1)
        )
    found.sort(key=lambda item: item.line or 0)
    found += [*_beside_reports(workspace, lines), *_beside_protocols(workspace, lines)]
    head = lines[-1].sha256 if lines else ""
    remarks = () if known is not None else ("The database could not be read, so the chain alone was followed.",)
    facts = {"head": head, "lines": str(len(lines))}
    return Verification("journal", len(lines), tuple(found), facts, remarks)


def journal_head(workspace: Workspace) -> tuple[int, str]:
    """How many lines the journal has, and the SHA-256 of the last; empty where there is none."""
    lines, _ = _lines(workspace)
    return len(lines), lines[-1].sha256 if lines else ""


def _lines(workspace: Workspace) -> tuple[list[_Line], bool]:
    path = workspace.root / JOURNAL
    if not path.exists():
        return [], False
    whole, newline, rest = path.read_bytes().rpartition(b"\n")
    raw = whole.split(b"\n") if newline else []
    return [_line(number, line) for number, line in enumerate(raw, 1)], bool(rest)


def _line(number: int, raw: bytes) -> _Line:
    try:
        entry = wire.decode(Entry, raw, what=JOURNAL)
    except MedfmError:
        entry = None
    return _Line(number, hashlib.sha256(raw).hexdigest(), entry)


@dataclass(slots=True)
class _Lost:
    """What the database knows and no line says any more; taken from as it is explained."""

    said: list[_Said]

    def nearest(self, now: _Said | None) -> _Said | None:
        """Take what was most likely this line before: what shares most with it."""
        alike = [(sum(a == b for a, b in zip(now or _NOTHING, said, strict=True)), said) for said in self.said]
        best = max(alike, key=lambda pair: pair[0], default=None)
        if best is None or (now is not None and not best[0]):
            return None
        self.said.remove(best[1])
        return best[1]

    def between(self, first: str, last: str) -> list[_Said]:
        """Take what was said from one time to another."""
        found = [said for said in self.said if first <= said[0] <= last]
        self.said = [said for said in self.said if said not in found]
        return found


def _broken(lines: Sequence[_Line], known: frozenset[_Said] | None, lost: _Lost) -> list[Difference]:
    """Follow the chain from the last line back: each line vouches for the one before it."""
    found: list[Difference] = []
    numbers: dict[str, list[int]] = {}
    for line in lines:
        numbers.setdefault(line.sha256, []).append(line.number)
    now = len(lines)
    while now:
        line = lines[now - 1]
        last = lines[now - 2] if now > 1 else None
        if line.entry is None:  # it vouches for nothing; whoever comes after it has named it
            now -= 1
            continue
        wanted = line.entry.previous
        where = max((number for number in numbers.get(wanted, ()) if number < now), default=now) if wanted else 0
        if where < now:
            found += [_inserted(lines[number]) for number in range(where, now - 1)]
            now = where
            continue
        if last is None or _is_as_written(last, wanted, known):
            found.append(_removed(last, line, lost))
        else:
            found.append(_changed(last, lost))
        now -= 1
    return found


def _is_as_written(line: _Line, wanted: str, known: frozenset[_Said] | None) -> bool:
    """Whether a line that its successor does not vouch for is known all the same, so that one between them is gone."""
    if line.entry is None or hashlib.sha256(wire.encode(line.entry)).hexdigest() == wanted:
        return False
    return known is not None and _said(line.entry) in known


def _beside_the_database(
    lines: Sequence[_Line], known: frozenset[_Said], lost: _Lost, named: Sequence[Difference]
) -> list[Difference]:
    """Lines that the chain holds and the database does not know; and what only the database knows."""
    found = []
    explained = {item.line for item in named}
    for line in lines:
        if line.entry is None or line.number in explained or _said(line.entry) in known:
            continue
        if line.number == len(lines):  # no line after it vouches for it
            found.append(_changed(line, lost))
            continue
        was = lost.nearest(_said(line.entry))
        message = f"The database's row of line {line.number} of the journal was changed: the chain has {_of(line)}"
        message += f", the database {_words(was)}." if was else ", the database does not have it."
        found.append(Difference("medfm.sqlite", "changed", message, line.number, _of(line), _words(was) if was else ""))
    for said in lost.said:
        after = max((line.number for line in lines if line.entry and line.entry.at <= said[0]), default=0)
        message = f"After line {after} of the journal a line was removed: the database still has {_words(said)}."
        found.append(Difference(JOURNAL, "removed", message, after + 1, expected=_words(said)))
    return found


def _named(found: Sequence[Difference]) -> set[int | None]:
    return {item.line for item in found}


def _inserted(line: _Line) -> Difference:
    said = f" ({_words(_said(line.entry))})" if line.entry else ""
    message = f"Line {line.number} of the journal was inserted: no line after it vouches for it{said}."
    return Difference(JOURNAL, "inserted", message, line=line.number)


def _changed(line: _Line, lost: _Lost) -> Difference:
    now = _said(line.entry) if line.entry else None
    was = lost.nearest(now)
    message = f"Line {line.number} of the journal was changed after it was written"
    message += f": it now says {_words(now)}." if now else " and cannot be read any more."
    message += f" The database has {_words(was)}." if was else ""
    before, after = _words(was) if was else "", _words(now) if now else ""
    return Difference(JOURNAL, "changed", message, line.number, expected=before, found=after)


def _removed(last: _Line | None, line: _Line, lost: _Lost) -> Difference:
    gone = lost.between(last.entry.at if last and last.entry else "", line.entry.at if line.entry else "9")
    number = last.number if last else 0
    message = f"Between lines {number} and {line.number} of the journal " if number else "Before line 1 of the journal "
    message += f"{len(gone)} lines were removed" if len(gone) > 1 else "a line was removed"
    message += ": " + "; ".join(_words(said) for said in gone) if gone else ""
    return Difference(
        JOURNAL, "removed", f"{message}.", line=number + 1, expected="; ".join(_words(said) for said in gone)
    )


def _known_by_database(workspace: Workspace) -> frozenset[_Said] | None:
    from medfm_gui.store import queries

    try:
        with workspace.store.reading() as reader:
            rows = queries.journal(reader, limit=MOST)
    except MedfmError:
        return None
    return frozenset((row.at, row.what, row.subject, tuple(sorted(row.details.items()))) for row in rows)


def _of(line: _Line) -> str:
    return _words(_said(line.entry)) if line.entry else "an unreadable line"


def _said(entry: Entry) -> _Said:
    return (entry.at, entry.what, entry.subject, tuple(sorted(entry.details.items())))


def _words(said: _Said) -> str:
    at, what, subject, details = said
    more = ", ".join(f"{key} {value[:60]}" for key, value in details)
    return f"“{what}: {subject}” of {at}" + (f" ({more})" if more else "")


def _beside_reports(workspace: Workspace, lines: Sequence[_Line]) -> list[Difference]:
    """Filed reports carry the head that the journal had then: it must still be a line of it."""
    hashes = {line.sha256 for line in lines}
    found = []
    for path in sorted((workspace.root / "reports").glob("report*/report.json")):
        name = path.parent.name
        try:
            head = head_of(wire.read(Report, path))
        except MedfmError as error:
            found.append(Difference(f"reports/{name}/report.json", "unreadable", error.message))
            continue
        if head and head not in hashes:
            message = f"The journal that {name} was written from ended with another line: its past was changed."
            found.append(Difference(JOURNAL, "changed", message, expected=head))
    return found


def head_of(report: Report) -> str:
    """The journal's head that a report carries; empty for reports of earlier versions."""
    rows = [
        row for section in report.sections for block in section.blocks if isinstance(block, Facts) for row in block.rows
    ]
    return next((value.partition(" ")[0] for name, value in rows if name == HEAD), "")


def _beside_protocols(workspace: Workspace, lines: Sequence[_Line]) -> list[Difference]:
    """A locked protocol must have the contents of its hash, and the journal a line with that hash."""
    from medfm_gui.workspace.protocol import is_intact

    said = {line.entry.details.get("sha256") for line in lines if line.entry}
    found = []
    for path in sorted((workspace.root / "protocols").glob("protocol-*.json")):
        where = f"protocols/{path.name}"
        try:
            locked = wire.read(LockedProtocol, path)
        except MedfmError as error:
            found.append(Difference(where, "unreadable", error.message))
            continue
        if not is_intact(locked):
            found.append(Difference(where, "changed", f"The protocol {locked.id} was changed after it was locked."))
        elif locked.sha256 not in said:
            found.append(Difference(where, "inserted", f"The journal knows of no locking of the protocol {locked.id}."))
    return found
