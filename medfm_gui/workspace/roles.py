"""Which numbers of a result a locked protocol had promised: they are primary, everything else is exploratory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.protocol import LockedProtocol, Role, Timing
from medfm_gui.domain.report import Block, Facts, Paragraph, Section
from medfm_gui.domain.units import unit_title
from medfm_gui.metrics.names import metric_title
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.protocol import locked_for, others_locked
from medfm_gui.workspace.training import RunView

_RULES = frozenset({"youden", "sensitivity", "specificity", "cost"})
"""Threshold rules that a run can name too, so that a departure can be told."""
NONE_LOCKED = (
    "No protocol was locked before the test was opened, so every number is exploratory: which of them would count was "
    "not fixed beforehand."
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a protocol says of the results of runs; ``objection`` is why it does not bind them, empty where it does.

    ``departures`` are sentences on what was done otherwise than promised. ``over_folds``: what was promised is a mean
    over folds, so that the number of one of them is exploratory.
    """

    locked: LockedProtocol | None
    objection: str = ""
    departures: tuple[str, ...] = ()
    over_folds: bool = False

    @property
    def is_binding(self) -> bool:
        """A protocol was locked in time and speaks of these data."""
        return self.locked is not None and not self.objection

    def role(self, row: Evaluation) -> Role:
        """Primary: the protocol's metric, by its unit, for the whole."""
        if self.locked is None or not self.is_binding or row.label or row.parameters.get("failures"):
            return Role.EXPLORATORY
        promised = self.locked.protocol
        is_it = row.metric == promised.primary_metric and row.unit == promised.unit and row.subset == "test"
        is_it = is_it and (not self.over_folds or not row.run)
        return Role.PRIMARY if is_it else Role.EXPLORATORY

    def role_of_pair(self, pair: Comparison, views: Sequence[RunView]) -> Role:
        """Primary: the protocol's metric between the two sides that it names."""
        if self.locked is None or not self.is_binding or pair.parameters.get("failures"):
            return Role.EXPLORATORY
        promised = self.locked.protocol
        is_it = pair.metric == promised.primary_metric and pair.parameters.get("unit", promised.unit) == promised.unit
        return Role.PRIMARY if is_it and self.side_first(pair, views) else Role.EXPLORATORY

    def side_first(self, pair: Comparison, views: Sequence[RunView]) -> str:
        """The run of a pair that is the first side of the primary comparison; empty where the pair is another."""
        if self.locked is None or len(self.locked.protocol.primary_comparison) != 2:
            return ""
        first, second = self.locked.protocol.primary_comparison
        found = {view.id: view for view in views}
        a, b = found.get(pair.a), found.get(pair.b)
        if a is None or b is None:
            return ""
        if names(first, a) and names(second, b):
            return a.id
        return b.id if names(first, b) and names(second, a) else ""

    @property
    def margin(self) -> float | None:
        """The margin of non-inferiority that binds."""
        return self.locked.protocol.margin if self.locked is not None and self.is_binding else None


NOTHING_PROMISED = Standing(None, NONE_LOCKED)
"""What holds where no protocol was locked."""


def standing(workspace: Workspace, views: Sequence[RunView], *, over_folds: bool = False) -> Standing:
    """What the protocol of these runs says; they are of one dataset and split, or of the folds of one."""
    spec = views[0].spec
    locked = locked_for(workspace, spec.dataset_id, spec.split_id)
    if locked is None:
        return NOTHING_PROMISED
    if locked.timing is Timing.AFTER:
        return Standing(
            locked,
            f"The protocol {locked.id} was locked after opening ({', '.join(locked.opened_by)}): every number is "
            "exploratory.",
        )
    if any(view.spec.dataset_fingerprint != locked.dataset_fingerprint for view in views):
        return Standing(
            locked,
            f"Labels or images were changed after the protocol {locked.id} was locked: every number is exploratory.",
        )
    if locked.protocol.split not in ("", spec.split_id) and not over_folds:
        return Standing(
            locked,
            f"The protocol {locked.id} is of all folds of {locked.protocol.split}: a number of one of them is "
            "exploratory.",
        )
    others = [f"{one.id}, locked {one.locked}" for one in others_locked(workspace, locked, spec.split_id)]
    several = (f"Other protocols were locked for these data: {'; '.join(others)}.",) if others else ()
    return Standing(locked, departures=(*_departures(locked, views), *several), over_folds=over_folds)


