"""A ``ChartSpec`` drawn on paper: an SVG or a PDF with vectors for lines and real text for words.

``draw`` makes the figure, hands it to the one function that knows the chart's kind (``PLOTS``), and
writes it out. Text stays text, so that a reader can select and search it in the PDF. No pyplot: a
figure belongs to its call, nothing stays behind.
"""

from __future__ import annotations

import io
import unicodedata
import warnings
from collections.abc import Callable
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.reports.lettering import MM_PER_INCH, fitted
from medfm_gui.reports.palette import INK, MUTED
from medfm_gui.reports.plain import one_line, visible
from medfm_gui.reports.plot_intervals import plot_intervals
from medfm_gui.reports.plot_lines import plot_lines
from medfm_gui.reports.plot_matrix import plot_matrix

PLOTS: dict[str, Callable[[Figure, Axes, ChartSpec], None]] = {
    "lines": plot_lines,
    "matrix": plot_matrix,
    "intervals": plot_intervals,
}

_STYLE: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 6.8,
    "text.parse_math": False,  # a class named “$1” is no formula
    "text.usetex": False,
    "axes.unicode_minus": True,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.titlesize": 7.6,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 6.4,
    "ytick.labelsize": 6.4,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": 6.4,
    "figure.constrained_layout.w_pad": 0.02,
    "figure.constrained_layout.h_pad": 0.02,
}


_CANVASES: dict[str, Callable[[Figure], FigureCanvasBase]] = {"svg": FigureCanvasSVG, "pdf": FigureCanvasPdf}
_POINTS_PER_INCH = 72


def draw(
    chart: ChartSpec,
    *,
    width_mm: float,
    height_mm: float,
    titled: bool = False,
    kind: Literal["svg", "pdf"] = "svg",
) -> bytes:
    """The chart as SVG (UTF-8) or as a PDF of one page, of exactly that size.

    Args:
        chart: what to draw; numbers that are not finite are gaps.
        width_mm, height_mm: outer size; type is 6.4 to 7.6 pt at this size.
        titled: print the chart's title above it; a report says it in the caption.
        kind: what is written; a PDF holds its letters, so that it looks the same everywhere.

    The same chart gives the same bytes.
    """
    # rc_context touches matplotlib's settings of the whole process: one report is made at a time.
    chosen: dict[Any, Any] = {
        "svg.hashsalt": one_line(chart.id) or "chart",
        "svg.fonttype": "path" if _needs_outlines(chart) else "none",
        "pdf.fonttype": 42,  # letters stay letters: a text to select and search
    }
    with mpl.rc_context(mpl.rcParamsDefault), mpl.rc_context({**_STYLE, **chosen}):
        figure = Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), dpi=_POINTS_PER_INCH)
        axes = figure.add_subplot()
        if titled and chart.title:
            axes.set_title(fitted(chart.title, width_mm * 0.8, 7.6))
        axes.set_xlabel(fitted(chart.x_label, width_mm * 0.6, 6.8))
        axes.set_ylabel(fitted(chart.y_label, height_mm * 0.55, 6.8))
        if is_empty(chart):
            _say_nothing_to_show(axes)
        else:
            PLOTS[chart.kind](figure, axes, chart)
        return _written(figure, one_line(chart.title), kind)


def is_empty(chart: ChartSpec) -> bool:
    """Whether the chart holds no point at all."""
    if chart.kind == "matrix":
        return not any(chart.matrix)
    return not any(series.x or series.y for series in chart.series)


def _needs_outlines(chart: ChartSpec) -> bool:
    """Whether a name holds combining marks, which the PDF's setter refuses in an SVG (a table has them as text).

    All other words stay words; the PDF embeds the same DejaVu Sans that measured them here.
    """
    names = (chart.title, chart.x_label, chart.y_label, *chart.rows, *chart.columns, *(s.name for s in chart.series))
    return any(unicodedata.category(character).startswith("M") for name in names for character in visible(name))


def _say_nothing_to_show(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, "No data", ha="center", va="center", color=MUTED, transform=axes.transAxes)


def _written(figure: Figure, title: str, kind: Literal["svg", "pdf"]) -> bytes:
    buffer = io.BytesIO()
    unsaid = ("Date", "Creator") if kind == "svg" else ("CreationDate", "Creator", "Producer")
    metadata = {**dict.fromkeys(unsaid), **({"Title": title} if title else {})}
    with warnings.catch_warnings():
        # a script that DejaVu Sans lacks is drawn by the PDF's last-resort font
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
        _CANVASES[kind](figure)
        # laid out here and not by ``savefig``, which for that draws everything once more
        ConstrainedLayoutEngine().execute(figure)
        figure.savefig(buffer, format=kind, transparent=True, metadata=metadata)
    return buffer.getvalue()
