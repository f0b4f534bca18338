"""Code items made anew: only codes that the standard lists stay, with the standard's meaning in place of the file's."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from medfm_gui.imaging import elements as el
from medfm_gui.imaging.deidentify.rules import CODE_ITEM

_SCHEMES = ("DCM", "SCT", "UCUM", "RADLEX", "FMA", "LN", "NCIt")
_LEGACY = ("SRT", "99SDM", "SNM3")
_LONGEST, _DEEPEST = 64, 3
_TISSUE = Code("85756007", "SCT", "Tissue")


def code_items(source: Dataset, keyword: str, deep: int = 0) -> list[Dataset]:
    """The known codes of a sequence, as new items."""
    made = [known(item, deep) for item in el.items(source, keyword)]
    return [item for item in made if item is not None]


def known(item: Dataset, deep: int = 0) -> Dataset | None:
    """A new item of a known code; None of any other."""
    value, scheme = el.text(item, "CodeValue"), el.text(item, "CodingSchemeDesignator")
    meaning = _meanings(scheme).get(value)
    if meaning is None:
        return None
    made = coded(Code(value, scheme, meaning))
    if deep < _DEEPEST:
        for keyword in CODE_ITEM:
            nested = code_items(item, keyword, deep + 1)
            if nested:
                setattr(made, keyword, nested)
    return made


def coded(code: Code) -> Dataset:
    """A code as an item of a sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = code.value, code.scheme_designator
    item.CodeMeaning = code.meaning[:_LONGEST]
    return item


def tissue() -> Dataset:
    """A code for what a segment shows, where its own is not known: the element is required."""
    return coded(_TISSUE)


@functools.cache
def _meanings(scheme: str) -> Mapping[str, str]:
    """Meaning by code value, for one coding scheme of the standard's own lists."""
    if scheme in _LEGACY:
        from pydicom.sr._snomed_dict import mapping  # the old names of SNOMED codes, 0.02 s to load

        modern = _meanings("SCT")
        legacy = mapping["SRT"]
        return {old: modern[new] for old, new in legacy.items() if new in modern}
    if scheme not in _SCHEMES:
        return {}
    concepts = getattr(codes, scheme)
    found: dict[str, str] = {}
    for name in concepts.dir():
        code = getattr(concepts, name)
        found[code.value] = code.meaning
    return found