def _departures(locked: LockedProtocol, views: Sequence[RunView]) -> Iterator[str]:
    """Another unit, or another threshold rule, than the protocol names."""
    said = locked.protocol
    for view in views:
        recipe = view.spec.recipe
        if recipe.counted != said.unit:
            units = f"{unit_title(recipe.counted)}, and the protocol says {unit_title(said.unit)}"
            yield f"{view.id} is evaluated by {units}: it is exploratory."
        if said.threshold_rule.partition(":")[0] in _RULES and said.threshold_rule != recipe.threshold_rule:
            yield f"The threshold of {view.id} was chosen by {recipe.threshold_rule}, not by {said.threshold_rule}."


def names(side: str, view: RunView) -> bool:
    """Whether a side of a comparison, in words, names a run: by its id, its model, its family or its adaptation.

    Every word of the side that is one of these of some run must be true of this one.
    """
    spec = view.spec
    words = side.lower()
    if re.search(r"(?<![\w-])r\d{4,}(?![\w-])", words):
        return _holds(words, view.id)
    said = [_holds(words, spec.card.name) or _holds(words, spec.card.title) or _holds(words, spec.card.family.value)]
    said += [_holds(words, spec.adapt)]
    return _rest(words, view) == "" and any(said)


def _holds(words: str, name: str) -> bool:
    return bool(name) and re.search(rf"(?<![\w-]){re.escape(name.lower())}(?![\w-])", words) is not None


def _rest(words: str, view: RunView) -> str:
    """What of a side is left when all that is true of a run is taken out of it, and the words that say nothing."""
    spec = view.spec
    true = sorted((spec.card.title, spec.card.name, spec.card.family.value, spec.adapt), key=len, reverse=True)
    for name in true:
        words = re.sub(rf"(?<![\w-]){re.escape(name.lower())}(?![\w-])", " ", words)
    return re.sub(
        r"\b(the|a|run|model|with|by|and|probe|head|fine-tuning|adaptation|adapted)\b|[^\w]", " ", words
    ).strip()


def protocol_section(found: Standing) -> Section:
    """What was fixed beforehand, when, and under which hash; without a protocol, that there is none."""
    if found.locked is None:
        return Section("Protocol", (Paragraph(found.objection, "warning"),))
    one, said = found.locked, found.locked.protocol
    facts = [
        ("Protocol", one.id),
        ("SHA-256", one.sha256),
        ("Locked", f"{one.locked}, {one.timing.value} the test was opened"),
        ("Question", said.question),
        ("Population", said.population),
        ("Unit", unit_title(said.unit)),
        ("Reference standard", said.reference_standard),
        ("Primary metric", metric_title(said.primary_metric)),
        ("Primary comparison", " against ".join(said.primary_comparison) or "none"),
        ("Margin", "none" if said.margin is None else f"{said.margin:g}"),
        ("Threshold rule", said.threshold_rule),
        ("Subgroups", ", ".join(said.subgroups) or "none"),
        ("Planned n", str(said.n)),
    ]
    blocks: list[Block] = [Facts(tuple(facts)), *(Paragraph(text, "warning") for text in found.departures)]
    if found.objection:
        blocks.append(Paragraph(found.objection, "warning"))
    else:
        blocks.append(Paragraph("Numbers that are not marked primary are exploratory.", "small"))
    return Section("Protocol", tuple(blocks))
