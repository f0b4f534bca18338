"""Letters at the edges, how a series is hung, and points mapped there and back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfm_gui.ui.viewer.image import Orientation, SeriesImage
from medfm_gui.ui.viewer.orientation import Letters, Turn, direction_letters, hung, letters
from medfm_gui.ui.viewer.placement import Placement, View

PLANES = {
    "axial": ((1, 0, 0, 0, 1, 0), Letters(left="R", right="L", top="A", bottom="P")),
    "sagittal": ((0, 1, 0, 0, 0, -1), Letters(left="A", right="P", top="H", bottom="F")),
    "coronal": ((1, 0, 0, 0, 0, -1), Letters(left="R", right="L", top="H", bottom="F")),
}
TURNS = st.builds(lambda quarters, mirrored: _turned(quarters, mirrored), st.integers(0, 3), st.booleans())


def _turned(quarters: int, mirrored: bool) -> Turn:
    turn = Turn()
    for _ in range(quarters):
        turn = turn.rotated()
    return turn.flipped(across=True) if mirrored else turn


def series(orientation: Orientation | None = None, **more: object) -> SeriesImage:
    return SeriesImage(np.zeros((1, 2, 3), np.uint8), 1, orientation=orientation, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("plane", PLANES)
def test_letters_of_the_planes(plane: str) -> None:
    cosines, wanted = PLANES[plane]
    assert letters(series(cosines), Turn()) == wanted


def test_letters_follow_turns_and_flips() -> None:
    axial = series(PLANES["axial"][0])
    assert letters(axial, Turn().rotated()) == Letters(left="P", right="A", top="R", bottom="L")
    assert letters(axial, Turn().flipped(across=True)) == Letters(left="L", right="R", top="A", bottom="P")
    assert letters(axial, Turn().flipped(across=False)) == Letters(left="R", right="L", top="P", bottom="A")
    assert letters(axial, Turn().rotated().flipped(across=True)) == Letters(left="A", right="P", top="R", bottom="L")


def test_oblique_directions_have_the_greatest_part_first() -> None:
    tilt = math.radians(30)
    oblique = series((math.cos(tilt), math.sin(tilt), 0, 0, 0, -1))
    assert letters(oblique, Turn()) == Letters(left="RA", right="LP", top="H", bottom="F")
    assert direction_letters(-0.2, -0.3, 0.93) == "HAR"
    assert direction_letters(1, 0.05, 0) == "L"


def test_projections_have_the_letters_of_their_header_or_none() -> None:
    chest = series(patient_orientation=("L", "F"))
    assert letters(chest, Turn()) == Letters(left="R", right="L", top="H", bottom="F")
    assert letters(chest, Turn().rotated()) == Letters(left="F", right="H", top="R", bottom="L")
    mlo = series(patient_orientation=("A", "FR"))
    assert letters(mlo, Turn()) == Letters(left="P", right="A", top="HL", bottom="FR")
    assert letters(series(), Turn()) == Letters()
    assert letters(series(patient_orientation=("<img>", "")), Turn()) == Letters()


@given(st.sampled_from(sorted(PLANES)), TURNS)
def test_however_it_is_stored_a_plane_is_hung_as_readers_expect(plane: str, turn: Turn) -> None:
    cosines, wanted = PLANES[plane]
    row, column = np.array(cosines[:3]), np.array(cosines[3:])
    right, down = turn.back(1, 0), turn.back(0, 1)
    stored = series((*(right[0] * row + right[1] * column), *(down[0] * row + down[1] * column)))
    assert letters(stored, hung(stored)) == wanted


@pytest.mark.parametrize("row", ["A", "P"])
def test_mammograms_hang_with_the_chest_walls_together(row: str) -> None:
    right = series(patient_orientation=(row, "F"), laterality="R")
    left = series(patient_orientation=(row, "F"), laterality="L")
    assert letters(right, hung(right)).right == "P"
    assert letters(left, hung(left)).left == "P"


@given(
    TURNS,
    st.floats(0.2, 30),
    st.tuples(st.floats(-50, 50), st.floats(-50, 50)),
    st.integers(1, 300),
    st.integers(1, 300),
    st.floats(0.2, 5),
    st.tuples(st.floats(-10, 310), st.floats(-10, 310)),
)
def test_points_go_there_and_back(
    turn: Turn, zoom: float, pan: tuple[float, float], columns: int, rows: int, tall: float, point: tuple[float, float]
) -> None:
    placed = Placement(View(turn, zoom, pan), columns, rows, tall, 640, 480)
    assert placed.to_picture(*placed.to_pane(*point)) == pytest.approx(point, abs=1e-6)


@given(TURNS, st.integers(1, 60), st.integers(1, 60), st.floats(0.3, 3))
def test_fit_shows_all_of_it_and_fills_the_pane(turn: Turn, columns: int, rows: int, tall: float) -> None:
    placed = Placement(View(turn), columns, rows, tall, 600, 400)
    x, y, wide, high = placed.box(0, 0, columns, rows)
    assert min(x, y) >= -1e-6
    assert x + wide <= 600 + 1e-6
    assert y + high <= 400 + 1e-6
    assert wide == pytest.approx(600) or high == pytest.approx(400)
    assert wide / high == pytest.approx(rows * tall / columns if turn.is_sideways else columns / (rows * tall))


@given(TURNS, st.floats(0.3, 3), st.tuples(st.floats(0, 600), st.floats(0, 400)))
def test_zooming_holds_what_lies_under_the_cursor(turn: Turn, factor: float, at: tuple[float, float]) -> None:
    before = Placement(View(turn, 2.0, (3, -4)), 50, 70, 1.5, 600, 400)
    after = Placement(before.zoomed_at(factor, *at), 50, 70, 1.5, 600, 400)
    assert after.to_picture(*at) == pytest.approx(before.to_picture(*at), abs=1e-6)


@given(TURNS)
def test_pictures_turn_as_their_points_do(turn: Turn) -> None:
    picture = np.arange(6).reshape(2, 3)
    turned = turn.of(picture)
    placed = Placement(View(turn), 3, 2, 1.0, turned.shape[1], turned.shape[0])
    for row in range(2):
        for column in range(3):
            x, y = placed.to_pane(column + 0.5, row + 0.5)
            assert turned[int(y), int(x)] == picture[row, column]
