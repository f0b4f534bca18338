"""Texts are ordered as Python orders them, and what begins alike is decided by all of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from medfm_gui.datasets.ordering import in_order, ordered

TEXTS = st.lists(
    st.text(max_size=12)
    | st.text("01", min_size=6, max_size=11)
    | st.sampled_from(
        ["", "\0", "\0\0", "same", "same\0", "0123456", "0123456é", "0123456😀", "\ud800", "\uffff", "😀"]
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_as_sorted(texts: list[str]) -> None:
    assert in_order(texts) == sorted(texts)
    assert ordered(texts) == sorted(range(len(texts)), key=texts.__getitem__)


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_what_begins_alike_is_decided_by_the_key(texts: list[str]) -> None:
    assert ordered(texts, lambda number: (texts[number], -number)) == sorted(
        range(len(texts)), key=lambda number: (texts[number], -number)
    )
