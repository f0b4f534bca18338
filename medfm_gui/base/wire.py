"""Our frozen dataclasses as JSON and back, checked on the way in.

Numbers that are not finite become ``null``; bytes of a file name that are no UTF-8 are spelt out.
Every line of ``events.jsonl`` is one ``Event``.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Discriminator, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain.errors import InputError, NotFound
from medfm_gui.domain.events import Event
from medfm_gui.domain.run import Spec

T = TypeVar("T")


def _adapter(kind: Any) -> TypeAdapter[Any]:
    return _cached_adapter(kind)


@functools.cache
def _cached_adapter(kind: Hashable) -> TypeAdapter[Any]:
    form: Any = kind
    return TypeAdapter(form)


_EVENT = Annotated[Event, Discriminator("event")]
_SPEC = Annotated[Spec, Discriminator("kind")]


def encode(value: Any, *, indent: int | None = None) -> bytes:
    """A dataclass (or tuple of them) as JSON bytes."""
    return _dumped(_adapter(type(value)), value, indent=indent)


def _dumped(adapter: TypeAdapter[Any], value: Any, *, indent: int | None = None) -> bytes:
    try:
        return adapter.dump_json(value, indent=indent)
    except (PydanticSerializationError, UnicodeEncodeError):  # a name that is no UTF-8; JSON cannot hold it
        text = json.dumps(_spelt_out(adapter.dump_python(value, mode="json")), indent=indent, ensure_ascii=False)
        return text.encode()


def _spelt_out(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_spelt_out(key): _spelt_out(item) for key, item in value.items()}
    return [_spelt_out(item) for item in value] if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """A dataclass as plain dicts, lists, numbers and strings, for ``json.dumps``."""
    return _adapter(type(value)).dump_python(value, mode="json")


def decode(kind: type[T], data: bytes | str, *, what: str = "The data") -> T:
    """Read a dataclass back.

    Raises:
        InputError: the JSON is broken or does not describe a ``kind``; ``what`` names it.
    """
    try:
        read: T = _adapter(kind).validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{what} is not a valid {kind.__name__}: {where or 'the whole'}: {first['msg']}.",
            "It may be damaged or written by another version; restore it from a copy.",
        ) from error
    return read


def write(path: Path, value: Any) -> str:
    """Write a dataclass as an indented JSON file, atomically; returns its SHA-256."""
    return atomic_write(path, encode(value, indent=1) + b"\n")


def read(kind: type[T], path: Path) -> T:
    """Read a dataclass from a JSON file.

    Raises:
        NotFound: there is no such file.
        InputError: it cannot be read as a ``kind``.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"There is no file “{path}”.", "Check the name, or run “medfm rebuild”.") from None
    return decode(kind, data, what=f"“{path}”")


def encode_event(event: Event) -> bytes:
    """One line of ``events.jsonl``, newline included."""
    return _dumped(_adapter(_EVENT), event) + b"\n"


def decode_event(line: bytes | str) -> Event:
    """One event of a line.

    Raises:
        ValueError: the line is torn or not an event.
    """
    event: Event = _adapter(_EVENT).validate_json(line)
    return event


def encode_spec(spec: Spec) -> bytes:
    """A worker's order as indented JSON."""
    return _dumped(_adapter(_SPEC), spec, indent=1) + b"\n"


def decode_spec(data: bytes | str) -> Spec:
    """A worker's order, by its ``kind``.

    Raises:
        InputError: it is not one.
    """
    try:
        spec: Spec = _adapter(_SPEC).validate_json(data)
    except ValidationError as error:
        raise InputError("The order for the worker cannot be read.", "Start the run again.") from error
    return spec


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces, for fingerprints of plain values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def lines(values: Iterable[Any]) -> bytes:
    """Dataclasses as JSON lines."""
    return b"".join(encode(value) + b"\n" for value in values)
