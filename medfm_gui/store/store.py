"""The database of a workspace: facts go in by ``put_…``, questions are asked with ``queries`` on a ``reading()`` block.

    with Store.open(workspace / "medfm.sqlite") as store:
        store.put_dataset(dataset, folder)
        with store.reading() as reader:
            rows = queries.runs(reader)

Everything stored here is a file of the workspace first; every ``put_…`` may be repeated without doubles,
so reading the files again makes the same rows again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.events import LAST_WORDS, Event
from medfm_gui.domain.report import ReportFile
from medfm_gui.domain.run import RunState, TrainSpec
from medfm_gui.domain.split import Split
from medfm_gui.domain.study import Study
from medfm_gui.store import queries, records
from medfm_gui.store.headers import HeaderTable
from medfm_gui.store.opening import Place, prepare_for_reading, prepare_for_writing
from medfm_gui.store.readers import Reader, Readers
from medfm_gui.store.removal import Removals
from medfm_gui.store.writer import BUSY_LIMIT_S, NoWriter, Writer


class Store(contextlib.AbstractContextManager["Store"]):
    """An open database. All methods may be called from any thread.

    A ``put_…`` returns when its rows are durable; it raises ``DatabaseBusy`` or ``DiskFull`` when they
    could not be written (none of them is then), ``StoreError`` when the store is closed or read-only.
    Folders and files are given by path and come back absolute, also after the workspace was moved.
    """

    def __init__(self, path: Path, place: Place, writer: Writer | NoWriter) -> None:
        self.path = path
        self._place = place
        self._writer = writer
        self._readers = Readers(place.file, path.parent)
        self.headers = HeaderTable(writer, self._readers)
        """Headers of files that were read for the index of studies."""
        self.removals = Removals(writer)
        """Takes out datasets and splits that are no longer there."""

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        read_only: bool = False,
        on_waiting: Callable[[float], None] | None = None,
        busy_limit_s: float = BUSY_LIMIT_S,
    ) -> Store:
        """Open a database, making it where there is none.

        Args:
            path: the file; its folder exists.
            read_only: change nothing; works on a medium that cannot be written, and on an older version.
            on_waiting: called once, from the writing thread, with the seconds waited, when another
                program holds the database for two seconds.
            busy_limit_s: after so long a write is given up with ``DatabaseBusy``.

        Raises:
            NotFound: there is nothing to read.
            NewerWorkspace: written by a newer version; the file is unchanged.
            DatabaseDamaged: corrupt; the file is kept as it is.
            DatabaseBusy, DiskFull, StoreError: as they say.
        """
        path = path.absolute()
        if read_only:
            return cls(path, prepare_for_reading(path), NoWriter())
        place = prepare_for_writing(path)
        return cls(path, place, Writer(path, on_waiting=on_waiting, busy_limit_s=busy_limit_s))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except MedfmError:
            if error is None:  # what went wrong in the block says more than points that were not indexed
                raise

    def close(self) -> None:
        """Write what is left and close. Does nothing when closed.

        Raises:
            MedfmError: progress that could not be indexed; the runs' own files still have it.
        """
        self._readers.close()
        try:
            self._writer.close()
        finally:
            self._place.discard()

    def reading(self) -> contextlib.AbstractContextManager[Reader]:
        """A reader for a ``with`` block; all queries in it see the same moment."""
        return self._readers.reading()

    def flush(self) -> None:
        """Wait until all progress given so far is durable.

        Raises:
            DatabaseBusy, DiskFull: not yet; it is kept and tried again.
            NotFound: some of it was for a run that is not in the database.
        """
        self._writer.flush()

    def charts(self, owner: str) -> tuple[ChartSpec, ...]:
        """The charts of a run, or of several joined as they were put, by id."""
        with self.reading() as reader:
            return queries.charts(reader, owner)

    def put_dataset(self, dataset: Dataset, folder: Path | str) -> None:
        """A dataset with all its samples; replaces one of the same id."""
        self._writer.write(partial(records.dataset, root=self.path.parent, dataset=dataset, folder=folder))

    def put_split(self, split: Split, path: Path | str) -> None:
        """A split with all its assignments; replaces one of the same id."""
        self._writer.write(partial(records.split, root=self.path.parent, split=split, path=path))

    def put_run(self, spec: TrainSpec, folder: Path | str) -> None:
        """What a run is ordered to do. Its state is “queued” when it is new, else as it was."""
        self._writer.write(partial(records.run, root=self.path.parent, spec=spec, folder=folder))

    def record_events(self, run: str, events: Sequence[Event], state: RunState) -> None:
        """What a run said, in order, and its state after that.

        Durable on return when the last word is among the events; otherwise with the next batch, half a
        second later at most (``flush`` waits for it).

        Raises:
            NotFound: the run is not in the database; told at once with the last word, else by ``flush``.
        """
        change = partial(records.progress, run=run, change=records.CurveChange.of(events), state=state)
        if any(isinstance(event, LAST_WORDS) for event in events):
            self._writer.write(change)
        else:
            self._writer.later(change, max(1, len(events)))

    def put_predictions(
        self,
        run: str,
        subset: str,
        samples: Sequence[str],
        scores: npt.NDArray[np.floating],
        targets: Sequence[Sequence[int]],
    ) -> None:
        """Scores of a run on a subset, (n, classes), kept as float32; replaces those it had."""
        self._writer.write(
            partial(records.predictions, run=run, subset=subset, samples=samples, scores=scores, targets=targets)
        )

    def put_evaluations(self, evaluations: Sequence[Evaluation]) -> None:
        """Numbers of runs; one of the same run, subset, metric, class, unit and parameters replaces the older."""
        self._writer.write(partial(records.evaluations, evaluations=evaluations))

    def put_comparisons(self, comparisons: Sequence[Comparison]) -> None:
        """All pairs of one comparison; replaces those of the same runs in the same order."""
        self._writer.write(partial(records.comparisons, comparisons=comparisons))

    def put_chart(self, owner: str, chart: ChartSpec) -> None:
        """A chart of ``owner`` (a run id, or several joined); replaces one of the same id."""
        self._writer.write(partial(records.chart, owner=owner, chart=chart))

    def put_study(self, study: Study, folder: Path | str) -> None:
        """A study and its series; replaces one of the same UID."""
        self._writer.write(partial(records.study, root=self.path.parent, study=study, folder=folder))

    def put_study_prediction(
        self, prediction_id: str, number: int, *, study: str, run: str, created: str, prediction: str
    ) -> None:
        """One outcome (as JSON) of a single-study prediction, by its number in there."""
        self._writer.write(
            partial(
                records.study_prediction,
                prediction=prediction_id,
                number=number,
                study=study,
                run=run,
                created=created,
                outcome=prediction,
            )
        )

    def put_report(self, report_id: str, title: str, created: str, file: ReportFile, runs: Sequence[str]) -> None:
        """A written report and the runs it speaks of."""
        self._writer.write(
            partial(
                records.report,
                root=self.path.parent,
                report=report_id,
                title=title,
                created=created,
                file=file,
                runs=runs,
            )
        )

    def journal(self, at: str, what: str, subject: str, details: Mapping[str, str]) -> None:
        """A line of the journal; a line that is there already is not doubled."""
        self._writer.write(partial(records.journal, at=at, what=what, subject=subject, details=details))

    def put_opening(self, run: str, subset: str, sample_set: str, reason: str, at: str) -> None:
        """A look at a sealed test set: which run, which samples (their hash), why and when."""
        self._writer.write(
            partial(records.opening, run=run, subset=subset, sample_set=sample_set, reason=reason, at=at)
        )
