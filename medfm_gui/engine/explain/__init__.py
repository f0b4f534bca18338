"""Where in an image a score comes from.

May import: torch, pytorch-grad-cam, ``engine.backbones``, ``base``, ``domain``. Front door: one function a file
(``gradcam.heat_map``). To add an explanation: one file here with a function that takes a backbone, a head,
images and targets, and gives one ``HeatMap`` an image.
"""
