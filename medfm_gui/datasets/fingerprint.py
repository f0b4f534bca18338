"""What makes two datasets, two splits or two sets of samples the same: SHA-256 over contents, never over places."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from medfm_gui.base import wire
from medfm_gui.datasets.ordering import in_order
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import NotFound
from medfm_gui.domain.split import Partition


def dataset_fingerprint(task: Task, classes: Sequence[str], samples: Sequence[Sample]) -> str:
    """SHA-256 over classes and, for each sample, its pixels, target (or masks), patient, group and fold.

    Independent of the folder's place, of file names and of the order of the samples. Patients and groups count by
    which images belong together, not by how they are called, so that one dataset has one fingerprint in
    every workspace, pseudonyms notwithstanding.
    """
    patients = _families(samples, [sample.patient for sample in samples])
    groups = _families(samples, [sample.group for sample in samples])
    rows = in_order(
        [
            f"{sample.pixels_sha256} {','.join(map(str, sample.target))} {patients.get(sample.patient or '', '')} "
            f"{groups.get(sample.group or '', '')} {sample.fold or ''}"
            + (f" {sample.masks_sha256}" if sample.masks_sha256 else "")
            for sample in samples
        ]
    )
    return hashlib.sha256(wire.canonical([task.value, list(classes), rows])).hexdigest()


def _families(samples: Sequence[Sample], names: Sequence[str | None]) -> dict[str, str]:
    members: defaultdict[str, list[str]] = defaultdict(list)
    for sample, name in zip(samples, names, strict=True):
        if name:
            members[name].append(sample.pixels_sha256)
    return {name: _digest(sorted(found)) for name, found in members.items()}


def split_fingerprint(dataset: Dataset, partition_of: Mapping[str, Partition]) -> str:
    """SHA-256 over the sorted pairs of a sample's pixels and its partition."""
    names = {side: side.value for side in Partition}
    sides = [partition_of.get(sample.id) for sample in dataset.samples]
    placed = zip(dataset.samples, sides, strict=True)
    return _digest(in_order([f"{_content(sample)} {names[side]}" for sample, side in placed if side]))


def sample_set_hash(dataset: Dataset, ids: Iterable[str]) -> str:
    """SHA-256 over the sorted pixel hashes of these samples: what the seal of a test set follows.

    A new seed, another import or an edited label does not change it.

    Raises:
        NotFound: an id is not in the dataset.
    """
    by_id = {sample.id: sample for sample in dataset.samples}
    try:
        return _digest(sorted(_content(by_id[sample_id]) for sample_id in ids))
    except KeyError as error:
        raise NotFound(f"The dataset has no sample “{error.args[0]}”.", "Take a split of this dataset.") from None


def contents_hash(contents: Iterable[str]) -> str:
    """As ``sample_set_hash``, of what each sample stands for: its pixels' hash or, without one, ``path#frame``."""
    return _digest(sorted(contents))


def _content(sample: Sample) -> str:
    return sample.pixels_sha256 or f"{sample.path}#{sample.frame}"


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8")).hexdigest()
