"""What the commands for studies say to people: which series a warning is of, and what to do with what was held back."""

from __future__ import annotations

from medfm_gui.cli.studies import anonymised_remarks, warning_lines
from medfm_gui.domain.deidentification import Deidentified, FaceSeries, HeldFile
from medfm_gui.domain.study import Series, Study

HEAD = "Its header speaks of the head or the neck."


def study(uid: str, *series: Series) -> Study:
    return Study(uid=uid, patient="KH-1", date="20240102", modality="CT", description="Head", series=series)


def series(uid: str, description: str, *warnings: str, modality: str = "CT") -> Series:
    return Series(
        uid=uid, modality=modality, description=description, instances=(), rows=16, columns=12, warnings=warnings
    )


def test_a_warning_names_its_series_once() -> None:
    found = [
        study("1", series("1.1", "thin", "2 slices are missing."), series("1.2", "scout")),
        study("2", series("2.1", "thin", "2 slices are missing."), series("2.2", "", "Odd.", modality="")),
    ]
    assert warning_lines(found) == ["warning: CT “thin” (2 series): 2 slices are missing.", "warning: series: Odd."]
    assert warning_lines([]) == []


def done(held: tuple[HeldFile, ...] = (), faces: tuple[FaceSeries, ...] = ()) -> list[str]:
    made = Deidentified("/out", 1, ("P-A",), held=held, faces=faces, report="/out/r.json")
    return anonymised_remarks(made)


def test_faces_are_said_once_and_counted() -> None:
    faces = tuple(FaceSeries("1.2", f"1.2.{number}", "CT", 12, HEAD) for number in range(6))
    lines = [line for line in done(faces=faces) if line.startswith("warning:")]
    assert len(lines) == 1 and "from 6 CT series" in lines[0] and HEAD in lines[0]


def test_images_that_wait_for_a_person_have_a_next_step() -> None:
    waiting = HeldFile("/in/a.dcm", "burned_in", "It may show a name, and nobody has looked.")
    damaged = HeldFile("/in/b.dcm", "truncated", "The file ends within its header.")
    lines = done(held=(waiting,))
    assert "1 image was held back:" in lines and "--burned-in-checked" in lines[-1]
    lines = done(held=(waiting, damaged))
    assert "2 images were held back:" in lines and "--burned-in-checked" in lines[-1]
    assert not any("--burned-in-checked" in line for line in done(held=(damaged,)))
