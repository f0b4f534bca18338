"""What the tables in Settings show: weights, found files, plugins, keys, packages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medfm_gui.desk.asks.settings import FoundWeights, Package
from medfm_gui.domain.cards import KNOWN_DATASETS, BrokenPlugin, WeightsState
from medfm_gui.ui.actions import Action
from medfm_gui.ui.advice import window_words
from medfm_gui.ui.widgets.rows import Column
from medfm_gui.workspace.models import Model
from medfm_gui.workspace.packs import PackFile

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


def size_of(one: Model) -> str:
    """How large the file of weights is; where it is not here, by its parameters at four bytes each."""
    if one.weights.size:
        return size(one.weights.size)
    return f"≈ {size(round(one.card.parameters_m * 4e6))}"


def licence(one: Model) -> str:
    """The licence, marked where it forbids commercial use and where the hub asks who one is."""
    marks = (("non-commercial", one.card.non_commercial), ("gated", one.card.gated))
    return " · ".join((one.card.licence, *(word for word, true in marks if true)))


def group(one: Model) -> str:
    """Under which heading the model is found."""
    return one.card.group or one.card.plugin


def can_be_fetched(one: Model) -> bool:
    """The hub has its weights."""
    return bool(one.card.weights.hub_repo)


def is_accepted(one: Model, licences: Collection[str]) -> bool:
    """Whether nothing has to be accepted before its weights come here; ``licences`` were accepted."""
    return not one.card.needs_acceptance or one.card.licence_key in licences


def address(one: Model) -> str:
    """The page of the hub on which the weights and their licence are."""
    return f"https://huggingface.co/{one.card.weights.hub_repo}" if can_be_fetched(one) else ""


def terms(one: Model) -> str:
    """What the licence asks of a person, and where its text is."""
    said = [f"The weights of {one.card.title} come under the licence “{one.card.licence}”."]
    if one.card.non_commercial:
        said.append("It forbids commercial use.")
    if one.card.gated:
        said.append(GATED)
    said.append(f"Its whole text is on {address(one)}." if address(one) else f"Its source: {one.card.weights.label}.")
    said.append("Accepting it counts for all sizes of this family and is asked once.")
    return " ".join(said)


GATED = (
    "The hub gives this file only to those who have accepted the licence there, signed in: do that first, then keep "
    "an access token of yours where the hub's own tools look for it."
)


def about(one: Model, licences: Collection[str] = ()) -> tuple[tuple[str, str], ...]:
    """Everything that is known of a model's weights, as names and values."""
    card, weights = one.card, one.weights
    is_here = weights.is_here
    rows = [
        ("Name", card.name),
        ("Weights", STATES[weights.state][2]),
        ("Pretraining", f"{card.pretraining}; {card.pretraining_data}"),
        *overlaps(one),
        ("Parameters", parameters(card.parameters_m)),
        ("Size", size_of(one)),
        ("Input", f"{card.input_size} px"),
        ("Licence", licence(one)),
        ("Accepted", _accepted(one, licences)),
        *((("Gated", GATED),) if card.gated else ()),
        ("Source", weights.source if is_here else card.weights.label),
        *((("Note", card.weights.note),) if card.weights.note else ()),
        ("File", weights.path or "none"),
        ("SHA-256", weights.sha256 or ("not announced beforehand" if not is_here else "unknown")),
    ]
    return tuple(rows)


def _accepted(one: Model, licences: Collection[str]) -> str:
    if not one.card.needs_acceptance:
        return "not needed"
    return "yes" if is_accepted(one, licences) else "asked before the weights are fetched or imported"


def overlaps(one: Model) -> Iterator[tuple[str, str]]:
    """Which known datasets were among the images that the model learned from, as far as that is published."""
    for answer, title in OVERLAPS:
        named = [said for key, said in KNOWN_DATASETS.items() if one.card.overlap(key) == answer]
        if named:
            yield title, "all others" if answer == "unknown" and len(named) > _MANY else ", ".join(named)


OVERLAPS = (("yes", "Has seen"), ("possible", "May have seen"), ("no", "Has not seen"), ("unknown", "Unknown"))
"""Whether a dataset was in the pretraining, and how that is called."""
_MANY = 8


@dataclass(frozen=True, slots=True)
class ModelGroup:
    """Models under one heading."""

    title: str
    models: tuple[Model, ...]

    @property
    def ready(self) -> int:
        """How many of them have their weights here."""
        return sum(one.weights.is_here for one in self.models)


SHOWN = (("All models", "all"), ("Ready", "here"), ("Not here", "absent"))
"""What the list can be narrowed to."""


def grouped(models: Sequence[Model], text: str = "", state: str = "all") -> tuple[ModelGroup, ...]:
    """Models that hold all words of a text and are in a state (``SHOWN``), under their headings in reading order."""
    words = text.lower().split()
    found: dict[str, list[Model]] = {}
    for one in models:
        if state != "all" and one.weights.is_here != (state == "here"):
            continue
        searched = _searched(one)
        if all(word in searched for word in words):
            found.setdefault(group(one), []).append(one)
    return tuple(ModelGroup(title, tuple(found[title])) for title in sorted(found, key=str.lower))


def _searched(one: Model) -> str:
    card = one.card
    parts = (card.name, card.title, group(one), card.family.value, licence(one), STATES[one.weights.state][2])
    return " ".join((*parts, card.pretraining, card.pretraining_data)).lower()


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A file that was found, the model it is named for, and what came of it."""

    file: FoundWeights
    title: str
    outcome: str = ""
    is_bad: bool = False
    hint: str = ""


OUTCOMES = {"imported": "Imported", "present": "Here already", "refused": "Refused"}
"""What may become of a file of a pack, and how that is called."""


def after(row: FoundRow, file: PackFile, title: str) -> FoundRow:
    """The row of a file once it was gone through; ``title`` is that of the model that it was found to be of."""
    outcome = OUTCOMES.get(file.state, file.state)
    is_bad = file.state == "refused"
    words = f"{outcome}: {file.message}" if file.message else outcome
    return replace(row, title=title or row.title, outcome=words, is_bad=is_bad, hint=window_words(file.hint))


def found_columns(root: str) -> tuple[Column[FoundRow], ...]:
    """Columns of the files found below a folder."""

    def below(row: FoundRow) -> str:
        path = Path(row.file.path)
        return str(path.relative_to(root)) if path.is_relative_to(root) else path.name

    return (
        Column("File", below),
        Column("Size", lambda row: size(row.file.size), is_number=True),
        Column("Model", lambda row: row.title or ("none" if row.is_bad else "to be found out")),
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
