from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging import presentation as pr
from medfm_gui.imaging.dicom import PREAMBLE, read_values
from medfm_gui.imaging.picture import stored_sha256
from medfm_gui.imaging.read import read_picture

MakeDicom = Callable[..., Path]

RAMP = np.arange(192, dtype=np.uint16).reshape(16, 12) * 10


def _reason(path: Path, **options: object) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_picture(path, **options)  # type: ignore[arg-type]
    return caught.value.reason


def test_values_are_in_hounsfield_units(make_dicom: MakeDicom) -> None:
    np.testing.assert_array_equal(read_values(make_dicom()), RAMP.astype(np.float32) - 1000)
    with pytest.raises(UnreadableFile):
        read_values(make_dicom(pixels=np.zeros((4, 4, 3), np.uint8)))


def test_the_headers_first_window_is_used(make_dicom: MakeDicom) -> None:
    path = make_dicom(WindowCenter=[0, 900], WindowWidth=[200, 100])
    picture = read_picture(path)
    hounsfield = RAMP.astype(float) - 1000
    assert picture.pixels.dtype == np.uint16
    assert np.all(picture.pixels[hounsfield <= -101] == 0)
    assert np.all(picture.pixels[hounsfield >= 100] == 65535)
    assert 32_000 < picture.pixels[hounsfield == 0][0] < 33_500
    assert picture.notes == ()
    assert picture.stored_sha256 == stored_sha256(RAMP)


def test_without_a_window_percentiles(make_dicom: MakeDicom) -> None:
    picture = read_picture(make_dicom())
    assert pr.NO_WINDOW in picture.notes
    assert (picture.pixels.min(), picture.pixels.max()) == (0, 65535)


@pytest.mark.parametrize(
    ("centre", "width", "note"), [(40, 0, pr.BAD_WINDOW), (40, -5, pr.BAD_WINDOW), (1e6, 10, pr.BLANK_WINDOW)]
)
def test_impossible_windows_fall_back_and_say_so(make_dicom: MakeDicom, centre: float, width: float, note: str) -> None:
    picture = read_picture(make_dicom(WindowCenter=centre, WindowWidth=width))
    assert note in picture.notes
    assert picture.pixels.max() == 65535


def test_eight_bit_grey_without_a_window_is_ready_as_stored(make_dicom: MakeDicom) -> None:
    stored = np.arange(192, dtype=np.uint8).reshape(16, 12)
    picture = read_picture(make_dicom(pixels=stored, RescaleSlope=None, RescaleIntercept=None))
    np.testing.assert_array_equal(picture.pixels, stored)
    assert picture.stored_sha256 == stored_sha256(stored), "the same as of a PNG with these values"


@pytest.mark.parametrize(
    "keywords", [{"PhotometricInterpretation": "MONOCHROME1"}, {"PresentationLUTShape": "INVERSE"}]
)
def test_inverse_polarity_after_the_window(make_dicom: MakeDicom, keywords: dict[str, str]) -> None:
    window = {"WindowCenter": 0, "WindowWidth": 400}
    plain = read_picture(make_dicom(**window)).pixels.astype(int)
    inverse = read_picture(make_dicom(**window, **keywords)).pixels.astype(int)
    assert np.abs(65535 - inverse - plain).max() <= 1


