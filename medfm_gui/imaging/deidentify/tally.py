"""What was done to which attribute, counted; no value ever enters it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pydicom.datadict import keyword_for_tag
from pydicom.tag import BaseTag, Tag

from medfm_gui.domain.deidentification import Removal

KEPT, REMOVED, EMPTIED, REPLACED = "kept", "removed", "emptied", "replaced"
SHIFTED, CLEANED, WRITTEN = "shifted", "cleaned", "written"


@dataclass(slots=True)
class Tally:
    """Counts by place, attribute and action."""

    counts: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)

    def add(self, tag: int | BaseTag, action: str, within: str = "") -> None:
        """One attribute more."""
        written, keyword = named(Tag(tag))
        self.counts[written, keyword, action, within] += 1

    def plain(self) -> list[list[object]]:
        """As JSON values."""
        return [[*key, count] for key, count in self.counts.items()]


def named(tag: BaseTag) -> tuple[str, str]:
    """How a tag is written, and its keyword; blocks of private tags and numbers of repeating groups are hidden."""
    if tag.is_private:
        block = f"{tag.group:04X},xx{tag.element & 0xFF:02X}" if tag.element > 0xFF else f"{tag.group:04X},00xx"
        return f"({block})", "PrivateAttribute"
    group = tag.group & 0xFF00
    if group in (0x5000, 0x6000):
        kind = "Overlay" if group == 0x6000 else "Curve"
        return f"({group >> 8:02X}xx,{tag.element:04X})", keyword_for_tag(tag) or f"{kind}Attribute"
    return f"({tag.group:04X},{tag.element:04X})", keyword_for_tag(tag) or "UnknownAttribute"


def summed(tallies: Iterable[Sequence[Sequence[object]]]) -> tuple[Removal, ...]:
    """The tallies of many files as one, in order of tags."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for tally in tallies:
        for tag, keyword, action, within, count in tally:
            counts[str(tag), str(keyword), str(action), str(within)] += int(str(count))
    return tuple(
        Removal(tag, keyword, action, count, within)
        for (tag, keyword, action, within), count in sorted(counts.items(), key=lambda item: (item[0][3], *item[0]))
    )
