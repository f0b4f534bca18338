"""A card for any model of timm's: what timm's registry says of it, and what a trial without memory shows.

The trial builds the module on the meta device and passes shapes through it: the length of its features, which
input sizes it takes, whether it has to be built for one, and where Grad-CAM can look.
"""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import timm
import torch
from timm.models import get_pretrained_cfg, is_model, list_pretrained
from torch import nn

from medfm_gui.base import wire
from medfm_gui.base.resources import plugins_folder
from medfm_gui.domain.cards import ADAPTATIONS, BackboneCard, Family, WeightsSource
from medfm_gui.domain.errors import MedfmError, NotFound, PluginError
from medfm_gui.domain.events import Answered, Event, RunFinished
from medfm_gui.domain.run import TimmSpec
from medfm_gui.engine.backbones import build_backbone
from medfm_gui.engine.converters import converted
from medfm_gui.engine.fit import check_fit
from medfm_gui.engine.timm_backbone import TimmBackbone

_FAMILIES = (
    ("dinov2", Family.DINOV2),
    ("dinov3", Family.DINOV3),
    ("aimv2", Family.AIMV2),
    ("sam2_", Family.SAM2),
    (".v2_webli", Family.SIGLIP2),
    (".openai", Family.CLIP),
    ("_clip_", Family.OPENCLIP),
    (".mae", Family.MAE),
)
"""What in a name tells the family; whatever is not told is a baseline."""
_COARSEST = 32
"""Pixels: the stride of most networks of maps, which some need their input to be a multiple of."""
_NON_COMMERCIAL = re.compile(r"(^|[^a-z])nc([^a-z]|$)|non-?commercial")


def describe(spec: TimmSpec) -> Iterator[Event]:
    """The card as JSON in the fact ``card`` of an Answered event, then RunFinished.

    Raises:
        NotFound: timm has no such model.
        PluginError: it has, and it cannot serve as a backbone.
    """
    begun = time.monotonic()
    yield Answered(time.time(), {"card": wire.encode(timm_card(spec.name)).decode()})
    yield RunFinished(time.time(), metrics={}, seconds=time.monotonic() - begun)


def timm_card(name: str) -> BackboneCard:
    """The card of timm's model of that name, with or without the tag of its weights.

    Raises:
        NotFound, PluginError: as ``describe``.
    """
    arch = name.partition(".")[0]
    declared = _registered(name) if is_model(arch) else None
    if declared is None:
        near = difflib.get_close_matches(name, list_pretrained(), n=3, cutoff=0.5)
        raise NotFound(
            f"timm {timm.__version__} has no model “{name}”.",
            f"Did you mean {' or '.join(near)}?" if near else "Its models are listed at huggingface.co/timm.",
        )
    native = int(declared.input_size[-1])
    card = _declared(f"timm:{name}", arch, native, declared)
    for entry in ("backbone:build_sized", "backbone:build"):
        tried = _tried(replace(card, entry=entry))
        if tried is not None:
            return tried
    raise PluginError(
        f"timm's “{name}” gives no features that could be used: a trial of its shapes failed.",
        "Choose another model; classification networks and vision transformers work.",
    )


def _registered(name: str) -> Any:
    """What timm's registry says of a name; None of a tag that it does not know, at which it raises."""
    try:
        return get_pretrained_cfg(name, allow_unregistered=False)
    except RuntimeError:
        return None


def _declared(name: str, arch: str, native: int, said: Any) -> BackboneCard:
    """What timm's registry says; the trial fills in the rest."""
    licence = said.license or "not stated by timm"
    classifier = (said.classifier,) if isinstance(said.classifier, str) else tuple(said.classifier or ())
    tagged = f".{said.tag}" if said.tag else ""
    return BackboneCard(
        name=name,
        title=f"{arch}{tagged} (timm)",
        family=next((family for part, family in _FAMILIES if part in f"{arch}{tagged}"), Family.BASELINE),
        arch=arch,
        entry="",
        plugin="timm",
        group="Other models of timm",
        plugin_folder=str(plugins_folder() / "any_timm"),
        pretraining=f"as the tag “{said.tag}” says" if said.tag else "not stated by timm",
        pretraining_data=f"as the tag “{said.tag}” says" if said.tag else "not stated by timm",
        parameters_m=0.0,
        input_size=native,
        native_size=native,
        multiple=1,
        mean=tuple(said.mean),
        std=tuple(said.std),
        features="native",
        cam="",
        licence=licence,
        weights=WeightsSource(
            hub_repo=said.hf_hub_id or "",
            hub_file=said.hf_hub_filename or ("model.safetensors" if said.hf_hub_id else ""),
            ignore=tuple(dict.fromkeys((*(f"{part}." for part in classifier), "head.", "mask_token"))),
            note=said.url or "",
        ),
        adaptations=tuple(card.name for card in ADAPTATIONS),
        feature_dim=0,
        non_commercial=bool(_NON_COMMERCIAL.search(licence.lower())),
        size_rule="fixed",
    )


