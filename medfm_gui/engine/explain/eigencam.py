"""EigenCAM (Muhammad and Yeasin 2020): the first principal component of the last block; the same for every class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.explain.cam import activation_maps
from medfm_gui.engine.explain.maps import HeatMap
from medfm_gui.engine.explain.scored import Head


def heat_map(backbone: Backbone, head: Head, images: Tensor, targets: Sequence[int]) -> list[HeatMap]:
    """Where each image differs most from its own mean; arguments and errors as ``cam.activation_maps``.

    There must be one target an image; what it is changes nothing.
    """
    from pytorch_grad_cam import EigenCAM  # brings OpenCV, matplotlib and scikit-learn: seconds of start-up

    class Signed(EigenCAM):  # type: ignore[misc]  # the library is untyped
        """The library leaves the sign to chance and computes all n × n singular vectors."""

        def get_cam_image(self, _images: Any, _layer: Any, _targets: Any, activations: Any, *_rest: Any) -> Any:
            return np.stack([principal_map(one) for one in activations])

    return activation_maps(Signed, backbone, head, images, targets)


def principal_map(activation: NDArray[np.float32]) -> NDArray[np.float32]:
    """C × h × w projected on its first principal axis, h × w.

    The sign is chosen so that the place farthest from the mean is positive (Chung and Ying 2025, eq. 13).
    """
    channels, rows, columns = activation.shape
    places = activation.reshape(channels, -1).T.astype(np.float64)
    places -= places.mean(axis=0)
    _, _, axes = np.linalg.svd(places, full_matrices=False)
    projected = (places @ axes[0]).reshape(rows, columns)
    if abs(projected.min()) > abs(projected.max()):
        projected = -projected
    return np.asarray(projected, dtype=np.float32)
