"""What a number counts: images, or what several images belong to; and counted things in words.

A unit is written as one word, ``patient``, where its score is the mean over its images, and with the rule behind a
colon, ``patient:max``, where it is that of its highest image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medfm_gui.domain.errors import UsageError

IMAGE = "image"
UNITS = (IMAGE, "lesion", "eye", "breast", "study", "patient")
MEAN, MAX = "mean", "max"
RULES = (MEAN, MAX)
"""How the images of a unit become its score, the usual one first."""
_PLURALS: Mapping[str, str] = {"study": "studies"}


def unit_text(unit: str, rule: str = MEAN) -> str:
    """A unit and its rule in one text, as stored numbers bear it."""
    return unit if rule == MEAN or unit == IMAGE else f"{unit}:{rule}"


def unit_parts(text: str) -> tuple[str, str]:
    """The unit and the rule of such a text: ``patient:max`` → (patient, max).

    Raises:
        UsageError: an unknown unit or rule.
    """
    unit, _, rule = text.partition(":")
    rule = rule or MEAN
    if unit not in UNITS or rule not in RULES or (unit == IMAGE and rule != MEAN):
        raise UsageError(
            f"“{text}” is no unit of analysis.", f"Use {', '.join(UNITS[:-1])} or {UNITS[-1]}, as in lesion or eye:max."
        )
    return unit, rule


def unit_word(text: str) -> str:
    """What is counted, without the rule: ``patient:max`` → patient. A foreign word stays as it is."""
    return text.partition(":")[0]


def unit_title(text: str) -> str:
    """A unit with its rule as people read it: “patient (highest image)”; the mean goes without saying."""
    word, _, rule = text.partition(":")
    return f"{word} (highest image)" if rule == MAX else word


def unit_choices(units: Sequence[str], *, ordered: bool) -> tuple[tuple[str, str], ...]:
    """What a person chooses from, words and text of each; ``ordered``: the classes let an image be the highest."""
    found: list[tuple[str, str]] = []
    for unit in units:
        name = plural(unit).capitalize()
        if unit == IMAGE:
            found.append((name, unit))
            continue
        found.append((f"{name}, mean of their images", unit))
        if ordered:
            found.append((f"{name}, their highest image", unit_text(unit, MAX)))
    return tuple(found)


def plural(noun: str) -> str:
    """Several of a thing: image → images, study → studies. A rule behind a colon is left away."""
    word = unit_word(noun)
    return _PLURALS.get(word, f"{word}s")


def counted(number: int, noun: str, several: str = "") -> str:
    """``1 image``, ``3,662 images``, ``12 studies``; ``several`` where the plural is not made by rule."""
    return f"{number:,} {unit_word(noun) if number == 1 else several or plural(noun)}"
