"""The stylesheet of the window, built from the theme's tokens; one function a family of controls.

Widgets name what they are by the property ``role``; what is written here is all that a role means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from medfm_gui.ui.theme import BODY_PX, CAPTION_PX, CONTROL_PX, FOCUS, HEADINGS_PX, RADIUS, SPACE, Theme, mix

ROLES: Final = (
    "caption", "muted", "heading1", "heading2", "heading3", "primary", "danger", "quiet", "panel", "chip", "warning",
    "bad", "good", "accent", "banner", "rail", "railside", "status", "statusbar",
    "code", "page", "small", "toast", "toast-good", "toast-warning", "toast-bad", "image", "option",
)  # fmt: skip
"""Every value of the property ``role`` that the stylesheet knows."""

_XS, _S, _M, _L, _XL, _XXL = SPACE
_BORDER: Final = 1


@dataclass(frozen=True, slots=True)
class _Shades:
    """Grounds between the tokens: what lies under the pointer, what is pressed, what is selected."""

    field: str
    hover: str
    pressed: str
    edge: str
    selected: str
    tinted: str
    danger_hover: str
    accent_hover: str
    handle: str


def build(theme: Theme, glyphs: str) -> str:
    """The whole stylesheet; ``glyphs`` is the prefix of the resource that holds the theme's arrows and check marks."""
    shades = _Shades(
        field=mix(theme.panel, theme.window, 0.5) if theme.dark else theme.panel,
        hover=mix(theme.raised, theme.text, 0.06),
        pressed=mix(theme.raised, theme.text, 0.11),
        edge=mix(theme.line, theme.text, 0.14),
        selected=mix(theme.panel, theme.accent, 0.2 if theme.dark else 0.14),
        tinted=mix(theme.panel, theme.accent, 0.08),
        danger_hover=mix(theme.raised, theme.bad, 0.16),
        accent_hover=mix(theme.accent, theme.text, 0.14),
        handle=mix(theme.panel, theme.text, 0.24),
    )
    parts = (_grounds, _words, _buttons, _fields, _arrows, _checks, _views, _headers, _tabs, _bars, _menus, _rails)
    return "\n".join(part(theme, shades, glyphs) for part in parts)


def _grounds(theme: Theme, shades: _Shades, glyphs: str) -> str:
    return f"""
QWidget {{ color: {theme.text}; }}
QMainWindow, QDialog, QWizard, QMessageBox {{ background: {theme.window}; }}
QWidget:disabled {{ color: {theme.disabled}; }}
QWidget[role="page"] {{ background: {theme.window}; }}
QScrollArea {{ background: transparent; border: none; }}
QFrame[role="panel"], QWidget[role="panel"] {{
    background: {theme.panel}; border: {_BORDER}px solid {theme.line}; border-radius: {RADIUS}px;
}}
QAbstractScrollArea[role="panel"]:focus {{ border-color: {theme.accent}; }}
QFrame[role="chip"] {{
    background: {theme.raised}; border: {_BORDER}px solid {shades.edge}; border-radius: {RADIUS}px;
}}
QFrame[role="toast"], QFrame[role="toast-good"], QFrame[role="toast-warning"], QFrame[role="toast-bad"] {{
    background: {theme.raised}; border: {_BORDER}px solid {shades.edge}; border-radius: {RADIUS}px;
    border-left: {_XS}px solid {theme.accent};
}}
QFrame[role="toast-good"] {{ border-left-color: {theme.good}; }}
QFrame[role="toast-warning"] {{ border-left-color: {theme.warn}; }}
QFrame[role="toast-bad"] {{ border-left-color: {theme.bad}; }}
QFrame[role="image"], QWidget[role="image"] {{ background: {theme.image}; }}
QFrame[role="banner"], QWidget[role="banner"] {{
    background: {shades.tinted}; border: {_BORDER}px solid {shades.edge}; border-radius: {RADIUS}px;
}}
QFrame[role="warning"], QFrame[role="bad"], QFrame[role="good"] {{
    background: {theme.panel}; border: {_BORDER}px solid {theme.line}; border-radius: {RADIUS}px;
}}
QFrame[role="warning"] {{ border-left: {_XS}px solid {theme.warn}; }}
QFrame[role="bad"] {{ border-left: {_XS}px solid {theme.bad}; }}
QFrame[role="good"] {{ border-left: {_XS}px solid {theme.good}; }}
QFrame[frameShape="4"], QFrame[frameShape="5"] {{ color: {theme.line}; background: {theme.line}; border: none; }}
QFrame[frameShape="4"] {{ max-height: 1px; }}
QFrame[frameShape="5"] {{ max-width: 1px; }}
QGroupBox {{
    background: {theme.panel}; border: {_BORDER}px solid {theme.line}; border-radius: {RADIUS}px;
    margin-top: {_XL}px; padding: {_M}px;
}}
QGroupBox::title {{ subcontrol-origin: margin; left: 0; top: 0; color: {theme.muted}; font-size: {CAPTION_PX}px; }}
QSplitter::handle {{ background: {theme.line}; }}
QSplitter::handle:horizontal {{ width: 1px; }}
QSplitter::handle:vertical {{ height: 1px; }}
QSplitter::handle:hover {{ background: {theme.accent}; }}
QToolTip {{
    background: {theme.raised}; color: {theme.text}; border: {_BORDER}px solid {shades.edge};
    padding: {_XS}px {_S}px; font-size: {BODY_PX - 1}px;
}}"""


