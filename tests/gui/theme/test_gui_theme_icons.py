from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from PySide6.QtCore import QFile, QIODevice, QSize
from PySide6.QtGui import QIcon, QImage
from PySide6.QtWidgets import QApplication, QPushButton

from medfm_gui.base.resources import resources_folder
from medfm_gui.domain.errors import InternalError
from medfm_gui.ui import glyphs, icons, theme

FILES = sorted((resources_folder() / "icons").glob("*.svg"))
WANTED = """home datasets train runs studies compare reports settings search command plus close check warning error info
play pause stop retry clone trash folder file import export download upload lock unlock seal eye eye-off contrast invert
rotate flip-h flip-v fit reset layers chevron-right chevron-down chevron-left chevron-up gpu cpu disk memory network
network-off shield clock chart table grid list filter split patient image copy external keyboard sun moon dots star
split-view""".split()  # noqa: SIM905


def inked(image: QImage) -> set[str]:
    """Colours of the pixels that are fully covered."""
    tones = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return {tone.name() for tone in tones if tone.alpha() == 255}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_drawings_are_of_one_kind(path: object) -> None:
    root = ET.parse(str(path)).getroot()  # noqa: S314, our own files
    assert root.get("viewBox") == "0 0 20 20"
    assert root.get("stroke-width") == "1.5"
    assert (root.get("stroke-linecap"), root.get("stroke-linejoin")) == ("round", "round")
    colours = {item.get(key) for item in root.iter() for key in ("fill", "stroke")} - {None}
    assert colours <= {"currentColor", "none"}
    assert not any(item.tag.endswith(("image", "style", "use", "text")) for item in root.iter())


def test_every_wanted_icon_is_there() -> None:
    assert set(WANTED) - set(icons.names()) == set()


@pytest.mark.parametrize("name", theme.NAMES)
def test_every_icon_is_drawn_in_the_theme(themed: QApplication, name: str) -> None:
    tokens = theme.load(name)
    theme.apply(themed, tokens)
    for icon in icons.names():
        assert inked(icons.pixmap(icon, "accent", 60).toImage()) == {tokens.accent.lower()}, icon


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0, 3.0])
def test_icons_are_sharp_at_every_ratio(ratio: float) -> None:
    drawn = icons.icon("home").pixmap(QSize(20, 20), ratio)
    assert drawn.size() == QSize(round(20 * ratio), round(20 * ratio))
    assert drawn.devicePixelRatio() == pytest.approx(ratio)
    assert icons.pixmap("home", "text", 20, ratio).size() == drawn.size()


def test_an_icon_follows_the_theme_and_what_can_be_done(themed: QApplication) -> None:
    icon = icons.icon("trash", "bad")
    for name in theme.NAMES:
        tokens = theme.load(name)
        theme.apply(themed, tokens)
        assert tokens.bad.lower() in inked(icon.pixmap(QSize(40, 40), 1.0).toImage())
        disabled = icon.pixmap(QSize(40, 40), 1.0, QIcon.Mode.Disabled).toImage()
        assert tokens.disabled.lower() in inked(disabled)
        assert tokens.bad.lower() not in inked(disabled)


def test_icons_outlive_what_carried_them() -> None:
    buttons = [QPushButton(icons.icon("gpu"), "x") for _ in range(50)]
    kept = [button.icon() for button in buttons]
    for button in buttons:
        button.deleteLater()
    buttons.clear()
    assert {icon.pixmap(20).width() for icon in kept} == {20}


def test_an_unknown_icon_is_refused() -> None:
    with pytest.raises(InternalError, match="no icon"):
        icons.icon("../../etc/passwd")


@pytest.mark.parametrize("name", theme.NAMES)
def test_glyphs_are_resources_in_the_colours_of_the_theme(themed: QApplication, name: str) -> None:
    tokens = theme.load(name)
    theme.apply(themed, tokens)
    named = re.findall(rf":/medfm/{name}/([a-z-]+)\.svg", themed.styleSheet())
    assert named
    for glyph in set(named):
        handle = QFile(f":/medfm/{name}/{glyph}.svg")
        assert handle.open(QIODevice.OpenModeFlag.ReadOnly), glyph
        content = bytes(handle.readAll().data())
        handle.close()
        assert b"currentColor" not in content
        assert any(tone.encode() in content for tone in (tokens.muted, tokens.disabled, tokens.on_accent))


def test_resources_hold_what_they_are_given() -> None:
    files = {f"file-{k}.svg": bytes([k]) * k for k in range(40)}
    data = glyphs.resource(files)
    assert data[:4] == b"qres"
    assert all(content in data for content in files.values())
