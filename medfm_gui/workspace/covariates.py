"""Covariates as a paper's “table 1” has them: which are worth a section, and how their values are grouped."""

from __future__ import annotations

import bisect
import contextlib
import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from medfm_gui.base import wire
from medfm_gui.domain.dataset import Sample
from medfm_gui.domain.errors import MedfmError
from medfm_gui.workspace.place import Workspace

FILE = "covariates.json"
NOT_RECORDED = "not recorded"
_FEW = 12
_SHOWN = 8
_MOST_SECTIONS = 40
_FIRST = ("sex", "gender", "patient_sex", "age", "patient_age", "age_approx", "view", "view_position", "modality")
_AGES = ((0, 18, "0–17 years"), (18, 40, "18–39 years"), (40, 60, "40–59 years"), (60, 80, "60–79 years"))
_OLDEST = "80 years and older"
_AGE = re.compile(r"^0*(\d{1,3}(?:\.\d+)?)\s*([YMWD]?)(?:ears?)?$", re.IGNORECASE)
_TIME = re.compile(r"^\s*(?:[+-]?\d+(?:\.\d+)?|\d{4}[-/.]\d{2}[-/.]\d{2}(?:[T ].*)?)\s*$")


@dataclass(frozen=True, slots=True)
class CountedValues:
    """``covariates.json``: the values by which samples can be filtered; ``fingerprint`` says for what they hold.

    Of each covariate the name, then its values with how many samples have each, frequent ones first.
    """

    fingerprint: str
    covariates: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]


def counted_values(workspace: Workspace, dataset_id: str, *, keep: bool = True) -> CountedValues:
    """Covariates whose values repeat, counted once: of 250,000 samples it takes a second.

    Args:
        keep: write what was counted beside the dataset; a read-only window writes nothing.

    Raises:
        NotFound: there is no such dataset.
    """
    from medfm_gui.store import queries

    path = workspace.dataset(dataset_id) / FILE
    with workspace.store.reading() as reader:
        fingerprint = queries.dataset(reader, dataset_id).fingerprint
        with contextlib.suppress(MedfmError):
            kept = wire.read(CountedValues, path)
            if kept.fingerprint == fingerprint:
                return kept
        made = CountedValues(fingerprint, queries.covariate_values(reader, dataset_id))
    if keep:
        with contextlib.suppress(MedfmError):  # where it cannot be kept it is counted again
            wire.write(path, made)
    return made


def listed(samples: Sequence[Sample]) -> tuple[list[str], list[str]]:
    """Covariates worth a section, the usual ones first; and those left out because hardly a value repeats."""
    values: defaultdict[str, set[str]] = defaultdict(set)
    filled: Counter[str] = Counter()
    for sample in samples:
        for name, value in sample.covariates.items():
            values[name].add(value)
            filled[name] += 1
    names = sorted(values, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    kept = [name for name in names if _is_age(name) or len(values[name]) <= max(_FEW, filled[name] // 2)]
    return kept[:_MOST_SECTIONS], [title(name) for name in names if name not in kept[:_MOST_SECTIONS]]


def repeating(samples: Sequence[Sample]) -> list[str]:
    """Covariates by which a dataset can be divided: every value stands for a site, a scanner, an era."""
    found = _values(samples)
    return [name for name, counts in found.items() if 3 <= len(counts) <= counts.total() // 2]


def sites(samples: Sequence[Sample], most: int = 50) -> list[str]:
    """Covariates with few values of which each can be left out once: a site, a scanner."""
    found = _values(samples)
    return [name for name, counts in found.items() if 2 <= len(counts) <= most and min(counts.values()) > 1]


def times(samples: Sequence[Sample]) -> list[str]:
    """Covariates whose values are numbers, or dates written with the year first."""
    found = _values(samples)
    return [name for name, counts in found.items() if len(counts) > 1 and all(_TIME.match(value) for value in counts)]


def _values(samples: Sequence[Sample]) -> dict[str, Counter[str]]:
    """How often each value of a covariate stands, by name in order."""
    values: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for sample in samples:
        for name, value in sample.covariates.items():
            if value:
                values[name][value] += 1
    return {name: values[name] for name in sorted(values)}


def _is_age(name: str) -> bool:
    return re.sub(r"[\W_]+", "", name.casefold()) in {"age", "patientage", "ageapprox", "ageatstudy", "ageyears"}


def title(name: str) -> str:
    """A covariate's name as a heading."""
    words = name.replace("_", " ").strip() or name
    return words[:1].upper() + words[1:]


def grouping(name: str, samples: Sequence[Sample]) -> tuple[Callable[[Sample], str], Sequence[str]]:
    """What a covariate's value counts as (its age group, its range, or itself where frequent), and the lines' order."""
    if _is_age(name):
        ages = [title for _, _, title in _AGES]
        return lambda sample: _age_group(sample.covariates.get(name, "")), [*ages, _OLDEST]
    counted = Counter(sample.covariates[name] for sample in samples if sample.covariates.get(name))
    if len(counted) <= _FEW:
        return lambda sample: sample.covariates.get(name) or NOT_RECORDED, ()
    bounds = _quartiles(counted)
    if bounds:
        return lambda sample: _range_of(sample.covariates.get(name, ""), bounds), _ranges(bounds)
    frequent = {value for value, _ in counted.most_common(_SHOWN)}
    rest = f"other ({len(counted) - _SHOWN} values)"
    return lambda sample: _itself(sample.covariates.get(name, ""), frequent, rest), ()


def _itself(value: str, frequent: set[str], rest: str) -> str:
    if not value:
        return NOT_RECORDED
    return value if value in frequent else rest


def _age_group(value: str) -> str:
    found = _AGE.match(value.strip())
    if not found:
        return NOT_RECORDED
    years = float(found[1]) / {"M": 12, "W": 52, "D": 365}.get(found[2].upper(), 1)
    return next((title for low, high, title in _AGES if low <= years < high), _OLDEST)


def _quartiles(counted: Counter[str]) -> tuple[float, ...]:
    """The bounds of four ranges of numbers with about as many images each; nothing where values are no numbers."""
    try:
        numbers = sorted(float(value) for value in counted.elements())
    except ValueError:
        return ()
    if not all(map(math.isfinite, numbers)):
        return ()
    places = [round(share * (len(numbers) - 1)) for share in (0, 0.25, 0.5, 0.75, 1)]
    return tuple(dict.fromkeys(numbers[place] for place in places))


def _ranges(bounds: Sequence[float]) -> list[str]:
    """Names of the ranges between bounds, the last one with its end."""
    last = len(bounds) - 2
    pairs = enumerate(itertools.pairwise(bounds))
    names = [f"{low:g} to {'' if number == last else 'below '}{high:g}" for number, (low, high) in pairs]
    return names or [f"{bounds[0]:g}"]


def _range_of(value: str, bounds: Sequence[float]) -> str:
    if not value:
        return NOT_RECORDED
    place = bisect.bisect_right(bounds, float(value)) - 1
    names = _ranges(bounds)
    return names[min(place, len(names) - 1)]