def _words(theme: Theme, shades: _Shades, glyphs: str) -> str:
    third, second, first = HEADINGS_PX
    return f"""
QLabel {{ background: transparent; border: none; padding: 0; }}
QLabel:disabled {{ color: {theme.disabled}; }}
QLabel[role="good"], QLabel[role="warning"], QLabel[role="bad"], QLabel[role="banner"] {{
    background: transparent; border: none; border-radius: 0;
}}
QLabel[role="caption"] {{ color: {theme.muted}; font-size: {CAPTION_PX}px; }}
QLabel[role="muted"] {{ color: {theme.muted}; }}
QLabel[role="heading1"] {{ font-size: {first}px; font-weight: 600; }}
QLabel[role="heading2"] {{ font-size: {second}px; font-weight: 600; }}
QLabel[role="heading3"] {{ font-size: {third}px; font-weight: 600; }}
QLabel[role="accent"] {{ color: {theme.accent}; }}
QLabel[role="good"] {{ color: {theme.good}; }}
QLabel[role="warning"] {{ color: {theme.warn}; }}
QLabel[role="bad"] {{ color: {theme.bad}; }}
QLabel[role="chip"] {{
    background: {shades.hover}; border: {_BORDER}px solid {theme.line}; border-radius: {RADIUS - 2}px;
    padding: 1px {_XS + 2}px; font-size: {CAPTION_PX}px;
}}"""


