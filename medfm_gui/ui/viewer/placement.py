"""Where a picture lies in its pane: zoom, pan and turn as one value, and points mapped both ways exactly."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from medfm_gui.ui.viewer.orientation import Turn

_LEAST, _MOST = 0.1, 40.0


@dataclass(frozen=True, slots=True)
class View:
    """What the reader did to the picture's place."""

    turn: Turn = field(default_factory=Turn)
    zoom: float = 1.0
    """1 fits the pane."""
    pan: tuple[float, float] = (0.0, 0.0)
    """Of the picture's centre from the pane's, in picture pixels as seen: so it survives zoom and resize."""

    def fitted(self) -> View:
        """The whole picture in the pane, turned as it is."""
        return View(self.turn)

    def zoomed(self, factor: float) -> View:
        """Larger or smaller about the centre of the pane, within bounds."""
        return replace(self, zoom=min(max(self.zoom * factor, _LEAST), _MOST))

    def rotated(self) -> View:
        """A quarter turn clockwise more; what was panned comes back to the middle, for it would lie elsewhere."""
        return replace(self, turn=self.turn.rotated(), pan=(0.0, 0.0))

    def flipped(self, *, across: bool) -> View:
        """Mirrored as seen, left and right if ``across``, else top and bottom; in the middle again."""
        return replace(self, turn=self.turn.flipped(across=across), pan=(0.0, 0.0))


@dataclass(frozen=True, slots=True)
class Placement:
    """A picture of ``columns`` x ``rows`` pixels in a pane of ``width`` x ``height`` (pixels of the window system)."""

    view: View
    columns: int
    rows: int
    tallness: float
    """Height of a picture pixel over its width."""
    width: float
    height: float

    @property
    def scale(self) -> float:
        """Pane pixels a picture column."""
        wide, tall = float(self.columns), self.rows * self.tallness
        if self.view.turn.is_sideways:
            wide, tall = tall, wide
        return max(min(self.width / wide, self.height / tall), 1e-6) * self.view.zoom

    @property
    def matrix(self) -> tuple[float, float, float, float, float, float]:
        """From picture pixels to the pane: x = m11 x + m21 y + dx, y = m12 x + m22 y + dy."""

        turn, scale, tall = self.view.turn, self.scale, self.scale * self.tallness
        m11, m12 = turn.xx * scale, turn.yx * scale
        m21, m22 = turn.xy * tall, turn.yy * tall
        middle_x = self.width / 2 + self.view.pan[0] * scale
        middle_y = self.height / 2 + self.view.pan[1] * scale
        dx = middle_x - m11 * self.columns / 2 - m21 * self.rows / 2
        dy = middle_y - m12 * self.columns / 2 - m22 * self.rows / 2
        return m11, m12, m21, m22, dx, dy

    def to_pane(self, x: float, y: float) -> tuple[float, float]:
        """A point of the picture, in pixels from its upper left corner, in the pane."""
        m11, m12, m21, m22, dx, dy = self.matrix
        return m11 * x + m21 * y + dx, m12 * x + m22 * y + dy

    def box(self, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        """A box of the picture as left, top, width, height in the pane: a box again, for it turns by quarters only."""
        one, other = self.to_pane(left, top), self.to_pane(right, bottom)
        return min(one[0], other[0]), min(one[1], other[1]), abs(one[0] - other[0]), abs(one[1] - other[1])

    def to_picture(self, x: float, y: float) -> tuple[float, float]:
        """A point of the pane in the picture."""
        m11, m12, m21, m22, dx, dy = self.matrix
        determinant = m11 * m22 - m12 * m21
        x, y = x - dx, y - dy
        return (m22 * x - m21 * y) / determinant, (m11 * y - m12 * x) / determinant

    def pixel_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Column and row under a point of the pane; none outside of the picture."""
        column, row = self.to_picture(x, y)
        if 0 <= column < self.columns and 0 <= row < self.rows:
            return int(column), int(row)
        return None

    def visible(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of what lies in the pane, in whole picture pixels, right and bottom excluded."""
        corners = [self.to_picture(0, 0), self.to_picture(self.width, self.height)]
        (left, right), (top, bottom) = (sorted(axis) for axis in zip(*corners, strict=True))
        return (
            min(max(int(left) - 1, 0), self.columns),
            min(max(int(top) - 1, 0), self.rows),
            max(min(int(right) + 2, self.columns), 0),
            max(min(int(bottom) + 2, self.rows), 0),
        )

    def panned(self, dx: float, dy: float) -> View:
        """The view after a move by pane pixels; the picture's centre never leaves the pane's neighbourhood."""
        most = (max(self.columns, self.rows * self.tallness) + max(self.width, self.height) / self.scale) / 2
        x, y = self.view.pan[0] + dx / self.scale, self.view.pan[1] + dy / self.scale
        return replace(self.view, pan=(min(max(x, -most), most), min(max(y, -most), most)))

    def zoomed_at(self, factor: float, x: float, y: float) -> View:
        """The view after zooming so that what lies under a point of the pane stays there."""
        larger = self.view.zoomed(factor)
        grown = larger.zoom / self.view.zoom
        from_middle_x, from_middle_y = x - self.width / 2, y - self.height / 2
        shift = (1 / grown - 1) / self.scale
        pan = (self.view.pan[0] + from_middle_x * shift, self.view.pan[1] + from_middle_y * shift)
        return replace(larger, pan=pan)
