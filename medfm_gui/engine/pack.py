"""A model pack: a folder or a stick of weights, each file told to its model and kept, one after the other.

A file is taken for the model that it is named for. One without a known name is held against every model of its
shape: where exactly one fits, that is it; where several do, a person has to say.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from torch import Tensor, nn

from medfm_gui.base.atomic import sha256_file
from medfm_gui.base.weights_status import read_record, weights_file
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.errors import DiskFull, MedfmError, WeightsRejected
from medfm_gui.domain.events import Answered, Event, Progressed, RunFinished, StageStarted
from medfm_gui.domain.run import PackSpec
from medfm_gui.engine.converters import converted
from medfm_gui.engine.fit import check_fit
from medfm_gui.engine.tensor_files import read_tensors
from medfm_gui.engine.weights import import_file, skeleton

_SHOWN = 6
_FULL = (errno.ENOSPC, errno.EDQUOT)
_LEAST = 0.95
"""Of a model's numbers, what its file holds at least: its positions may be of a smaller size."""


def import_pack(spec: PackSpec) -> Iterator[Event]:
    """Keep every file that is a model's; the others are said with the reason, and nothing is lost.

    Yields:
        StageStarted("pack") with the number of files, the events of each import, after each file Answered with
        ``file``, ``model`` (empty if none), ``state`` (``imported``, ``present`` or ``refused``), ``message`` and
        ``hint``; at last RunFinished.

    Raises:
        DiskFull: there is not enough space; what was kept before stays.
    """
    begun = time.monotonic()
    models = {card.name: card for card in spec.cards}
    modules: dict[str, nn.Module] = {}
    yield StageStarted(time.time(), "pack", len(spec.files))
    for number, (file, name) in enumerate(zip(spec.files, spec.named, strict=True), start=1):
        said = {"file": file, "model": name, "state": "refused", "message": "", "hint": ""}
        try:
            card = models[name] if name else _model_of(Path(file), spec.cards, modules)
            said["model"] = card.name
            out = weights_file(card, Path(spec.out))
            if _is_kept(Path(file), out):
                said["state"] = "present"
            else:
                yield from import_file(card, Path(file), out, source=f"file {Path(file).name}")
                said["state"] = "imported"
        except DiskFull:
            raise
        except MedfmError as error:  # also of a plugin that does not load: the other files are none the worse
            said |= {"message": error.message, "hint": error.hint}
        except OSError as error:
            if error.errno in _FULL:
                raise
            why = error.strerror or type(error).__name__
            said |= {"message": f"“{Path(file).name}” cannot be read ({why}).", "hint": "Is the stick still in?"}
        yield Answered(time.time(), said)
        yield Progressed(time.time(), "pack", number, len(spec.files))
    yield RunFinished(time.time(), metrics={}, seconds=time.monotonic() - begun)


def _is_kept(file: Path, out: Path) -> bool:
    record = read_record(out)
    return record is not None and sha256_file(file) in (record.sha256, record.original_sha256)


def _model_of(file: Path, cards: tuple[BackboneCard, ...], modules: dict[str, nn.Module]) -> BackboneCard:
    """The only model whose tensors these are.

    Raises:
        WeightsRejected: none fits, or several.
    """
    tensors = read_tensors(file)
    fitting = [card for card in cards if _may_fit(tensors, card) and _fits(tensors, card, modules)]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise WeightsRejected(
            f"“{file.name}” is no file of any model here.",
            "If it should be one, import it by itself and say which: medfm weights import FILE --model NAME.",
        )
    names = ", ".join(card.name for card in fitting[:_SHOWN]) + (" …" if len(fitting) > _SHOWN else "")
    raise WeightsRejected(
        f"“{file.name}” fits several models of the same shape ({names}); its tensors do not say which it is.",
        "Import it by itself and say which: medfm weights import FILE --model NAME.",
    )


def _may_fit(tensors: Mapping[str, Tensor], card: BackboneCard) -> bool:
    """By what the card says alone, for building a model takes a while: enough numbers, and its width somewhere."""
    numbers = sum(tensor.numel() for tensor in tensors.values())
    wide = any(card.feature_dim in tensor.shape for tensor in tensors.values())
    return wide and numbers >= _LEAST * card.parameters_m * 1e6


def _fits(tensors: Mapping[str, Tensor], card: BackboneCard, modules: dict[str, nn.Module]) -> bool:
    try:
        if card.name not in modules:
            modules[card.name] = skeleton(card)
        named = converted(dict(tensors), modules[card.name], card.weights.converter, what="file")
        check_fit(modules[card.name], named, ignore=card.weights.ignore, what="file", model=card.title)
    except MedfmError:  # another model's file, or a plugin that does not load
        return False
    return True
