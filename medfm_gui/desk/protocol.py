"""What passes between window and desk: a JSON line, then as many bytes of body and payload as it says.

A body is a frozen dataclass as JSON (``base.wire``); a payload is raw bytes (pixels, a PDF), never text.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, Generic, Literal, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError

from medfm_gui.base import wire
from medfm_gui.domain.errors import InternalError

T = TypeVar("T")

Kind = Literal["ask", "stop", "answer", "part", "progress", "failed", "ready"]
"""``ask`` and ``stop`` go to the desk; the others come from it. ``ready`` is its first word."""

_LONGEST_HEAD = 1 << 16


class Ask(Generic[T]):
    """A question to the desk: a frozen dataclass that names the type of its answer, ``class Runs(Ask[RunList])``."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the desk is with something: ``done`` of ``total`` (0 = unknown), and what it is doing."""

    text: str
    done: int = 0
    total: int = 0
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An error of the tree on its way to the window; ``data`` is what the error carries beside its words."""

    kind: str
    message: str
    hint: str
    data: str = ""


@dataclass(frozen=True, slots=True)
class Nothing:
    """The answer of a question that only wants something done."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: ``number`` joins an answer to its question, ``name`` is the question's class."""

    number: int
    kind: Kind
    name: str = ""
    body: bytes = b""
    payload: bytes = b""


def answer_type(ask: type[Ask[Any]]) -> Any:
    """The type that a question's answer has."""
    for base in getattr(ask, "__orig_bases__", ()):
        found = get_args(base)
        if found:
            return found[0]
    raise InternalError(f"The question {ask.__name__} does not name the type of its answer.", "Report this.")


def encode_value(value: Any) -> tuple[bytes, bytes]:
    """A question's or an answer's JSON and its payload: the field ``payload`` of a dataclass travels as raw bytes."""
    payload = getattr(value, "payload", b"")
    if payload:
        value = dataclasses.replace(value, payload=b"")
    return wire.encode(value), payload


def decode_answer(kind: Any, body: bytes, payload: bytes) -> Any:
    """An answer again, with its payload."""
    value = wire.decode(kind, body, what="An answer of the desk")
    return dataclasses.replace(value, payload=payload) if payload else value


def decode_ask(kind: type[Ask[T]], body: bytes, payload: bytes = b"") -> Ask[T]:
    """A question again.

    Raises:
        InternalError: it does not fit: window and desk are of different versions.
    """
    try:
        ask: Ask[T] = TypeAdapter(kind).validate_json(body)
        if payload:
            ask = dataclasses.replace(ask, payload=payload)  # type: ignore[type-var]
    except (ValidationError, TypeError) as error:
        raise InternalError(f"The desk does not understand {kind.__name__}.", "Start the program again.") from error
    return ask


def write_frame(stream: IO[bytes], frame: Frame) -> None:
    """Send a message whole; one thread writes at a time."""
    head: Mapping[str, Any] = {
        "id": frame.number,
        "kind": frame.kind,
        "name": frame.name,
        "body": len(frame.body),
        "payload": len(frame.payload),
    }
    stream.write(json.dumps(head).encode("ascii") + b"\n" + frame.body + frame.payload)
    stream.flush()


def read_frame(stream: IO[bytes]) -> Frame | None:
    """The next message; None at the end of the pipe, also where it ends within a message."""
    head = stream.readline(_LONGEST_HEAD)
    if not head.endswith(b"\n"):
        return None
    said = json.loads(head)
    body, payload = stream.read(said["body"]), stream.read(said["payload"])
    if len(body) != said["body"] or len(payload) != said["payload"]:
        return None
    return Frame(said["id"], said["kind"], said["name"], body, payload)
