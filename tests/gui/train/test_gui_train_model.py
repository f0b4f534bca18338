"""The plan behind the wizard: cells, requests, seeds, commands, words."""

from __future__ import annotations

import shlex

import pytest
from PySide6.QtCore import QCoreApplication

from medfm_gui.desk.asks.train import RunOrder
from medfm_gui.domain.cards import ADAPTATIONS
from medfm_gui.domain.recipe import recipe_from
from medfm_gui.ui.pages.train import recipes, rules, words
from medfm_gui.ui.pages.train.model import WAYS, PlanState, Way, command, obstacle, seeds_of, split_choices
from medfm_gui.ui.pages.train.sample import DATASETS, SPLITS, models
from medfm_gui.workspace.training import TrainRequest

KNN, LINEAR, FULL, SCRATCH = Way("knn"), Way("linear"), Way("full"), Way("full", from_scratch=True)


@pytest.fixture
def state(qapp: QCoreApplication) -> PlanState:
    state = PlanState()
    state.offer_models(models())
    state.put(dataset=DATASETS[0])
    state.offer_splits([row for row in SPLITS if row.dataset == DATASETS[0].id])
    return state


def test_only_ways_that_mean_something_start_from_scratch() -> None:
    assert [way.adapt for way in WAYS if not way.from_scratch] == [card.name for card in ADAPTATIONS]
    assert [way.adapt for way in WAYS if way.from_scratch] == ["full"]


def test_folds_are_one_choice_and_the_newest_comes_first(state: PlanState) -> None:
    assert [(choice.id, choice.folds) for choice in state.splits] == [
        ("thorax-phantom-s2", 5),
        ("thorax-phantom-s1", 1),
    ]
    assert state.splits[0].rule.startswith("5 folds by patient")
    assert split_choices(()) == ()


def test_runs_are_pairs_times_seeds_times_folds(state: PlanState) -> None:
    state.put(models=("dinov2-s", "mae-b", "dinov2-l"), ways=(LINEAR, FULL), seeds="0-2")
    assert len(state.cells()) == 4  # the third has no weights here
    assert state.n_runs == 4 * 3 * 5
    state.toggle_cell(("mae-b", FULL), False)
    assert state.n_runs == 3 * 3 * 5
    first, second = state.requests()
    assert (first.models, second.models) == (("dinov2-s", "mae-b"), ("dinov2-s",))
    assert (first.adapts, first.split, first.seeds) == (("linear",), "thorax-phantom-s2", (0, 1, 2))


def test_one_pair_brings_its_way_for_itself_alone(state: PlanState) -> None:
    state.put(models=("dinov2-s", "mae-b"))
    state.toggle_cell(("mae-b", KNN), True)
    assert set(state.cells()) == {("dinov2-s", LINEAR), ("mae-b", LINEAR), ("mae-b", KNN)}
    state.toggle_cell(("mae-b", KNN), False)
    assert state.plan.ways == (LINEAR,)
    state.toggle_way(KNN, True)
    assert len(state.cells()) == 4


def test_another_dataset_takes_its_split_back(state: PlanState) -> None:
    assert rules.first_gap(state) == (rules.At.MODELS, "Choose at least one model.")
    state.put(dataset=DATASETS[2])
    assert state.requests() == ()
    assert rules.first_gap(state) == (rules.At.SPLIT, "Choose a split, or make one.")


def test_a_split_of_older_data_is_refused(state: PlanState) -> None:
    import dataclasses

    state.put(dataset=dataclasses.replace(DATASETS[0], fingerprint="other"), split=state.plan.split)
    assert "earlier import" in rules.missing(state, rules.At.SPLIT)


def test_settings_reach_only_their_adaptation(state: PlanState) -> None:
    state.put(models=("dinov2-s",), ways=(KNN, FULL))
    state.set_setting("full", "epochs", " 5 ")
    state.set_setting("", "unit", "patient")
    state.set_setting("knn", "k", "9")
    state.set_setting("knn", "k", "")
    knn, full = state.requests()
    assert dict(knn.settings) == {"unit": "patient"}
    assert dict(full.settings) == {"unit": "patient", "epochs": "5"}


def test_an_earlier_order_becomes_a_plan(state: PlanState) -> None:
    order = RunOrder(
        "r1", "thorax-phantom", "s", "mae-b", "full", True, 9, "cuda:0", "quick", {"lr": "1", "unit": "image"}
    )
    state.repeat(order, DATASETS[0])
    assert state.plan.ways == (SCRATCH,)
    assert state.plan.settings == {"": {"unit": "image"}, "full": {"lr": "1"}}
    assert (state.plan.preset, state.plan.seeds, state.plan.device) == ("quick", "9", "cuda:0")


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("0", (0,)), ("0,1 2;3", (0, 1, 2, 3)), ("2-4, 3", (2, 3, 4)), ("", None), ("a", None), ("4-2", None),
        ("-1", None), ("4294967296", None), ("0-4294967295", None), ("٣", (3,)),
    ],
)  # fmt: skip
def test_seeds_are_read(text: str, seeds: tuple[int, ...] | None) -> None:
    assert seeds_of(text) == seeds


def test_defaults_are_those_of_the_recipe() -> None:
    for adapt in ("knn", "linear", "full"):
        for field in recipes.fields_of(adapt):
            usual = recipes.usual(adapt, "", field.key)
            if usual:
                assert getattr(recipe_from(adapt, {field.key: usual}), field.key) == getattr(
                    recipe_from(adapt, {}), field.key
                )
            assert not recipes.mistake(adapt, field.key, usual)
    assert recipes.usual("full", "quick", "epochs") == "10"


@pytest.mark.parametrize(
    ("key", "text"),
    [("epochs", "0"), ("epochs", "1.5"), ("lr", "nan"), ("lr", "x"), ("batch_size", "1e9"), ("k", "-1")],
)
def test_what_the_recipe_refuses_is_a_mistake(key: str, text: str) -> None:
    assert recipes.FIELDS[key].title in recipes.mistake("full", key, text)


def test_an_obstacle_has_a_reason() -> None:
    by_name = {model.card.name: model for model in models()}
    assert obstacle(by_name["dinov2-s"], FULL) == ""
    assert "weights" in obstacle(by_name["dinov2-g"], LINEAR)
    assert obstacle(by_name["dinov2-g"], SCRATCH) == ""
    assert "not offered" in obstacle(by_name["dinov2-s"], Way("segmentation"))


def test_a_command_is_one_that_a_shell_takes_apart_again() -> None:
    request = TrainRequest(
        "d", ("m",), ("full",), split="s", settings={"a": "x y'z"}, device="cuda:1", from_scratch=True
    )
    parts = shlex.split(command(request, "/a b"))
    assert parts[:2] == ["medfm", "train"]
    assert parts[parts.index("--set") + 1] == "a=x y'z"
    assert parts[-1] == "/a b"
    assert "--from-scratch" in parts


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "under 1 s"), (8.26, "about 8.3 s"), (42.4, "about 42 s"), (2040, "about 34 min"), (9000, "about 2.5 h"),
     (400_000, "about 4.6 days")],
)  # fmt: skip
def test_durations_have_two_digits(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


def test_sizes_and_lists() -> None:
    assert [words.size(value) for value in (0, 999, 1000, 9.2e9, 532_614_208)] == ["0 bytes", "999 bytes", "1.0 kB",
                                                                                   "9.2 GB", "533 MB"]  # fmt: skip
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.listed(["a", "b", "c", "d"]) == "a, b, c and 1 more"
    assert words.millions(86.58e6) == "86.6 M"
