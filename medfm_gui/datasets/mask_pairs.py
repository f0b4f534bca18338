"""Which image a mask belongs to, by their names alone: the ways in which people put them side by side.

* folders: ``images/x`` and ``labels/x`` (or ``img`` and ``masks``, ``imagesTr`` and ``labelsTr`` …)
* endings: ``x`` and ``x_mask``, ``x_seg``, ``x-label`` …
* beginnings: ``volume-3`` and ``segmentation-3``, ``img0001`` and ``label0001``
* a folder a case: ``case 3/image`` and ``case 3/label``, ``case 3/imaging`` and ``case 3/segmentation``
* a mask for images that say what they are: ``x_ct`` and ``x_seg``; ``x_flair``, ``x_t1``, ``x_t2`` and ``x_seg``
* any constant ending: ``x``, ``x_1stHO``, ``x_2ndHO``, where nearly every image has a file of that ending
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from medfm_gui.datasets.text import natural, words
from medfm_gui.datasets.volumes import is_volume, stem_of
from medfm_gui.datasets.walk import without_image_suffix

_IMAGE_WORDS = frozenset(words("image images img imgs imaging imagestr volume volumes scan scans raw ct mr mri"))
_MASK_WORDS = frozenset(
    words(
        "label labels lbl labelstr mask masks seg segs segmentation segmentations annotation annotations gt "
        "groundtruth ground_truth ground-truth"
    )
)
_ENDING = re.compile(r"[-_. ](mask|masks|seg|segmentation|label|labels|gt|groundtruth|annotation)$", re.IGNORECASE)
_MASK_BEGINNING = re.compile(r"^(labels?|masks?|seg|segmentation|gt)(?:[-_. ]|(?=\d))(?=.)", re.IGNORECASE)
_IMAGE_BEGINNING = re.compile(r"^(images?|img|volume|scan)(?:[-_. ]|(?=\d))(?=.)", re.IGNORECASE)
_PART = re.compile(r"(images?|labels?)[-_]?(va|val|ts|test)", re.IGNORECASE)
"""Folders of the other parts of a release, ``imagesVa`` with ``labelsVa``."""
_CHANNEL = "_0000"
_NEARLY_ALL = 0.8

_Key = tuple[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Pairs:
    """``masks`` gives each image that has any its masks, in order; the rest has no partner.

    ``siblings`` are further images of the same mask (the four sequences of a brain), by the one that was taken.
    """

    masks: Mapping[str, tuple[str, ...]]
    lone_images: tuple[str, ...]
    lone_masks: tuple[str, ...]
    siblings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def paired(names: Iterable[str]) -> Pairs:
    """Pair relative paths with ``/``."""
    files = sorted(names, key=natural)
    images: dict[_Key, str] = {}
    masks: defaultdict[_Key, list[str]] = defaultdict(list)
    lone: list[str] = []
    for name in files:
        key, is_mask = _key_of(name)
        if is_mask:
            masks[key].append(name)
        elif key in images:
            lone.append(name)  # the same name with two endings: which one is meant?
        else:
            images[key] = name
    found = {images[key]: tuple(masks[key]) for key in images if key in masks}
    for key, name in images.items():
        bare = (key[0], key[1].removesuffix(_CHANNEL))
        if key not in masks and bare in masks and bare not in images:
            found[name] = tuple(masks[bare])
    if not found and not masks:
        found = _by_constant_ending(images)
    siblings: Mapping[str, tuple[str, ...]] = {}
    if masks and not found:  # where names agree in full, what is left over has no partner
        found, siblings = _by_case(images, masks)
    taken = {mask for several in found.values() for mask in several}
    kept_back = {name for several in siblings.values() for name in several}
    unpaired = [name for name in images.values() if name not in found and name not in taken | kept_back]
    return Pairs(
        {name: found[name] for name in sorted(found, key=natural)},
        tuple(sorted((*unpaired, *lone), key=natural)),
        tuple(name for several in masks.values() for name in several if name not in taken),
        siblings,
    )


def _by_case(
    images: Mapping[_Key, str], masks: Mapping[_Key, Sequence[str]]
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """A mask with the images whose names go on where its own ends, or else, of a folder a case, with those beside it.

    Of several images the kind is taken that most cases have, the first by name, and where nearly all have it no other
    instead; what else there is of the same mask is the second mapping.
    """
    masks_in = Counter(map(_home, masks))
    beside: defaultdict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
    going_on: defaultdict[_Key, list[tuple[str, str]]] = defaultdict(list)
    for key, name in images.items():
        home, stem = _home(key), key[1]
        beside[home].append((stem.replace(home[-1].casefold(), "") if home else stem, name))
        for cut in (place for place, letter in enumerate(stem) if letter in "_-. "):
            going_on[key[0], stem[:cut]].append((stem[cut:], name))
    fitting: dict[_Key, list[tuple[str, str]]] = {}
    for key in masks:
        home = _home(key)
        is_case = masks_in[home] == 1 and home and home[-1] != "*"
        fitting[key] = going_on.get(key) or (beside[home] if is_case else [])
    often = Counter(kind for several in fitting.values() for kind, _ in several)
    first = min(often, key=lambda kind: (-often[kind], natural(kind)), default="")
    is_usual = len(fitting) > 1 and often[first] >= _NEARLY_ALL * len(fitting)
    found: dict[str, tuple[str, ...]] = {}
    siblings: dict[str, tuple[str, ...]] = {}
    for key, several in fitting.items():
        ranked = sorted(several, key=lambda item: (item[0] != first, -often[item[0]], natural(item[1])))
        if ranked and ranked[0][1] not in found and (ranked[0][0] == first or not is_usual):
            found[ranked[0][1]] = tuple(masks[key])
            siblings[ranked[0][1]] = tuple(name for _, name in ranked[1:])
    return found, {name: others for name, others in siblings.items() if others}


def _home(key: _Key) -> tuple[str, ...]:
    """The folders of a name, also of one that is nothing but a word for image or mask."""
    return key[0][:-1] if key[1] == "*" else key[0]


def _key_of(name: str) -> tuple[_Key, bool]:
    """What image and mask have in common, and whether the name is a mask's."""
    path = PurePosixPath(name)
    stem = stem_of(name) if is_volume(name) else without_image_suffix(path.name)
    folders = list(path.parts[:-1])
    is_mask = False
    for place, folder in enumerate(folders):
        if folder.casefold() in _MASK_WORDS | _IMAGE_WORDS:
            is_mask = is_mask or folder.casefold() in _MASK_WORDS
            folders[place] = "*"
        elif part := _PART.fullmatch(folder):  # the parts of a release stay apart, for names may come again in them
            is_mask = is_mask or part[1].casefold().startswith("label")
            folders[place] = f"*{part[2].casefold()}"
    bare = stem.casefold()
    if bare in _MASK_WORDS or bare in _IMAGE_WORDS:
        return ((*folders, "*"), "*"), is_mask or bare in _MASK_WORDS
    if _ENDING.search(bare):
        bare, is_mask = _ENDING.sub("", bare), True
    if _MASK_BEGINNING.match(bare):
        bare, is_mask = _MASK_BEGINNING.sub("", bare), True
    else:
        bare = _IMAGE_BEGINNING.sub("", bare)
    return (tuple(folders), bare), is_mask