def _buttons(theme: Theme, shades: _Shades, glyphs: str) -> str:
    inner = CONTROL_PX - 2 * _BORDER
    return f"""
QPushButton, QToolButton {{
    background: {theme.raised}; color: {theme.text}; border: {_BORDER}px solid {shades.edge};
    border-radius: {RADIUS}px; padding: 0 {_M}px; min-height: {inner}px; outline: none;
}}
QToolButton {{ padding: 0 {_XS}px; min-height: {inner - 3}px; }}
/* Qt adds 3 px to a tool button; no width here, for it would overrule setMinimumWidth */
QPushButton:hover, QToolButton:hover {{ background: {shades.hover}; border-color: {shades.handle}; }}
QPushButton:pressed, QToolButton:pressed, QPushButton:checked, QToolButton:checked {{ background: {shades.pressed}; }}
QPushButton:checked, QToolButton:checked {{ border-color: {theme.accent}; }}
QPushButton:focus, QToolButton:focus {{ border: {FOCUS}px solid {theme.accent}; padding: 0 {_M - 1}px;
    min-height: {inner - 2}px; }}
QToolButton:focus {{ padding: 0 {_XS - 1}px; }}
QPushButton:disabled, QToolButton:disabled {{
    background: transparent; color: {theme.disabled}; border: {_BORDER}px dashed {theme.line};
}}
QPushButton[role="primary"] {{
    background: {theme.accent}; color: {theme.on_accent}; border-color: {theme.accent}; font-weight: 600;
}}
QPushButton[role="primary"]:hover {{ background: {shades.accent_hover}; border-color: {shades.accent_hover}; }}
QPushButton[role="primary"]:pressed {{ background: {theme.accent}; }}
QPushButton[role="primary"]:focus {{ border: {FOCUS}px solid {theme.text}; }}
QPushButton[role="primary"]:disabled {{
    background: transparent; color: {theme.disabled}; border: {_BORDER}px dashed {theme.line};
}}
QPushButton[role="danger"] {{ color: {theme.bad}; border-color: {theme.bad}; background: {theme.raised}; }}
QPushButton[role="danger"]:hover {{ background: {shades.danger_hover}; }}
QPushButton[role="danger"]:disabled {{
    background: transparent; color: {theme.disabled}; border: {_BORDER}px dashed {theme.line};
}}
QPushButton[role="quiet"], QToolButton[role="quiet"] {{ background: transparent; border-color: transparent; }}
QPushButton[role="quiet"]:hover, QToolButton[role="quiet"]:hover {{ background: {shades.hover}; }}
QPushButton[role="quiet"]:checked, QToolButton[role="quiet"]:checked {{ background: {shades.selected}; }}
QPushButton[role="quiet"]:focus, QToolButton[role="quiet"]:focus {{ border-color: {theme.accent}; }}
QPushButton[role="quiet"]:disabled, QToolButton[role="quiet"]:disabled {{ border-color: transparent; }}
QToolButton[role="small"] {{
    background: transparent; border: {_BORDER}px solid transparent; border-radius: {RADIUS - 2}px; padding: 0;
    min-width: {_XL - 2}px; min-height: {_XL - 2}px;
}}
QToolButton[role="small"]:hover {{ background: {shades.pressed}; }}
QToolButton[role="small"]:focus {{ border: {FOCUS}px solid {theme.accent}; min-width: {_XL - 4}px;
    min-height: {_XL - 4}px; }}
QPushButton[role="option"] {{
    background: {theme.panel}; border: {_BORDER}px solid {theme.line}; text-align: left; padding: {_S}px {_M}px;
}}
QPushButton[role="option"]:hover {{ border-color: {shades.handle}; }}
QPushButton[role="option"]:checked {{ border-color: {theme.accent}; background: {shades.tinted}; }}
QPushButton[role="option"]:focus {{ border: {FOCUS}px solid {theme.accent}; padding: {_S - 1}px {_M - 1}px; }}
QPushButton::menu-indicator, QToolButton::menu-indicator {{
    image: url({glyphs}/down.svg); subcontrol-origin: padding; subcontrol-position: right center; right: {_XS}px;
    width: {_M}px; height: {_M}px;
}}"""


def _fields(theme: Theme, shades: _Shades, glyphs: str) -> str:
    inner = CONTROL_PX - 2 * _BORDER
    fields = "QLineEdit, QAbstractSpinBox, QComboBox"
    return f"""
{fields} {{
    background: {shades.field}; color: {theme.text}; border: {_BORDER}px solid {shades.edge};
    border-radius: {RADIUS}px; padding: 0 {_S}px; min-height: {inner}px;
    selection-background-color: {shades.selected}; selection-color: {theme.text};
}}
QPlainTextEdit, QTextEdit {{
    background: {shades.field}; color: {theme.text}; border: {_BORDER}px solid {theme.line};
    border-radius: {RADIUS}px; padding: {_XS}px;
    selection-background-color: {shades.selected}; selection-color: {theme.text};
}}
QLineEdit:hover, QAbstractSpinBox:hover, QComboBox:hover {{ border-color: {shades.handle}; }}
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus, QComboBox:on {{
    border: {FOCUS}px solid {theme.accent}; padding: 0 {_S - 1}px; min-height: {inner - 2}px;
}}
QPlainTextEdit:focus, QTextEdit:focus {{ border: {FOCUS}px solid {theme.accent}; padding: {_XS - 1}px; }}
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled, QPlainTextEdit:disabled {{
    background: transparent; color: {theme.disabled}; border: {_BORDER}px dashed {theme.line};
}}
QLineEdit, QPlainTextEdit {{ placeholder-text-color: {theme.muted}; }}
QLineEdit:read-only, QPlainTextEdit:read-only {{ background: transparent; }}
QLineEdit[role="bad"], QAbstractSpinBox[role="bad"], QComboBox[role="bad"] {{ border-color: {theme.bad}; }}
QAbstractSpinBox {{ min-height: {inner - 3}px; }}
QAbstractSpinBox:focus {{ min-height: {inner - 5}px; }}
/* Qt adds 3 px to a spin box */
QAbstractSpinBox QLineEdit, QComboBox QLineEdit {{
    border: none; background: transparent; padding: 0; min-height: 0; margin: 0;
}}
QComboBox {{ padding-right: {_XS}px; }}
QComboBox:focus, QComboBox:on {{ padding-right: {_XS - 1}px; }}
/* the text ends where the drop-down begins: Qt takes its width off what the padding leaves */
QAbstractSpinBox {{ padding-right: {_L}px; }}
QAbstractSpinBox:focus {{ padding-right: {_L - 1}px; }}
QComboBox QAbstractItemView {{
    background: {theme.raised}; border: {_BORDER}px solid {shades.edge}; padding: {_XS}px; outline: none;
}}
QComboBox QAbstractItemView::item {{ min-height: {_XL}px; padding: 0 {_XS}px; border-radius: {RADIUS - 2}px; }}"""


