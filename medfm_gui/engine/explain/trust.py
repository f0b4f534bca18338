"""What a model's maps are worth: three checks of the model, none of the case.

Parameter randomisation (Adebayo et al. 2018): with weights shuffled from the head down, maps that show what was
learnt fall apart. Stability: the map of an image moved by a few pixels is the same map, moved. Hits: where findings
are marked, maps lie on them more often than their area alone would bring about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor, nn

from medfm_gui.domain.explain import Box, MapCheck
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.explain.maps import Map
from medfm_gui.metrics.estimate import Interval
from medfm_gui.metrics.heat_maps import energy_inside, is_hit, mean_interval, rank_correlation
from medfm_gui.metrics.proportions import share_interval

ALIKE = 0.5
"""From this mean rank correlation on, two sets of maps are called alike; a convention of this program."""

_FEWEST = 5
_BLOCK_GROUPS = 4
_SHIFTS = ((1, 0), (0, -1), (-2, 2))
Pairs = Sequence[tuple[Map, Map]]
Groups = Sequence[str]


def moved(images: Tensor, down: int, right: int) -> Tensor:
    """Images B × C × H × W moved by whole pixels; the edge is repeated where nothing comes after."""
    reach = max(abs(down), abs(right))
    padded = functional.pad(images, (reach, reach, reach, reach), mode="replicate")
    rows, columns = images.shape[-2:]
    return padded[..., reach - down : reach - down + rows, reach - right : reach - right + columns].contiguous()


def shifts_of(size: int) -> list[tuple[int, int]]:
    """Small moves (down, right) in pixels for an input of that size: about one and two hundredths of it."""
    step = max(1, round(size / 112))
    return [(down * step, right * step) for down, right in _SHIFTS]


def shared_part(map_: Map, moved_map: Map, down: int, right: int) -> tuple[Map, Map]:
    """The places that an image and its moved copy both show, in the first one's order."""
    rows, columns = map_.shape
    first = map_[max(0, -down) : rows - max(0, down), max(0, -right) : columns - max(0, right)]
    second = moved_map[max(0, down) : rows - max(0, -down), max(0, right) : columns - max(0, -right)]
    return first, second


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the randomisation: what was shuffled last, and how to do so, in place."""

    name: str
    shuffle: Callable[[], None]


def stages_of(backbone: Backbone, head: nn.Module, seed: int) -> Iterator[Stage]:
    """From the head down to the first layer; each stage adds to those before. The model cannot be used afterwards.

    Numbers are shuffled within each tensor, so that a layer keeps the range it was made for.
    """
    random = torch.Generator().manual_seed(seed)
    seen: set[int] = set()

    def shuffling(modules: Sequence[nn.Module]) -> Callable[[], None]:
        def shuffle() -> None:
            for parameter in (one for module in modules for one in module.parameters() if id(one) not in seen):
                seen.add(id(parameter))
                order = torch.randperm(parameter.numel(), generator=random).to(parameter.device)
                parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)

        return shuffle

    yield Stage("head", shuffling([head]))
    blocks = backbone.blocks()
    groups = [list(part) for part in np.array_split(np.arange(len(blocks)), min(_BLOCK_GROUPS, len(blocks)))]
    for group in reversed(groups):
        first = int(group[0])
        name = f"block {first + 1}" if len(group) == 1 else f"blocks {first + 1} to {int(group[-1]) + 1}"
        yield Stage(name, shuffling([blocks[int(number)] for number in group]))
    yield Stage("everything", shuffling([backbone.module]))


def mask_of(boxes: Sequence[Box], rows: int, columns: int) -> NDArray[np.bool_]:
    """What the boxes of one image cover, at least one place each."""
    marked = np.zeros((rows, columns), dtype=np.bool_)
    for box in boxes:
        top, left = min(int(box.y0 * rows), rows - 1), min(int(box.x0 * columns), columns - 1)
        marked[top : max(top + 1, round(box.y1 * rows)), left : max(left + 1, round(box.x1 * columns))] = True
    return marked


def correlations(pairs: Pairs) -> list[float | None]:
    """The rank correlation of each pair; None where a map is blank."""
    return [rank_correlation(first, second) for first, second in pairs]


def randomisation(stages: Sequence[tuple[str, Sequence[float | None]]], others: Pairs, groups: Groups) -> MapCheck:
    """The check from each stage's correlations with the trained maps, image by image.

    Args:
        stages: in the order of shuffling; the last one has no learnt weight left.
        others: maps of different images by the trained model.
        groups: the patient of each image, empty where none is known.
    """
    steps = [(name, _mean(values)) for name, values in stages]
    found = _interval(stages[-1][1], groups)
    between = _mean(correlations(others))
    if found.estimate is None or found.low is None or found.high is None or found.n < _FEWEST:
        passed, verdict = None, "too few maps to tell"
    elif found.high < ALIKE:
        passed, verdict = True, "the maps depend on what was learnt"
    elif found.low >= ALIKE:
        passed, verdict = False, "the maps hardly depend on what was learnt, so they do not explain it"
    else:
        passed, verdict = None, "whether the maps depend on what was learnt cannot be told from so few"
    sentence = f"With all weights shuffled, maps and those of the trained model correlate by {_said(found)}: {verdict}."
    title, name = "Parameter randomisation", "two different images"
    return _check("randomisation", title, found, between, name, passed, sentence, steps)


def stability(shifts: Sequence[tuple[str, Sequence[float | None]]], others: Pairs, groups: Groups) -> MapCheck:
    """The check from each move's correlations, image by image; arguments as ``randomisation``."""
    steps = [(name, _mean(values)) for name, values in shifts]
    by_image = [_mean(values) for values in zip(*(values for _, values in shifts), strict=True)]
    found = _interval(by_image, groups)
    between = _mean(correlations(others))
    if found.estimate is None or found.low is None or found.high is None or found.n < _FEWEST:
        passed, verdict = None, "too few maps to tell"
    elif found.low >= ALIKE:
        passed, verdict = True, "a few pixels do not change the maps much"
    elif found.high < ALIKE:
        passed, verdict = False, "a few pixels change the maps, so one map alone says little"
    else:
        passed, verdict = None, "whether a few pixels change the maps cannot be told from so few"
    sentence = f"Maps of an image and of the same image moved by a few pixels correlate by {_said(found)}: {verdict}."
    name = "two different images"
    return _check("stability", "Stability under small shifts", found, between, name, passed, sentence, steps)


