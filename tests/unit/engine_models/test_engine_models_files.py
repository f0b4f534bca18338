"""Files of tensors: what is read, and what is refused without running anything in it."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from medfm_gui.domain.errors import WeightsAbsent, WeightsRejected
from medfm_gui.engine import tensor_files
from medfm_gui.engine.tensor_files import read_tensors, write_tensors

STATE = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2)}


class Trap:
    """What a pickle with code looks like: loading it would make a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.marker}",)


def test_tensors_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    sha256 = write_tensors(path, STATE)
    assert len(sha256) == 64
    read = read_tensors(path)
    assert sorted(read) == sorted(STATE)
    assert all(torch.equal(read[name], tensor) for name, tensor in STATE.items())
    assert list(tmp_path.iterdir()) == [path]


def test_views_and_shared_tensors_are_written_whole(tmp_path: Path) -> None:
    base = torch.arange(12.0).view(3, 4)
    state = {"whole": base, "same": base, "turned": base.T, "row": base[1], "number": torch.tensor(7), "none": base[:0]}
    channels_last = torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    write_tensors(tmp_path / "w", {**state, "channels_last": channels_last})
    read = read_tensors(tmp_path / "w")
    assert all(torch.equal(read[name], tensor) for name, tensor in {**state, "channels_last": channels_last}.items())


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"model": state, "epoch": 3},
        lambda state: {"state_dict": state, "args": argparse.Namespace(lr=0.1)},
        lambda state: {"model": {"state_dict": state}},
        lambda state: {"teacher": {f"module.{name}": tensor for name, tensor in state.items()}},
        lambda state: {"state_dict": {}, "state_dict_ema": state},
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_wrapped_pytorch_files_are_unwrapped(wrap: Callable[[Any], Any], zipped: bool, tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save(wrap(STATE), path, _use_new_zipfile_serialization=zipped)
    read = read_tensors(path)
    assert sorted(read) == sorted(STATE)
    assert all(torch.equal(read[name], tensor) for name, tensor in STATE.items())


def test_a_file_that_is_not_there_is_absent(tmp_path: Path) -> None:
    with pytest.raises(WeightsAbsent):
        read_tensors(tmp_path / "none.pt")
    with pytest.raises(WeightsRejected, match="cannot be read"):
        read_tensors(tmp_path)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_a_pickle_with_code_is_refused_and_not_run(zipped: bool, name: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    path = tmp_path / name
    torch.save({**STATE, "extra": Trap(marker)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsRejected, match="more than tensors") as refused:
        read_tensors(path)
    assert "safetensors" in refused.value.hint
    assert not marker.exists()


def test_a_bare_pickle_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    path = tmp_path / "w.pt"
    path.write_bytes(pickle.dumps(Trap(marker)))
    with pytest.raises(WeightsRejected):
        read_tensors(path)
    assert not marker.exists()


@pytest.mark.parametrize("kind", ["safetensors", "zip", "legacy"])
@pytest.mark.parametrize("keep", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(kind: str, keep: float, tmp_path: Path) -> None:
    path = tmp_path / "w"
    state = {f"layer.{i}": torch.randn(40, 40) for i in range(5)}
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=kind == "zip")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(WeightsRejected):
        read_tensors(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"\x80\x02.",
        b"PK\x03\x04" + bytes(40),
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 1 << 40) + b"{",
        struct.pack("<Q", 5) + b"{]}}}",
        struct.pack("<Q", 12) + b'{"a":[1,2]} ' + bytes(8),
        struct.pack("<Q", 200_000) + b'{"a":' + b"[" * 199_995,
        bytes(range(256)) * 4,
    ],
)
def test_anything_else_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsRejected):
        read_tensors(path)


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w/data.pkl", bytes(10 << 20))
    with pytest.raises(WeightsRejected, match="not laid out"):
        read_tensors(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_tensor_larger_than_the_file_is_refused(zipped: bool, tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    huge = torch.zeros(1).expand(100_000, 100_000)  # one number, declared to be 40 GB
    torch.save({"huge": huge}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsRejected, match="more numbers than it holds"):
        read_tensors(path)


def test_too_many_tensors_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_files, "_MAX_TENSORS", 1)
    save_file(STATE, tmp_path / "w.safetensors")
    torch.save(STATE, tmp_path / "w.pt", _use_new_zipfile_serialization=False)
    for name in ("w.safetensors", "w.pt"):
        with pytest.raises(WeightsRejected):
            read_tensors(tmp_path / name)


def test_a_file_without_tensors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    empty: list[Any] = [{"epoch": 1}, [1, 2], {"model": {"model": {"model": {}}}}]
    for held in empty:
        torch.save(held, path)
        with pytest.raises(WeightsRejected, match="no tensors"):
            read_tensors(path)
    header = json.dumps({"__metadata__": {"format": "pt"}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(WeightsRejected, match="no tensors"):
        read_tensors(path)


@pytest.mark.filterwarnings("ignore:Validating sparse")
@pytest.mark.parametrize(
    "tensor",
    [torch.empty(10, device="meta"), torch.ones(3, 4).to_sparse()],
    ids=["without numbers", "sparse"],
)
def test_tensors_that_no_model_has_are_refused(tensor: torch.Tensor, tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(2), "other": tensor}, tmp_path / "odd.pt")
    with pytest.raises(WeightsRejected, match="sparse or quantised") as refused:
        read_tensors(tmp_path / "odd.pt")
    assert refused.value.hint
