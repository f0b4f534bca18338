"""Which class of a binary task is the event, when nobody said so."""

from __future__ import annotations

import re
from collections.abc import Sequence

from medfm_gui.datasets.text import words

_DISEASE = words(
    "malignant malignancy cancer cancerous carcinoma adenocarcinoma melanoma sarcoma lymphoma glioma metastasis "
    "metastatic tumour tumor neoplasm covid covid19 sars tuberculosis tb pneumonia pneumothorax nodule mass "
    "lesion polyp glaucoma retinopathy haemorrhage hemorrhage stroke infarct fracture effusion edema oedema "
    "cardiomegaly emphysema fibrosis consolidation infiltration atelectasis opacity referable abnormal "
    "abnormality pathological pathologic pathology disease diseased sick ill infected positive"
)
_HEALTHY = frozenset(words("normal healthy benign control negative clear unremarkable none"))
_DENIALS = frozenset(words("no non not without negative free absent"))


def likely_positive(classes: Sequence[str]) -> tuple[str, str]:
    """The class that counts as the event, and why: a known disease word, the class beside “normal”, else the last."""
    named_by = {name: _words(name) for name in classes}
    ill = {name: found for name, found in named_by.items() if not found & _DENIALS}
    for word in _DISEASE:
        named = [name for name, found in ill.items() if word in found]
        if len(named) == 1:
            return named[0], f"“{word}” names a disease"
    well = [name for name, found in named_by.items() if found & (_HEALTHY | _DENIALS)]
    if len(classes) == 2 and len(well) == 1:
        other = next(name for name in classes if name not in well)
        return other, f"“{well[0]}” names the healthy"
    return classes[-1], "the last class"


def _words(name: str) -> frozenset[str]:
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)  # NonCovid
    found = re.findall(r"[^\W\d_]+", parted.casefold())
    return frozenset(found) | {word.removesuffix("s") for word in found}
