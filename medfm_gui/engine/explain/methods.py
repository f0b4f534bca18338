"""Every explanation by its name, behind one function."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence

from torch import Tensor

from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.explain import explanation_names
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.explain import (
    eigencam,
    gradcam,
    gradcam_plus_plus,
    hirescam,
    integrated_gradients,
    layercam,
    occlusion,
    rollout,
)
from medfm_gui.engine.explain.maps import HeatMap
from medfm_gui.engine.explain.occlusion import Step
from medfm_gui.engine.explain.scored import Head

AtOnce = Callable[[Backbone, Head, Tensor, Sequence[int]], list[HeatMap]]
StepByStep = Callable[[Backbone, Head, Tensor, Sequence[int]], Generator[Step, None, list[HeatMap]]]

AT_ONCE: Mapping[str, AtOnce] = {
    "gradcam": gradcam.heat_map,
    "gradcam++": gradcam_plus_plus.heat_map,
    "hirescam": hirescam.heat_map,
    "layercam": layercam.heat_map,
    "eigencam": eigencam.heat_map,
    "rollout": rollout.heat_map,
}
"""Those that cost one pass."""

STEP_BY_STEP: Mapping[str, StepByStep] = {
    "integrated-gradients": integrated_gradients.heat_map,
    "occlusion": occlusion.heat_map,
}
"""Those that take long enough to tell how far they are."""


def explained(
    name: str, backbone: Backbone, head: Head, images: Tensor, targets: Sequence[int]
) -> Generator[Step, None, list[HeatMap]]:
    """One map an image, B × 3 × H × W, for one class of each; yields steps done and in all where it takes long.

    Raises:
        UsageError: there is no such explanation, this model has none of the kind, or a target is no class.
        PluginError: the card's layer does not lead to the score.
    """
    check_known(name)
    if name in AT_ONCE:
        return AT_ONCE[name](backbone, head, images, targets)
    return (yield from STEP_BY_STEP[name](backbone, head, images, targets))


def heat_maps(name: str, backbone: Backbone, head: Head, images: Tensor, targets: Sequence[int]) -> list[HeatMap]:
    """``explained``, for those who wait."""
    work = explained(name, backbone, head, images, targets)
    while True:
        try:
            next(work)
        except StopIteration as done:
            found: list[HeatMap] = done.value
            return found


def check_known(name: str) -> None:
    """See that there is such an explanation.

    Raises:
        UsageError: there is none.
    """
    if name not in AT_ONCE and name not in STEP_BY_STEP:
        raise UsageError(f"There is no explanation “{name}”.", f"Use {explanation_names()}.")
