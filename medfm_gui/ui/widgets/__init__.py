"""Base widgets of every page: text, states, forms, tables, chips, steps, toasts.

May import: ``ui.theme``, ``ui.icons``, ``domain``; never a page or the bridge. Front door: the modules themselves.
``python -m medfm_gui.ui.widgets`` shows all of them. To add one: a module here, a row in ``gallery.py``.
"""
