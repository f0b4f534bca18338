"""The desk: one warm process beside the window that does everything the window must not do on its thread.

Purpose: the window asks, the desk runs the ``workspace`` function and answers with a frozen value.
May import: workspace and whatever lies below; never Qt, never torch.
Front door: ``client.DeskClient`` (window's side), ``python -m medfm_gui.desk WORKSPACE`` (the process).
To add a question: a dataclass in ``asks/<topic>.py``, a function in ``answers/<topic>.py`` and a line in
its ``ENTRIES``. ``supervisor`` is the other child of the window: it looks after runs.
"""
