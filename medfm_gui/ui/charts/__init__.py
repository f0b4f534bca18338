"""Charts of the window: recipes of ``domain.chart`` on screen, live training curves, interval cells, probability bars.

May import: ``domain``, ``ui.theme``, ``ui.icons``, ``ui.widgets``, the metrics' names, the paper's markers and
dashes (one look on screen and paper), numpy, pyqtgraph. Nothing is read or computed here beyond where pixels go.
Front door: ``view.ChartView``, ``live.LiveCurves``, ``interval_cell.IntervalDelegate``,
``probability.ProbabilityBars``; ``marks`` for a run's marker elsewhere.
A new kind of chart: its name in ``domain/chart.py``, a canvas in a file of its own, a row in ``view.CANVASES``.
All names are painted or shown as plain text: pyqtgraph's legends, titles and axis labels take HTML and are not used.
"""
