"""The ways to explain a score, the facts that an explanation gives, and the checks that say what a map is worth."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExplanationCard:
    """One way to make a heat map.

    ``class_specific``: the map speaks of one class; else it is the same whatever class is asked for.
    ``needs_gradients``: it goes backward through the model; ``passes`` says in words what one image costs.
    """

    name: str
    title: str
    class_specific: bool
    needs_gradients: bool
    passes: str
    note: str


NOT_CLASS_SPECIFIC = "Not class-specific: it shows what the model looks at, whatever the class."

EXPLANATIONS: tuple[ExplanationCard, ...] = (
    ExplanationCard(
        "gradcam",
        "Grad-CAM",
        class_specific=True,
        needs_gradients=True,
        passes="one forward and part of one backward pass",
        note="Channels of the last block, each weighed by its mean gradient (Selvaraju 2017). The default.",
    ),
    ExplanationCard(
        "gradcam++",
        "Grad-CAM++",
        class_specific=True,
        needs_gradients=True,
        passes="one forward and part of one backward pass",
        note="Grad-CAM with weights that do justice to several small findings (Chattopadhay 2018).",
    ),
    ExplanationCard(
        "hirescam",
        "HiResCAM",
        class_specific=True,
        needs_gradients=True,
        passes="one forward and part of one backward pass",
        note="Gradient times activation, place by place; exact for models that average a last map (Draelos 2020).",
    ),
    ExplanationCard(
        "layercam",
        "LayerCAM",
        class_specific=True,
        needs_gradients=True,
        passes="one forward and part of one backward pass",
        note="Only gradients that speak for the class, place by place; finer edges (Jiang 2021).",
    ),
    ExplanationCard(
        "integrated-gradients",
        "Integrated gradients",
        class_specific=True,
        needs_gradients=True,
        passes="32 forward and backward passes",
        note="Gradients along the way from a blank image; adds up to the score's change (Sundararajan 2017).",
    ),
    ExplanationCard(
        "occlusion",
        "Occlusion",
        class_specific=True,
        needs_gradients=False,
        passes="some 200 forward passes",
        note="How far the score falls when a square is covered (Zeiler 2014). Looks at the model from outside only.",
    ),
    ExplanationCard(
        "eigencam",
        "EigenCAM",
        class_specific=False,
        needs_gradients=False,
        passes="one forward pass",
        note=f"What varies most in the last block (Muhammad 2020). {NOT_CLASS_SPECIFIC}",
    ),
    ExplanationCard(
        "rollout",
        "Attention rollout",
        class_specific=False,
        needs_gradients=False,
        passes="one forward pass",
        note=f"Attention followed through all blocks of a plain vision transformer (Abnar 2020). {NOT_CLASS_SPECIFIC}",
    ),
)
"""All of them, the default first. The engine has one file for each, in ``engine/explain``."""

NEIGHBOURS = "neighbours"
"""What a vote of neighbours answers with, whichever explanation was asked for."""


def explanation(name: str) -> ExplanationCard | None:
    """The card of that name, or None."""
    return next((card for card in EXPLANATIONS if card.name == name), None)


def explanation_names() -> str:
    """All names in one line, for a hint."""
    return ", ".join(card.name for card in EXPLANATIONS)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A training image that a score was voted by: a sample's id in the run's dataset and nothing of the patient.

    ``similarity`` is the cosine of the two features (-1…1), ``weight`` its share of the vote (0…1).
    """

    sample: str
    labels: tuple[str, ...]
    similarity: float
    weight: float


@dataclass(frozen=True, slots=True)
class Box:
    """A marked finding in a sample's image, as shares of its columns (x) and rows (y), 0…1."""

    sample: str
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class MapCheck:
    """One check of a model's maps. It speaks of the model, never of one case.

    ``name`` is ``randomisation``, ``stability``, ``hits`` or ``energy``. ``estimate`` is a mean rank correlation
    (-1…1) or a share (0…1) over ``n`` images, with its 95 % interval by ``method``; None where it does not exist.
    ``reference`` is what it is held against and ``reference_name`` says what that is. ``passed`` is None where the
    data cannot tell. ``steps`` are the intermediate numbers, by what they are of.
    """

    name: str
    title: str
    estimate: float | None
    low: float | None
    high: float | None
    method: str
    n: int
    reference: float | None
    reference_name: str
    passed: bool | None
    sentence: str
    steps: tuple[tuple[str, float | None], ...] = ()


@dataclass(frozen=True, slots=True)
class MapChecks:
    """``map_checks/<explanation>-<subset>.json`` of a run folder: what its maps are worth.

    ``blank`` counts images without a map (no positive evidence); ``weights_sha256`` names the files of the model that
    was checked.
    """

    run: str
    explanation: str
    subset: str
    seed: int
    n_images: int
    blank: int
    checks: tuple[MapCheck, ...]
    model: tuple[tuple[str, str], ...] = ()
    created: str = ""
