"""Answers for the dialog alone and for its tests: phantoms with a name in their pixels; nobody was imaged for it."""

from __future__ import annotations

import numpy as np

from medfm_gui.desk.asks.data import Tile, TileSheet
from medfm_gui.desk.asks.deidentify import DeidentifyStudies, ExamineStudies
from medfm_gui.desk.asks.studies import FileThumbnails
from medfm_gui.domain.deidentification import (
    Deidentified,
    Examined,
    FaceSeries,
    Flag,
    FlaggedFile,
    HeldFile,
    Removal,
)
from medfm_gui.ui.sample import Answers

FLAGGED = (
    *(
        FlaggedFile(f"/phantoms/us/{number:03d}.dcm", (Flag.ULTRASOUND,), "1.2.4", "1.2.4.9", number, 40)
        for number in range(1, 13)
    ),
    FlaggedFile("/phantoms/sc/001.dcm", (Flag.DECLARED, Flag.CAPTURE), "1.2.4", "1.2.4.10", 1),
)
FACES = (FaceSeries("1.2.4", "1.2.4.1", "MR", 24, "Its header speaks of the head or the neck."),)
EXAMINED = Examined(109, 58_000_000, 1, FLAGGED, FACES)
_REMOVALS = (
    Removal("(0008,0018)", "SOPInstanceUID", "replaced", 109),
    Removal("(0008,0020)", "StudyDate", "removed", 109),
    Removal("(0008,0060)", "Modality", "kept", 109),
    Removal("(0008,0080)", "InstitutionName", "replaced", 109),
    Removal("(0008,0081)", "InstitutionAddress", "removed", 96),
    Removal("(0008,1155)", "ReferencedSOPInstanceUID", "replaced", 288, "SourceImageSequence"),
    Removal("(0009,xx10)", "PrivateAttribute", "removed", 436),
    Removal("(0010,0010)", "PatientName", "replaced", 109),
    Removal("(0010,0030)", "PatientBirthDate", "emptied", 109),
    Removal("(0018,0050)", "SliceThickness", "kept", 96),
    Removal("(60xx,3000)", "OverlayData", "removed", 4),
)


def written(ask: DeidentifyStudies) -> Deidentified:
    """All that was looked at."""
    waiting = [one for one in FLAGGED if one.path not in ask.looked_at]
    return Deidentified(
        out=ask.out,
        written=EXAMINED.files - len(waiting),
        patients=("P-EPEX53DUEL",),
        held=tuple(HeldFile(one.path, "burned_in", "It may show a name, and nobody has looked.") for one in waiting),
        faces=FACES,
        removals=_REMOVALS,
        report=f"{ask.out}/deidentification.json",
        codes=tuple(value for value, _ in ask.options.codes()),
    )


def pictures(ask: FileThumbnails) -> TileSheet:
    """A fan, as an ultrasound machine draws it."""
    side = ask.side
    y, x = np.mgrid[0 : 1 : side * 1j, -0.5 : 0.5 : side * 1j]
    fan = (np.abs(x) < 0.1 + 0.45 * y) & (x * x + y * y < 0.95) & (y > 0.08)
    grey = np.where(fan, 90 + 60 * np.sin(30 * y) * np.cos(22 * x), 8).astype(np.uint8)
    grey[: max(2, side // 24), : side // 3] = 230
    tiles = tuple(Tile(path, side, side, 1, place * side * side) for place, path in enumerate(ask.paths))
    return TileSheet(tiles, grey.tobytes() * len(ask.paths))


ANSWERS: Answers = {
    ExamineStudies: lambda ask: EXAMINED,
    DeidentifyStudies: written,
    FileThumbnails: pictures,
}
