"""Reports: those that were written, and a new one composed beside its real pages.

May import: the desk's questions, the frame, widgets, QtPdf. Front door: ``page.ReportsPage``. ``composer`` asks for
runs, title and sections, ``archive`` lists what was written, ``reader`` with ``paper`` shows the pages.
"""
