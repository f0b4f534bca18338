"""The ladder's charts: one point a run, lines up the rungs, draws apart from intervals, nothing that is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from medfm_gui.domain.ladder import Cost, Ladder, Rung
from medfm_gui.domain.run import EXTERNAL
from medfm_gui.metrics.ladder import charts, label_chart, ladder_chart, rung_of

PARAMETERS = {"knn": 0, "linear": 1538, "lora": 300_000, "full": 22_000_000}


def rung(run: str = "r0001", adapt: str = "linear", value: float | None = 0.8, **more: Any) -> Rung:
    plain = Rung(
        run=run,
        name=f"{run} Tiny · {adapt}",
        model="tiny",
        model_title="Tiny",
        family="MAE",
        adapt=adapt,
        shots=None,
        seed=0,
        fold=None,
        from_scratch=False,
        settings=adapt,
        parameters=PARAMETERS[adapt],
        minutes=1.5,
        labels=900,
        memory_bytes=1_000_000,
        subset="test",
        metric="auc",
        value=value,
        low=None if value is None else value - 0.1,
        high=None if value is None else value + 0.05,
        method="delong-logit",
    )
    return replace(plain, **more)


def ladder(*rungs: Rung) -> Ladder:
    return Ladder(rungs, "auc", "test", "On the opened test.")


def test_one_point_a_run_with_its_interval() -> None:
    chart = ladder_chart(ladder(rung("r0001", "full"), rung("r0002", "knn", 0.7)), Cost.PARAMETERS)
    assert chart.x_log and chart.x_label == "trained parameters" and chart.y_label == "ROC-AUC"
    assert [(one.name, one.x, one.y) for one in chart.series] == [
        ("r0001 Tiny · full", (22_000_000.0,), (0.8,)),
        ("r0002 Tiny · knn", (0.0,), (0.7,)),
    ]
    assert chart.series[0].low == (0.8 - 0.1,) and chart.series[0].family == "MAE"
    assert "On the opened test." in chart.note and "DeLong" in chart.note


def test_lines_go_up_the_rungs_of_one_model() -> None:
    rungs = [
        rung("r0001", "full", 0.9),
        rung("r0002", "knn", 0.7),
        rung("r0003", "lora", 0.85),
        rung("r0004", "linear", 0.6, model="other", model_title="Other"),
        rung("r0005", "linear", 0.5, shots=4),
    ]
    (link,) = ladder_chart(ladder(*rungs), Cost.PARAMETERS).links
    assert link.name == "Tiny" and link.x == (0.0, 300_000.0, 22_000_000.0) and link.y == (0.7, 0.85, 0.9)
    assert rung_of("knn") < rung_of("linear") < rung_of("lora") < rung_of("full") < rung_of("unheard of")


def test_what_is_not_known_is_named_and_not_drawn() -> None:
    rungs = ladder(rung("r0001", labels=0), rung("r0002", labels=30), rung("r0003", value=None))
    chart = ladder_chart(rungs, Cost.LABELS)
    assert [one.x for one in chart.series] == [(30.0,)]
    assert "not known of them: r0001, r0003" in chart.note
    many = ladder(*(rung(f"r{place:04d}", minutes=0.0) for place in range(9)))
    assert "and 3 more" in ladder_chart(many, Cost.MINUTES).note
    assert charts(many) == (), "what costs the same is no ladder"
    drawn = charts(ladder(rung("r0001"), rung("r0002", "full"), rung("r0003", shots=2, labels=4)))
    assert [chart.id for chart in drawn] == ["ladder-parameters", "ladder-labels", "label-efficiency"]


def test_validation_numbers_name_no_interval() -> None:
    bare = replace(rung(), low=None, high=None, method="", subset="val")
    chart = ladder_chart(ladder(bare, replace(bare, run="r0002")), Cost.MINUTES)
    assert "Intervals" not in chart.note and chart.series[0].low == ()
    assert "side by side" in chart.note and "no time" in chart.note


def test_label_efficiency_tells_draws_and_patients_apart() -> None:
    rungs = [
        rung("r0001", "knn", 0.60, shots=1, labels=2, seed=0),
        rung("r0002", "knn", 0.70, shots=1, labels=2, seed=1),
        rung("r0003", "knn", 0.80, shots=4, labels=8, seed=0),
        rung("r0004", "knn", 0.90),
        rung("r0005", "full", 0.95),
    ]
    chart = label_chart(ladder(*rungs))
    assert chart is not None
    (curve,) = chart.series
    assert curve.name == "Tiny · knn" and curve.x == (2.0, 8.0, 900.0), "a way with one number of shots is no curve"
    assert [round(y, 6) for y in curve.y] == [0.65, 0.8, 0.9]
    assert curve.spread_low[0] == 0.60 and curve.spread_high[0] == 0.70
    assert round(curve.low[0], 6) == 0.55 and round(curve.high[0], 6) == 0.70
    assert chart.x_ticks == ((2.0, "2 (1)"), (8.0, "8 (4)"), (900.0, "900 (all)"))
    assert "mean of 1 to 2 draws" in chart.note


def test_without_two_numbers_of_shots_there_is_no_curve() -> None:
    assert label_chart(ladder(rung("r0001"), rung("r0002", seed=1))) is None
    assert label_chart(ladder(rung("r0001", shots=1, labels=2), rung("r0002", "full"))) is None


def test_runs_of_other_settings_are_no_draws() -> None:
    pairs = [
        rung(f"r000{2 * place + at}", "lora", 0.7, shots=shots, labels=8 * (shots or 50), settings=name)
        for place, name in enumerate(("rank 4", "rank 8"))
        for at, shots in enumerate((1, None))
    ]
    chart = label_chart(ladder(*pairs))
    assert chart is not None
    assert [one.name for one in chart.series] == ["Tiny · lora", "Tiny · lora, settings 2"]
    assert chart.series[0].spread_low == () and "single draw" in chart.note


def test_what_another_system_cost_is_not_known() -> None:
    other = replace(rung("r0009"), adapt=EXTERNAL, parameters=0, minutes=0.0, labels=0)
    assert (
        other.cost(Cost.PARAMETERS) is None and replace(rung(), adapt="knn", parameters=0).cost(Cost.PARAMETERS) == 0.0
    )
    chart = ladder_chart(ladder(rung(), rung("r0002"), other), Cost.PARAMETERS)
    assert chart is not None and "Not shown, for it is not known of them: r0009." in chart.note
    assert not any(series.name.startswith("r0009") for series in chart.series)
