"""Grad-CAM (Selvaraju et al. 2017): channels weighed by their mean gradient."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.explain.cam import activation_maps
from medfm_gui.engine.explain.maps import HeatMap
from medfm_gui.engine.explain.scored import Head


def heat_map(backbone: Backbone, head: Head, images: Tensor, targets: Sequence[int]) -> list[HeatMap]:
    """What speaks for one class in each image; arguments and errors as ``cam.activation_maps``."""
    from pytorch_grad_cam import GradCAM  # brings OpenCV, matplotlib and scikit-learn: seconds of start-up

    return activation_maps(GradCAM, backbone, head, images, targets)
