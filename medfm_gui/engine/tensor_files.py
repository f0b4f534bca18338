"""Files of tensors, read without running anything in them.

safetensors is the format we write. ``.pt`` and ``.pth`` are pickles: torch reads them with its list of
harmless classes only (``weights_only``), and anything else in them is a refusal, never a fallback.
"""

from __future__ import annotations

import argparse
import errno
import json
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from medfm_gui.base.atomic import atomic_path, sha256_file
from medfm_gui.domain.errors import WeightsAbsent, WeightsRejected

_MAX_HEADER_BYTES = 4 << 20
_MAX_TENSORS = 20_000
_MAX_PICKLE_BYTES = 64 << 20
_WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model", "teacher", "target_encoder")
_AGAIN = "Fetch the file again from its source."


def read_tensors(path: Path, *, first: str = "") -> dict[str, Tensor]:
    """All tensors of a safetensors, ``.pt`` or ``.pth`` file by name, on the CPU.

    The kind is told by the contents, not by the name. ``state_dict``, ``model`` and the like are unwrapped;
    where a file holds several of them, the one under ``first`` is taken, else a running mean of weights before others.

    Raises:
        WeightsAbsent: there is no such file.
        WeightsRejected: it is damaged, holds code, or declares more than it holds.
    """
    try:
        with path.open("rb") as handle:
            start = handle.read(9)
    except FileNotFoundError:
        raise WeightsAbsent(
            f"There is no weights file “{path}”.", "Run “medfm weights list” to see what is here."
        ) from None
    except OSError as error:
        raise WeightsRejected(f"“{path.name}” cannot be read ({error.strerror}).", "Check the path.") from error
    if start[:4] == b"PK\x03\x04":
        _check_zip(path)
        tensors = _read_pickle(path, first)
    elif len(start) == 9 and start[8:] == b"{":
        tensors = _read_safetensors(path)
    elif start[:1] == b"\x80":
        tensors = _read_pickle(path, first)
    else:
        raise WeightsRejected(
            f"“{path.name}” is neither a safetensors nor a PyTorch file.", "Choose a .safetensors, .pt or .pth file."
        )
    if not tensors:
        raise WeightsRejected(f"“{path.name}” holds no tensors.", _AGAIN)
    return tensors


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """Write tensors as safetensors, atomically; returns the file's SHA-256.

    Raises:
        DiskFull: there is not enough space; the file is as it was before.
    """
    own = _unshared(tensors)
    size = sum(tensor.numel() * tensor.element_size() for tensor in own.values())
    with atomic_path(path, expected_bytes=size) as temporary:
        try:
            save_file(own, temporary)
        except SafetensorError as error:  # the library tells the system's number in words alone
            number = re.search(r"os error (\d+)", str(error))
            raise OSError(int(number[1]) if number else errno.EIO, str(error)) from error
        return sha256_file(temporary)


def _unshared(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors, each whole in memory of its own; copied only where they are not."""
    seen: set[int] = set()
    own: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        storage = tensor.untyped_storage()
        shared = storage.data_ptr() in seen or storage.nbytes() != tensor.numel() * tensor.element_size()
        own[name] = tensor.detach().clone(memory_format=torch.contiguous_format) if shared else tensor.contiguous()
        seen.add(storage.data_ptr())
    return own


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    with path.open("rb") as handle:
        (length,) = struct.unpack("<Q", handle.read(8))
        if length > _MAX_HEADER_BYTES:
            raise WeightsRejected(f"“{path.name}” has a header of {length} bytes, more than any model's.", _AGAIN)
        try:
            header = json.loads(handle.read(length))
        except (ValueError, RecursionError) as error:
            raise WeightsRejected(f"“{path.name}” has a damaged header.", _AGAIN) from error
    if not isinstance(header, dict) or len(header) > _MAX_TENSORS:
        raise WeightsRejected(f"“{path.name}” has no table of tensors of a sensible length.", _AGAIN)
    try:
        return dict(load_file(path))
    except (SafetensorError, ValueError, KeyError) as error:
        raise WeightsRejected(f"“{path.name}” is damaged: {error}.", _AGAIN) from error


def _check_zip(path: Path) -> None:
    """PyTorch stores its members uncompressed, so that none can be larger than the file."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise WeightsRejected(f"“{path.name}” is damaged or incomplete ({error}).", _AGAIN) from error
    whole = path.stat().st_size
    pickled = max((item.file_size for item in members if item.filename.endswith(".pkl")), default=0)
    if (
        len(members) > _MAX_TENSORS
        or any(item.compress_type != zipfile.ZIP_STORED for item in members)
        or sum(item.file_size for item in members) > whole
        or pickled > _MAX_PICKLE_BYTES
    ):
        raise WeightsRejected(f"“{path.name}” is not laid out as PyTorch writes its files.", _AGAIN)


def _read_pickle(path: Path, first: str) -> dict[str, Tensor]:
    try:
        # argparse.Namespace: settings that MAE and RETFound leave beside their weights; plain data
        with torch.serialization.safe_globals([argparse.Namespace]):
            held = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # border: torch raises many kinds on foreign bytes
        raise WeightsRejected(
            f"“{path.name}” is refused: it is damaged, or holds more than tensors ({_reason(error)}).",
            "Use a .safetensors file of this model, or one saved as a plain state dict.",
        ) from error
    tensors = {
        str(name).removeprefix("module."): value.detach()
        for name, value in _unwrapped(held, first).items()
        if isinstance(value, Tensor)
    }
    if len(tensors) > _MAX_TENSORS:
        raise WeightsRejected(f"“{path.name}” holds {len(tensors)} tensors, more than any model.", _AGAIN)
    if not all(map(_is_plain, tensors.values())):
        raise WeightsRejected(
            f"“{path.name}” holds tensors without numbers, sparse or quantised ones, which no model here has.",
            "Use a .safetensors file of this model, or one saved as a plain state dict.",
        )
    whole = path.stat().st_size
    if sum(tensor.numel() * tensor.element_size() for tensor in tensors.values()) > 2 * whole:
        raise WeightsRejected(f"“{path.name}” declares more numbers than it holds.", _AGAIN)
    return tensors


def _is_plain(tensor: Tensor) -> bool:
    """Whether every number of it is there and in its place."""
    return tensor.device.type == "cpu" and tensor.layout is torch.strided and not tensor.is_quantized


def _unwrapped(held: object, first: str) -> Mapping[Any, Any]:
    for _ in range(2):  # at most {"model": {"state_dict": …}}
        if not isinstance(held, Mapping):
            return {}
        inner = next((held[key] for key in (first, *_WRAPPERS) if isinstance(held.get(key), Mapping)), None)
        if inner is None:
            return held
        held = inner
    return held if isinstance(held, Mapping) else {}


def _reason(error: Exception) -> str:
    if type(error).__name__ == "UnpicklingError":  # torch's own text advises to read the file unguarded
        return "a pickle that would run code, or is none"
    first = str(error).strip().splitlines()
    return f"{type(error).__name__}: {first[0][:160]}" if first else type(error).__name__
