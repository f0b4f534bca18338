"""Advice that names options of the command line, in the words of this window's fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from medfm_gui.domain.errors import MedfmError

_FIELDS: Final[Mapping[str, str]] = {
    "--label": "“Label”",
    "--path": "“Image file”",
    "--images": "“Folder of the images”",
    "--table": "“Table of labels”",
    "--join": "“DICOM object”",
    "--patient": "“Patient”",
    "--group": "“Group”",
    "--fold COLUMN": "“Official fold”",
    "--fold": "“Official fold”",
    "--task": "“Task”",
    "--positive": "“Positive class”",
    "--ratios": "“Shares”",
    "--by patient": "“Keep together: patient”",
    "--by image": "“Keep together: image”",
    "--by group": "“Keep together: group”",
    "--by": "“Keep together”",
    "--by-time": "“Time”",
    "--folds": "“Cross-validation”",
    "--nested": "“Folds within each training side”",
    "--official": "“The dataset's own folds”",
    "--file": "“A table of partitions”",
    "--preset": "“A published rule”",
    "--leave-out": "“One site left out”",
    "the layout csv": "the layout “Table of images”",
    "(see “medfm layouts”)": "at the left",
}
_NAMED: Final = re.compile("|".join(f"{re.escape(name)}(?![\\w-])" for name in sorted(_FIELDS, key=len, reverse=True)))


def in_window(error: MedfmError) -> MedfmError:
    """The same error with the fields of this window in its advice."""
    hint = _NAMED.sub(lambda found: _FIELDS.get(found[0], found[0]), error.hint)
    return error if hint == error.hint else type(error)(error.message, hint)
