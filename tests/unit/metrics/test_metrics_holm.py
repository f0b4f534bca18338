"""Holm's adjustment is that of statsmodels."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from medfm_gui.metrics.holm import holm


@pytest.fixture(scope="module", autouse=True)
def no_garbage() -> Iterator[None]:
    """The reference asks for a whole collection of garbage at each call: seconds beside all that tests import."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "collect", lambda *_: 0)
        yield


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_any_p_values_are_adjusted_as_statsmodels_does(values: list[float]) -> None:
    np.testing.assert_allclose(holm(values), multipletests(values, method="holm")[1], rtol=1e-12, atol=1e-300)


def test_ties_and_none() -> None:
    assert holm([0.01, 0.01, 0.04]).tolist() == pytest.approx([0.03, 0.03, 0.04])
    assert holm([]).tolist() == []
