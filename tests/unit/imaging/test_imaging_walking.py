"""What lies below a folder, and headers that are read once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from medfm_gui.domain.errors import Interrupted
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.imaging.series import Watch, scan
from medfm_gui.imaging.walking import Found, Kept, Walk, found_files, read_headers

MakeDicom = Callable[..., Path]


class Memory:
    """Headers kept in memory, and what was asked and told."""

    def __init__(self) -> None:
        self.folders: dict[str, dict[str, Kept]] = {}
        self.puts = 0

    def of(self, folder: str) -> Mapping[str, Kept]:
        return self.folders.get(folder, {})

    def put(self, folders: Mapping[str, Mapping[str, Kept]]) -> None:
        self.puts += 1
        for folder, files in folders.items():
            self.folders.setdefault(folder, {}).update(files)


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecodePool]:
    with DecodePool(processes=1) as opened:
        yield opened


@pytest.fixture
def folder(make_dicom: MakeDicom, tmp_path: Path) -> Path:
    """Twelve slices in two folders, a text, and junk."""
    for number in range(12):
        name = f"in/s{number % 2}/{number}.dcm"
        make_dicom(
            name, InstanceNumber=number, SeriesInstanceUID=f"1.2.{number % 2}", ImagePositionPatient=[0, 0, number]
        )
    (tmp_path / "in" / "notes.txt").write_text("no image")
    (tmp_path / "in" / ".hidden").write_text("x")
    return tmp_path / "in"


def opened(pool: DecodePool, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the pool is asked to read from now on."""
    asked: list[str] = []
    original = pool.headers

    def headers(paths, **options):  # type: ignore[no-untyped-def]
        def drawn() -> Iterator[str]:
            for path in paths:
                asked.append(str(path))
                yield str(path)

        return original(drawn(), **options)

    monkeypatch.setattr(pool, "headers", headers)
    return asked


def test_files_come_in_order_and_links_to_folders_are_not_followed(folder: Path) -> None:
    (folder / "loop").symlink_to(folder)
    (folder / "link.dcm").symlink_to(folder / "s0" / "0.dcm")
    walk = Walk(folder)
    found = list(walk)
    assert [Path(item.path).name for item in found][:4] == ["link.dcm", "notes.txt", "0.dcm", "10.dcm"]
    assert walk.count == len(found) == 14
    assert found[0].size == -1, "a link is always read"
    assert found[1] == Found(str(folder / "notes.txt"), 8, (folder / "notes.txt").stat().st_mtime_ns)
    assert [item.reason for item in walk.skipped] == ["hidden"]


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    walk = Walk(tmp_path / "gone")
    assert list(walk) == [] and walk.skipped[0].reason == "unreadable"
    assert list(found_files([str(tmp_path / "gone.dcm")])) == [Found(str(tmp_path / "gone.dcm"))]


def test_an_unchanged_folder_is_opened_once(
    folder: Path, decoders: DecodePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory()
    first = scan(folder, decoders, known=memory)
    asked = opened(decoders, monkeypatch)
    again = scan(folder, decoders, known=memory)
    assert asked == []
    assert again == first and len(first.studies[0].series) == 2
    assert {item.reason for item in again.skipped} == {"not_an_image", "hidden"}


def test_only_what_is_new_or_changed_is_opened(
    folder: Path, make_dicom: MakeDicom, decoders: DecodePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory()
    scan(folder, decoders, known=memory)
    make_dicom("in/s0/99.dcm", InstanceNumber=99, SeriesInstanceUID="1.2.0", ImagePositionPatient=[0, 0, 99])
    changed = folder / "s1" / "1.dcm"
    os.utime(changed, ns=(1, changed.stat().st_mtime_ns + 1))
    asked = opened(decoders, monkeypatch)
    found = scan(folder, decoders, known=memory)
    assert sorted(Path(path).name for path in asked) == ["1.dcm", "99.dcm"]
    assert sum(len(series.instances) for series in found.studies[0].series) == 13


def test_a_reading_that_was_stopped_goes_on(
    folder: Path, decoders: DecodePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory()
    seen: list[int] = []
    with pytest.raises(Interrupted, match="goes on"):
        scan(folder, decoders, Watch(lambda done, _: seen.append(done), None, lambda: len(seen) >= 5), memory)
    kept = sum(map(len, memory.folders.values()))
    assert kept >= 5
    asked = opened(decoders, monkeypatch)
    assert len(scan(folder, decoders, known=memory).studies[0].series) == 2
    assert len(asked) == 13 - kept


def test_what_may_be_better_tomorrow_is_tried_again(folder: Path, decoders: DecodePool) -> None:
    memory = Memory()
    (folder / "out.dcm").symlink_to("/etc/hostname")
    unreadable = folder / "s0" / "0.dcm"
    unreadable.chmod(0)
    results = list(read_headers(Walk(folder), decoders, root=folder, known=memory))
    assert len(results) == 14
    assert "out.dcm" not in memory.folders[str(folder)], "a link is no file of its own"
    if os.access(unreadable, os.R_OK):
        pytest.skip("this user may read everything")
    assert "0.dcm" not in memory.folders[str(folder / "s0")]


def test_known_files_alone_come_in_time(folder: Path, decoders: DecodePool) -> None:
    """Results of known files are not held back until the last of them was found."""
    memory = Memory()
    list(read_headers(Walk(folder), decoders, known=memory))
    many = [item for item in Walk(folder) for _ in range(100)]
    drawn: list[int] = []

    def drawing() -> Iterator[Found]:
        for number, item in enumerate(many):
            drawn.append(number)
            yield item

    results = read_headers(drawing(), decoders, known=memory)
    next(results)
    assert len(drawn) < 400
    assert 1 + sum(1 for _ in results) == len(many)


def test_a_file_that_kills_the_child_takes_no_other_with_it(
    folder: Path, make_dicom: MakeDicom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medfm_gui.base import children
    from medfm_gui.imaging import pool

    helper = tmp_path / "dying_child.py"
    helper.write_text(
        "import os\n"
        "from medfm_gui.imaging import child, child_headers, dicom\n"
        "def single(order, desk, original=child._header):\n"
        "    if 'deadly' in order['path']: os.abort()\n"
        "    return original(order, desk)\n"
        "child._WORK['header'] = single\n"
        "quick = child_headers._quickly\n"
        "child_headers._quickly = lambda name, place: None if 'deadly' in name else quick(name, place)\n"
        "child.main()\n"
    )
    shutil.copy(folder / "s0" / "2.dcm", folder / "s0" / "deadly.dcm")
    monkeypatch.setattr(children, "python", lambda *_: [*_python(), str(helper)])
    with pool.DecodePool(processes=1) as mortal:
        results = {Path(item.path).name: item for item in mortal.headers(str(item.path) for item in Walk(folder))}
    assert results["deadly.dcm"].reason == "decoder_died"
    assert sum(item.ok for item in results.values()) == 12


@pytest.mark.skipif(os.name != "posix", reason="priorities are set at start there")
def test_children_of_an_index_leave_the_processor_to_others(folder: Path) -> None:
    with DecodePool(processes=1, is_patient=True) as patient, DecodePool(processes=1) as usual:
        levels = []
        for pool in (patient, usual):
            assert all(result.path for result in pool.headers([folder / "s0" / "0.dcm"]))
            levels.append(os.getpriority(os.PRIO_PROCESS, pool._children[0].process.pid))
    assert levels[0] >= 5 and levels[1] == os.getpriority(os.PRIO_PROCESS, 0)


def _python() -> list[str]:
    import sys

    return [sys.executable, "-P"]
