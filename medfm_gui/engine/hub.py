"""A file fetched from the Hugging Face hub: asked for, resumable, cancellable, checked.

The bytes go to ``<target>.part`` beside the target; what is there already is kept for the next attempt. The
hub's tag of a large file is its SHA-256, so a file is complete only when that agrees. No account is used but for a
gated file: then the token that the person keeps for the hub's own tools goes to the hub, and nowhere else. This
module is the only one of the engine that opens a connection.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from huggingface_hub import constants, get_hf_file_metadata, get_token, hf_hub_url
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, OfflineModeIsEnabled, RepositoryNotFoundError
from huggingface_hub.file_download import HfFileMetadata, http_get
from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain.errors import DiskFull, MedfmError, Offline, WeightsAbsent, WeightsRejected
from medfm_gui.domain.events import Event, Progressed, StageStarted

_SHA256 = re.compile(r"[0-9a-f]{64}")
_POLL_S = 0.2
_ELSE = {
    "model.safetensors": "pytorch_model.bin",
    "open_clip_pytorch_model.bin": "open_clip_model.safetensors",
}
"""What a repository may have instead of a file: older ones have pickles alone, newer ones safetensors alone."""


def download(
    repo: str, file: str, target: Path, *, gated: bool = False, endpoint: str | None = None
) -> Iterator[Event]:
    """Fetch ``file`` of ``repo`` to ``target``; closing the generator stops it and keeps what has come.

    Args:
        gated: the hub asks who it is; the person's own token is shown to it.

    Yields:
        StageStarted("download") with the size in bytes, then Progressed in bytes.

    Raises:
        Offline: the network is switched off or the hub cannot be reached.
        WeightsAbsent: the hub has no such file, or not for everybody.
        WeightsRejected: what came is not what the hub announced.
        DiskFull: there is not enough space.
    """
    token = (get_token() or False) if gated else False
    with _named_failures(repo):
        found, url = _found(repo, file, endpoint, token)
    size = found.size or 0
    yield StageStarted(time.time(), "download", size)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{_tag(found)[:16]}.part")
    _check_space(part, size)
    # where the hub sends on to another server, the address itself is the permission
    headers = {"Authorization": f"Bearer {token}"} if token and found.location == url else None
    with part.open("r+b" if part.exists() else "w+b") as handle:
        yield from _fetch(_Transfer(found, handle, headers), repo, size)
        handle.flush()
        os.fsync(handle.fileno())
    if _SHA256.fullmatch(_tag(found)) and sha256_file(part) != _tag(found):
        part.unlink()
        raise WeightsRejected(
            f"“{file}” of {repo} arrived damaged: its SHA-256 is not the one that the hub announced.", "Fetch it again."
        )
    part.replace(target)
    for older in target.parent.glob(f"{target.name}.*.part"):  # of a file that the hub has since replaced
        older.unlink(missing_ok=True)


def _found(repo: str, file: str, endpoint: str | None, token: str | bool) -> tuple[HfFileMetadata, str]:
    url = hf_hub_url(repo, file, endpoint=endpoint)
    try:
        return get_hf_file_metadata(url, token=token), url
    except EntryNotFoundError:
        if file not in _ELSE:
            raise
        url = hf_hub_url(repo, _ELSE[file], endpoint=endpoint)
        return get_hf_file_metadata(url, token=token), url


def _check_space(part: Path, size: int) -> None:
    needed = size - (part.stat().st_size if part.exists() else 0)
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise DiskFull(
            f"The file needs {needed / 1e9:.2f} GB more, and {free / 1e9:.2f} GB are free in “{part.parent}”.",
            "Free some space, or choose another folder for weights in the settings.",
        )


class _Transfer:
    """One connection, on a thread of its own; a file for ``http_get`` to write to that counts and can refuse."""

    def __init__(self, found: HfFileMetadata, handle: BinaryIO, headers: dict[str, str] | None = None) -> None:
        self._found = found
        self._headers = headers
        self._handle = handle
        self._stopped = threading.Event()
        self.done = handle.seek(0, os.SEEK_END)
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="download", daemon=True)

    def _run(self) -> None:
        try:
            http_get(
                self._found.location,
                self,  # type: ignore[arg-type]
                resume_size=self.done,
                expected_size=self._found.size,
                headers=self._headers,
            )
        except BaseException as error:  # noqa: BLE001 - raised again by the side that waits
            self.error = error

    def write(self, data: bytes) -> int:
        if self._stopped.is_set():
            raise InterruptedError("the download was stopped")
        written = self._handle.write(data)
        self.done = self._handle.tell()
        return written

    def tell(self) -> int:
        return self._handle.tell()

    def seek(self, offset: int) -> int:
        return self._handle.seek(offset)

    def truncate(self) -> int:
        return self._handle.truncate()

    def stop(self) -> None:
        self._stopped.set()
        self.thread.join(timeout=5)


def _fetch(transfer: _Transfer, repo: str, size: int) -> Iterator[Event]:
    start, begun = time.monotonic(), transfer.done
    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    transfer.thread.start()
    try:
        while transfer.thread.is_alive():
            transfer.thread.join(_POLL_S)
            rate = (transfer.done - begun) / max(time.monotonic() - start, 1e-6)
            left = (size - transfer.done) / rate if rate > 0 and size else None
            yield Progressed(time.time(), "download", transfer.done, size, seconds_left=left)
    finally:
        transfer.stop()
        if shown:
            enable_progress_bars()
    if transfer.error is not None:
        with _named_failures(repo):
            raise transfer.error


@contextlib.contextmanager
def _named_failures(repo: str) -> Iterator[None]:
    try:
        yield
    except MedfmError:
        raise
    except OfflineModeIsEnabled as error:
        raise Offline(
            "The network is switched off for this program.", "Allow it, or import a file: medfm weights import FILE."
        ) from error
    except GatedRepoError as error:  # a kind of RepositoryNotFoundError
        raise WeightsAbsent(
            f"The hub gives the files of {repo} only to those who have accepted their licence there.",
            f"Accept it on https://huggingface.co/{repo}, signed in. Then put an access token into "
            f"“{constants.HF_TOKEN_PATH}” and fetch again, or fetch the file with the browser and use “medfm weights "
            "import FILE”.",
        ) from error
    except (RepositoryNotFoundError, EntryNotFoundError) as error:
        raise WeightsAbsent(
            f"The hub has no such file in {repo}, or gives it to registered users only.",
            "Fetch the file with a browser, then use “medfm weights import FILE”.",
        ) from error
    except Exception as error:  # border: every way in which a network fails
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise DiskFull("The disk is full; the download was stopped.", "Free some space and fetch again.") from error
        raise Offline(
            f"The hub could not be reached, or the connection broke off ({type(error).__name__}).",
            "Check the connection and fetch again: what has come is kept. Or import a file: medfm weights import FILE.",
        ) from error


def _tag(found: HfFileMetadata) -> str:
    return (found.etag or found.commit_hash or "file").strip('"')
