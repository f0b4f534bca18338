"""A finished run's model as files that need nothing but themselves and the architecture's name."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from medfm_gui.base import wire
from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain import events as ev
from medfm_gui.domain.run import ExportSpec
from medfm_gui.engine.saved import BACKBONE, HEAD, HEAD_FACTS, PREPROCESS, merged, open_model
from medfm_gui.engine.session import started
from medfm_gui.engine.tensor_files import write_tensors


def export_model(spec: ExportSpec) -> Iterator[ev.Event]:
    """Write the whole backbone, the head and the preprocessing of a run to the folder ``spec.out``.

    Adapters are folded into the weights of their layers (``W + alpha / rank * B A``), and what a run changed of the
    pretrained weights is put in their place, so that the files are those of a model that was trained whole.

    Yields:
        FileWritten for each file.

    Raises:
        UsageError: the folder holds no finished training.
        InputError, NotFound, WeightsError, PluginError: a file is gone, changed or damaged.
        DiskFull: there is not enough space.
    """
    device, source, out = torch.device("cpu"), Path(spec.run_folder), Path(spec.out)
    begun = time.perf_counter()
    yield started(device)
    model = merged(open_model(source, device))
    held = model.backbone.module.state_dict()
    yield ev.FileWritten(time.time(), BACKBONE, write_tensors(out / BACKBONE, held))
    for name in (HEAD, HEAD_FACTS):
        shutil.copyfile(source / name, out / name)
        yield ev.FileWritten(time.time(), name, sha256_file(out / name))
    yield ev.FileWritten(time.time(), PREPROCESS, wire.write(out / PREPROCESS, model.preprocess))
    yield ev.RunFinished(time.time(), {}, time.perf_counter() - begun)
