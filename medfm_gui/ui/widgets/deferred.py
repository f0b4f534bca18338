"""A part of a page that is made when it is first seen or first needed, or in a moment when nothing else is to be done.

A page that makes all of its tabs at once holds the window still, and each widget that is laid out before it lies where
it stays is styled once more at every new parent. So what is not seen yet is a ``Deferred``, an empty place; the frame
makes the parts of the pages that nobody looks at one at a time (``make_next``).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

W = TypeVar("W", bound=QWidget)

_UNMADE: Final = "deferred part"
_MARK: Final = "place of a deferred part"


class Deferred(QWidget, Generic[W]):
    """The place of a part. ``part`` is the part, made now where it was not yet.

    ``make`` is given this place as the parent: a part that gets one later has all that lies in it styled again.
    """

    def __init__(self, make: Callable[[QWidget], W]) -> None:
        super().__init__()
        self._make = make
        self._part: W | None = None
        self.setObjectName(_UNMADE)
        self._mark = QWidget(self)  # where it stands in the tab order
        self._mark.setObjectName(_MARK)
        self._mark.hide()
        self._room = QVBoxLayout(self)
        self._room.setContentsMargins(0, 0, 0, 0)

    @property
    def made(self) -> W | None:
        """The part, None as long as nobody needed it."""
        return self._part

    @property
    def part(self) -> W:
        """The part."""
        if self._part is None:
            self.setObjectName("")
            self._part = self._make(self)
            self._room.addWidget(self._part)
            self._take_its_turn(self._part)
            if self.isVisible():
                self._part.show()  # a layout would show it in a later turn, after an empty frame
        return self._part

    def _take_its_turn(self, part: QWidget) -> None:
        """In the tab order the part stands where its place does; Qt put it at the end, for it came late."""
        marks = [self._mark, *part.findChildren(QWidget, _MARK)]
        for mark in marks:
            mark.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # Qt puts nothing after what the focus cannot come to
        late: list[QWidget] = []
        one: QWidget | None = part
        while one is not None and (one is part or part.isAncestorOf(one)):
            late += [one] if one.focusPolicy() & Qt.FocusPolicy.TabFocus else []
            one = one.nextInFocusChain()
        for before, after in itertools.pairwise((self._mark, *late)):
            QWidget.setTabOrder(before, after)
        for mark in marks:
            mark.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def showEvent(self, event: QShowEvent) -> None:
        """Make the part: somebody looks."""
        _ = self.part
        super().showEvent(event)


def unmade(inside: QWidget) -> list[Deferred[QWidget]]:
    """The places inside a widget whose parts are not there yet, outer ones first."""
    return [place for place in inside.findChildren(QWidget, _UNMADE) if isinstance(place, Deferred)]


def make_next(inside: QWidget) -> bool:
    """Make one part that is not there yet; False where there is none."""
    places = unmade(inside)
    if places:
        _ = places[0].part
    return bool(places)


def make_all(inside: QWidget) -> None:
    """Make every part now, also those inside of others."""
    while make_next(inside):
        pass
