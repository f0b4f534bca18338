"""Whether a file's tensors are exactly a module's: every name, every shape, nothing else.

timm loads a wrong file with no more than a line in the log, so the check is our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from medfm_gui.domain.errors import WeightsRejected

_SHOWN = 3


def check_fit(
    module: nn.Module, tensors: Mapping[str, Tensor], *, ignore: Sequence[str], what: str, model: str
) -> dict[str, Tensor]:
    """The module's own tensors out of ``tensors``, in its order.

    Args:
        module: may be on the meta device.
        ignore: prefixes of names that the file may hold besides.
        what: the file, for the message.
        model: the model's title, for the message.

    Raises:
        WeightsRejected: names are missing or unknown, or shapes differ; the first few are named.
    """
    expected = module.state_dict()
    missing = [name for name in expected if name not in tensors]
    unknown = [name for name in tensors if name not in expected and not name.startswith(tuple(ignore))]
    shaped = [
        f"{name} is {_shape(tensors[name])}, not {_shape(own)}"
        for name, own in expected.items()
        if name in tensors and tensors[name].shape != own.shape
    ]
    reasons = []
    if missing:
        reasons.append(f"{len(missing)} of {len(expected)} tensors are missing ({_some(missing)})")
    if shaped:
        reasons.append(f"{len(shaped)} have another shape ({_some(shaped)})")
    if unknown:
        reasons.append(f"{len(unknown)} do not belong to it ({_some(unknown)})")
    if reasons:
        raise WeightsRejected(
            f"“{what}” is not a file of {model}: {'; '.join(reasons)}.",
            "Choose the file of this very model, or the model that this file belongs to.",
        )
    return {name: tensors[name] for name in expected}


def load_checked(
    module: nn.Module, tensors: Mapping[str, Tensor], *, ignore: Sequence[str], what: str, model: str
) -> None:
    """Copy the tensors into the module after ``check_fit``.

    Raises:
        WeightsRejected: as ``check_fit``.
    """
    module.load_state_dict(check_fit(module, tensors, ignore=ignore, what=what, model=model), strict=True)


def check_finite(tensors: Mapping[str, Tensor], *, what: str) -> None:
    """Refuse a file whose numbers are damaged.

    Raises:
        WeightsRejected: a tensor holds NaN or infinity.
    """
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise WeightsRejected(
                f"“{what}” is damaged: {name} holds numbers that are not finite.", "Fetch the file again."
            )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")


def _shape(tensor: Tensor) -> str:
    return "×".join(str(size) for size in tensor.shape) or "a number"
