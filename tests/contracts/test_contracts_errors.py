"""Every error of the tree has a name of its own and survives the way across a process border."""

from __future__ import annotations

import pytest

from medfm_gui.domain import errors
from medfm_gui.domain.errors import MedfmError, error_from_wire, every_error


def test_kinds_are_unique() -> None:
    kinds = [error("what").kind for error in every_error()]
    assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize("error", every_error(), ids=lambda item: item.__name__)
def test_an_error_is_the_same_on_the_other_side(error: type[MedfmError]) -> None:
    sent = error("What happened.", "What to do.")
    received = error_from_wire(sent.kind, sent.message, sent.hint)
    assert type(received) is error
    assert (received.message, received.hint) == ("What happened.", "What to do.")


def test_the_drawn_tree_names_every_error() -> None:
    drawing = errors.__doc__ or ""
    assert not [error.__name__ for error in every_error() if error.__name__ not in drawing]
