"""What the leak gate vouches for: which looks were taken at a division, what they found, and what no look can see."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from medfm_gui.base import wire
from medfm_gui.datasets.fingerprint import split_fingerprint
from medfm_gui.datasets.leaks import GUARDED
from medfm_gui.datasets.near_duplicates import NearDuplicates
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.split import Certificate, Leak, LeakCheck, LeakKind, Partition, Split

UNSEEN = (
    "One patient under two identifiers.",
    "Images of a common source in two datasets: training of another dataset, this one as external test.",
    "Whether a foundation model has seen these images in its pretraining.",
)
"""What the gate cannot see in any dataset."""
_NO_PATIENTS = "One patient's images on two sides: no patients are known."


def suspects(dataset: Dataset, partition_of: Mapping[str, Partition], near: NearDuplicates | None) -> tuple[Leak, ...]:
    """Near-duplicates on two sides, the less guarded one first; identical pixels are no suspects but leaks."""
    if near is None:
        return ()
    pixels = {sample.id: sample.pixels_sha256 for sample in dataset.samples}
    found = []
    for pair in near.pairs:
        sides = partition_of.get(pair.a), partition_of.get(pair.b)
        if sides[0] is None or sides[1] is None or sides[0] is sides[1]:
            continue
        if pixels.get(pair.a) and pixels.get(pair.a) == pixels.get(pair.b):
            continue
        a, b = sorted((pair.a, pair.b), key=lambda name: -GUARDED.index(partition_of[name]))
        found.append(Leak(LeakKind.NEAR, a, b, (partition_of[a].value, partition_of[b].value)))
    return tuple(found)


def certificate(
    dataset: Dataset,
    partition_of: Mapping[str, Partition],
    leaks: Sequence[Leak],
    *,
    accepted: str | None = None,
    near: NearDuplicates | None = None,
    near_reason: str = "",
) -> Certificate:
    """The certificate of one division, with its hash.

    Args:
        leaks: what stays on two sides; see ``leaks.find_leaks``.
        near: all near-duplicates of the dataset; without them ``near_reason`` says why there was no such look.
    """
    placed = [sample for sample in dataset.samples if sample.id in partition_of]
    doubtful = suspects(dataset, partition_of, near)
    checks = (
        _checked(LeakKind.PATIENT, "patient identifiers", leaks, sum(s.patient is not None for s in placed)),
        _checked(LeakKind.GROUP, "lesion or group identifiers", leaks, sum(s.group is not None for s in placed)),
        _checked(LeakKind.PIXELS, "SHA-256 of decoded pixels", leaks, sum(bool(s.pixels_sha256) for s in placed)),
        _near_checked(near, len(doubtful), near_reason),
    )
    unseen = UNSEEN if any(sample.patient for sample in placed) else (_NO_PATIENTS, *UNSEEN)
    if near and near.compared and near.left_out:
        unseen = (*unseen, f"Near-duplicates among {near.left_out} images that are too small, blank or volumes.")
    division = split_fingerprint(dataset, partition_of)
    return sealed(Certificate(checks, tuple(leaks), doubtful, accepted, unseen, split=division))


def _checked(kind: LeakKind, method: str, leaks: Sequence[Leak], compared: int) -> LeakCheck:
    if not compared:
        return LeakCheck(kind, method, reason="The dataset has none.")
    return LeakCheck(kind, method, compared, sum(leak.kind is kind for leak in leaks))


def _near_checked(near: NearDuplicates | None, found: int, reason: str) -> LeakCheck:
    if near is None:
        return LeakCheck(LeakKind.NEAR, "", reason=reason or "It was not asked for.")
    if not near.compared:
        return LeakCheck(LeakKind.NEAR, near.method, reason="All images are too small, blank or volumes.")
    return LeakCheck(LeakKind.NEAR, near.method, near.compared, found)


def sealed(found: Certificate) -> Certificate:
    """The certificate with the SHA-256 over everything else in it."""
    bare = wire.plain(replace(found, sha256=""))
    if not found.split:  # of an earlier version, whose hash was made without
        del bare["split"]
    return replace(found, sha256=hashlib.sha256(wire.canonical(bare)).hexdigest())


def is_whole(found: Certificate, split: Split | None = None) -> bool:
    """Whether the hash fits what the certificate says, and the certificate the split where one is given."""
    fits = split is None or found.split in ("", split.fingerprint)
    return fits and sealed(found).sha256 == found.sha256


def flagged(split: Split, partition: Partition = Partition.TEST) -> tuple[str, ...]:
    """Samples of one side that share something with another: accepted leaks and suspects, in the split's order."""
    doubtful = split.certificate.suspects if split.certificate else ()
    named = {name for leak in (*split.leaks, *doubtful) for name in (leak.a, leak.b)}
    return tuple(name for name in split.samples_in(partition) if name in named)
