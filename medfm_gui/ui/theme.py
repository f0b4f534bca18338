"""The theme: colours and sizes declared in ``resources/theme/*.toml``, put on the application in one step.

``apply(app, theme)`` sets style, palette, font and stylesheet; ``current()`` reads the theme back in a paint event. The
theme is kept as a property of the QApplication, so that no module holds state. The few files are read when this
module is imported and when a theme is loaded, both before the first paint or at a choice of the user.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from medfm_gui.base.resources import resources_folder
from medfm_gui.domain.errors import InternalError

NAMES: Final = ("dark", "light")
"""The themes there are; the first is the default."""

REDUCED_MOTION: Final = "reduced_motion"
"""Under which name the window remembers that the person wants nothing to move."""

_PROPERTY: Final = "medfm_theme"
_MOTION: Final = "medfm_motion"


def _declared(name: str) -> dict[str, Any]:
    path = resources_folder() / "theme" / f"{name}.toml"
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except (OSError, ValueError) as error:
        raise InternalError(f"The file “{path}” cannot be read: {error}", "Install MedFM Studio again.") from error


_SIZES: Final = _declared("sizes")

SPACE: Final[tuple[int, ...]] = tuple(_SIZES["space"])
"""Distances on the 4-px grid, smallest first."""
RADIUS: Final[int] = _SIZES["radius"]
FOCUS: Final[int] = _SIZES["focus"]
"""Width of a focus ring."""
ICON_PX: Final[int] = _SIZES["icon"]
CONTROL_PX: Final[int] = _SIZES["control"]
"""Height of a button or an input."""
BODY_PX: Final[int] = _SIZES["type"]["body"]
CAPTION_PX: Final[int] = _SIZES["type"]["caption"]
HEADINGS_PX: Final[tuple[int, ...]] = tuple(_SIZES["type"]["headings"])
"""Heading sizes, smallest first: ``heading3``, ``heading2``, ``heading1``."""
MOTION_MS: Final[int] = _SIZES["motion"]["longest_ms"]


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one theme as ``#RRGGBB``. Words may stand in ``text``, ``muted``, ``accent``, ``good``, ``warn``,
    ``bad`` on ``window``, ``panel`` and ``raised``; ``series`` are for lines and markers, never for words."""

    name: str
    window: str
    panel: str
    raised: str
    line: str
    text: str
    muted: str
    disabled: str
    accent: str
    on_accent: str
    good: str
    warn: str
    bad: str
    image: str
    series: tuple[str, ...]

    @property
    def dark(self) -> bool:
        """The window is darker than its text."""
        return QColor(self.window).lightnessF() < QColor(self.text).lightnessF()


def load(name: str) -> Theme:
    """The theme of that name.

    Raises:
        InternalError: there is no such theme, or its file does not hold every token.
    """
    if name not in NAMES:
        raise InternalError(f"There is no theme “{name}”.", f"Choose one of {', '.join(NAMES)}.")
    declared = _declared(name)
    tokens = {**declared["colours"], "series": tuple(declared["series"]), "name": name}
    missing = {item.name for item in fields(Theme)} ^ set(tokens)
    if missing:
        raise InternalError(f"Theme “{name}”: {', '.join(sorted(missing))} should be declared exactly once.")
    return Theme(**tokens)


def apply(app: QApplication, theme: Theme) -> None:
    """Put a theme on the application: style, palette, font and stylesheet. Open windows follow at once."""
    from medfm_gui.ui import glyphs, stylesheet  # they read this module's sizes and types

    app.setProperty(_PROPERTY, theme)
    if app.property("medfm_style") is None:
        app.setStyle("Fusion")
        app.setProperty("medfm_style", "Fusion")
        app.setFont(body_font())
    app.setStyleSheet("")  # widgets are polished once by the new sheet, not once more by the palette
    app.setPalette(_palette(theme))
    app.setStyleSheet(stylesheet.build(theme, glyphs.register(app, theme)))


def current() -> Theme:
    """The theme on the application, the default one where none was applied yet."""
    app = QApplication.instance()
    theme = app.property(_PROPERTY) if app is not None else None
    return theme if isinstance(theme, Theme) else load(NAMES[0])


def system_prefers() -> Literal["dark", "light"]:
    """The system's colour scheme; dark where it does not say."""
    hints = QGuiApplication.styleHints()
    return "light" if hints is not None and hints.colorScheme() == Qt.ColorScheme.Light else "dark"


def motion_allowed() -> bool:
    """Whether anything may move: not when the system, or the user in Settings, asked for reduced motion."""
    app = QApplication.instance()
    chosen = app.property(_MOTION) if app is not None else None
    if isinstance(chosen, bool):
        return chosen
    return QApplication.isEffectEnabled(Qt.UIEffect.UI_General)


def set_motion(allowed: bool | None) -> None:
    """Overrule what the system says about motion; None follows it again."""
    app = QApplication.instance()
    if app is not None:
        app.setProperty(_MOTION, allowed)


def body_font() -> QFont:
    """The system's UI font in body size."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    font.setPixelSize(BODY_PX)
    return font


def figures_font(font: QFont | None = None) -> QFont:
    """The font with tabular figures, so that the digits of a column stand below one another."""
    figures = QFont(font) if font is not None else body_font()
    figures.setFeature(QFont.Tag("tnum"), 1)
    return figures


def code_font() -> QFont:
    """The system's fixed-width font in body size, for logs, commands and hashes."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPixelSize(BODY_PX - 1)
    return font


def mix(ground: str, ink: str, share: float) -> str:
    """The ground with a share (0…1) of another colour in it, as ``#RRGGBB``."""
    a, b = QColor(ground), QColor(ink)
    parts = ((a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue()))
    return QColor(*(round(low + (high - low) * share) for low, high in parts)).name()


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for name, colour in {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.panel,
        role.AlternateBase: theme.raised,
        role.Text: theme.text,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.BrightText: theme.bad,
        role.PlaceholderText: theme.muted,
        role.Highlight: mix(theme.panel, theme.accent, 0.28),
        role.HighlightedText: theme.text,
        role.Accent: theme.accent,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.Light: theme.line,
        role.Midlight: theme.line,
        role.Mid: theme.line,
        role.Dark: theme.line,
        role.Shadow: theme.window,
    }.items():
        palette.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(theme.disabled))
    return palette
