from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox
from pytestqt.qtbot import QtBot

from medfm_gui.domain.events import EpochFinished
from medfm_gui.ui import theme
from medfm_gui.ui.charts import sample
from medfm_gui.ui.charts.live import LiveCurves


def live(qtbot: QtBot) -> LiveCurves:
    curves = LiveCurves()
    qtbot.addWidget(curves)
    curves.resize(640, 480)
    with qtbot.waitExposed(curves):
        curves.show()
    return curves


def epoch(number: int, best: bool = False, **metrics: float | None) -> EpochFinished:
    return EpochFinished(float(number), number, 50, metrics, 1.0, best)


def test_nothing_finished_yet(qtbot: QtBot) -> None:
    curves = live(qtbot)
    assert curves.accessibleDescription() == "No epoch is finished yet."
    assert not curves.panes[1].isVisible()
    assert not curves.grab().isNull()


def test_curves_hold_what_was_told(qtbot: QtBot) -> None:
    curves = live(qtbot)
    curves.append(epoch(1, train_loss=0.7, val_loss=0.6, auc=0.7, lr=1e-4))
    curves.append(epoch(2, best=True, train_loss=0.5, val_loss=None, auc=0.8, lr=5e-5))
    curves.append(epoch(3, train_loss=0.4, val_loss=math.nan, auc=math.inf, lr=0.0))
    np.testing.assert_array_equal(curves.epochs.numbers, [1, 2, 3])
    np.testing.assert_array_equal(curves.epochs.values("train_loss"), [0.7, 0.5, 0.4])
    np.testing.assert_array_equal(curves.epochs.values("val_loss"), [0.6, math.nan, math.nan])
    assert curves.shown_metric == "auc"
    assert all(pane.isVisible() for pane in curves.panes)
    assert "epoch 3 of 50" in curves.accessibleDescription()
    assert curves.accessibleDescription().endswith("best epoch 2: ROC-AUC 0.800")


def test_a_resumed_run_voids_later_epochs(qtbot: QtBot) -> None:
    curves = live(qtbot)
    curves.set_curve(tuple(epoch(number, best=number == 5, auc=number / 10) for number in range(1, 7)))
    curves.append(epoch(4, auc=0.9))
    np.testing.assert_array_equal(curves.epochs.numbers, [1, 2, 3, 4])
    np.testing.assert_array_equal(curves.epochs.values("auc"), [0.1, 0.2, 0.3, 0.9])
    assert curves.epochs.best is None


def test_a_linear_probe_walks_a_penalty_path(qtbot: QtBot) -> None:
    curves = live(qtbot)
    curves.set_curve(
        tuple(epoch(k, best=k == 2, train_loss=1 / k, val_loss=0.5, auc=0.8, c=10.0**k) for k in (1, 2, 3))
    )
    assert curves.panes[2].y_name.text == "C (1/penalty)"
    assert curves.panes[2].x_name.text == "point of the penalty path"
    curves.pointer.point_at(curves.panes[0], 2.2, 0.5)
    assert curves.pointer.readout.reading.text == (
        "point 2: training loss 0.5; validation loss 0.5; ROC-AUC 0.800; C (1/penalty) 100"
    )


def test_one_epoch_of_knn_is_seen(qtbot: QtBot) -> None:
    curves = live(qtbot)
    curves.set_look("MAE", 1)
    curves.append(EpochFinished(0.0, 1, 1, {"val_loss": 0.4, "auc": 0.9}, 1.0, best=True))
    picture = curves.panes[1].grab().toImage()
    seen = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
    assert theme.current().series[1].lower() in seen


def test_keys_read_epoch_by_epoch_and_all_plots_move_together(qtbot: QtBot) -> None:
    curves = live(qtbot)
    curves.set_curve(sample.training())
    first = curves.panes[0]
    QTest.keyClick(first, Qt.Key.Key_Left)
    assert curves.pointer.readout.reading.heading == "epoch 40"
    QTest.keyClick(first, Qt.Key.Key_Left)
    assert first.accessibleDescription().startswith("epoch 39: training loss")
    QTest.keyClick(first, Qt.Key.Key_Plus)
    assert len({pane.shown()[0] for pane in curves.panes}) == 1
    kept = first.shown()
    curves.append(replace(sample.training()[-1], epoch=41))
    assert first.shown()[0] == pytest.approx(kept[0])
    QTest.keyClick(curves.panes[1], Qt.Key.Key_0)
    assert all(pane.is_home for pane in curves.panes)


def test_metric_can_be_chosen_and_losses_hidden(qtbot: QtBot) -> None:
    curves = live(qtbot)
    curves.set_curve(sample.training())
    choice = curves.findChild(QComboBox)
    assert choice is not None
    choice.setCurrentIndex(choice.findData("average_precision"))
    choice.activated.emit(choice.currentIndex())
    assert curves.panes[1].y_name.text == "average precision"
    before = curves.panes[0].shown()[1]
    QTest.mouseClick(curves.legend.switches[0], Qt.MouseButton.LeftButton)
    assert curves.panes[0].shown()[1] != before


def test_theme_switch_recolours(qtbot: QtBot, qapp: QApplication) -> None:
    curves = live(qtbot)
    curves.set_curve(sample.training())
    theme.apply(qapp, theme.load("light"))
    picture = curves.panes[0].grab().toImage()
    seen = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
    assert {theme.load("light").panel.lower(), theme.load("light").series[0].lower()} <= seen
    assert theme.load("dark").panel.lower() not in seen


def test_two_thousand_epochs_stay_quick_and_are_thinned(qtbot: QtBot) -> None:
    curves = live(qtbot)
    events = sample.training(2000)
    curves.set_curve(events[:1900])
    took = []
    for event in events[1900:]:
        begun = time.perf_counter()
        curves.append(event)
        took.append(time.perf_counter() - begun)
    assert sorted(took)[len(took) // 2] < 0.020  # 5 ms on a quiet computer
    assert len(curves.epochs) == 2000
    assert all(len(curve.drawn[0]) <= 800 for curve in curves.curves)


def test_thinned_curves_keep_their_peaks(qtbot: QtBot) -> None:
    curves = live(qtbot)
    values = np.full(5000, 0.5)
    values[3210] = 9.0
    curves.set_curve(tuple(epoch(k + 1, train_loss=float(value)) for k, value in enumerate(values)))
    x, y = curves.curves[0].drawn
    assert y.max() == 9.0
    assert x[y.argmax()] == 3211
