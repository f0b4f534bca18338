"""Rows of the study tree without Qt: patients; their studies and series are made when they are looked for."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final, Literal

from medfm_gui.desk.asks.studies import SeriesKey
from medfm_gui.store.rows import SeriesRow, StudyRow
from medfm_gui.workspace.opening import date_text

Kind = Literal["patient", "study", "series", "pictures", "picture"]
_NO_KEY: Final = SeriesKey()


@dataclass(slots=True, eq=False)
class Node:
    """A row of the tree. Rows below patients and studies are made when they are first looked for."""

    number: int
    kind: Kind
    parent: Node | None = None
    row: int = 0
    patient: str = ""
    study: StudyRow | None = None
    place: int = 0
    """Of a series in its study."""
    key: SeriesKey = _NO_KEY
    studies: list[StudyRow] = field(default_factory=list)
    """Of a patient."""
    children: list[Node] = field(default_factory=list)

    @property
    def has_children(self) -> bool:
        """Whether there are rows below, made or not."""
        if self.children or self.studies:
            return True
        return self.study is not None and self.kind == "study" and bool(self.study.series)

    @property
    def series(self) -> SeriesRow | None:
        """The facts of a series."""
        if self.kind != "series" or self.study is None or self.place >= len(self.study.series):
            return None
        return self.study.series[self.place]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know of a series, or of any series of a study."""
        if self.series is not None:
            return self.series.warnings
        if self.kind == "study" and self.study is not None:
            return tuple(dict.fromkeys(one for series in self.study.series for one in series.warnings))
        return ()


