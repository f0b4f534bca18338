"""The Datasets page: what was imported, how its images look, how classes and covariates stand, and how it is divided.

May import: ``ui`` widgets, ``desk.asks``, ``domain``; never functions of the workspace. Front door: ``page``.
To add a tab: a widget with ``show_dataset(row, splits)``, listed in ``page.py``.
"""
