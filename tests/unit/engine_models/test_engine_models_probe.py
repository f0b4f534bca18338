"""What this computer says of itself, and the device that a name stands for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.events import Answered, RunFinished
from medfm_gui.engine import devices as module_under_test
from medfm_gui.engine.devices import choose_device, devices, memory_bytes
from medfm_gui.engine.probe import probe, versions


def test_the_probe_answers_with_facts() -> None:
    answer, last = probe()
    assert isinstance(answer, Answered)
    assert isinstance(last, RunFinished)
    found = json.loads(answer.facts["devices"])
    assert found[-1]["id"] == "cpu"
    assert found[-1]["name"]
    assert found[-1]["memory_gb"] > 0
    assert answer.facts["torch"] == torch.__version__
    assert json.loads(answer.facts["versions"])["timm"] == versions()["timm"] != "absent"
    assert int(answer.facts["threads"]) >= 1


def test_a_package_that_is_missing_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medfm_gui.engine.probe._PACKAGES", ("torch", "no-such-package"))
    assert versions()["no-such-package"] == "absent"


def test_a_device_is_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto") == torch.device(devices()[0].id)
    monkeypatch.setattr(module_under_test, "devices", lambda: (module_under_test.Device("cpu", "a processor", 8.0),))
    with pytest.raises(UsageError, match="no device “cuda”") as refused:
        choose_device("cuda")
    assert "cpu" in refused.value.hint


def test_gpus_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    class Facts:
        name = "A GPU"
        total_memory = 16 << 30

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: Facts())
    found = devices()
    assert [device.id for device in found if device.id != "mps"] == ["cuda:0", "cuda:1", "cpu"]
    assert found[0].memory_gb == 16.0
    assert choose_device("cuda") == torch.device("cuda:0")


def test_the_limit_of_a_container_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = memory_bytes()
    assert whole > 1 << 28
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "1048576\n")
    assert memory_bytes() == 1 << 20
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "max\n")
    assert memory_bytes() >= whole
