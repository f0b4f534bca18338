"""Predictions asked for: a new one, an earlier one again, and the list of earlier ones."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from medfm_gui.desk.asks.studies import (
    EarlierPredictions,
    ListEarlier,
    PredictionView,
    PredictSource,
    SeriesKey,
    ShowPrediction,
)
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError, NotFound, UnreadableFile, UsageError, WeightsAbsent
from medfm_gui.domain.explain import explanation
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.studies.predict import PredictPanel


class Predictions(QObject):
    """What the right column asks of the desk.

    Signals:
        came(PredictionView): a prediction to be shown, new or earlier.
        another_wanted(): what is open cannot be scored; another file shall be opened.
    """

    came = Signal(object)
    another_wanted = Signal()

    def __init__(self, context: Context, panel: PredictPanel) -> None:
        super().__init__(panel)
        self._context = context
        self._panel = panel
        self._ticket: Ticket | None = None
        panel.wanted.connect(self.predict)
        panel.earlier_wanted.connect(self.show)
        panel.cancelled.connect(self.cancel)
        panel.similar_kept.connect(self._again)

    def predict(self) -> None:
        """Let the ticked runs score what is open."""
        panel, target = self._panel, self._panel.target
        if panel.obstacle or target is None:
            return
        self._ask(PredictSource(target, panel.choices.ticked, panel.explain.name, panel.wants_sets))

    def _ask(self, wanted: PredictSource) -> None:
        panel = self._panel
        panel.notice.hide()
        panel.show_progress(Progress("Preparing"))
        self._ticket = self._context.desk.ask(
            wanted,
            owner=self,
            then=lambda view: self._predicted(view, wanted.key),
            failed=self._failed,
            progress=panel.show_progress,
        )

    def _again(self, run: str, prediction: str) -> None:
        """Score once more what a prediction scored, for a run of it has similar cases now."""
        view, panel = self._panel.answers.view, self._panel
        if view is None or view.id != prediction or self._ticket is not None:
            self._context.say(f"{run} names similar cases from now on. Predict again to see them.", "good")
            return
        self._ask(again(view, panel.explain.name))

    def cancel(self) -> None:
        """Give the prediction up; nothing of it stays."""
        if self._ticket is not None:
            self._ticket.cancel()

    def show(self, prediction: str) -> None:
        """Show an earlier prediction."""
        self._context.desk.ask(ShowPrediction(prediction), owner=self, then=self.came.emit, failed=self._not_shown)

    def list_earlier(self, key: SeriesKey | None) -> None:
        """Ask for earlier predictions of what is open."""
        if key is None:
            return
        wanted = SeriesKey(key.study, path=key.path)

        def take(answer: EarlierPredictions) -> None:
            now = self._panel.key
            if now is not None and (now.study, now.path) == (wanted.study, wanted.path):
                self._panel.take_earlier(answer)

        self._context.desk.ask(ListEarlier(wanted), owner=self, then=take, failed=self._not_shown)

    def _predicted(self, view: PredictionView, target: SeriesKey) -> None:
        self._over()
        now = self._panel.key
        if now is not None and (now.study, now.path) == (target.study, target.path):
            self.came.emit(view)
        else:  # another study is being read: it is not torn away
            self._context.say("A prediction is ready", "good", "Show", lambda: self.came.emit(view))

    def _failed(self, error: MedfmError) -> None:
        self._over()
        if isinstance(error, Interrupted):
            return
        words, act = self._advice(error)
        self._panel.show_error(error, words, act)

    def _over(self) -> None:
        self._ticket = None
        self._panel.show_progress(None)

    def _not_shown(self, error: MedfmError) -> None:
        self._panel.show_error(error, "", None)

    def _advice(self, error: MedfmError) -> tuple[str, Callable[[], object]]:
        """The one button that helps."""
        if isinstance(error, WeightsAbsent):
            return "Open the weights", lambda: self._context.go("settings", tab="weights")
        if isinstance(error, UsageError):
            return "Look at the runs", lambda: self._context.go("runs", runs=self._panel.choices.ticked)
        if isinstance(error, NotFound):
            return "Look at the studies again", lambda: self._context.go("studies")
        if isinstance(error, UnreadableFile):
            return "Open another file …", self.another_wanted.emit
        return "Try again", self.predict


def again(view: PredictionView, usual: str) -> PredictSource:
    """The same once more: what was scored, the runs, the explanation (``usual`` where none is known) and the sets."""
    said = [one for image in view.images for one in image.said]
    first = view.images[0]
    series = {image.series for image in view.images}
    if first.study and first.series:
        key = SeriesKey(first.study, first.series if len(series) == 1 else "")
    else:
        key = SeriesKey(path=first.source)
    named = next((one.method for one in said if explanation(one.method) is not None), "")
    voted = any(one.neighbours for one in said)
    runs = tuple(dict.fromkeys(one.run for one in said))
    return PredictSource(key, runs, named or (usual if voted else ""), any(one.class_set_note for one in said))
