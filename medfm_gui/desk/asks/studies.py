"""Questions about studies: the index, frames and thumbnails to look at, header facts, predictions and their maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from medfm_gui.desk.asks.data import TileSheet
from medfm_gui.desk.protocol import Ask, Nothing
from medfm_gui.domain.dataset import Skipped
from medfm_gui.domain.explain import Neighbour
from medfm_gui.domain.similar import SimilarCase
from medfm_gui.domain.study import Element
from medfm_gui.store.rows import StudyRow
from medfm_gui.workspace.opening import OpenedSeries


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """One series: the study's UID, the series' UID, and which one of that UID (several geometries may share it).

    Of a plain picture or a single file only ``path`` is set.
    """

    study: str = ""
    series: str = ""
    number: int = 0
    path: str = ""


@dataclass(frozen=True, slots=True)
class StudyList:
    """All indexed studies, newest date first; ``phantom`` is the demo's CT, where the workspace has it.

    Many come in parts, the last with the answer. ``presets`` is the program's list of window presets (TOML,
    ``ui.viewer.presets``); ``digest`` stands for all of the rows, and where it is the one that was known, none come.
    """

    studies: tuple[StudyRow, ...]
    phantom: str = ""
    presets: str = ""
    digest: str = ""
    unfinished: str = ""
    """What was being read when the program ended; or is being read now."""


@dataclass(frozen=True, slots=True)
class ListStudies(Ask[StudyList]):
    """The studies of the workspace; ``known`` is the digest of the list that is shown."""

    known: str = ""


@dataclass(frozen=True, slots=True)
class SourceIndexed:
    """What a folder or a file held. ``studies`` of a part are those that are new or grew; of the answer all of them.

    ``pictures`` are files that are no DICOM objects but look like pictures; they stay in no index.
    """

    studies: tuple[StudyRow, ...] = ()
    pictures: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    n_skipped: int = 0
    is_cut: bool = False
    """There are more pictures than are listed."""


@dataclass(frozen=True, slots=True)
class IndexSource(Ask[SourceIndexed]):
    """Index every DICOM study below a folder or in a file; tells its progress, and studies as they are found."""

    path: str


@dataclass(frozen=True, slots=True)
class SeriesThumbnails(Ask[TileSheet]):
    """Small pictures of series of one study, by their place in it (``Tile.sample``), longer side ``side`` pixels."""

    study: str
    places: tuple[int, ...]
    side: int = 80


@dataclass(frozen=True, slots=True)
class FileThumbnails(Ask[TileSheet]):
    """Small pictures of files, by their path."""

    paths: tuple[str, ...]
    side: int = 80


@dataclass(frozen=True, slots=True)
class SeriesOpened:
    """Frames on their way into a file that the window maps: values begin at byte ``offset`` of ``opened.array``.

    ``opened`` is None in a part that only tells how many frames are there (``loaded``, counted from the first).
    """

    opened: OpenedSeries | None
    loaded: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class OpenSeries(Ask[SeriesOpened]):
    """Decode a series, its middle frame first; parts tell the file and how far it is."""

    key: SeriesKey


@dataclass(frozen=True, slots=True)
class CloseSeries(Ask[Nothing]):
    """Remove the frames of a series that is no longer looked at."""

    array: str


@dataclass(frozen=True, slots=True)
class TagFact:
    """One fact of a header in words."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class TagFacts:
    """Facts of a series' middle image; empty for files that have none."""

    facts: tuple[TagFact, ...]


@dataclass(frozen=True, slots=True)
class ReadTags(Ask[TagFacts]):
    """Header facts that identify nobody; with ``identity`` also who it is."""

    key: SeriesKey
    identity: bool = False


@dataclass(frozen=True, slots=True)
class ElementTable:
    """All elements of a header in the order of the file; empty for files that have none. ``is_cut``: there are more."""

    elements: tuple[Element, ...] = ()
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class ReadElements(Ask[ElementTable]):
    """The header of a series' middle image, or of a file; with ``identity`` also what may say who it is."""

    key: SeriesKey
    identity: bool = False


# -- predictions


