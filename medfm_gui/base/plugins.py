"""Plugins by their manifests: what a front end shows of a model without loading it.

A plugin is a folder with ``plugin.toml`` and the Python it names. The manifest's ``[[backbone]]``
tables become ``BackboneCard``s here; the engine alone imports ``entry`` (``module:function``).
A broken manifest is a row with a reason, never a failed start. Models of timm's that a person named
are cards in a file beside the settings; the plugin ``any_timm`` builds them.
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from medfm_gui.base import wire
from medfm_gui.base.resources import plugins_folder
from medfm_gui.base.settings import settings_file
from medfm_gui.domain.cards import BackboneCard, BrokenPlugin
from medfm_gui.domain.errors import MedfmError, NotFound

PLUGIN_FORMAT = 1
"""What ``format`` in a manifest's ``[plugin]`` table may say; left out, it is this."""

_CARD = TypeAdapter(BackboneCard)
_ANY_TIMM = "any_timm"


@dataclass(frozen=True, slots=True)
class KeptCards:
    """The file of cards that were made for a person."""

    cards: tuple[BackboneCard, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every backbone of every plugin, by name, and the plugins that could not be read."""

    cards: tuple[BackboneCard, ...]
    broken: tuple[BrokenPlugin, ...]

    def card(self, name: str) -> BackboneCard:
        """The card of that registry name.

        Raises:
            NotFound: no plugin has it.
        """
        for card in self.cards:
            if card.name == name:
                return card
        known = ", ".join(card.name for card in self.cards)
        raise NotFound(f"There is no model “{name}”.", f"Models are: {known}; and any of timm's as timm:NAME.")


def read_plugins(folder: Path | None = None) -> Catalogue:
    """Read all manifests below ``folder`` (default: the product's own plugins, and the cards that were kept)."""
    cards: list[BackboneCard] = []
    broken: list[BrokenPlugin] = []
    for manifest in sorted((folder or plugins_folder()).glob("*/plugin.toml")):
        try:
            found = _cards_of(manifest)
            taken = {card.name for card in cards}
            doubles = [card.name for card in found if card.name in taken]
            if doubles:
                raise ValueError(f"the name {doubles[0]} is taken by another plugin")
            cards.extend(found)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            reason = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
            broken.append(BrokenPlugin(str(manifest.parent), reason))
        except (OSError, ValueError, KeyError, TypeError) as error:
            broken.append(BrokenPlugin(str(manifest.parent), f"{type(error).__name__}: {error}"))
    if folder is None:
        try:
            cards.extend(_kept())
        except MedfmError as error:
            broken.append(BrokenPlugin(str(_kept_file()), error.message))
    return Catalogue(tuple(cards), tuple(broken))


def keep_card(card: BackboneCard) -> None:
    """Have a card in the catalogue from now on, instead of an older one of its name.

    Raises:
        InputError: the file of kept cards is damaged.
    """
    others = tuple(other for other in _kept() if other.name != card.name)
    wire.write(_kept_file(), KeptCards((*others, card)))


def _kept_file() -> Path:
    return settings_file().with_name("models.json")


def _kept() -> list[BackboneCard]:
    if not _kept_file().exists():
        return []
    here = str(plugins_folder() / _ANY_TIMM)
    return [dataclasses.replace(card, plugin_folder=here) for card in wire.read(KeptCards, _kept_file()).cards]


def _cards_of(manifest: Path) -> list[BackboneCard]:
    declared = tomllib.loads(manifest.read_text(encoding="utf-8"))
    wanted = declared["plugin"].get("format", PLUGIN_FORMAT)
    if wanted != PLUGIN_FORMAT:
        raise ValueError(
            f"it was made for another version of this program (plugin format {wanted}, here {PLUGIN_FORMAT})"
        )
    shared = dict(declared.get("defaults", {}))
    place = {"plugin": declared["plugin"]["name"], "plugin_folder": str(manifest.parent)}
    place["group"] = declared["plugin"].get("title", place["plugin"])
    known = {item.name for item in dataclasses.fields(BackboneCard)}
    found = []
    for table in declared.get("backbone", []):
        values = {**shared, **table, **place}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"unknown key {unknown[0]}")
        found.append(_CARD.validate_python(values))
    return found
