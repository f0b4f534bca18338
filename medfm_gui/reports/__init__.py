"""A ``Report`` becomes a PDF, a ``ChartSpec`` an SVG: the only room that knows typst and matplotlib.

May import: ``domain``, ``base``, typst, matplotlib, numpy. Nothing is computed here; what is printed was worked out before.
Front door: ``pdf.write_pdf`` and ``figures.draw``.
To add a kind of block: its dataclass in ``domain/report.py``, a row in ``sheet.py``, a show function in ``resources/report/report.typ``.
To add a kind of chart: its name in ``domain/chart.py``, one ``plot_<kind>.py`` here, a row in ``figures.PLOTS``.
"""
