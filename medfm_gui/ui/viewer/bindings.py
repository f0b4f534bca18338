"""Which key does what in a viewer, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence


@dataclass(frozen=True, slots=True)
class Binding:
    """An action of the viewer, its keys (as ``QKeySequence`` writes them) and its words."""

    action: str
    keys: tuple[str, ...]
    text: str


BINDINGS: tuple[Binding, ...] = (
    Binding("next", ("Down", "Right"), "Next slice"),
    Binding("previous", ("Up", "Left"), "Previous slice"),
    Binding("ten-on", ("PgDown",), "Ten slices on"),
    Binding("ten-back", ("PgUp",), "Ten slices back"),
    Binding("first", ("Home",), "First slice"),
    Binding("last", ("End",), "Last slice"),
    Binding("fit", ("F",), "Fit to the pane"),
    Binding("invert", ("I",), "Invert grey values"),
    Binding("rotate", ("R",), "Rotate by a quarter turn"),
    Binding("flip-h", ("H",), "Flip left and right"),
    Binding("flip-v", ("V",), "Flip top and bottom"),
    Binding("reset", ("Space",), "Reset window, zoom and turn"),
    Binding("cine", ("C",), "Play or stop cine"),
    Binding("zoom-in", ("+", "=", "Shift++"), "Zoom in"),
    Binding("zoom-out", ("-",), "Zoom out"),
    Binding("pan-left", ("Ctrl+Left",), "Move the picture left"),
    Binding("pan-right", ("Ctrl+Right",), "Move the picture right"),
    Binding("pan-up", ("Ctrl+Up",), "Move the picture up"),
    Binding("pan-down", ("Ctrl+Down",), "Move the picture down"),
    Binding("level-up", ("Shift+Up",), "Raise the window level"),
    Binding("level-down", ("Shift+Down",), "Lower the window level"),
    Binding("width-up", ("Shift+Right",), "Widen the window"),
    Binding("width-down", ("Shift+Left",), "Narrow the window"),
    Binding("probe-left", ("Alt+Left",), "Move the value cursor left"),
    Binding("probe-right", ("Alt+Right",), "Move the value cursor right"),
    Binding("probe-up", ("Alt+Up",), "Move the value cursor up"),
    Binding("probe-down", ("Alt+Down",), "Move the value cursor down"),
    Binding("overlay", ("O",), "Show or hide the heat map"),
    Binding("enlarge", ("Return", "Enter"), "This pane alone and back"),
    Binding("preset-0", ("0",), "Window as opened"),
    *(Binding(f"preset-{digit}", (str(digit),), f"Window preset {digit}") for digit in range(1, 10)),
)


def by_key(bindings: Sequence[Binding]) -> dict[str, str]:
    """The action of each key, as ``key_name`` names it."""
    return {QKeySequence(keys).toString(): binding.action for binding in bindings for keys in binding.keys}


def key_name(event: QKeyEvent) -> str:
    """The key that was pressed; that it lies on the number pad makes no difference."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    try:
        key = Qt.Key(event.key())
    except ValueError:
        return ""  # a key that Qt has no name for
    return QKeySequence(QKeyCombination(modifiers, key)).toString()
