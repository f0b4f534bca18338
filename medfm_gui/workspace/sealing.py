"""Labels of a sealed test stay hidden while a dataset is looked at: in its grid, its counts, its map, its editor.

A test is sealed from the moment a split is frozen until its samples are opened by ``evaluate``. A split that was
followed by a newer one before any run took it was a trial and seals nothing, nor do the folds of a cross-validation:
each of their images is trained on in another fold. Beside the label goes what may tell
it: folders and names of files, and covariates other than those that describe a patient or an acquisition.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from medfm_gui.domain.dataset import Sample
from medfm_gui.domain.errors import SealError
from medfm_gui.store.rows import SampleFilter, SamplePage
from medfm_gui.workspace.place import Workspace

if TYPE_CHECKING:
    from medfm_gui.store.store import Store

WHY = "The label is hidden: this image is in a test that is still sealed."
_NEUTRAL_WORDS = """
    sex gender patientsex age patientage ageapprox ageatstudy ageyears view viewposition projection laterality side
    eye modality manufacturer manufacturermodelname model scanner device site centre center bodypart
    presentationintent fieldstrength kvp slicethickness era year
"""
_NEUTRAL = frozenset(_NEUTRAL_WORDS.split())


def is_neutral(covariate: str) -> bool:
    """Whether a covariate describes a patient or an acquisition, by its name, so that it may be shown of a test."""
    return re.sub(r"[\W_]+", "", covariate.casefold()) in _NEUTRAL


def sealed_splits(workspace: Workspace, dataset_id: str) -> tuple[str, ...]:
    """Splits of a dataset whose test nobody opened yet: the newest one, and those that runs took."""
    from medfm_gui.store import queries

    with workspace.store.reading() as reader:
        rows = [row for row in queries.splits(reader, dataset_id) if row.fold is None and row.sizes.get("test")]
        used = queries.splits_with_runs(reader, dataset_id)
        opened = {look.sample_set for look in queries.openings(reader)}
    rows = [row for row in rows if row.id in used or row is rows[-1]]
    return tuple(
        row.id for row in rows if not opened or _sample_set(workspace.store, row.id, row.fingerprint) not in opened
    )


@functools.lru_cache(maxsize=64)
def _sample_set(store: Store, split: str, fingerprint: str) -> str:
    """The hash that a seal follows, worked out once a split: every page of a grid asks, and a test may be large."""
    from medfm_gui.datasets.fingerprint import contents_hash
    from medfm_gui.store import queries

    with store.reading() as reader:
        return contents_hash(queries.test_contents(reader, split))


def sealed_samples(workspace: Workspace, dataset_id: str) -> frozenset[str]:
    """Ids of the samples whose labels are hidden."""
    from medfm_gui.store import queries

    sealed = sealed_splits(workspace, dataset_id)
    if not sealed:
        return frozenset()
    with workspace.store.reading() as reader:
        return frozenset(queries.sealed_ids(reader, sealed))


def samples_page(
    workspace: Workspace, dataset_id: str, *, offset: int = 0, limit: int = 200, only: SampleFilter | None = None
) -> SamplePage:
    """A page of samples in the dataset's order; what a sealed test hides is blank.

    Raises:
        UsageError: a partition is asked for without the split it belongs to.
    """
    from medfm_gui.store import queries

    sealed = sealed_splits(workspace, dataset_id)
    only = only or SampleFilter()
    tells = only.covariate is not None and not is_neutral(only.covariate[0])
    only = replace(only, sealed=sealed, covariate_tells=tells)
    with workspace.store.reading() as reader:
        page = queries.samples_page(reader, dataset_id, offset=offset, limit=limit, only=only)
        if not sealed:
            return page
        hidden = frozenset(queries.sealed_ids(reader, sealed, [sample.id for sample in page.samples]))
    samples = tuple(blanked(sample) if sample.id in hidden else sample for sample in page.samples)
    omits = only.class_index is not None or tells
    return SamplePage(page.total, samples, tuple(sample.id for sample in samples if sample.id in hidden), omits)


def covariate_values(
    workspace: Workspace, dataset_id: str, *, keep: bool = True
) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    """Covariates by which samples can be filtered, each value with the number that such a filter finds.

    A covariate that may tell labels is counted without the images of a sealed test.

    Raises:
        NotFound: there is no such dataset.
    """
    from medfm_gui.store import queries
    from medfm_gui.workspace.covariates import counted_values

    counted = counted_values(workspace, dataset_id, keep=keep).covariates
    sealed = sealed_splits(workspace, dataset_id)
    if not sealed or all(is_neutral(name) for name, _ in counted):
        return counted
    with workspace.store.reading() as reader:
        hidden = queries.sealed_covariate_values(reader, dataset_id, sealed)
    shown = []
    for name, values in counted:
        left = values
        if not is_neutral(name):
            less = [(value, number - hidden.get((name, value), 0)) for value, number in values]
            left = tuple(sorted((one for one in less if one[1]), key=lambda one: (-one[1], one[0])))
        if left:
            shown.append((name, left))
    return tuple(shown)


def blanked(sample: Sample) -> Sample:
    """A sample without its label and what may tell it."""
    kept = {name: value for name, value in sample.covariates.items() if is_neutral(name)}
    return replace(sample, path="", target=(), group=None, fold=None, covariates=kept, masks=())


def refuse_sealed(workspace: Workspace, dataset_id: str, sample: str) -> None:
    """See that the label of a sample may be looked at.

    Raises:
        SealError: it is in a sealed test.
    """
    from medfm_gui.store import queries

    sealed = sealed_splits(workspace, dataset_id)
    if not sealed:
        return
    with workspace.store.reading() as reader:
        if queries.sealed_ids(reader, sealed, [sample]):
            raise SealError(
                WHY,
                "Open the test first (Runs, or “medfm evaluate RUN --open-test REASON”); changing labels of a test "
                "that one has not seen, or after one has seen what a model says, would bias it.",
            )
