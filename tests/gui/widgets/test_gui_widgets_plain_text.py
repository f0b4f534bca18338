from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.widgets import text as words
from medfm_gui.ui.widgets.chips import Chip, ChipRow, RunChip
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.forms import FormRow, action, choice
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.progress import ProgressRow
from medfm_gui.ui.widgets.question import Question
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.steps import Step, StepList
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.text import Label
from medfm_gui.ui.widgets.toast import ToastStack

HOSTILE = [
    '<img src="/etc/passwd">',
    "<b>bold</b> & <i>more</i>",
    "# heading\n\n![x](/etc/passwd) **bold**",
    "\u202egnp.exe\u202c مريض \u200fאבג",
    "🫁🧠 👩‍⚕️ e\u0301\u0302\u0303",
    "x" * 10_000,
    "wide words " * 900,
    "a\0b\x07c\x1b[31m",
    "line\nline\r\nline\ttab",
    "&File &amp; &#60;b&#62;",
    "",
    " ",
]
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60))
SLOWLY = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)


def pane(show: Callable[[StatePane], object]) -> StatePane:
    made = StatePane(QWidget())
    show(made)
    return made


def toasts(text: str) -> QWidget:
    host = QWidget()
    host.resize(900, 700)
    ToastStack(host).say(text, "bad", text, lambda: None)
    return host


def chips(text: str) -> ChipRow:
    row = ChipRow()
    row.set_chips([Chip(text, text, text, 3)])
    return row


def progress(text: str) -> ProgressRow:
    row = ProgressRow()
    row.tell(text, 10, 3, 60)
    return row


WIDGETS: dict[str, Callable[[str], QWidget]] = {
    "label": Label,
    "elided": lambda text: Label(text, elide=Qt.TextElideMode.ElideRight),
    "selectable": lambda text: Label(text, selectable=True),
    "chip": lambda text: RunChip(Chip("key", text, text, 0)),
    "chips": chips,
    "facts": lambda text: Facts(((text, text),)),
    "row": lambda text: FormRow(text, QWidget(), text),
    "panel": lambda text: Panel(text, text),
    "progress": progress,
    "question": lambda text: Question(None, text, text, text, danger=True),
    "empty": lambda text: pane(lambda made: made.show_empty(text, text, text, lambda: None, "studies")),
    "busy": lambda text: pane(lambda made: made.show_busy(text, 10, 3, 60, lambda: None)),
    "error": lambda text: pane(lambda made: made.show_error(MedfmError(text, text), text, lambda: None)),
    "steps": lambda text: StepList([Step(text, note=text)]),
    "switch": Switch,
    "toasts": toasts,
    "button": action,
    "choice": lambda text: choice([(text, 1)]),
}


@pytest.mark.parametrize("kind", WIDGETS)
@given(text=TEXTS)
@SLOWLY
def test_whatever_a_name_holds_is_shown_as_it_is(kind: str, text: str) -> None:
    widget = WIDGETS[kind](text)
    widget.resize(480, max(60, min(widget.sizeHint().height(), 600)))
    image = widget.grab().toImage()
    assert image.format() != QImage.Format.Format_Invalid
    assert widget.minimumSizeHint().width() <= 700
    assert widget.sizeHint().height() <= 16_000
    for label in widget.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText
        assert not label.openExternalLinks()
    for part in (widget, *widget.findChildren(QWidget)):
        told = part.toolTip()
        assert told == "" or (told.startswith("<qt>") and told.endswith("</qt>"))
        assert "<" not in told[4:-5].replace("<br/>", "")
        assert "\0" not in told
    widget.deleteLater()


@given(text=TEXTS)
@SLOWLY
def test_a_label_gives_back_what_it_was_given(text: str) -> None:
    label = Label(text)
    assert label.text() == text
    label.deleteLater()


@given(text=TEXTS)
@SLOWLY
def test_a_caption_has_no_shortcut_and_one_line(text: str) -> None:
    button = QPushButton(words.escape_mnemonic(text))
    assert button.shortcut().isEmpty()
    assert len(button.text()) <= 240
    assert "\n" not in button.text()
    button.deleteLater()


def test_marks_stand_for_what_cannot_be_seen() -> None:
    assert words.shown("a\0b\x1b\u202ec") == "a␀b␛\ufffdc"
    assert words.shown("a\nb\tc") == "a\nb\tc"
    assert words.one_line("a\r\nb\tc") == "a b c"
    assert words.shown("x" * 3000) == "x" * (words.LONGEST - 1) + "…"


def test_markup_is_drawn_as_letters() -> None:
    plain, marked = Label("bold"), Label("<b>bold</b>")
    assert marked.sizeHint().width() > plain.sizeHint().width() * 1.5
    for label in (plain, marked):
        label.deleteLater()


def test_a_long_word_wraps_inside_its_label() -> None:
    label = Label("1.2.840.113619." * 60)
    assert label.minimumSizeHint().width() < 300
    assert label.heightForWidth(300) > 5 * label.heightForWidth(3000)
    label.deleteLater()


def test_a_tip_shows_markup_and_tells_screen_readers_the_words() -> None:
    widget = QWidget()
    words.tip(widget, '<img src="/etc/passwd"> & more')
    assert widget.toolTip() == "<qt>&lt;img src=&quot;/etc/passwd&quot;&gt; &amp; more</qt>"
    assert widget.accessibleDescription() == '<img src="/etc/passwd"> & more'
    words.tip(widget, "other")
    assert widget.accessibleDescription() == "other"
    words.tip(widget, "")
    assert widget.toolTip() == ""
    widget.setAccessibleDescription("its own")
    words.tip(widget, "a tip")
    assert widget.accessibleDescription() == "its own"
    widget.deleteLater()


def test_an_elided_label_tells_the_rest_in_a_tooltip() -> None:
    label = Label("/a/very/long/path/to/<b>somewhere</b>/beyond", elide=Qt.TextElideMode.ElideMiddle)
    label.resize(80, 20)
    label.grab()
    assert "&lt;b&gt;" in label.toolTip()
    label.resize(2000, 20)
    label.grab()
    assert label.toolTip() == ""
    label.deleteLater()
