"""What is seen: pixels, words, a map and its legend, identity only where it may be."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QLineEdit
from pytestqt.qtbot import QtBot

from medfm_gui.base.resources import resources_folder
from medfm_gui.domain.errors import InternalError
from medfm_gui.ui import theme
from medfm_gui.ui.viewer import facts
from medfm_gui.ui.viewer.hand import DragDirection
from medfm_gui.ui.viewer.heat import Overlay, colour_table
from medfm_gui.ui.viewer.image import HeatMap, SeriesImage
from medfm_gui.ui.viewer.ink import contrast, ink
from medfm_gui.ui.viewer.orientation import Turn
from medfm_gui.ui.viewer.picture import Cut, Fining, Picture, cut_for
from medfm_gui.ui.viewer.preset_editor import PresetEditor
from medfm_gui.ui.viewer.preset_menu import PresetMenu
from medfm_gui.ui.viewer.presets import Preset, parse, to_toml
from medfm_gui.ui.viewer.viewer import Viewer
from tests.gui.viewer.conftest import Make, is_shown

HOSTILE = ("<img src='/etc/passwd'>" * 500, "\u202egnp.exe\x00\x1b[31m\nnew line", "名前" * 5000, "&amp; <b>bold</b>")


def grey_at(image: QImage, viewer: Viewer, column: int, row: int) -> int:
    x, y = viewer.placement.to_pane(column + 0.5, row + 0.5)
    return image.pixelColor(int(x), int(y)).red()


def blocks(make: Make) -> SeriesImage:
    """A picture of four greys, in quarters."""
    frame = np.zeros((40, 60), np.uint8)
    frame[:20, 30:], frame[20:, :30], frame[20:, 30:] = 80, 160, 240
    return make(frames=np.stack([frame] * 2), loaded=2, unit="raw", window=None, positions_mm=(), orientation=None)


def test_pixels_are_shown_through_the_window(viewer: Viewer, make: Make) -> None:
    viewer.set_series(blocks(make))
    seen = viewer.grab().toImage()
    assert [grey_at(seen, viewer, *at) for at in ((12, 9), (45, 9), (12, 30), (45, 30))] == [0, 80, 160, 240]
    viewer.state.set_window(120, 80)
    seen = viewer.grab().toImage()
    assert [grey_at(seen, viewer, *at) for at in ((12, 9), (45, 9), (12, 30))] == [0, 0, 255]
    viewer.run("invert")
    assert grey_at(viewer.grab().toImage(), viewer, 12, 9) == 255


@pytest.mark.parametrize("action", ["rotate", "flip-h", "flip-v"])
def test_pixels_lie_where_points_are_mapped(viewer: Viewer, make: Make, action: str) -> None:
    viewer.set_series(blocks(make))
    viewer.run(action)
    seen = viewer.grab().toImage()
    assert [grey_at(seen, viewer, *at) for at in ((12, 9), (45, 9), (12, 30), (45, 30))] == [0, 80, 160, 240]


def test_polarity_of_the_series_and_of_the_reader_cancel(viewer: Viewer, make: Make) -> None:
    frames = np.full((1, 40, 60), 200, np.uint8)
    facts_ = {"frames": frames, "loaded": 1, "unit": "raw", "window": None, "positions_mm": (), "orientation": None}
    viewer.set_series(make(**facts_, inverted=True))
    assert grey_at(viewer.grab().toImage(), viewer, 30, 20) == 55
    viewer.run("invert")
    assert grey_at(viewer.grab().toImage(), viewer, 30, 20) == 200


def test_colour_is_shown_as_it_is(viewer: Viewer, make: Make) -> None:
    frames = np.zeros((1, 40, 60, 3), np.uint8)
    frames[..., 0], frames[..., 1], frames[..., 2] = 200, 100, 50
    viewer.set_series(make(frames=frames, loaded=1, unit="", window=None, positions_mm=(), orientation=None))
    assert viewer.grab().toImage().pixelColor(200, 130) == QColor(200, 100, 50)


def test_a_map_is_drawn_over_its_own_frame_only(viewer: Viewer, make: Make, heat: HeatMap) -> None:
    frames = np.zeros((6, 40, 60), np.int16) - 1000
    viewer.set_series(make(frames=frames))
    viewer.set_heat_map(heat)
    viewer.state.go_to(2)
    x, y = (int(part) for part in viewer.placement.to_pane(3, 5))
    assert viewer.grab().toImage().pixelColor(x, y).red() == 0, "off at first"
    viewer.set_overlay(1.0, follow_value=True, shown=True)
    seen = viewer.grab().toImage()
    assert seen.pixelColor(x, y).red() > 150
    viewer.run("flip-h")
    mirrored = viewer.grab().toImage().pixelColor(599 - x, y)
    assert mirrored.red() > 150
    viewer.run("next")
    assert viewer.grab().toImage().pixelColor(599 - x, y).red() == 0


def test_colours_of_a_map_are_premultiplied_and_follow_the_value() -> None:
    colours = np.full((256, 3), 200, np.uint8)
    even = colour_table(colours, Overlay(0.5, follow_value=False))
    assert {int(one) for one in even} == {(128 << 24) | (100 << 16) | (100 << 8) | 100}
    following = colour_table(colours, Overlay(1.0, follow_value=True))
    assert int(following[0]) == 0
    assert int(following[255]) == 0xFFC8C8C8
    parts = following.view(np.uint8).reshape(256, 4)
    assert (parts.max(axis=1) == parts[:, 3]).all(), "no part exceeds alpha"


def test_a_map_with_holes_is_drawn(viewer: Viewer, heat: HeatMap) -> None:
    heat.values[1, 1], heat.values[2, 2] = np.nan, np.inf
    viewer.set_heat_map(heat)
    viewer.set_overlay(0.5, follow_value=False, shown=True)
    viewer.state.go_to(2)
    assert not viewer.grab().isNull()


def test_identity_is_hidden_by_one_switch(viewer: Viewer, make: Make) -> None:
    viewer.set_series(make(identity="DOE JANE 1234", study="CT abdomen"))
    shown = viewer.grab().toImage()
    viewer.set_identity_shown(False)
    hidden = viewer.grab().toImage()
    assert shown != hidden
    words = facts.corners(viewer.state, viewer.placement, None, identity_shown=False)
    assert words.top_left == ("CT abdomen",)
    viewer.set_series(make(identity="SMITH", study="CT abdomen"))
    assert viewer.grab().toImage() == hidden, "nothing of the name is left in the picture"
    assert "SMITH" not in facts.description(viewer.state)


def test_words_in_the_corners(viewer: Viewer, make: Make) -> None:
    viewer.set_series(make(identity="A", study="B", marks=("Compressed with loss",)))
    viewer.run("next")
    viewer.set_probe((3, 0))
    words = facts.corners(viewer.state, viewer.placement, viewer.probe, identity_shown=True)
    assert words == facts.Corners(
        top_left=("A", "B"),
        marks=("Compressed with loss",),
        bottom_left=("Slice 2/6", "Position −7.5 mm", "x 3  y 0  −4597 HU"),
        bottom_right=("Soft tissue", "W 400  L 40 HU", "Zoom 1000 %"),
    )


def test_a_scale_bar_says_what_its_millimetres_are(viewer: Viewer, make: Make) -> None:
    for note, spacing, text in (
        ("mm", (0.5, 0.5), "5 mm"),
        ("mm at detector", (0.5, 0.5), "5 mm at detector"),
        ("px", None, "10 px"),
    ):
        viewer.set_series(make(spacing_mm=spacing, spacing_note=note))
        assert viewer.state.series is not None
        bar = facts.scale_bar(viewer.state.series, viewer.placement)
        assert bar == facts.ScaleBar(pytest.approx(100), text)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(160, 120), (600, 400)])
@pytest.mark.parametrize("text", HOSTILE)
def test_huge_and_hostile_words_are_cut_and_painted(
    viewer: Viewer, make: Make, heat: HeatMap, text: str, size: tuple[int, int]
) -> None:
    viewer.resize(*size)
    viewer.set_series(make(identity=text, study=text, marks=(text,) * 50, frame_notes=("", "", "", text)))
    viewer.set_heat_map(HeatMap(heat.values, 0, text, heat.colours, threshold_note=text[:300]))
    viewer.set_overlay(0.5, follow_value=True, shown=True)
    assert not viewer.grab().isNull()
    viewer.state.go_to(3)
    assert not viewer.grab().isNull()
    words = facts.corners(viewer.state, viewer.placement, None, identity_shown=True)
    said = [*words.top_left, *words.marks, facts.description(viewer.state)]
    assert len(words.marks) == 7
    assert not any(character in line for line in said for character in "\x00\x1b\n\u202e")
    assert max(len(line) for line in (*words.top_left, *words.marks)) <= 120


def test_frames_that_are_not_there_yet_are_waited_for(viewer: Viewer, make: Make) -> None:
    viewer.set_series(make(loaded=1))
    viewer.state.go_to(4)
    assert not is_shown(viewer)
    assert viewer.probe is None
    waiting = viewer.grab().toImage()
    viewer.set_loaded(6)
    assert is_shown(viewer)
    assert viewer.grab().toImage() != waiting
    viewer.set_loaded(6, ("", "", "", "", "This slice cannot be decoded.", ""))
    assert viewer.state.note == "This slice cannot be decoded."
    assert not is_shown(viewer)


def test_a_thinned_picture_becomes_its_means_at_rest(viewer: Viewer, make: Make, qtbot: QtBot) -> None:
    stripes = np.zeros((1, 2400, 3600), np.uint16)
    stripes[:, :, ::2] = 2000
    viewer.set_series(
        make(frames=stripes, loaded=1, unit="raw", window=(1000.0, 2000.0), positions_mm=(), orientation=None)
    )

    def grey() -> int:
        return viewer.grab().toImage().pixelColor(300, 120).red()

    assert grey() in (0, 255), "while the hand moves: every sixth pixel"
    qtbot.waitUntil(lambda: 126 <= grey() <= 129, timeout=5000)


@pytest.mark.parametrize("shape", [(1, 23, 17), (1, 23, 17, 3)])
@pytest.mark.parametrize("dtype", ["int16", "uint8"])
def test_means_of_blocks_are_exact_at_the_edges_too(shape: tuple[int, ...], dtype: str) -> None:
    frames = np.random.default_rng(0).integers(0, 255, shape).astype(dtype) - (100 if dtype == "int16" else 0)
    fining = Fining(frames, Cut(0, 4, 8, 17, 23, 4))
    while not fining.advance():
        pass
    assert fining.means is not None
    assert fining.means.dtype == frames.dtype
    for row in range(4):
        for column in range(4):
            block = frames[0, 8 + 4 * row : 12 + 4 * row, 4 + 4 * column : min(8 + 4 * column, 17)]
            assert np.abs(fining.means[row, column] - block.astype(float).mean(axis=(0, 1))).max() <= 0.5


def test_a_picture_is_made_again_only_where_something_changed() -> None:
    frames = np.zeros((2, 8, 8), np.uint8)
    table, picture = np.arange(256, dtype=np.uint8), Picture()
    cut = cut_for(0, (0, 0, 8, 8), 1.0)
    first = picture.image(frames, cut, Turn(), table, 1)
    assert picture.image(frames, cut, Turn(), table, 1) is first
    assert picture.image(frames, cut, Turn(), table, 2) is not first
    assert cut_for(0, (5, 7, 100, 100), 0.24) == Cut(0, 4, 4, 100, 100, 4)


@pytest.mark.parametrize("name", theme.NAMES)
def test_words_on_the_picture_can_be_read_in_both_themes(qapp: QApplication, viewer: Viewer, name: str) -> None:
    theme.apply(qapp, theme.load(name))
    colours = ink()
    brightest = QColor.fromRgbF(*[1 - colours.plate.alphaF()] * 3)  # the plate over white tissue
    assert contrast(colours.text, colours.ground) >= 7
    assert contrast(colours.text, brightest) >= 4.5
    assert contrast(colours.on_mark, colours.mark) >= 4.5
    assert contrast(colours.accent, colours.ground) >= 3
    assert viewer.grab().toImage().pixelColor(4, 4) == colours.ground


def test_a_screen_reader_is_told_at_rest(viewer: Viewer, qtbot: QtBot) -> None:
    viewer.run("next")
    assert viewer.accessibleName()
    qtbot.waitUntil(lambda: "Slice 2/6" in viewer.accessibleDescription(), timeout=3000)


def test_presets_are_data_and_come_back_as_they_were() -> None:
    own = parse((resources_folder() / "viewer" / "presets.toml").read_text(encoding="utf-8"))
    assert own[1] == Preset("Lung", -600, 1500)
    odd = (Preset('a "quoted" \\ name\n', -1.5, 2.25), *own[:3])
    assert parse(to_toml(odd)) == odd
    for wrong in ("", "preset = 3", "[[preset]]\nname = 'a'\ncentre = 1\nwidth = 0", "[[preset]]\nname = 'a'", "= ="):
        with pytest.raises(InternalError):
            parse(wrong)


def test_the_preset_menu_shows_numbers_and_edits(viewer: Viewer, qtbot: QtBot) -> None:
    menu = PresetMenu(viewer, viewer)
    menu.fill()
    texts = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert texts == [
        "0  As opened", "1  Soft tissue: W 400  L 40 HU", "2  Lung: W 1500  L −600 HU", "Edit presets …", "Left drag"
    ]  # fmt: skip
    menu.actions()[2].trigger()
    assert viewer.state.preset_name == "Lung"
    menu.edit()
    editor = viewer.findChild(PresetEditor)
    assert editor is not None
    assert all(field.accessibleName() for field in editor.findChildren(QLineEdit) if field.parent() is editor)
    editor.findChildren(QLineEdit)[0].setText("Heart & <b>vessels</b>")
    with qtbot.waitSignal(menu.presets_changed) as told:
        editor.findChildren(QDialogButtonBox)[0].button(QDialogButtonBox.StandardButton.Ok).click()
    assert told.args is not None
    assert told.args[0] == viewer.state.presets
    assert viewer.state.presets[0] == Preset("Heart & <b>vessels</b>", 40, 400)
    menu.fill()
    assert menu.actions()[1].text().startswith("1  Heart && <b>vessels</b>")
    QCoreApplication.processEvents()


def test_the_editor_brings_the_standard_presets_back(qtbot: QtBot) -> None:
    standard = (Preset("Bone", 400, 1800), Preset("Odd", 0.5, 10.5))
    editor = PresetEditor((Preset("Mine", 1, 2), Preset("Also mine", 3, 4), Preset("Third", 5, 6)), standard)
    qtbot.addWidget(editor)
    assert [one.name for one in editor.presets] == ["Mine", "Also mine", "Third"]
    editor.findChildren(QDialogButtonBox)[0].button(QDialogButtonBox.StandardButton.RestoreDefaults).click()
    assert editor.presets == standard
    empty = PresetEditor((), ())
    qtbot.addWidget(empty)
    button = empty.findChildren(QDialogButtonBox)[0].button(QDialogButtonBox.StandardButton.RestoreDefaults)
    assert not button.isEnabled()


def test_the_menu_sets_the_direction_of_the_left_drag(viewer: Viewer, qtbot: QtBot) -> None:
    menu = PresetMenu(viewer, viewer)
    menu.fill()
    words = {action.text(): action for action in menu.drag.actions() if not action.isSeparator()}
    assert [text for text, action in words.items() if action.isChecked()] == [
        "Across: width, up and down: level",
        "Up is brighter",
    ]
    with qtbot.waitSignal(menu.drag_changed) as told:
        words["Across: level, up and down: width"].trigger()
    assert told.args == [DragDirection(width_across=False)]
    assert viewer.drag_direction == DragDirection(width_across=False)
    menu.fill()
    assert [action.text() for action in menu.drag.actions() if action.isChecked()] == [
        "Across: level, up and down: width",
        "Right is brighter",
    ]
