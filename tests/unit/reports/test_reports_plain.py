from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfm_gui.reports.plain import BREAK, breakable, one_line, shortened, visible

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))  # lone surrogates too


@pytest.mark.parametrize(
    ("given_text", "seen"),
    [
        ("plain", "plain"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\tb", "a b"),
        ("nul\0", "nul‹U+0000›"),
        ("del\x7f", "del‹U+007F›"),
        ("rtl\u202eexe", "rtl‹U+202E›exe"),
        ("\ud800", "‹U+D800›"),
        ("\ue000", "‹U+E000›"),
        ("❤\ufe0f", "❤‹U+FE0F›"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("line\u2028end", "line\nend"),
    ],
)
def test_hidden_characters_are_marked(given_text: str, seen: str) -> None:
    assert visible(given_text) == seen


@given(ANY_TEXT)
def test_visible_text_holds_nothing_that_hides_or_cannot_be_encoded(text: str) -> None:
    seen = visible(text)
    seen.encode()
    hidden = {c for c in seen if unicodedata.category(c) in {"Cc", "Cf", "Co", "Cn", "Cs"}}
    assert hidden <= {"\n", "\u200c", "\u200d", "\u00ad"}
    assert visible(seen) == seen


@given(ANY_TEXT, st.integers(1, 30), st.integers(1, 12))
def test_breaks_change_no_text_and_leave_no_long_run(text: str, longest: int, chunk: int) -> None:
    seen = visible(text)
    broken = breakable(seen, longest=longest, chunk=chunk)
    assert broken.replace(BREAK, "") == seen
    for word in broken.split():
        if BREAK in word:
            for run in word.split(BREAK):
                kept = [c for c in run if not unicodedata.combining(c) and c not in "\u200c\u200d\u00ad"]
                assert len(kept) <= chunk


@given(ANY_TEXT, st.integers(1, 40))
def test_shortened_text_fits_and_says_that_it_was_cut(text: str, limit: int) -> None:
    line = shortened(text, limit)
    assert len(line) <= limit
    assert "\n" not in line
    assert line == one_line(text) or "…" in line


def test_shortening_keeps_both_ends() -> None:
    assert shortened("DINOv2-B, full fine-tuning, seed 3", 17) == "DINOv2-B…, seed 3"