def hits(maps: Sequence[Map], marked: Sequence[NDArray[np.bool_]], groups: Groups) -> tuple[MapCheck, MapCheck]:
    """How often a map's strongest place lies on what was marked, and how much of its sum does, against chance."""
    areas = [float(one.mean()) for one in marked]
    chance = float(np.mean(areas)) if areas else None
    among = list(groups) if any(groups) else None
    pointed = share_interval([is_hit(heat, one) for heat, one in zip(maps, marked, strict=True)], groups=among)
    middle = float(np.mean([one[one.shape[0] // 2, one.shape[1] // 2] for one in marked])) if marked else None
    inside = [energy_inside(heat, one) for heat, one in zip(maps, marked, strict=True)]
    energy = _interval(inside, groups)
    sentence = (
        f"The strongest place of a map lies in the marked area in {_percent(pointed)}; by chance it would in "
        f"{_share(chance)}: {_verdict(pointed, chance)}."
    )
    passed = _beats(pointed, chance)
    if middle is not None and pointed.estimate is not None and middle >= pointed.estimate:
        passed = None if passed else passed
        sentence += f" But the middle of the image alone would hit in {_share(middle)}, so this shows little."
    steps = [("the middle of every image", middle)]
    title, by_area = "Hits of marked findings (pointing game)", "share of the image that is marked"
    first = _check("hits", title, pointed, chance, by_area, passed, sentence, steps)
    sentence = (
        f"Of the sum of a map {_percent(energy)} lies in the marked area, which is {_share(chance)} of the image: "
        f"{_verdict(energy, chance)}."
    )
    title = "Share of the map in marked findings"
    return first, _check("energy", title, energy, chance, by_area, _beats(energy, chance), sentence, ())


def _check(
    name: str,
    title: str,
    found: Interval,
    reference: float | None,
    reference_name: str,
    passed: bool | None,
    sentence: str,
    steps: Sequence[tuple[str, float | None]],
) -> MapCheck:
    return MapCheck(
        name=name,
        title=title,
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        method=found.method,
        n=found.n,
        reference=reference,
        reference_name=reference_name,
        passed=passed,
        sentence=sentence,
        steps=tuple(steps),
    )


def _interval(values: Sequence[float | None], groups: Groups) -> Interval:
    """The mean over the images that have the number."""
    kept = [(value, who) for value, who in zip(values, groups, strict=True) if value is not None]
    patients = [who for _, who in kept]
    return mean_interval([value for value, _ in kept], groups=patients if any(patients) else None)


def _mean(values: Sequence[float | None]) -> float | None:
    kept = [value for value in values if value is not None]
    return float(np.mean(kept)) if kept else None


def _beats(found: Interval, chance: float | None) -> bool | None:
    if chance is None or found.low is None or found.high is None or found.n < _FEWEST:
        return None
    return True if found.low > chance else False if found.high <= chance else None


def _verdict(found: Interval, chance: float | None) -> str:
    match _beats(found, chance):
        case True:
            return "more than by chance"
        case False:
            return "not more than by chance"
        case _:
            return "too few to tell from chance"


def _said(found: Interval) -> str:
    if found.estimate is None:
        return "nothing that can be computed (0 images)"
    limits = f"95 % {found.low:.2f} to {found.high:.2f}, " if found.low is not None and found.high is not None else ""
    return f"{found.estimate:.2f} on average ({limits}{found.n} images)"


def _percent(found: Interval) -> str:
    if found.estimate is None:
        return "0 of 0 images"
    limits = f"95 % {_share(found.low)} to {_share(found.high)}, " if found.low is not None else ""
    return f"{_share(found.estimate)} ({limits}{found.n} images)"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"
