"""Groups dealt out to sides so that each side has its share of each class.

Iterative stratification (Sechidis, Tsoumakas & Vlahavas, ECML PKDD 2011) over groups instead of images: the class
with the fewest groups left is dealt out first, each group to the side that lacks most of that class. One method serves
single labels, grades and several findings alike. Ties and order follow SHA-256 of seed and contents, so that a split is
the same on every machine, under every version of every library, whatever the order of the samples.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from medfm_gui.domain.dataset import Sample

Group = Sequence[Sample]


def deal(
    groups: Sequence[Group], shares: Mapping[str, float], seed: str, *, multilabel: bool
) -> dict[str, list[Group]]:
    """Give every group to one side.

    Args:
        groups: samples that stay together; see ``groups.grouped``.
        shares: side → share of all images; in order of who is served first when a class has few groups.
        seed: another text, another division.
        multilabel: whether targets are marks (0, 1, -1) for each class or one class index.

    Returns:
        Side → its groups. A class with at least as many groups as sides stands on every side, as far as groups
        that hold several classes leave it possible.
    """
    dealer = _Dealer(_shuffled(groups, seed), shares, multilabel)
    return dealer.run()


def classes_of(sample: Sample, *, multilabel: bool) -> list[int]:
    """What a sample counts for: its class, or its positive findings (-1 = none of them, a kind of its own).

    Samples without a class, those of a segmentation, are all of one kind.
    """
    if not multilabel:
        return [sample.target[0]] if sample.target else [-1]
    return [number for number, mark in enumerate(sample.target) if mark == 1] or [-1]


def _shuffled(groups: Sequence[Group], seed: str) -> list[Group]:
    def rank(group: Group) -> tuple[str, str]:
        name = f"{group[0].pixels_sha256} {group[0].path} {group[0].frame}"
        return hashlib.sha256(f"{seed} {name}".encode("utf-8", "backslashreplace")).hexdigest(), group[0].id

    return sorted(groups, key=rank)


class _Dealer:
    """The state of one deal: what each side still lacks of each class, and which groups are left."""

    def __init__(self, groups: Sequence[Group], shares: Mapping[str, float], multilabel: bool) -> None:
        self._groups = groups
        self._sides = list(shares)
        self._counts = [
            Counter(kind for sample in group for kind in classes_of(sample, multilabel=multilabel)) for group in groups
        ]
        totals: Counter[int] = Counter()
        self._with: dict[int, list[int]] = {}
        for number, count in enumerate(self._counts):
            totals.update(count)
            for kind in count:
                self._with.setdefault(kind, []).append(number)
        self._left = {kind: len(found) for kind, found in self._with.items()}
        whole = sum(shares.values())
        images = sum(map(len, groups))
        self._lacks = {
            side: {kind: share / whole * total for kind, total in totals.items()} for side, share in shares.items()
        }
        self._room = {side: share / whole * images for side, share in shares.items()}
        self._has: dict[str, set[int]] = {side: set() for side in self._sides}
        self._side_of: list[str | None] = [None] * len(groups)

    def run(self) -> dict[str, list[Group]]:
        while self._left:
            kind = min(self._left, key=lambda kind: (self._left[kind], kind))
            for number in self._with[kind]:
                if self._side_of[number] is None:
                    self._give(number, self._side_for(kind))
        dealt: dict[str, list[Group]] = {side: [] for side in self._sides}
        for number, side in enumerate(self._side_of):
            if side is not None:
                dealt[side].append(self._groups[number])
        return dealt

    def _side_for(self, kind: int) -> str:
        """The side that lacks most of a class; sides without any come first once they need every group left."""
        without = [side for side in self._sides if kind not in self._has[side]]
        if without and self._left[kind] <= len(without):
            return without[0]
        return max(self._sides, key=lambda side: (round(self._lacks[side][kind], 6), round(self._room[side], 6)))

    def _give(self, number: int, side: str) -> None:
        self._side_of[number] = side
        self._room[side] -= len(self._groups[number])
        for kind, count in self._counts[number].items():
            self._lacks[side][kind] -= count
            self._has[side].add(kind)
            self._left[kind] -= 1
            if not self._left[kind]:
                del self._left[kind]
