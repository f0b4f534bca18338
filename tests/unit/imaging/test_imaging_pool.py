from __future__ import annotations

import collections
import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medfm_gui.base import children
from medfm_gui.domain.errors import DiskFull, InternalError
from medfm_gui.imaging import child, pool
from medfm_gui.imaging.picture import stored_sha256
from medfm_gui.imaging.pool import DecodePool, PictureJob, PictureResult

MakeDicom = Callable[..., Path]

HOSTILE = Path(__file__).with_name("hostile_child.py")


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    yield
    assert not [thread.name for thread in threading.enumerate() if thread.name == "decode answers"]


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "python", lambda module, *more: [sys.executable, "-P", str(HOSTILE), *more])


def _images(folder: Path, names: list[str], side: int = 24) -> list[PictureJob]:
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(3)
    jobs = []
    for name in names:
        Image.fromarray(rng.integers(0, 256, (side, side + 4), dtype=np.uint8)).save(folder / f"{name}.png")
        jobs.append(PictureJob(name, str(folder / f"{name}.png")))
    return jobs


def _cached(folder: Path, result: PictureResult) -> np.ndarray:
    place = result.cached
    assert place is not None
    size = int(np.prod(place.shape)) * np.dtype(place.dtype).itemsize
    raw = (folder / place.shard).read_bytes()[place.offset : place.offset + size]
    return np.frombuffer(raw, place.dtype).reshape(place.shape)


def test_every_job_gives_one_result_and_its_pixels(tmp_path: Path) -> None:
    jobs = _images(tmp_path / "in", [f"i{number:03d}" for number in range(60)])
    shards = tmp_path / "shards"
    with DecodePool(shards, processes=2) as decoders:
        results = {result.key: result for result in decoders.pictures(iter(jobs))}
    assert sorted(results) == [job.key for job in jobs]
    for job in jobs:
        with Image.open(job.path) as image:
            stored = np.asarray(image)
        result = results[job.key]
        assert result.ok and (result.rows, result.columns) == (24, 28)
        np.testing.assert_array_equal(_cached(shards, result), stored)
        assert result.stored_sha256 == stored_sha256(stored)
    sizes = sum(path.stat().st_size for path in shards.iterdir())
    assert sizes == 60 * 24 * 28


def test_pixels_are_shrunk_with_their_aspect_and_depth(tmp_path: Path, make_dicom: MakeDicom) -> None:
    jobs = _images(tmp_path / "in", ["grey"], side=64)
    deep = np.linspace(0, 4000, 40 * 80).astype(np.uint16).reshape(40, 80)
    jobs.append(PictureJob("deep", str(make_dicom("deep.dcm", pixels=deep))))
    with DecodePool(tmp_path / "shards", short_side=16, processes=1) as decoders:
        results = {result.key: result for result in decoders.pictures(jobs)}
    assert _cached(tmp_path / "shards", results["grey"]).shape == (16, 17) and results["grey"].rows == 64
    small = _cached(tmp_path / "shards", results["deep"])
    assert small.shape == (16, 32) and small.dtype == np.uint16
    assert len(np.unique(small)) > 256
    assert results["deep"].header["modality"] == "CT"


def test_without_shards_no_pixels_are_kept(tmp_path: Path) -> None:
    with DecodePool(processes=1) as decoders:
        (result,) = decoders.pictures(_images(tmp_path / "in", ["a"]))
    assert result.ok and result.cached is None


def test_a_refused_file_is_a_result(tmp_path: Path) -> None:
    jobs = _images(tmp_path / "in", ["a", "b"])
    Path(jobs[0].path).write_bytes(b"<svg/>")
    os.mkfifo(tmp_path / "in" / "pipe.png")
    jobs.append(PictureJob("pipe", str(tmp_path / "in" / "pipe.png")))
    (tmp_path / "in" / "out.png").symlink_to(Path(__file__))
    jobs.append(PictureJob("out", str(tmp_path / "in" / "out.png"), root=str(tmp_path / "in")))
    with DecodePool(processes=1) as decoders:
        reasons = {result.key: result.reason for result in decoders.pictures(jobs)}
    assert reasons == {"a": "not_an_image", "b": "", "pipe": "not_regular", "out": "outside"}


def test_names_that_are_not_unicode(tmp_path: Path) -> None:
    (job,) = _images(tmp_path, ["a"])
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.png")
    Path(job.path).rename(odd)
    with DecodePool(processes=1) as decoders:
        (result,) = decoders.pictures([PictureJob(odd, odd)])
    assert result.ok and result.key == odd


def test_relative_paths_are_those_of_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _images(tmp_path, ["a"])
    monkeypatch.chdir(tmp_path)
    with DecodePool(processes=1) as decoders:
        assert decoders.to_npy("a.png", Path("a.npy")).ok
    assert (tmp_path / "a.npy").exists()


@pytest.mark.usefixtures("hostile")
def test_a_decoder_that_dies_costs_one_file(tmp_path: Path) -> None:
    names = [f"i{number:02d}" for number in range(30)]
    names[7] = "abort-1"
    names[8] = "abort-2"
    names[20] = "panic"
    names[21] = "greedy"
    names[22] = "chatty"
    names[23] = "liar"
    jobs = _images(tmp_path / "in", names)
    with DecodePool(tmp_path / "shards", processes=2) as decoders:
        results = {result.key: result for result in decoders.pictures(jobs)}
    assert len(results) == 30
    reasons = {key: result.reason for key, result in results.items() if not result.ok}
    assert reasons == {
        "abort-1": "decoder_died",
        "abort-2": "decoder_died",
        "panic": "undecodable",
        "greedy": "too_large",
        "liar": "decoder_died",
    }
    for job in jobs:
        if results[job.key].ok:
            with Image.open(job.path) as image:
                np.testing.assert_array_equal(_cached(tmp_path / "shards", results[job.key]), np.asarray(image))
    assert len({result.cached.shard for result in results.values() if result.cached}) >= 3


