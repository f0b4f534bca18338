"""Downloads against a small hub on this computer: whole, resumed, stopped, damaged, refused."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.base.weights_status import status, weights_file
from medfm_gui.domain.cards import BackboneCard, WeightsState
from medfm_gui.domain.errors import DiskFull, Offline, WeightsAbsent, WeightsRejected
from medfm_gui.domain.events import Progressed, StageStarted
from medfm_gui.domain.run import WeightsSpec
from medfm_gui.engine import hub
from medfm_gui.engine.backbones import build_backbone
from medfm_gui.engine.hub import download
from medfm_gui.engine.tensor_files import write_tensors
from medfm_gui.engine.weights import import_weights

CONTENT = bytes(range(256)) * 8192  # 2 MiB


@dataclass
class Hub:
    """What the small hub holds, what it was asked, and how it misbehaves."""

    url: str = ""
    content: bytes = CONTENT
    sha256: str = ""
    status: int = 200
    error_code: str = ""
    ranges: list[str] = field(default_factory=list)
    authorization: list[str | None] = field(default_factory=list)
    hold: threading.Event | None = None
    """The second half of the body waits for it."""
    resumes: bool = True
    only: str = ""
    """The one file that there is, if not all that are asked for."""


@pytest.fixture
def small_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    held = Hub()

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            if held.only and not self.path.endswith(held.only):
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self._headers(len(held.content))

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            held.ranges.append(asked)
            held.authorization.append(self.headers.get("Authorization"))
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and held.resumes else 0
            body = held.content[start:]
            self._headers(len(body), status=206 if start else 200)
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            if held.hold is not None:
                held.hold.wait(10)
            self.wfile.write(body[len(body) // 2 :])

        def _headers(self, length: int, status: int = 200) -> None:
            self.send_response(held.status if held.status != 200 else status)
            self.send_header("Content-Length", str(length if held.status == 200 else 0))
            self.send_header("ETag", f'"{held.sha256 or hashlib.sha256(held.content).hexdigest()}"')
            self.send_header("X-Repo-Commit", "0" * 40)
            if held.error_code:
                self.send_header("X-Error-Code", held.error_code)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    held.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(hub, "_POLL_S", 0.01)
    yield held
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_is_fetched_whole_with_progress_in_bytes(small_hub: Hub, tmp_path: Path) -> None:
    target = tmp_path / "w"
    (tmp_path / "w.0000000000000000.part").write_bytes(b"of an older file")
    events = list(download("some/repo", "model.safetensors", target, endpoint=small_hub.url))
    assert target.read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["w"]
    assert isinstance(events[0], StageStarted)
    assert (events[0].stage, events[0].total) == ("download", len(CONTENT))
    last = events[-1]
    assert isinstance(last, Progressed)
    assert (last.done, last.total) == (len(CONTENT), len(CONTENT))
    assert small_hub.authorization == [None]


def test_a_stopped_download_goes_on_where_it_was(
    small_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1 << 16)
    small_hub.hold = threading.Event()
    target = tmp_path / "w"
    fetching = download("some/repo", "model.safetensors", target, endpoint=small_hub.url)
    for event in fetching:
        if isinstance(event, Progressed) and event.done >= len(CONTENT) // 2:
            break
    small_hub.hold.set()
    fetching.close()  # type: ignore[attr-defined]
    small_hub.hold = None
    assert not target.exists()
    (part,) = tmp_path.iterdir()
    kept = part.stat().st_size
    assert len(CONTENT) // 2 <= kept < len(CONTENT)
    list(download("some/repo", "model.safetensors", target, endpoint=small_hub.url))
    assert target.read_bytes() == CONTENT
    assert small_hub.ranges[-1] == f"bytes={kept}-"
    assert not [thread for thread in threading.enumerate() if thread.name == "download"]


def test_a_hub_that_cannot_resume_sends_it_whole_again(small_hub: Hub, tmp_path: Path) -> None:
    small_hub.resumes = False
    (tmp_path / f"w.{hashlib.sha256(CONTENT).hexdigest()[:16]}.part").write_bytes(CONTENT[:1000])
    list(download("some/repo", "model.safetensors", tmp_path / "w", endpoint=small_hub.url))
    assert (tmp_path / "w").read_bytes() == CONTENT
    assert small_hub.ranges == ["bytes=1000-"]


def test_a_damaged_file_is_refused_and_removed(small_hub: Hub, tmp_path: Path) -> None:
    small_hub.sha256 = "1" * 64
    with pytest.raises(WeightsRejected, match="arrived damaged"):
        list(download("some/repo", "model.safetensors", tmp_path / "w", endpoint=small_hub.url))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", ["RepoNotFound", "EntryNotFound", "GatedRepo"])
def test_what_the_hub_does_not_have_is_absent(code: str, small_hub: Hub, tmp_path: Path) -> None:
    small_hub.status, small_hub.error_code = (403 if code == "GatedRepo" else 404), code
    with pytest.raises(WeightsAbsent, match="some/repo"):
        list(download("some/repo", "model.safetensors", tmp_path / "w", endpoint=small_hub.url))


def test_a_gated_file_says_where_the_licence_is_accepted_and_where_the_token_goes(
    small_hub: Hub, tmp_path: Path
) -> None:
    small_hub.status, small_hub.error_code = 401, "GatedRepo"
    with pytest.raises(WeightsAbsent, match="accepted their licence") as refused:
        list(download("some/repo", "model.safetensors", tmp_path / "w", endpoint=small_hub.url))
    assert "https://huggingface.co/some/repo" in refused.value.hint
    assert "token" in refused.value.hint
    assert list(tmp_path.iterdir()) == []


def test_the_token_is_shown_for_gated_files_alone(
    small_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "get_token", lambda: "hf_mine")
    list(download("some/repo", "model.safetensors", tmp_path / "a", gated=True, endpoint=small_hub.url))
    list(download("some/repo", "model.safetensors", tmp_path / "b", endpoint=small_hub.url))
    assert small_hub.authorization == ["Bearer hf_mine", None]
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_an_older_repository_has_a_pickle_instead(small_hub: Hub, tmp_path: Path) -> None:
    small_hub.only = "pytorch_model.bin"
    list(download("some/repo", "model.safetensors", tmp_path / "w", endpoint=small_hub.url))
    assert (tmp_path / "w").read_bytes() == CONTENT
    with pytest.raises(WeightsAbsent, match="no such file"):
        list(download("some/repo", "other.safetensors", tmp_path / "v", endpoint=small_hub.url))


def test_a_disk_that_is_too_small_is_named_before_a_byte_comes(
    small_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": len(CONTENT) // 2}))
    with pytest.raises(DiskFull, match="GB are free"):
        list(download("some/repo", "model.safetensors", tmp_path / "w", endpoint=small_hub.url))
    assert small_hub.ranges == []
    assert list(tmp_path.iterdir()) == []
    (tmp_path / f"w.{hashlib.sha256(CONTENT).hexdigest()[:16]}.part").write_bytes(CONTENT[:-1000])
    list(download("some/repo", "model.safetensors", tmp_path / "w", endpoint=small_hub.url))  # only the rest counts
    assert (tmp_path / "w").read_bytes() == CONTENT


def test_a_failing_hub_is_named(small_hub: Hub, tmp_path: Path) -> None:
    small_hub.status = 500
    with pytest.raises(Offline, match="could not be reached"):
        list(download("some/repo", "model.safetensors", tmp_path / "w", endpoint=small_hub.url))


def test_no_hub_at_all_is_named(tmp_path: Path) -> None:
    with pytest.raises(Offline, match="could not be reached") as refused:
        list(download("some/repo", "model.safetensors", tmp_path / "w", endpoint="http://127.0.0.1:9"))
    assert "medfm weights import" in refused.value.hint


def test_the_offline_switch_of_the_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(Offline, match="switched off"):
        list(download("some/repo", "model.safetensors", tmp_path / "w", endpoint="http://127.0.0.1:9"))


def test_a_full_disk_is_named(small_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hub, "http_get", full)
    with pytest.raises(DiskFull):
        list(download("some/repo", "model.safetensors", tmp_path / "w", endpoint=small_hub.url))


def test_a_model_is_pulled_checked_and_kept(
    small_hub: Hub, pocket: BackboneCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = tmp_path / "release.safetensors"
    write_tensors(release, build_backbone(pocket, pocket.native_size).module.state_dict())
    small_hub.content = release.read_bytes()
    monkeypatch.setattr("medfm_gui.engine.weights.download", partial(download, endpoint=small_hub.url))
    folder = tmp_path / "weights"
    spec = WeightsSpec(pocket, str(weights_file(pocket, folder)), offline=False)
    events = list(import_weights(spec))
    assert {event.stage for event in events if isinstance(event, StageStarted)} == {"download", "weights"}
    assert status(pocket, folder).state is WeightsState.PRESENT
    assert status(pocket, folder).source == "hub pocket/dinov2/model.safetensors"
    assert sorted(path.name for path in folder.iterdir()) == ["pocket.safetensors", "pocket.safetensors.json"]


def test_a_wrong_model_on_the_hub_is_refused(
    small_hub: Hub, pocket: BackboneCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medfm_gui.engine.weights.download", partial(download, endpoint=small_hub.url))
    spec = WeightsSpec(pocket, str(weights_file(pocket, tmp_path / "weights")), offline=False)
    with pytest.raises(WeightsRejected):
        list(import_weights(spec))
    assert list((tmp_path / "weights").iterdir()) == []