def _tried(card: BackboneCard) -> BackboneCard | None:
    """The card with what a trial found; None where the model cannot be built or used so."""
    try:
        with torch.device("meta"):
            backbone = build_backbone(card, card.native_size)
            features = backbone.features(torch.empty(2, 3, card.native_size, card.native_size))
            backbone.tokens(torch.empty(2, 3, card.native_size, card.native_size))
    except Exception:  # noqa: BLE001 - border: a foreign model fails in any way
        return None
    if features.ndim != 2 or not isinstance(backbone, TimmBackbone):
        return None
    module = backbone.module
    found = replace(
        card,
        parameters_m=round(sum(parameter.numel() for parameter in module.parameters()) / 1e6, 2),
        feature_dim=int(features.shape[1]),
        cam=_cam(backbone),
        convolutional=_is_convolutional(module),
    )
    patch = _patch(module)
    step = next((step for step in (patch, max(_COARSEST, patch)) if _takes(found, step, module)), 0)
    return replace(found, multiple=step or 1, size_rule="any" if step == 1 else "multiple" if step else "fixed")


def _patch(module: nn.Module) -> int:
    """Pixels of a transformer's patch, or 1."""
    size = getattr(getattr(module, "patch_embed", None), "patch_size", 1)
    return int(size[0] if isinstance(size, tuple | list) else size or 1)


def _takes(card: BackboneCard, step: int, native: nn.Module) -> bool:
    """Whether images of other multiples of ``step`` pixels pass, and pretrained numbers still fit."""
    next_one = card.native_size // step * step + step
    return all(_takes_size(card, size, native) for size in {next_one, -(-(next_one + _COARSEST) // step) * step})


def _takes_size(card: BackboneCard, size: int, native: nn.Module) -> bool:
    try:
        with torch.device("meta"):
            backbone = build_backbone(replace(card, multiple=1, size_rule="any"), size)
            shape = backbone.features(torch.empty(1, 3, size, size)).shape
        held = {
            name: torch.zeros(one.shape) if "pos" in name else one for name, one in native.state_dict().items()
        }  # positions are what is resampled
        check_fit(
            backbone.module, converted(held, backbone.module, "timm", what="trial"), ignore=(), what="trial", model="it"
        )
    except Exception:  # noqa: BLE001 - border: as above
        return False
    return shape == (1, card.feature_dim)


def _cam(backbone: TimmBackbone) -> str:
    """Where Grad-CAM looks: before the last attention of a transformer, else at the last map."""
    candidates = ["blocks[-1].norm1"] if hasattr(backbone.module, "num_prefix_tokens") else []
    said = getattr(backbone.module, "feature_info", None) or []
    last = said[-1]["module"] if isinstance(said, list) and said else ""
    candidates.append(re.sub(r"\.(\d+)", r"[\1]", str(last)))
    candidates += ["stages[-1]", "layers[-1]", "layer4", "features", "blocks[-1]"]
    for path in candidates:
        try:
            replace(backbone, card=replace(backbone.card, cam=path)).cam_layer()
        except MedfmError:
            continue
        return path
    return "norm"


def _is_convolutional(module: nn.Module) -> bool:
    """Whether most of its numbers are in convolutions, for which a layout of channels last is faster."""
    convolutions = sum(layer.weight.numel() for layer in module.modules() if isinstance(layer, nn.Conv2d))
    return 2 * convolutions > sum(parameter.numel() for parameter in module.parameters())