def test_monochrome1_with_inverse_is_inverted_once(make_dicom: MakeDicom) -> None:
    both = read_picture(make_dicom(PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE"))
    assert both.pixels[0, 0] > both.pixels[-1, -1]


def _lut(first: int, entries: list[int], bits: int) -> Dataset:
    item = Dataset()
    item.add_new(0x00283002, "SS" if first < 0 else "US", [len(entries), first, bits])
    item.add_new(0x00283006, "US", entries)
    return item


def test_a_voi_lut_goes_before_the_window(make_dicom: MakeDicom) -> None:
    table = [0] * 100 + [4095] * 100
    path = make_dicom(VOILUTSequence=Sequence([_lut(-100, table, 12)]), WindowCenter=0, WindowWidth=9999)
    picture = read_picture(path)
    hounsfield = RAMP.astype(float) - 1000
    np.testing.assert_array_equal(picture.pixels, np.where(hounsfield >= 0, 65535, 0))


def test_a_modality_lut_gives_the_values(make_dicom: MakeDicom) -> None:
    pixels = np.arange(16, dtype=np.uint16).reshape(4, 4)
    table = [level * level for level in range(16)]
    path = make_dicom(
        pixels=pixels, RescaleSlope=None, RescaleIntercept=None, ModalityLUTSequence=Sequence([_lut(0, table, 16)])
    )
    np.testing.assert_array_equal(read_values(path), pixels.astype(np.float32) ** 2)


def test_an_empty_lut_is_a_bad_header(make_dicom: MakeDicom) -> None:
    item = Dataset()
    item.LUTDescriptor = [4, 0, 16]
    assert _reason(make_dicom(VOILUTSequence=Sequence([item]))) == "bad_header"


def test_padding_does_not_stretch_the_window(make_dicom: MakeDicom) -> None:
    signed = (RAMP // 10).astype(np.int16)
    signed[:8] = -2000
    plain = {"RescaleIntercept": 0}
    padded = read_picture(make_dicom(pixels=signed, PixelPaddingValue=-2000, **plain))
    unpadded = read_picture(make_dicom(pixels=signed, **plain))
    assert len(np.unique(padded.pixels[8:])) > 80
    assert np.ptp(padded.pixels[8:].astype(int)) > np.ptp(unpadded.pixels[8:].astype(int))


def test_a_rescale_that_cannot_be_is_left_out(make_dicom: MakeDicom) -> None:
    picture = read_picture(make_dicom(RescaleSlope=0))
    assert pr.BAD_RESCALE in picture.notes and picture.pixels.max() == 65535


def test_a_flipped_sign_in_ct_is_noticed(make_dicom: MakeDicom) -> None:
    wrong = np.tile(np.array([64_600, 65_400, 40], np.uint16), (16, 4))
    assert pr.NOT_HOUNSFIELD in read_picture(make_dicom(pixels=wrong)).notes
    padded = np.full((32, 32), 24, np.uint16)
    padded[8:24, 8:24] = 2024 + np.arange(256).reshape(16, 16) % 50
    assert pr.NOT_HOUNSFIELD not in read_picture(make_dicom(pixels=padded, RescaleIntercept=-3024)).notes


def test_colour_stays_as_it_is(make_dicom: MakeDicom) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    np.testing.assert_array_equal(read_picture(make_dicom(pixels=rgb)).pixels, rgb)


def test_ybr_becomes_rgb(make_dicom: MakeDicom) -> None:
    ybr = np.zeros((4, 4, 3), np.uint8)
    ybr[...] = (76, 85, 255)  # pure red
    picture = read_picture(make_dicom(pixels=ybr, PhotometricInterpretation="YBR_FULL"))
    assert np.abs(picture.pixels.astype(int) - (254, 0, 0)).max() <= 2


def test_a_palette_becomes_colour(make_dicom: MakeDicom) -> None:
    index = np.arange(16, dtype=np.uint8).reshape(4, 4)
    path = make_dicom(pixels=index)
    data = dcmread(path)
    data.PhotometricInterpretation = "PALETTE COLOR"
    ramp = (np.arange(256, dtype=np.uint16) << 8).tobytes()
    for name, table in (("Red", ramp), ("Green", bytes(512)), ("Blue", bytes(512))):
        number = ("Red", "Green", "Blue").index(name)
        data.add_new(0x00281101 + number, "US", [256, 0, 16])
        data.add_new(0x00281201 + number, "OW", table)
    data.save_as(path)
    picture = read_picture(path)
    assert picture.pixels.dtype == np.uint8
    np.testing.assert_array_equal(picture.pixels[..., 0], index)
    assert picture.pixels[..., 1:].max() == 0
    del data.RedPaletteColorLookupTableData
    data.save_as(path)
    assert _reason(path) == "bad_header"


def test_frames_must_be_chosen(make_dicom: MakeDicom) -> None:
    frames = np.stack([np.full((4, 4), value, np.uint8) for value in (1, 2, 3)])
    path = make_dicom(pixels=frames, RescaleSlope=None, RescaleIntercept=None)
    assert _reason(path) == "multi_frame"
    assert read_picture(path, frame=2).pixels.max() == 3
    assert _reason(path, frame=3) == _reason(path, frame=-1) == "no_such_frame"


def test_enhanced_images_have_their_own_window_a_frame(make_dicom: MakeDicom) -> None:
    def frame(centre: float) -> Dataset:
        voi, rescale, item = Dataset(), Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth = centre, 100
        rescale.RescaleSlope, rescale.RescaleIntercept = 2, 0
        item.FrameVOILUTSequence = Sequence([voi])
        item.PixelValueTransformationSequence = Sequence([rescale])
        return item

    shared, measures = Dataset(), Dataset()
    measures.PixelSpacing = [0.25, 0.5]
    shared.PixelMeasuresSequence = Sequence([measures])
    path = make_dicom(
        pixels=np.stack([RAMP, RAMP]),
        PerFrameFunctionalGroupsSequence=Sequence([frame(0), frame(3000)]),
        SharedFunctionalGroupsSequence=Sequence([shared]),
        RescaleSlope=None,
        RescaleIntercept=None,
        PixelSpacing=None,
    )
    from medfm_gui.imaging.dicom import read_header

    assert read_header(path).pixel_spacing == (0.25, 0.5)
    low, high = (read_picture(path, frame=index).pixels for index in (0, 1))
    assert (low == 65535).sum() > (high == 65535).sum() > 0
    np.testing.assert_array_equal(read_values(path, frame=1), RAMP * 2.0)


@pytest.mark.parametrize(
    ("keyword", "value", "note"),
    [
        ("PresentationIntentType", "FOR PROCESSING", pr.FOR_PROCESSING),
        ("LossyImageCompression", "01", pr.LOSSY),
        ("BurnedInAnnotation", "YES", pr.BURNED_IN),
    ],
)
def test_what_a_reader_should_know_is_said(make_dicom: MakeDicom, keyword: str, value: str, note: str) -> None:
    assert note in read_picture(make_dicom(**{keyword: value})).notes


def test_a_program_in_the_preamble_is_said(make_dicom: MakeDicom) -> None:
    assert PREAMBLE in read_picture(make_dicom(preamble=b"MZ".ljust(128, b"\x90"))).notes
    assert PREAMBLE not in read_picture(make_dicom()).notes


def test_all_decodable_packaged_files_and_a_name_for_the_others(packaged: list[Path]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcomes = {}
        for path in packaged:
            try:
                picture = read_picture(path)
                assert picture.pixels.ndim in (2, 3) and picture.pixels.dtype in (np.uint8, np.uint16)
                outcomes[path.name] = "read"
            except UnreadableFile as error:
                outcomes[path.name] = error.reason
    assert sum(outcome == "read" for outcome in outcomes.values()) >= 80
    assert outcomes["MR_truncated.dcm"] == outcomes["rtplan_truncated.dcm"] == "truncated"
    assert outcomes["DICOMDIR"] == "file_set_index"
    assert outcomes["rtplan.dcm"] == outcomes["waveform_ecg.dcm"] == outcomes["test-SR.dcm"] == "no_pixels"
    assert outcomes["README.txt"] == "not_an_image"


def test_the_same_slice_in_every_encoding(packaged: list[Path]) -> None:
    names = {"MR_small", "MR_small_RLE", "MR_small_bigendian", "MR_small_implicit", "MR_small_expb"}
    names |= {"MR_small_jp2klossless", "MR_small_jpeg_ls_lossless", "MR_small_padded"}
    prints = {read_picture(path).stored_sha256 for path in packaged if path.stem in names}
    assert len(prints) == 1
