"""What a person says about a split: shares, folds, sites, time, a published rule or a table, and the seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QWidget

from medfm_gui.domain.split import Partition
from medfm_gui.ui.later import Later
from medfm_gui.ui.pages.datasets.combo import fill
from medfm_gui.ui.pages.datasets.wording import PARTITIONS, unit
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import Form, FormRow, PathPicker, choice, whole_number
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.cohort import Quality, SplitWish

Method = Literal["shares", "folds", "sites", "time", "official", "published", "file"]
_WAIT_MS = 300
_SHARES = {Partition.TRAIN: 70, Partition.VAL: 15, Partition.CAL: 0, Partition.TEST: 15}
_LARGEST_SEED = 2_147_483_647


class SplitForm(QWidget):
    """The fields of a split.

    Signals:
        changed(): the wish is another one; told a moment after the last change.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._later = Later(self.changed.emit, _WAIT_MS, self)
        self.method = choice([("Shares", "shares")])
        self.shares = {side: whole_number(_SHARES[side], 0, 98, "%") for side in Partition}
        self.folds = whole_number(5, 2, 20, "folds")
        self.nested = QCheckBox("Folds within each training side")
        self.nested.setAccessibleName("Nested cross-validation: folds within each training side")
        self.site = choice([])
        self.time = choice([])
        self.preset = choice([])
        self.file = PathPicker("file", "Choose a table of partitions", "Tables (*.csv *.tsv *.tab)")
        self.by = choice([("Patient", "patient")])
        self.alike = choice([("Flag them", ""), ("Take them out", "drop"), ("Move whole groups", "move")])
        self.seed = whole_number(0, 0, _LARGEST_SEED)
        self._sum = Label("", "caption")
        self._lay_out()
        self.method.currentIndexChanged.connect(self._method_chosen)
        for combo in (self.by, self.alike, self.site, self.time, self.preset):
            combo.currentIndexChanged.connect(lambda _: self._later.again())
        self.nested.toggled.connect(lambda _: self._later.again())
        for box in (*self.shares.values(), self.folds, self.seed):
            box.valueChanged.connect(self._number_changed)
        self.file.changed.connect(lambda _: self._later.again())
        self._method_chosen()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE[2])
        grid.setVerticalSpacing(SPACE[1])
        for row, (side, box) in enumerate(self.shares.items()):
            name = Label(PARTITIONS[side.value], wrap=False)
            name.setBuddy(box)
            box.setAccessibleName(f"{PARTITIONS[side.value]}, per cent of the images")
            grid.addWidget(name, row, 0)
            grid.addWidget(box, row, 1)
        grid.addWidget(self._sum, len(self.shares), 0, 1, 2)
        grid.setColumnStretch(0, 1)
        self._grid = QWidget()
        self._grid.setLayout(grid)
        form = Form(self)
        self.method_row = form.add("Divide by", self.method)
        form.add_widget(self._grid)
        self._folds_row = form.add("Cross-validation", self.folds, "Each fold is the internal test once.")
        form.add_widget(self.nested)
        self._site_row = form.add("Left out", self.site, "Each of its values is the internal test once.")
        self._time_row = form.add(
            "Ordered by", self.time, "The earliest images train, the latest are the internal test."
        )
        self._preset_row = form.add("Rule", self.preset, "As published, its leaks are kept and marked.")
        self._file_row = form.add("Table", self.file, "Columns “sample” or “path”, and “partition”.")
        self._by_row: FormRow = form.add("Keep together", self.by)
        self._alike_row = form.add("Near-duplicates", self.alike, "Two images of one exposure on two sides.")
        self._seed_row = form.add("Seed", self.seed, "The same seed divides the same images in the same way.")
        down = QGridLayout(self)
        down.setContentsMargins(0, 0, 0, 0)
        down.addWidget(form, 0, 0)

    def offer(self, found: Quality) -> None:
        """Offer what this dataset can be divided by; its own folds come first where it has any."""
        methods: list[tuple[str, object]] = [("Shares", "shares"), ("Cross-validation", "folds")]
        if found.folds:
            methods.insert(0, ("The dataset's own folds", "official"))
        if found.sites:
            methods.append(("One site left out", "sites"))
        if found.times:
            methods.append(("Time", "time"))
        if found.presets:
            methods.append(("A published rule", "published"))
        methods.append(("A table of partitions", "file"))
        fill(self.site, [(_words(name), name) for name in found.sites], None)
        fill(self.time, [(_words(name), name) for name in found.times], None)
        fill(self.preset, [(title, name) for name, title in found.presets], None)
        fill(self.method, methods, "official" if found.folds else "shares")
        first = "patient" if found.has_patients else "group" if "group" in found.units else "image"
        fill(self.by, [(unit(word), word) for word in found.units], first)
        self._by_row.set_hint(
            "Images with identical pixels always stay together."
            if found.has_patients
            else "No patients are known, so images of one patient may stand on two sides."
        )
        self._method_chosen()

    def begin(self) -> None:
        """The usual shares again."""
        for side, box in self.shares.items():
            box.setValue(_SHARES[side])
        self.seed.setValue(0)
        self.alike.setCurrentIndex(0)
        self._later.again()

    @property
    def shares_are_shown(self) -> bool:
        """Whether the shares count for the chosen way to divide."""
        return not self._grid.isHidden()

    @property
    def problem(self) -> str:
        """Why the fields make no wish yet; empty if they do."""
        method = self.method.currentData()
        if method == "file" and not self.file.path():
            return "Choose the table of partitions."
        if method not in ("shares", "time"):
            return ""
        total = sum(box.value() for box in self.shares.values())
        if total != 100:
            return f"The shares add up to {total} %, not to 100 %."
        missing = [side for side, box in self.shares.items() if not box.value() and side is not Partition.CAL]
        return f"{PARTITIONS[missing[0].value]} needs a share." if missing else ""

    def wish(self) -> SplitWish:
        """What is wished for."""
        divided = self._divided()
        return divided if divided.preset else replace(divided, alike=str(self.alike.currentData() or ""))

    def _divided(self) -> SplitWish:
        method: Method = self.method.currentData()
        by, seed = str(self.by.currentData() or "image"), self.seed.value()
        if method == "official":
            return SplitWish(by=by, seed=seed, official=True)
        if method == "folds":
            return SplitWish(by=by, seed=seed, folds=self.folds.value(), nested=self.nested.isChecked())
        if method == "sites":
            return SplitWish(by=by, seed=seed, leave_out=str(self.site.currentData() or ""))
        if method == "published":
            return SplitWish(seed=seed, preset=str(self.preset.currentData() or ""))
        if method == "file":
            return SplitWish(by=by, seed=seed, file=self.file.path())
        shares = [str(box.value()) for side, box in self.shares.items() if side is not Partition.CAL or box.value()]
        in_time = str(self.time.currentData() or "") if method == "time" else ""
        return SplitWish(ratios="/".join(shares), by=by, seed=seed, in_time=in_time)

    def _method_chosen(self) -> None:
        method = self.method.currentData()
        self._grid.setVisible(method in ("shares", "time"))
        self._folds_row.setVisible(method == "folds")
        self.nested.setVisible(method == "folds")
        self._site_row.setVisible(method == "sites")
        self._time_row.setVisible(method == "time")
        self._preset_row.setVisible(method == "published")
        self._by_row.setVisible(method != "published")
        self._alike_row.setVisible(method != "published")
        self._seed_row.setVisible(method != "time")
        self._file_row.setVisible(method == "file")
        self._number_changed()

    def _number_changed(self) -> None:
        total = sum(box.value() for box in self.shares.values())
        self._sum.setText(
            f"Together {total} %" + ("" if self.shares[Partition.CAL].value() else ", no calibration set")
        )
        self._sum.set_role("caption" if total == 100 else "bad")
        self._later.again()


def _words(name: str) -> str:
    """A column's name as words."""
    words = name.replace("_", " ").strip() or name
    return words[:1].upper() + words[1:]
