"""What the tables in Settings show: weights, found files, plugins, keys, packages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.desk.asks.settings import FoundWeights, Package
from medfm_gui.domain.cards import BrokenPlugin, WeightsState
from medfm_gui.ui.actions import Action
from medfm_gui.ui.widgets.rows import Column
from medfm_gui.workspace.models import Model

STATES = {
    WeightsState.PRESENT: ("check", "good", "Ready"),
    WeightsState.BUNDLED: ("check", "good", "Ready, built in"),
    WeightsState.ABSENT: ("minus", "muted", "Not here"),
    WeightsState.IMPORTING: ("clock", "muted", "Being brought in"),
}
"""Icon, colour and word of a model's weights."""


def parameters(millions: float) -> str:
    """Parameters with sensible digits: 3.4 M, 86.6 M, 1.14 G."""
    if millions >= 1000:
        return f"{millions / 1000:.2f} G"
    return f"{millions:.1f} M" if millions < 100 else f"{millions:.0f} M"


def size(octets: int) -> str:
    """A file's size: 12 kB, 88.3 MB, 4.5 GB."""
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if octets >= step:
            value = octets / step
            return f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"
    return f"{octets} B"


def licence(one: Model) -> str:
    """The licence, marked where it forbids commercial use."""
    return f"{one.card.licence} · non-commercial" if one.card.non_commercial else one.card.licence


def can_be_fetched(one: Model) -> bool:
    """The hub has its weights."""
    return bool(one.card.weights.hub_repo)


def about(one: Model) -> tuple[tuple[str, str], ...]:
    """Everything that is known of a model's weights, as names and values."""
    card, weights = one.card, one.weights
    is_here = weights.is_here
    rows = [
        ("Name", card.name),
        ("Pretraining", f"{card.pretraining}; {card.pretraining_data}"),
        ("Licence", licence(one)),
        ("Source", weights.source if is_here else card.weights.label),
        ("File", weights.path or "none"),
        ("SHA-256", weights.sha256 or ("not announced beforehand" if not is_here else "unknown")),
    ]
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A file that was found, the model it is named for, and what came of it."""

    file: FoundWeights
    title: str
    outcome: str = ""
    is_bad: bool = False


def found_columns(root: str) -> tuple[Column[FoundRow], ...]:
    """Columns of the files found below a folder."""

    def below(row: FoundRow) -> str:
        path = Path(row.file.path)
        return str(path.relative_to(root)) if path.is_relative_to(root) else path.name

    return (
        Column("File", below),
        Column("Size", lambda row: size(row.file.size), is_number=True),
        Column("Named for", lambda row: row.title or "no model of ours"),
        Column("Outcome", lambda row: row.outcome),
    )


@dataclass(frozen=True, slots=True)
class PluginRow:
    """A plugin folder: its models, or why it cannot be used."""

    name: str
    folder: str
    models: tuple[str, ...]
    reason: str = ""


def plugins(models: Sequence[Model], broken: Sequence[BrokenPlugin]) -> tuple[PluginRow, ...]:
    """Plugins by what they brought; the broken ones first."""
    found: dict[str, PluginRow] = {}
    for one in models:
        card = one.card
        before = found.get(card.plugin_folder)
        titles = (*(before.models if before else ()), card.title)
        found[card.plugin_folder] = PluginRow(card.plugin, card.plugin_folder, titles)
    bad = [PluginRow(Path(item.folder).name, item.folder, (), item.reason) for item in broken]
    return (*bad, *sorted(found.values(), key=lambda row: row.name.lower()))


@dataclass(frozen=True, slots=True)
class KeyRow:
    """An action and its keys now; ``is_own`` when they are not the default."""

    action: Action
    keys: str
    is_own: bool


def key_columns() -> tuple[Column[KeyRow], ...]:
    """Columns of the table of keys."""
    return (
        Column("Action", lambda row: row.action.title),
        Column("Where", lambda row: "Everywhere" if row.action.group == "Window" else f"{row.action.group} page"),
        Column("Keys", lambda row: row.keys or "–"),
        Column("", lambda row: "changed" if row.is_own else ""),
    )


def package_columns() -> tuple[Column[Package], ...]:
    """Columns of the table of packages."""
    return (
        Column("Package", lambda row: row.name),
        Column("Version", lambda row: row.version),
        Column("Licence", lambda row: row.licence or "not named by the package"),
    )
