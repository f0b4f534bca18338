"""The window: what people see and touch, on top of what the desk answers.

Order: ``theme`` (colours and sizes) < ``icons`` < ``widgets`` < ``charts``, ``viewer`` < ``pages`` < the main window.
May import: ``desk`` asks, frozen types of ``domain``, ``store.rows`` and ``workspace``; PySide6 and pyqtgraph live only
here. No file, query, decoding or statistic on the window's thread; only ``bridge`` knows threads.
"""