def _arrows(theme: Theme, shades: _Shades, glyphs: str) -> str:
    return f"""
QComboBox::drop-down {{ border: none; width: {_XL}px; subcontrol-origin: padding; subcontrol-position: center right; }}
QComboBox::down-arrow {{ image: url({glyphs}/down.svg); width: {_L}px; height: {_L}px; }}
QComboBox::down-arrow:disabled {{ image: url({glyphs}/down-disabled.svg); }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{
    border: none; background: transparent; width: {_L}px; subcontrol-origin: border;
}}
QAbstractSpinBox::up-button {{ subcontrol-position: top right; margin: 2px 2px 0 0; }}
QAbstractSpinBox::down-button {{ subcontrol-position: bottom right; margin: 0 2px 2px 0; }}
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover {{
    background: {shades.pressed}; border-radius: {RADIUS - 3}px;
}}
QAbstractSpinBox::up-arrow {{ image: url({glyphs}/up.svg); width: {_M}px; height: {_M}px; }}
QAbstractSpinBox::down-arrow {{ image: url({glyphs}/down.svg); width: {_M}px; height: {_M}px; }}
QAbstractSpinBox::up-arrow:disabled, QAbstractSpinBox::up-arrow:off {{ image: url({glyphs}/up-disabled.svg); }}
QAbstractSpinBox::down-arrow:disabled, QAbstractSpinBox::down-arrow:off {{ image: url({glyphs}/down-disabled.svg); }}"""


def _checks(theme: Theme, shades: _Shades, glyphs: str) -> str:
    boxes = "QCheckBox::indicator, QGroupBox::indicator, QAbstractItemView::indicator"
    return f"""
QCheckBox, QRadioButton {{ spacing: {_S}px; background: transparent; border: {FOCUS}px solid transparent;
    border-radius: {RADIUS - 2}px; padding: 1px 3px 1px 1px; outline: none; }}
QCheckBox:focus, QRadioButton:focus {{ border-color: {theme.accent}; }}
QCheckBox:disabled, QRadioButton:disabled {{ color: {theme.disabled}; }}
{boxes} {{
    width: {_L - 2}px; height: {_L - 2}px; border: {_BORDER}px solid {shades.handle}; border-radius: {RADIUS - 3}px;
    background: {shades.field};
}}
QRadioButton::indicator {{
    width: {_L - 2}px; height: {_L - 2}px; border: {_BORDER}px solid {shades.handle}; border-radius: {_S}px;
    background: {shades.field};
}}
QCheckBox::indicator:hover, QRadioButton::indicator:hover {{ border-color: {theme.accent}; }}
QCheckBox::indicator:checked, QGroupBox::indicator:checked, QAbstractItemView::indicator:checked {{
    background: {theme.accent}; border-color: {theme.accent}; image: url({glyphs}/check.svg);
}}
QCheckBox::indicator:indeterminate, QAbstractItemView::indicator:indeterminate {{
    background: {theme.accent}; border-color: {theme.accent}; image: url({glyphs}/dash.svg);
}}
QRadioButton::indicator:checked {{
    background: {theme.accent}; border-color: {theme.accent}; image: url({glyphs}/dot.svg);
}}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled, QAbstractItemView::indicator:disabled {{
    background: transparent; border: {_BORDER}px solid {theme.line};
}}
QCheckBox::indicator:checked:disabled {{ image: url({glyphs}/check-disabled.svg); }}
QRadioButton::indicator:checked:disabled {{ image: url({glyphs}/dot-disabled.svg); }}"""


