"""``decode-first``: the first epoch of a run whose images have to be decoded, against torchvision's first epoch.

Ours decodes every JPEG of 2,000 × 1,500 pixels into the cache, by draft scaling, in children and with all that keeps it
whole (hashes of the files, a journal, the disk), and then reads its first epoch from it. The peer is
``ImageFolder`` with a ``DataLoader`` of as many workers, started anew for each first epoch as ours are. The import,
which alone decodes whole images to know them again by their pixels, stands beside it: ``import_s`` in seconds, and
``import_ratio`` is the peer's epoch against it.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from medfm_gui.datasets.pixel_making import ready, share
from medfm_gui.datasets.pixel_store import PixelStore
from medfm_gui.datasets.pixels import Look, store_of
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.dataset import Dataset
from tests.bench.decode import epoch_of, folder_loader, imported, workers
from tests.bench.ladder import MODEL
from tests.bench.measure import Work, alternately, rounded, timed
from tests.bench.photographs import photographs
from tests.bench.prepared import card_of

_GOAL = 1.3


def main(tiny: bool = False) -> dict[str, Any]:
    """160 photographs, three first epochs; a few small ones and one if ``tiny``."""
    card = card_of(MODEL)
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        source = photographs(root / "photographs", *((8, 1200, 1100) if tiny else (160, 2000, 1500)))
        folder = root / "datasets" / "bench" / "pixels"
        begun = time.perf_counter()
        dataset = imported(source, folder)
        import_s = time.perf_counter() - begun
        share(dataset, folder, PixelStore(store_of(folder)))
        turns = alternately(_ours(dataset, folder, card), _peer(source, card), 1 if tiny else 3, warm_up=not tiny)
    line = turns.line(at_least=_GOAL, workers=workers(), images=len(dataset.samples), import_s=rounded(import_s))
    return {**line, "import_ratio": rounded(float(line["peer"]) / import_s)}


def _ours(dataset: Dataset, folder: Path, card: BackboneCard) -> Work:
    store = PixelStore(store_of(folder))

    def first_epoch() -> None:
        steps = ready(dataset, folder, Look(512), store, processes=workers())
        while True:
            try:
                next(steps)
            except StopIteration as end:
                cache = end.value
                break
        epoch_of(cache, card, [sample.id for sample in dataset.samples])()

    measured = timed(first_epoch)

    def turn() -> float:
        shutil.rmtree(store.root)
        return measured()

    return turn


def _peer(source: Path, card: BackboneCard) -> Work:
    def first_epoch() -> None:
        for batch, _ in folder_loader(source, card):
            assert len(batch)

    return timed(first_epoch)
