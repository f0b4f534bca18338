"""Series as arrays of stored values: every pixel keeps its value, whatever the files mix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging.grid import Extent, Grid, common_grid
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.imaging.stored import open_file
from medfm_gui.imaging.volume import (
    Begun,
    NeedsExtents,
    Source,
    begin,
    count_frames,
    extents,
    fill,
    thumbnails,
    warm_up,
)

MakeDicom = Callable[..., Path]


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecodePool]:
    with DecodePool(processes=1) as opened:
        yield opened


def _array(pool: DecodePool, paths: list[Path], out: Path, grid: Grid | None = None) -> tuple[Begun, npt.NDArray[Any]]:
    sources = [Source(str(path)) for path in paths]
    begun = begin(pool, sources[0], out, count=len(sources), index=0, grid=grid)
    assert isinstance(begun, Begun)
    results = list(fill(pool, list(enumerate(sources))[1:], out, begun.grid, begun.data_at))
    assert all(result.ok for result in results), results
    return begun, np.load(out, mmap_mode="r")


def test_stored_numbers_stay_and_give_hounsfield_units(
    make_dicom: MakeDicom, decoders: DecodePool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    stored = [rng.integers(0, 4096, (16, 12)).astype(np.uint16) for _ in range(3)]
    paths = [make_dicom(f"{number}.dcm", pixels=pixels) for number, pixels in enumerate(stored)]
    begun, array = _array(decoders, paths, tmp_path / "a.npy")
    assert array.dtype == np.uint16 and (begun.grid.slope, begun.grid.intercept) == (1, -1000)
    np.testing.assert_array_equal(array, stored)
    assert begun.facts.unit == "HU" and begun.facts.spacing == (0.5, 0.5) and begun.facts.spacing_note == "mm"


def test_a_frame_that_does_not_fit_is_said_and_a_common_scale_holds_all(
    make_dicom: MakeDicom, decoders: DecodePool, tmp_path: Path
) -> None:
    pixels = np.arange(192, dtype=np.uint16).reshape(16, 12)
    paths = [
        make_dicom("a.dcm", pixels=pixels),
        make_dicom("b.dcm", pixels=pixels, RescaleIntercept=-1024),
        make_dicom("c.dcm", pixels=pixels, RescaleSlope=2.5, RescaleIntercept=0.25),
    ]
    sources = [Source(str(path)) for path in paths]
    begun = begin(decoders, sources[0], tmp_path / "a.npy", count=3, index=0)
    assert isinstance(begun, Begun)
    results = list(fill(decoders, [(1, sources[1]), (2, sources[2])], tmp_path / "a.npy", begun.grid, begun.data_at))
    assert [(result.index, result.ok, result.is_off_scale) for result in results] == [
        (1, False, True),
        (2, False, True),
    ]
    found = [extent for extent in extents(decoders, sources) if extent is not None]
    grid = common_grid(found, 16, 12)
    _, array = _array(decoders, paths, tmp_path / "b.npy", grid)
    values = array * grid.slope + grid.intercept
    np.testing.assert_array_equal(values[0], pixels - 1000.0)
    np.testing.assert_array_equal(values[1], pixels - 1024.0)
    assert np.abs(values[2] - (pixels * 2.5 + 0.25)).max() <= 0.5 and grid.is_rounded


def test_whole_numbers_of_one_slope_are_exact_and_wide_ones_in_equal_steps() -> None:
    exact = common_grid([Extent(0, 100, 2.0, -10, True, 4, 4), Extent(-5, 90, 2.0, 0, True, 4, 4)], 4, 4)
    assert (exact.slope, exact.intercept, exact.is_rounded) == (2.0, -10.0, False)
    wide = common_grid([Extent(0, 10_000_000, 1.0, 0, True, 4, 4)], 4, 4)
    assert wide.is_rounded and wide.slope == pytest.approx(10_000_000 / 65535)
    assert common_grid([Extent(3.5, 3.5, 1.0, 0, False, 4, 4)], 4, 4).slope == 1.0


def test_signed_frames_among_unsigned(make_dicom: MakeDicom, decoders: DecodePool, tmp_path: Path) -> None:
    unsigned = np.arange(192, dtype=np.uint16).reshape(16, 12)
    paths = [make_dicom("a.dcm", pixels=unsigned), make_dicom("b.dcm", pixels=unsigned.astype(np.int16))]
    begun, array = _array(decoders, paths, tmp_path / "a.npy")
    np.testing.assert_array_equal(array[1], unsigned)
    below = make_dicom("c.dcm", pixels=unsigned.astype(np.int16) - 50)
    frames = [(1, Source(str(below)))]
    (result,) = fill(decoders, frames, tmp_path / "a.npy", begun.grid, begun.data_at)
    assert result.is_off_scale


def test_another_size_is_a_reason_not_a_distorted_image(
    make_dicom: MakeDicom, decoders: DecodePool, tmp_path: Path
) -> None:
    paths = [make_dicom("a.dcm"), make_dicom("b.dcm", pixels=np.zeros((4, 4), np.uint16))]
    begun = begin(decoders, Source(str(paths[0])), tmp_path / "a.npy", count=2, index=0)
    assert isinstance(begun, Begun)
    frames = [(1, Source(str(paths[1])))]
    (result,) = fill(decoders, frames, tmp_path / "a.npy", begun.grid, begun.data_at)
    assert (result.reason, result.message) == ("bad_header", "The image is 4×4 and the series 16×12.")


def test_values_beyond_sixteen_bits_are_measured_first(
    make_dicom: MakeDicom, decoders: DecodePool, tmp_path: Path
) -> None:
    deep = (np.arange(192, dtype=np.uint32) * 100_000).reshape(16, 12)
    path = make_dicom("dose.dcm", pixels=deep, Modality="RTDOSE", RescaleSlope=None, RescaleIntercept=None)
    assert isinstance(begin(decoders, Source(str(path)), tmp_path / "a.npy", count=2, index=0), NeedsExtents)
    assert not (tmp_path / "a.npy").exists()
    begun = begin(decoders, Source(str(path)), tmp_path / "a.npy", count=None, index=0)
    assert isinstance(begun, Begun) and begun.grid.is_rounded
    array = np.load(tmp_path / "a.npy")[0]
    assert np.abs(array * begun.grid.slope - deep).max() <= begun.grid.slope / 2


def test_many_frames_in_one_file(make_dicom: MakeDicom, decoders: DecodePool, tmp_path: Path) -> None:
    frames = np.arange(5 * 192, dtype=np.uint16).reshape(5, 16, 12)
    groups = []
    for number in range(5):
        group, place = Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, 3.0 * number]
        group.PlanePositionSequence = Items([place])
        groups.append(group)
    path = make_dicom("many.dcm", pixels=frames, PerFrameFunctionalGroupsSequence=Items(groups), FrameTime=40)
    begun = begin(decoders, Source(str(path)), tmp_path / "a.npy", count=None, index=0)
    assert isinstance(begun, Begun)
    assert (begun.count, begun.index, count_frames(decoders, str(path))) == (5, 2, 5)
    others = [(number, Source(str(path), number)) for number in (0, 1, 3, 4)]
    assert all(result.ok for result in fill(decoders, others, tmp_path / "a.npy", begun.grid, begun.data_at))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), frames)
    assert list(begun.facts.positions_mm) == [0, 3, 6, 9, 12]
    assert begun.facts.header is not None and begun.facts.header.frame_time_ms == 40
    (bad,) = fill(decoders, [(0, Source(str(path), 9))], tmp_path / "a.npy", begun.grid, begun.data_at)
    assert bad.reason == "no_such_frame"


def _facts(path: Path) -> dict[str, Any]:
    opened = open_file(path)
    return opened.facts(0, opened.stored(0))


def test_the_first_window_is_the_headers(make_dicom: MakeDicom) -> None:
    first = _facts(make_dicom("a.dcm", WindowCenter=[40, 300], WindowWidth=[400, 1500], VOILUTFunction="SIGMOID"))
    assert (first["window"], first["window_function"]) == ((40, 400), "SIGMOID")
    robust = _facts(make_dicom("b.dcm"))
    assert robust["window_function"] == "LINEAR_EXACT" and "percentile" in " ".join(robust["notes"])
    low, high = np.percentile(np.arange(192) * 10 - 1000, (1, 99))
    assert robust["window"] == pytest.approx(((low + high) / 2, high - low))
    eight = _facts(make_dicom("c.dcm", pixels=np.arange(192, dtype=np.uint8).reshape(16, 12), Modality="DX"))
    assert eight["window"] == (127.5 - 1000, 255) and eight["unit"] == "raw"


def test_a_voi_table_is_carried_and_polarity_only_flagged(make_dicom: MakeDicom) -> None:
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [4, 5, 8])
    table.add_new("LUTData", "US", [0, 10, 100, 255])
    pixels = np.arange(192, dtype=np.uint16).reshape(16, 12)
    path = make_dicom("a.dcm", pixels=pixels, Modality="DX", PhotometricInterpretation="MONOCHROME1")
    data = pydicom.dcmread(path)
    data.VOILUTSequence = Items([table])
    data.save_as(path, enforce_file_format=False)
    found = _facts(path)
    assert (found["voi_first"], found["voi_greys"]) == (5, (0, 10, 100, 255))
    assert found["is_inverted"] and not found["notes"]
    np.testing.assert_array_equal(open_file(path).stored(0).pixels, pixels)


SPACINGS: list[tuple[dict[str, Any], tuple[tuple[float, float] | None, str]]] = [
    ({"Modality": "CT"}, ((0.5, 0.5), "mm")),
    ({"Modality": "DX", "ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": None}, ((0.2, 0.2), "mm at detector")),
    ({"Modality": "DX", "ImagerPixelSpacing": [0.5, 0.5]}, ((0.5, 0.5), "mm at detector")),
    ({"Modality": "DX", "ImagerPixelSpacing": [0.6, 0.6]}, ((0.5, 0.5), "mm")),
    ({"Modality": "CR"}, ((0.5, 0.5), "mm at detector")),
    ({"Modality": "CR", "PixelSpacingCalibrationType": "FIDUCIAL"}, ((0.5, 0.5), "mm")),
    ({"Modality": "OT", "PixelSpacing": None}, (None, "px")),
]


@pytest.mark.parametrize(("changes", "expected"), SPACINGS)
def test_where_lengths_are_measured(make_dicom: MakeDicom, changes: dict[str, Any], expected: tuple[Any, str]) -> None:
    found = _facts(make_dicom("a.dcm", **changes))
    assert (found["spacing"], found["spacing_note"]) == expected


def test_ultrasound_by_its_regions(make_dicom: MakeDicom) -> None:
    def region(delta: float, kind: int = 1) -> Dataset:
        item = Dataset()
        item.RegionSpatialFormat = kind
        item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
        item.PhysicalDeltaX = item.PhysicalDeltaY = delta
        return item

    same = {"Modality": "US", "PixelSpacing": None}
    one = _facts(make_dicom("a.dcm", SequenceOfUltrasoundRegions=Items([region(0.02), region(0.5, kind=3)]), **same))
    assert one["spacing"] == pytest.approx((0.2, 0.2)) and one["spacing_note"] == "mm"
    two = _facts(make_dicom("b.dcm", SequenceOfUltrasoundRegions=Items([region(0.02), region(0.03)]), **same))
    assert (two["spacing"], two["spacing_note"]) == (None, "px")


def test_plain_pictures_keep_their_depth_and_pages(decoders: DecodePool, tmp_path: Path) -> None:
    deep = (np.arange(300, dtype=np.uint16) * 200).reshape(15, 20)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(open_file(tmp_path / "deep.png").stored(0).pixels, deep)
    facts = _facts(tmp_path / "deep.png")
    assert facts["header"] is None and facts["window"][1] < 59800
    pages = [Image.fromarray(np.full((8, 9), grey, np.uint8)) for grey in (10, 20, 30)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    begun = begin(decoders, Source(str(tmp_path / "pages.tif")), tmp_path / "p.npy", count=None, index=0)
    assert isinstance(begun, Begun) and (begun.count, begun.index) == (3, 1)
    assert np.load(tmp_path / "p.npy")[1].max() == 20
    Image.fromarray(np.zeros((8, 9, 3), np.uint8)).save(tmp_path / "colour.jpg")
    assert open_file(tmp_path / "colour.jpg").stored(0).own_grid() == Grid(8, 9, 3, "uint8")


def test_colour_among_grey_is_refused(make_dicom: MakeDicom, decoders: DecodePool, tmp_path: Path) -> None:
    begun = begin(decoders, Source(str(make_dicom("a.dcm"))), tmp_path / "a.npy", count=2, index=0)
    assert isinstance(begun, Begun)
    colour = make_dicom("b.dcm", pixels=np.zeros((16, 12, 3), np.uint8))
    (result,) = fill(decoders, [(1, Source(str(colour)))], tmp_path / "a.npy", begun.grid, begun.data_at)
    assert result.reason == "bad_header"


def test_what_cannot_be_begun_leaves_no_file(decoders: DecodePool, tmp_path: Path) -> None:
    (tmp_path / "x.dcm").write_text("no image")
    with pytest.raises(UnreadableFile, match="not an image"):
        begin(decoders, Source(str(tmp_path / "x.dcm")), tmp_path / "a.npy", count=1, index=0)
    assert not (tmp_path / "a.npy").exists()
    assert count_frames(decoders, str(tmp_path / "x.dcm")) == 0


def test_thumbnails_are_windowed_and_inverted_as_in_a_viewer(
    make_dicom: MakeDicom, decoders: DecodePool, tmp_path: Path
) -> None:
    warm_up(decoders)
    ramp = np.tile(np.linspace(0, 2000, 60).astype(np.uint16), (40, 1))
    dark = make_dicom("a.dcm", pixels=ramp, PhotometricInterpretation="MONOCHROME1")
    many = make_dicom("many.dcm", pixels=np.stack([ramp * 0, ramp, ramp * 0]))
    (tmp_path / "bad.dcm").write_text("bad")
    jobs = [("dark", str(dark), None), ("many", str(many), None), ("bad", str(tmp_path / "bad.dcm"), None)]
    found = {one.key: one for one in thumbnails(decoders, jobs, 30)}
    assert (found["dark"].rows, found["dark"].columns, found["dark"].channels) == (20, 30, 1)
    row = np.frombuffer(found["dark"].payload, np.uint8).reshape(20, 30)[10].astype(int)
    assert row[0] > 240 and row[-1] < 15 and (np.diff(row) <= 0).all()
    middle = np.frombuffer(found["many"].payload, np.uint8)
    assert middle.max() > 240
    assert not found["bad"].ok and found["bad"].message and found["bad"].payload == b""


def test_the_real_ct_is_exact_at_every_pixel(shared: Path, decoders: DecodePool, tmp_path: Path) -> None:
    paths = sorted((shared / "ct-abdomen" / "series").glob("*.dcm"))[:4]
    begun, array = _array(decoders, paths, tmp_path / "a.npy")
    for frame, path in zip(array, paths, strict=True):
        data = pydicom.dcmread(path)
        hounsfield = data.pixel_array * float(data.RescaleSlope) + float(data.RescaleIntercept)
        np.testing.assert_array_equal(frame * begun.grid.slope + begun.grid.intercept, hounsfield)
    assert begun.facts.unit == "HU" and begun.facts.window == (40, 300)
