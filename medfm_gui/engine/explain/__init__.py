"""Where in an image a score comes from, and what such a map is worth.

May import: torch, pytorch-grad-cam, ``engine.backbones``, ``metrics``, ``base``, ``domain``. Front door:
``methods.explained``, which knows every explanation of ``domain.explain`` by its name. To add one: its card there,
one file here with a function that takes a backbone, a head, images and targets and gives one ``HeatMap`` an image,
and its line in the table of ``methods.py``.
"""
