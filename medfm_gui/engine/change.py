"""How an adapted backbone differs from the pretrained one, so that only the difference is kept on disk.

``weights/backbone.safetensors`` holds the tensors that differ, under the module's own names. Beside it
``weights/backbone.json`` says what they are: some of the module's tensors, or small matrices beside its layers.
Without that file they are the whole backbone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from medfm_gui.domain.errors import WeightsRejected
from medfm_gui.engine.adapters import Adapters, with_adapters


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """What the kept tensors of a backbone mean.

    ``part``: they replace tensors of the pretrained module. ``adapters``: they are the adapters of ``adapters``
    (and perhaps biases). ``said`` names them for people; ``base_sha256`` is the file of pretrained weights that
    they belong to.
    """

    kind: Literal["part", "adapters"]
    said: str
    base_sha256: str
    adapters: Adapters | None = None


def applied(module: nn.Module, facts: ChangeFacts, tensors: Mapping[str, Tensor]) -> None:
    """Make an adapted backbone of a pretrained one, in place.

    Raises:
        WeightsRejected: the tensors are not those of this module.
    """
    if facts.adapters is not None:
        with_adapters(module, facts.adapters)
    held = module.state_dict()
    foreign = [name for name, tensor in tensors.items() if name not in held or held[name].shape != tensor.shape]
    if foreign or not tensors:
        raise WeightsRejected(
            f"The kept weights of this run do not belong to its model: {', '.join(foreign[:3]) or 'there are none'}.",
            "Run the training again.",
        )
    module.load_state_dict(dict(tensors), strict=False)
