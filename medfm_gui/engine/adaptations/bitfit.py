"""BitFit (Ben Zaken et al. 2022): the backbone's biases alone, and a linear head.

A model with next to no biases (AIMv2: 0.0003 % of its numbers) would not learn so; there the norms are trained too,
where it has some, and the run says so. Batch statistics keep still.
"""

from __future__ import annotations

from collections.abc import Generator

from torch import nn

from medfm_gui.domain import events as ev
from medfm_gui.engine.adaptations.descent import descend
from medfm_gui.engine.adaptations.scope import Scope, linear_head, part_facts
from medfm_gui.engine.fitted import Fitted
from medfm_gui.engine.material import Material

_LEAST_SHARE = 2e-4


def adapt(material: Material) -> Generator[ev.Event, None, Fitted]:
    """Train to the end, or from where an earlier attempt stopped; as ``descend``."""
    return (yield from descend(material, scope_of(material)))


def scope_of(material: Material) -> Scope:
    """What is trained, its first weights drawn."""
    module = material.backbone.module
    names = biases(module)
    sizes = {name: parameter.numel() for name, parameter in module.named_parameters()}
    share = sum(sizes[name] for name in names) / max(1, sum(sizes.values()))
    if share >= _LEAST_SHARE:
        return Scope(linear_head(material), names, change=part_facts(material, "biases"))
    few = f"{material.backbone.card.title} has hardly any biases ({100 * share:.2g} % of its numbers)"
    also = norms(module)
    if not also:  # VGG-19: most of its numbers are in two layers, and it has no norms
        said = f"{few} and no norms, so little of it learns."
        return Scope(linear_head(material), names, change=part_facts(material, "biases"), warnings=(said,))
    return Scope(
        linear_head(material),
        names | also,
        change=part_facts(material, "norms and biases"),
        warnings=(f"{few}, so its norms are trained too: “norms and biases” instead of BitFit.",),
    )


def biases(module: nn.Module) -> frozenset[str]:
    """Parameters whose name ends in ``bias``: also ``q_bias``, ``in_proj_bias``, ``dt_projs_bias``."""
    return frozenset(name for name, _ in module.named_parameters() if name.endswith("bias"))


def norms(module: nn.Module) -> frozenset[str]:
    """Parameters of layer norms, batch norms and their like, told by the name of their class."""
    return frozenset(
        f"{path}.{name}" if path else name
        for path, part in module.named_modules()
        if "norm" in type(part).__name__.lower()
        for name, _ in part.named_parameters(recurse=False)
    )
