"""One series on screen, as radiology readers expect it: window/level, slices, orientation letters, a heat map on top.

May import: Qt, NumPy, ``ui.theme``, ``ui.icons``, ``ui.widgets``, light types of ``domain`` and ``imaging.window``.
It reads no file: ``image.SeriesImage`` and ``image.HeatMap`` are handed in, decoded elsewhere.
Front doors: ``viewer.Viewer``, ``preset_menu.PresetMenu``. To add an action: a line in ``bindings.BINDINGS`` and one in
``actions``.
"""
