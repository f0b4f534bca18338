"""A ``Report`` becomes a PDF, a ``ChartSpec`` an SVG: the only room that knows typst, matplotlib and pypdf.

May import: ``domain``, ``base``, typst, matplotlib, pypdf, numpy; nothing is computed here, only set and drawn.
Front door: ``pdf.write_pdf``, ``figures.draw``, and ``attached.read_pdf`` for the way back.
A new kind of block: a dataclass in ``domain/report.py``, a row in ``sheet.py``, a function in ``report.typ``.
A new kind of chart: its name in ``domain/chart.py``, a file ``plot_<kind>.py``, a row in ``figures.PLOTS``.
"""