class Forest:
    """All rows, as far as the filter lets them through; pictures stand first, then patients."""

    def __init__(self) -> None:
        self.top: list[Node] = []
        self.studies: dict[str, StudyRow] = {}
        self.pictures: tuple[str, ...] = ()
        self.filter = ""
        self.names_count = False
        """Whether the filter may look at the patient."""
        self._nodes: dict[int, Node] = {}
        self._patients: dict[str, Node] = {}
        self._by_study: dict[str, Node] = {}
        self._by_path: dict[str, Node] = {}
        self._words: dict[str, str] = {}
        self._unprepared: Iterator[str] = iter(())
        self._next = 1

    def node(self, number: int) -> Node | None:
        """The row of that number."""
        return self._nodes.get(number)

    def study_node(self, uid: str) -> Node | None:
        """The row of a study; None where the filter hides it."""
        study = self.studies.get(uid)
        patient = self._patients.get(study.patient) if study is not None else None
        if patient is not None:
            self.children(patient)
        return self._by_study.get(uid)

    def find(self, key: SeriesKey) -> Node | None:
        """The row of a series, of a study (no ``series`` in the key), or of a picture."""
        if key.path:
            return self._by_path.get(key.path)
        study = self.study_node(key.study)
        if study is None or not key.series:
            return study
        rows = self.children(study)
        exact = next((row for row in rows if row.key == key), None)
        return exact or next((row for row in rows if row.key.series == key.series), study)

    def children(self, node: Node | None) -> list[Node]:
        """Rows below a row; of None, the uppermost."""
        if node is None:
            return self.top
        if node.kind == "study" and not node.children:
            self.add_series(node)
        elif node.kind == "patient" and not node.children:
            node.children = [self._study(node, study, row) for row, study in enumerate(node.studies)]
        return node.children

    def add_series(self, node: Node) -> None:
        """Make the rows of series that a study has and its row has not."""
        study = node.study
        if study is None:
            return
        seen: dict[str, int] = {}
        for place, series in enumerate(study.series):
            number = seen[series.uid] = seen.get(series.uid, -1) + 1
            if place < len(node.children):
                node.children[place].study = study
            else:
                row = self._made("series", node, place)
                row.study, row.place, row.key = study, place, SeriesKey(study.uid, series.uid, number)
                node.children.append(row)

    def passes(self, study: StudyRow) -> bool:
        """Whether the filter lets a study through: each of its words stands somewhere in it."""
        return self._holds(study, self.filter.split())

    def _holds(self, study: StudyRow, parts: Sequence[str]) -> bool:
        words = self._words.get(study.uid)
        if words is None:
            words = self._words[study.uid] = search_words(study)
        for part in parts:
            if part not in words and not (self.names_count and part in study.patient.casefold()):
                return False
        return True

    def build(self) -> None:
        """Make all rows anew."""
        self.top, self._nodes, self._patients, self._by_study, self._by_path = [], {}, {}, {}, {}
        paths = [path for path in self.pictures if self.filter in PurePath(path).name.casefold()]
        if paths:
            node = self._made("pictures", None, 0)
            self.top.append(node)
            for row, path in enumerate(paths):
                picture = self._made("picture", node, row)
                picture.key = SeriesKey(path=path)
                self._by_path[path] = picture
                node.children.append(picture)
        parts = self.filter.split()
        patients, top, holds = self._patients, self.top, self._holds
        for study in self.studies.values():
            if parts and not holds(study, parts):
                continue
            patient = patients.get(study.patient)
            if patient is None:
                patient = self.new_patient(study.patient)
                patient.row = len(top)
                top.append(patient)
            patient.studies.append(study)

    def keep(self, studies: Iterable[StudyRow]) -> None:
        """Hold these studies; rows are not made."""
        self.studies = {study.uid: study for study in studies}
        self._words = {}
        self._unprepared = iter(tuple(self.studies))

    def prepare(self, seconds: float) -> bool:
        """Make words to search ahead of the search, for some time; whether there is more to do."""
        until = time.perf_counter() + seconds
        for uid in self._unprepared:
            study = self.studies.get(uid)
            if study is not None and uid not in self._words:
                self._words[uid] = search_words(study)
            if time.perf_counter() >= until:
                return True
        return False

    def put_first(self, study: StudyRow) -> None:
        """Hold a study, first of all, in its present form; rows are not made."""
        self._words.pop(study.uid, None)
        rest = {uid: one for uid, one in self.studies.items() if uid != study.uid}
        self.studies = {study.uid: study, **rest}

    def patient_node(self, patient: str) -> Node | None:
        """The row of a patient."""
        return self._patients.get(patient)

    def new_patient(self, patient: str) -> Node:
        """A row for a patient, not yet among the others."""
        node = self._patients[patient] = self._made("patient", None, 0)
        node.patient = patient
        return node

    def insert(self, patient: Node, study: StudyRow) -> None:
        """A study as the first of a patient's."""
        self.children(patient)
        patient.studies.insert(0, study)
        patient.children.insert(0, self._study(patient, study, 0))
        renumber(patient.children)

    def grow(self, node: Node, study: StudyRow) -> None:
        """Another form of a study that has a row."""
        node.study = study
        if node.parent is not None:
            node.parent.studies[node.row] = study

    def _study(self, patient: Node, study: StudyRow, row: int) -> Node:
        node = self._made("study", patient, row)
        node.study, node.key = study, SeriesKey(study.uid)
        self._by_study[study.uid] = node
        return node

    def _made(self, kind: Kind, parent: Node | None, row: int) -> Node:
        node = Node(self._next, kind, parent, row)
        self._nodes[node.number] = node
        self._next += 1
        return node


def search_words(study: StudyRow) -> str:
    """What a study is found by, whoever the patient is: descriptions, modalities, dates in both spellings, pseudonym.

    Where a series has a warning, also by “warning”.
    """
    series = study.series
    texts = {study.description, study.modality, study.date, date_text(study.date), pseudonym(study.patient)}
    texts.update(one.description for one in series)
    texts.update(one.modality for one in series)
    if any(one.warnings for one in series):
        texts.add("warning")
    return "\n".join(texts).casefold()


def pseudonym(patient: str) -> str:
    """What a patient is called while identity is hidden: the same every time, and nothing can be read from it."""
    if not patient:
        return "No patient ID"
    return f"Patient {hashlib.sha256(patient.encode('utf-8', 'backslashreplace')).hexdigest()[:4].upper()}"


def renumber(rows: Sequence[Node]) -> None:
    """Tell rows where they stand now."""
    for row, node in enumerate(rows):
        node.row = row
