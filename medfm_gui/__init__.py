"""MedFM Studio: which vision foundation model to adapt to your images, how, and whether the difference is real.

The package is two towers and a wire. The *front* (window, command line, ``workspace``) never imports
torch; the *engine* never imports Qt or SQL. Between them lies a run folder: ``spec.json`` goes down,
``events.jsonl`` comes up. See the README's map of rooms.
"""

__version__ = "0.1.0"
