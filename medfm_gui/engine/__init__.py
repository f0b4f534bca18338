"""Everything with tensors: backbones, ways to adapt them, training, prediction, explanation.

May import: torch and its family, ``datasets``, ``metrics``, ``base``, ``domain``; never the front tower.
Front door: ``worker`` (``python -m medfm_gui.engine.worker FOLDER``); inside, ``backbones.load_backbone``.
To add a model family: a folder in ``plugins/``; a way to adapt: one file in ``adaptations/``; an explanation:
one file in ``explain/``.
"""