@pytest.mark.usefixtures("hostile")
def test_a_decoder_that_hangs_costs_one_file_and_its_time(tmp_path: Path) -> None:
    jobs = _images(tmp_path / "in", ["a", "hang", "b", "c"])
    begun = time.monotonic()
    with DecodePool(processes=1, seconds_a_file=0.5) as decoders:
        reasons = {result.key: result.reason for result in decoders.pictures(jobs)}
    assert reasons == {"a": "", "hang": "timed_out", "b": "", "c": ""}
    assert time.monotonic() - begun < 20


def test_children_that_never_start_are_an_error_of_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "python", lambda module: [sys.executable, "-P", str(HOSTILE), "--stillborn"])
    with DecodePool(processes=1) as decoders, pytest.raises(InternalError):
        list(decoders.pictures(_images(tmp_path, ["a"])))


def test_a_full_disk_stops_everything(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    desk = child.Desk("/dev/full", None)
    desk.handle = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - closed below
    (job,) = _images(tmp_path, ["a"])
    said = child.answer({"work": "picture", "path": job.path, "root": None, "frame": None}, desk)
    desk.handle.close()
    assert said["fatal"] == "disk_full"
    with DecodePool(processes=1) as decoders:
        decoders._start()
        decoders._children[0].in_hand.append((0, pool._Order("a", {}, collections.deque())))
        with pytest.raises(DiskFull):
            decoders._heard(decoders._children[0], b'{"id": 0, "ok": false, "fatal": "disk_full"}')


def test_headers_without_pixels(tmp_path: Path, make_dicom: MakeDicom) -> None:
    paths = [make_dicom(f"s{number}.dcm", InstanceNumber=number) for number in range(5)]
    text = tmp_path / "notes.txt"
    text.write_text("no image")
    picture = Path(_images(tmp_path, ["plain"])[0].path)
    with DecodePool(processes=1) as decoders:
        results = {result.path: result for result in decoders.headers([*paths, text, picture])}
    headers = [results[str(path)].header for path in paths]
    assert [header.instance_number for header in headers if header] == [0, 1, 2, 3, 4]
    assert results[str(text)].reason == "not_an_image"
    assert results[str(picture)].reason == "not_dicom" and results[str(picture)].header is None


def test_a_full_size_array_for_one_study(tmp_path: Path, make_dicom: MakeDicom) -> None:
    frames = np.stack([np.full((20, 30), value, np.uint8) for value in (1, 2)])
    path = make_dicom(pixels=frames, RescaleSlope=None, RescaleIntercept=None)
    out = tmp_path / "deep" / "image.npy"
    with DecodePool(processes=1) as decoders:
        refused = decoders.to_npy(path, out)
        assert refused.reason == "multi_frame" and not out.exists()
        result = decoders.to_npy(path, out, frame=1)
    assert result.ok and result.cached is None
    np.testing.assert_array_equal(np.load(out, allow_pickle=False), frames[1])


def test_calls_may_be_nested_and_left_early(tmp_path: Path, make_dicom: MakeDicom) -> None:
    jobs = _images(tmp_path / "in", [f"i{number}" for number in range(40)])
    headers = [make_dicom("a.dcm"), make_dicom("b.dcm")]
    with DecodePool(processes=2) as decoders:
        for header in decoders.headers(headers):
            assert header.ok
            assert decoders.to_npy(jobs[0].path, tmp_path / "x.npy").ok
        first = next(decoders.pictures(jobs))
        assert first.ok
        assert len(list(decoders.pictures(jobs[:5]))) == 5


def test_jobs_are_drawn_as_they_are_needed(tmp_path: Path) -> None:
    jobs = _images(tmp_path / "in", ["a"])
    drawn = []

    def endless() -> Iterator[PictureJob]:
        while True:
            drawn.append(1)
            yield jobs[0]

    with DecodePool(processes=1) as decoders:
        results = decoders.pictures(endless())
        for _ in range(5):
            next(results)
        del results
    assert len(drawn) < 60


def test_no_jobs_start_no_child() -> None:
    with DecodePool() as decoders:
        assert list(decoders.pictures([])) == []
        assert decoders._children == []


def test_a_child_is_bounded_and_dies_with_its_pool(tmp_path: Path) -> None:
    with DecodePool(processes=1, memory_bytes=3 << 30) as decoders:
        list(decoders.pictures(_images(tmp_path, ["a"])))
        process = decoders._children[0].process
        if sys.platform == "linux":
            limits = Path(f"/proc/{process.pid}/limits").read_text()
            assert str(3 << 30) in limits
            assert re.search(r"Max core file size\s+0\s+0", limits)
            assert Path(f"/proc/{process.pid}/cwd").readlink() != tmp_path
    assert process.returncode == 0


def test_the_front_of_the_room_loads_no_decoder() -> None:
    code = "import sys, medfm_gui.imaging.pool, medfm_gui.imaging.objections; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pydicom", "PIL", "numpy", "pydantic"} & set(loaded)


def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    (job,) = _images(tmp_path, ["a"])
    code = (
        "import sys, time; from medfm_gui.imaging.pool import *\n"
        "pool = DecodePool(processes=1); list(pool.pictures([PictureJob('a', sys.argv[1])]))\n"
        "print(pool._children[0].process.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, job.path], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    for _ in range(100):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                time.sleep(0.05)
                continue
        return
    raise AssertionError("the child outlived its parent")
