"""Compare: runs side by side on one opened test: numbers with intervals, paired tests, charts.

May import: the desk's questions, the frame, widgets, charts, the dialog of the seal (``pages.runs.seal``).
Front door: ``page.ComparePage``. Runs alone: ``python -m medfm_gui.ui.pages.compare``.
"""
