"""What a front end may ask: one function a user intent, the same for the window and the command line.

May import: ``jobs``, ``store``, ``reports`` and everything below them; never the engine. Rooms with heavy
libraries are imported inside the functions that need them. Front door: ``place.open_workspace`` and then
``data``, ``training``, ``evaluating``, ``comparing``, ``prediction``, ``studies``, ``reporting``, ``models``,
``doctor``, ``demo``. To add an intent: one function that takes values and returns what changed.
"""
