"""The names in a weights file turned into the module's own.

``order``: the file lists the same tensors in the same order under other names.
``timm``: the file has timm's names, those of the original release, of open_clip, or of the transformers library.
``coca``: open_clip's CoCa, of which the vision tower is taken.
``vmamba``: the authors' files of VMamba, of any age.
To add one: a function here and its name in ``CONVERTERS``.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from medfm_gui.domain.errors import PluginError, WeightsRejected
from medfm_gui.engine.transformers_names import timm_names, vision_tower

Tensors = dict[str, Tensor]

_PATCHES = "patch_embed.proj.weight"
_SAM2_TRUNK = "image_encoder.trunk."
_COCA_TOWER = "visual."
_COCA_NAMES = {"ln_post.weight": "norm.weight", "ln_post.bias": "norm.bias", "proj": "proj"}
_VMAMBA_END = re.compile(r"^(?=(?:norm|head)\.)")
_VMAMBA_LINEAR = ("in_proj.weight", "out_proj.weight", "fc1.weight", "fc2.weight")
_DENSE_LAYER = re.compile(r"(.*denselayer\d+\.(?:norm|conv))\.([12]\..+)$")
"""torchvision's first DenseNet files write ``norm.1`` where its modules have ``norm1``."""


def converted(tensors: Tensors, module: nn.Module, converter: str, *, what: str) -> Tensors:
    """The tensors under the module's names; not yet checked for completeness.

    A file that already has every name (one of ours) passes through timm's filter alone, which resamples
    position embeddings to the module's size.

    Raises:
        WeightsRejected: the file cannot be of this family.
        PluginError: there is no such converter.
    """
    convert = CONVERTERS.get(converter)
    if convert is None:
        raise PluginError(f"There is no converter “{converter}”.", f"Known are: {', '.join(sorted(CONVERTERS))}.")
    if convert is _vmamba or not all(name in tensors for name in module.state_dict()):
        tensors = convert(tensors, module, what)
    return _filtered(tensors, module, what)


def _by_order(tensors: Tensors, module: nn.Module, what: str) -> Tensors:
    expected = module.state_dict()
    held = list(tensors.items())
    if len(held) < len(expected):
        raise WeightsRejected(
            f"“{what}” holds {len(held)} tensors, where {len(expected)} are needed.", "Choose the file of this model."
        )
    renamed: Tensors = {}
    for (name, own), (foreign, tensor) in zip(expected.items(), held, strict=False):
        if tensor.shape != own.shape:
            raise WeightsRejected(
                f"“{what}” is of another model: {foreign} has the shape {tuple(tensor.shape)}, "
                f"where {name} needs {tuple(own.shape)}.",
                "Choose the file of this model.",
            )
        renamed[name] = tensor
    renamed.update(held[len(expected) :])
    return renamed


def _by_name(tensors: Tensors, module: nn.Module, what: str) -> Tensors:
    tower = vision_tower(tensors)
    if tower is not None:
        return timm_names(tower)
    if any(name.startswith(_SAM2_TRUNK) for name in tensors):  # else memory, prompts and decoder
        return {name.removeprefix(_SAM2_TRUNK): one for name, one in tensors.items() if name.startswith(_SAM2_TRUNK)}
    return {_DENSE_LAYER.sub(r"\1\2", name): tensor for name, tensor in tensors.items()}


def _coca(tensors: Tensors, module: nn.Module, what: str) -> Tensors:
    """The pooler's names kept; the transformer's left to timm's filter, which knows open_clip's."""
    if not any(name.startswith(_COCA_TOWER) for name in tensors):
        return tensors
    renamed: Tensors = {}
    for name, tensor in tensors.items():
        if not name.startswith(_COCA_TOWER):
            continue  # the text's two transformers
        bare = name.removeprefix(_COCA_TOWER)
        if bare in _COCA_NAMES:
            renamed[_COCA_NAMES[bare]] = tensor
        elif bare.startswith("attn_pool."):
            renamed[bare] = tensor
        else:
            renamed[f"trunk.{name}"] = tensor
    return renamed


def _vmamba(tensors: Tensors, module: nn.Module, what: str) -> Tensors:
    """Older names; and linear layers as 1 × 1 convolutions, which the authors' code takes too, told by shape alone."""
    renamed: Tensors = {}
    for name, tensor in tensors.items():
        newer = _VMAMBA_END.sub("classifier.", name).replace(".ln_1.", ".norm.").replace(".self_attention.", ".op.")
        linear = newer.endswith(_VMAMBA_LINEAR) and tensor.shape[2:] == (1, 1)
        renamed[newer] = tensor.flatten(1) if linear else tensor
    return renamed


def _filtered(tensors: Tensors, module: nn.Module, what: str) -> Tensors:
    """timm's own filter of that architecture: names of the original releases, position embeddings resampled."""
    trunk = getattr(module, "trunk", None)
    if isinstance(trunk, nn.Module):
        inside = {name.removeprefix("trunk."): one for name, one in tensors.items() if name.startswith("trunk.")}
        beside = {name: one for name, one in tensors.items() if not name.startswith("trunk.")}
        return {**beside, **{f"trunk.{name}": one for name, one in _filtered(inside, trunk, what).items()}}
    home = sys.modules[type(module).__module__]
    known = getattr(home, "checkpoint_filter_fn", None) or getattr(home, "_filter_fn", None)
    if known is None:
        return tensors
    _check_patches(tensors, module, what)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # a filter or two prints
            given = (dict(tensors), module)[: len(inspect.signature(known).parameters)]
            filtered: Any = known(*given)
    except Exception as error:  # border: timm's filters fail in many ways on foreign files
        raise WeightsRejected(
            f"“{what}” is of another model ({type(error).__name__}: {str(error)[:120]}).",
            "Choose the file of this model.",
        ) from error
    return dict(filtered)


def _check_patches(tensors: Tensors, module: nn.Module, what: str) -> None:
    """Refuse patches of another size, which timm's filter would resample to a model that never was."""
    own = module.state_dict().get(_PATCHES)
    for name in (_PATCHES, "visual.conv1.weight", f"visual.trunk.{_PATCHES}"):
        held = tensors.get(name)
        if own is not None and held is not None and held.ndim == 4 and held.shape[-2:] != own.shape[-2:]:
            raise WeightsRejected(
                f"“{what}” is of another model: its patches are {held.shape[-1]} pixels wide, not {own.shape[-1]}.",
                "Choose the file of this model.",
            )


CONVERTERS: Mapping[str, Callable[[Tensors, nn.Module, str], Tensors]] = {
    "timm": _by_name,
    "order": _by_order,
    "coca": _coca,
    "vmamba": _vmamba,
}
"""All converters by the name that a card gives."""