@dataclass(frozen=True, slots=True)
class RunSaid:
    """What one run says of one image or series; ``prediction`` and ``number`` name it for ``ShowHeatMap``.

    ``positive`` is the class that the threshold belongs to, empty where there is none. ``classes`` and ``threshold``
    are calibrated where ``is_calibrated``, else as the model gives them; ``calibration_note`` says how.
    """

    prediction: str
    number: int
    run: str
    title: str
    family: str
    task: str
    classes: Mapping[str, float | None]
    decision: str
    positive: str = ""
    threshold: float | None = None
    threshold_note: str = ""
    slices: int = 1
    pooled: str = "mean"
    """How several slices became one score: ``mean``, or ``max``, the highest one's."""
    has_map: bool = False
    map_target: str = ""
    map_note: str = ""
    method: str = ""
    """How it was explained: a name of ``domain.explain``; empty where it was not."""
    checks: Mapping[str, str] = field(default_factory=dict)
    """What is known of this run's maps: a check's name → its sentence."""
    neighbours: tuple[Neighbour, ...] = ()
    """Of a vote of neighbours: the training images that cast it, the most similar first; samples of ``dataset``."""
    dataset: str = ""
    is_calibrated: bool = False
    calibration_note: str = ""
    spread: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Lowest and highest probability over ``seeds`` trainings that differ in their seed alone."""
    seeds: int = 0
    class_set: tuple[str, ...] = ()
    class_set_note: str = ""
    """What is promised of ``class_set``, or why there is none; empty where no set was asked for."""
    outlier: bool | None = None
    """Whether the image looks unlike the training images; None where there is no verdict."""
    outlier_note: str = ""
    """The verdict in words, with distance, limit and where that is from; or why there is none."""
    similar: tuple[SimilarCase, ...] = ()
    """The nearest training images, the nearest first; samples of ``dataset``."""
    can_keep_similar: bool = False
    """Whether the run kept no training images to compare with, and ``KeepSimilar`` can make them."""


@dataclass(frozen=True, slots=True)
class ImageSaid:
    """One image or series that was scored, with the answers of all runs; ``warnings`` are why not to trust them."""

    source: str
    study: str
    series: str
    said: tuple[RunSaid, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PredictionView:
    """A prediction as it was made."""

    id: str
    created: str
    images: tuple[ImageSaid, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class PredictSource(Ask[PredictionView]):
    """Score a study, one series of it (``key.series``), or a file (``key.path``) with finished runs; tells progress.

    ``explain`` is a name of ``domain.explain.EXPLANATIONS``, or empty; ``class_sets`` asks for sets of classes.
    """

    key: SeriesKey
    runs: tuple[str, ...]
    explain: str = ""
    class_sets: bool = False


@dataclass(frozen=True, slots=True)
class ShowPrediction(Ask[PredictionView]):
    """An earlier prediction, as it was; nothing is computed."""

    prediction: str


@dataclass(frozen=True, slots=True)
class EarlierPrediction:
    """A prediction that is kept: when, by which runs (titles), of how many images."""

    id: str
    created: str
    runs: tuple[str, ...]
    n_images: int


@dataclass(frozen=True, slots=True)
class EarlierPredictions:
    """Predictions of one study or file, newest first."""

    predictions: tuple[EarlierPrediction, ...]


@dataclass(frozen=True, slots=True)
class ListEarlier(Ask[EarlierPredictions]):
    """Predictions of a study, or of a file that belongs to none."""

    key: SeriesKey


@dataclass(frozen=True, slots=True)
class HeatMapAnswer:
    """A map: ``payload`` holds rows × columns float32, then 256 × 3 bytes of colours; ``rows`` 0: there is none.

    ``note`` is what is to be known of such maps, ``reason`` what is to be known of this one. ``is_blank``: it is zero
    everywhere.
    """

    rows: int = 0
    columns: int = 0
    source: str = ""
    target: str = ""
    method: str = ""
    note: str = ""
    payload: bytes = b""
    is_blank: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ShowHeatMap(Ask[HeatMapAnswer]):
    """The heat map of one of a prediction's answers."""

    prediction: str
    number: int


@dataclass(frozen=True, slots=True)
class ExplainAgain(Ask[HeatMapAnswer]):
    """Explain the image of one of a prediction's answers in another way; its scores stay as they are.

    The map is not kept with the prediction. ``explain`` is a name of ``domain.explain.EXPLANATIONS``.
    """

    prediction: str
    number: int
    explain: str


@dataclass(frozen=True, slots=True)
class SimilarKept:
    """How many training images a run is compared with now; ``note`` is what a reader must know of its limit."""

    run: str
    references: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class KeepSimilar(Ask[SimilarKept]):
    """Keep the training images' features of a finished run, and fix its outlier limit; tells progress."""

    run: str


@dataclass(frozen=True, slots=True)
class CaptureWritten:
    """A DICOM Secondary Capture that was written."""

    path: str


@dataclass(frozen=True, slots=True)
class ExportCapture(Ask[CaptureWritten]):
    """Write the overlay of a prediction's answer as DICOM Secondary Capture.

    Without ``identity`` it joins no study and names nobody.
    """

    prediction: str
    number: int
    path: str
    identity: bool = False