def _by_constant_ending(images: Mapping[_Key, str]) -> dict[str, tuple[str, ...]]:
    """Images whose name is the beginning of others', where nearly all have the same such others."""
    found: defaultdict[_Key, dict[str, str]] = defaultdict(dict)
    for (folders, stem), name in images.items():
        cuts = [place for place, letter in enumerate(stem) if letter in "_-. " and (folders, stem[:place]) in images]
        if cuts:
            found[folders, stem[: cuts[0]]][stem[cuts[0] :]] = name
    often = Counter(ending for endings in found.values() for ending in endings)
    usual = sorted(ending for ending, number in often.items() if number >= _NEARLY_ALL * len(found))
    roots = sum((folders, stem) not in _endings_of(found) for folders, stem in images)
    if not usual or len(found) < max(2, _NEARLY_ALL * roots):
        return {}
    return {
        images[key]: tuple(endings[ending] for ending in usual if ending in endings)
        for key, endings in found.items()
        if any(ending in endings for ending in usual)
    }


def _endings_of(found: Mapping[_Key, Mapping[str, str]]) -> frozenset[_Key]:
    return frozenset((folders, stem + ending) for (folders, stem), endings in found.items() for ending in endings)


def said_of(pairs: Sequence[tuple[str, str]]) -> str:
    """How pairs look, by the first one: ``images/a.nii.gz with labels/a.nii.gz``."""
    image, mask = pairs[0]
    return f"{image} with {mask}"