def _views(theme: Theme, shades: _Shades, glyphs: str) -> str:
    # no heights here: a view that was laid out before it is polished would draw taller rows than it has (PlainDelegate)
    return f"""
QAbstractItemView {{
    background: {theme.panel}; alternate-background-color: {theme.panel}; border: {_BORDER}px solid {theme.line};
    border-radius: {RADIUS}px; outline: none; gridline-color: {theme.line};
    selection-background-color: {shades.selected}; selection-color: {theme.text};
}}
QAbstractItemView:focus {{ border-color: {theme.accent}; }}
/* Qt adds 3 px beside the text of a cell and none in a header: both begin at the same place */
QTableView::item {{ padding: 0 {_S - 3}px; border: none; }}
QListView::item {{ padding: 0 {_S}px; border-radius: {RADIUS - 2}px; }}
QTreeView::item {{ padding: 0 {_XS}px; border: none; }}
QTableView::item:hover, QListView::item:hover, QTreeView::item:hover {{ background: {shades.hover}; }}
QTableView::item:selected, QListView::item:selected, QTreeView::item:selected {{
    background: {shades.selected}; color: {theme.text};
}}
QTableView::item:disabled, QListView::item:disabled, QTreeView::item:disabled {{ color: {theme.disabled}; }}
QTreeView::branch {{ background: transparent; border-image: none; image: none; }}
QTreeView::branch:has-children:closed {{ image: url({glyphs}/right.svg); }}
QTreeView::branch:has-children:open {{ image: url({glyphs}/down.svg); }}
QTableCornerButton::section {{ background: {theme.panel}; border: none; }}
QAbstractScrollArea::corner {{ background: transparent; }}"""


def _headers(theme: Theme, shades: _Shades, glyphs: str) -> str:
    return f"""
QHeaderView {{ background: {theme.panel}; border: none; border-radius: {RADIUS}px; }}
QHeaderView::section {{
    background: {theme.panel}; color: {theme.muted}; font-size: {CAPTION_PX}px; border: none;
    border-bottom: {_BORDER}px solid {theme.line}; padding: {_XS}px {_S}px; min-height: {_L + _XS}px;
}}
QHeaderView::section:hover {{ color: {theme.text}; }}
QHeaderView::section:vertical {{ border-bottom: none; padding: 0 {_S}px; }}
QHeaderView::up-arrow {{ image: url({glyphs}/up.svg); width: {_M}px; height: {_M}px; }}
QHeaderView::down-arrow {{ image: url({glyphs}/down.svg); width: {_M}px; height: {_M}px; }}"""


def _tabs(theme: Theme, shades: _Shades, glyphs: str) -> str:
    return f"""
QTabWidget::pane {{ border: none; border-top: {_BORDER}px solid {theme.line}; }}
QTabBar {{ qproperty-drawBase: 0; background: transparent; }}
QTabBar::tab {{
    background: transparent; color: {theme.muted}; border: none; border-bottom: {FOCUS}px solid transparent;
    padding: {_S}px; margin-right: {_XS}px;
}}
QTabBar::tab:hover {{ color: {theme.text}; }}
QTabBar::tab:selected {{ color: {theme.text}; border-bottom-color: {theme.accent}; }}
QTabBar::tab:focus {{ background: {shades.tinted}; border-radius: {RADIUS - 2}px; color: {theme.text}; }}
QTabBar::tab:disabled {{ color: {theme.disabled}; }}
QTabBar::close-button {{ image: url({glyphs}/close.svg); }}"""


def _bars(theme: Theme, shades: _Shades, glyphs: str) -> str:
    return f"""
QScrollBar {{ background: transparent; border: none; margin: 0; }}
QScrollBar:vertical {{ width: {_M}px; }}
QScrollBar:horizontal {{ height: {_M}px; }}
QScrollBar::handle {{ background: {shades.edge}; border-radius: 2px; margin: {_XS}px; }}
QScrollBar::handle:vertical {{ min-height: {_XXL}px; }}
QScrollBar::handle:horizontal {{ min-width: {_XXL}px; }}
QScrollBar::handle:hover, QScrollBar::handle:pressed {{ background: {theme.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QProgressBar {{
    background: {shades.pressed}; border: none; border-radius: {_XS // 2 + 1}px; min-height: {_XS + 2}px;
    max-height: {_XS + 2}px; color: transparent;
}}
QProgressBar::chunk {{ background: {theme.accent}; border-radius: {_XS // 2 + 1}px; }}
QSlider::groove:horizontal {{ background: {shades.pressed}; height: {_XS}px; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {theme.accent}; height: {_XS}px; border-radius: 2px; }}
QSlider::groove:vertical {{ background: {shades.pressed}; width: {_XS}px; border-radius: 2px; }}
QSlider::handle {{
    background: {theme.text}; border: {FOCUS}px solid {theme.panel}; width: {_M}px; height: {_M}px;
    border-radius: {_S}px; margin: -6px 0;
}}
QSlider::handle:vertical {{ margin: 0 -6px; }}
QSlider:focus {{ border: {FOCUS}px solid {theme.accent}; border-radius: {RADIUS}px; }}
QSlider::handle:hover, QSlider::handle:focus {{ background: {theme.accent}; }}
QSlider::sub-page:disabled, QSlider::handle:disabled {{ background: {theme.disabled}; }}"""


def _menus(theme: Theme, shades: _Shades, glyphs: str) -> str:
    return f"""
QMenuBar {{ background: {theme.window}; border: none; }}
QMenuBar::item {{ padding: {_XS}px {_S}px; border-radius: {RADIUS - 2}px; background: transparent; }}
QMenuBar::item:selected {{ background: {shades.hover}; }}
QMenu {{
    background: {theme.raised}; border: {_BORDER}px solid {shades.edge}; padding: {_XS}px; border-radius: {RADIUS}px;
}}
QMenu::item {{ padding: {_XS + 1}px {_XL}px {_XS + 1}px {_S}px; border-radius: {RADIUS - 2}px; }}
QMenu::icon {{ padding-left: {_S}px; }}
QMenu::item:selected {{ background: {shades.selected}; }}
QMenu::item:disabled {{ color: {theme.disabled}; background: transparent; }}
QMenu::separator {{ height: 1px; background: {theme.line}; margin: {_XS}px {_S}px; }}
QMenu::indicator {{ width: {_L - 2}px; height: {_L - 2}px; left: {_XS}px; }}
QMenu::right-arrow {{ image: url({glyphs}/right.svg); width: {_M}px; height: {_M}px; }}"""


def _rails(theme: Theme, shades: _Shades, glyphs: str) -> str:
    return f"""
QWidget[role="railside"] {{
    background: {theme.window}; border: none; border-right: {_BORDER}px solid {theme.line};
}}
QToolButton[role="rail"], QPushButton[role="rail"] {{
    background: transparent; border: {FOCUS}px solid transparent; border-radius: {RADIUS}px; color: {theme.muted};
    padding: {_XS}px {_S}px; min-height: {_XL}px; text-align: left;
}}
QToolButton[role="rail"]:hover, QPushButton[role="rail"]:hover {{
    background: {shades.hover}; color: {theme.text}; border-color: transparent;
}}
QToolButton[role="rail"]:checked, QPushButton[role="rail"]:checked {{
    background: {shades.selected}; color: {theme.text}; border-color: transparent;
}}
QToolButton[role="rail"]:focus, QPushButton[role="rail"]:focus {{
    border-color: {theme.accent}; padding: {_XS}px {_S}px; min-height: {_XL}px;
}}
QStatusBar, QWidget[role="status"], QWidget[role="statusbar"] {{
    background: {theme.window}; color: {theme.muted}; border: none; border-top: {_BORDER}px solid {theme.line};
    font-size: {CAPTION_PX}px;
}}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel, QWidget[role="status"] QLabel {{ color: {theme.muted}; font-size: {CAPTION_PX}px; }}
QStatusBar QLabel[role="warning"], QWidget[role="status"] QLabel[role="warning"] {{ color: {theme.warn}; }}
QToolBar {{ background: transparent; border: none; spacing: {_XS}px; padding: {_XS}px; }}"""
