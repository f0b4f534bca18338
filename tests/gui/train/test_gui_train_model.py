"""The plan behind the wizard: cells, requests, seeds, commands, words."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from PySide6.QtCore import QCoreApplication

from medfm_gui.desk.asks.train import Preflight, RunOrder
from medfm_gui.domain.cards import ADAPTATIONS
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.presets import PRESETS
from medfm_gui.domain.recipe import Recipe, recipe_from
from medfm_gui.ui.pages.train import recipes, rules, words
from medfm_gui.ui.pages.train.axes import seeds_of, shots_of, shots_text
from medfm_gui.ui.pages.train.costs import pairs_of
from medfm_gui.ui.pages.train.fields import FIELDS, GROUPS
from medfm_gui.ui.pages.train.fit import fit, known_dataset, overlap_words
from medfm_gui.ui.pages.train.model import PlanState, command, factors, obstacle, split_choices
from medfm_gui.ui.pages.train.sample import ANSWERS, DATASETS, SPLITS, models
from medfm_gui.ui.pages.train.ways import RUNGS, WAYS, Way
from medfm_gui.workspace.planning import Device
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


def test_masks_are_no_classes_to_train_on(state: PlanState) -> None:
    assert rules.missing(state, rules.At.DATA) == ""
    state.put(dataset=replace(DATASETS[0], task=Task.SEGMENTATION))
    assert rules.first_gap(state) == (rules.At.DATA, rules.missing(state, rules.At.DATA))
    assert "labels are masks" in rules.missing(state, rules.At.DATA)


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
            assert not recipes.mistake(field.key, usual)
    assert recipes.usual("full", "quick", "epochs") == "10"


@pytest.mark.parametrize(
    ("key", "text"),
    [("epochs", "0"), ("epochs", "1.5"), ("lr", "nan"), ("lr", "x"), ("batch_size", "1e9"), ("k", "-1")],
)
def test_what_the_recipe_refuses_is_a_mistake(key: str, text: str) -> None:
    assert FIELDS[key].title in recipes.mistake(key, text)


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


@pytest.mark.parametrize(
    ("text", "shots"),
    [
        ("all", (None,)), ("ALL, 4; 1 2", (1, 2, 4, None)), ("16,16", (16,)), ("", None), ("0", None), ("-1", None),
        ("1-4", None), ("few", None), ("10000000", None),
    ],
)  # fmt: skip
def test_shots_are_read(text: str, shots: tuple[int | None, ...] | None) -> None:
    assert shots_of(text) == shots
    if shots:
        assert shots_of(shots_text(shots)) == shots


def test_every_way_stands_on_one_rung() -> None:
    assert [way for rung in RUNGS for way in rung.ways] == list(WAYS)
    assert all(way.short and way.gist for way in WAYS)


def test_shots_multiply_runs_and_reach_requests_and_commands(state: PlanState) -> None:
    state.put(models=("dinov2-s", "mae-b"), ways=(KNN, LINEAR), seeds="0-4", shots="1, 4, all")
    assert state.n_runs == 2 * 2 * 3 * 5 * 5
    assert factors(state) == "2 models × 2 ways × 3 shots × 5 seeds × 5 folds = 300 runs"
    request = state.requests()[0]
    assert request.shots == (1, 4, None)
    parts = shlex.split(command(request, "/w"))
    assert parts[parts.index("--shots") + 1] == "1,4,all"
    assert [parts[at + 1] for at, part in enumerate(parts) if part == "--seed"] == ["0", "1", "2", "3", "4"]
    state.toggle_cell(("mae-b", KNN), False)
    assert factors(state).endswith("not all pairs: 225 runs")
    state.put(shots="some")
    assert state.requests() == ()
    assert "Shots are whole numbers" in rules.missing(state, rules.At.ADAPTATION)
    assert rules.first_gap(state) == (rules.At.ADAPTATION, rules.SHOTS_ARE)


def test_too_many_runs_are_refused_where_they_are_made(state: PlanState) -> None:
    state.put(models=("dinov2-s",), seeds="0-200")
    assert rules.missing(state, rules.At.ADAPTATION).startswith("These would be 1,005 runs")


def test_a_few_shot_order_becomes_a_plan(state: PlanState) -> None:
    settings = {"shot_tuning": "inner-cv", "aggregate": "mean", "workers": "2"}
    order = RunOrder("r1", "thorax-phantom", "s", "dinov2-s", "linear", False, 3, "cpu", "", settings, shots=1600)
    state.repeat(order, DATASETS[0])
    state.offer_splits([row for row in SPLITS if row.dataset == DATASETS[0].id])
    (request,) = state.requests()
    assert (request.shots, request.seeds, request.device) == ((1600,), (3,), "cpu")
    assert dict(request.settings) == settings


def test_what_is_chosen_for_all_ways_reaches_those_that_it_concerns(state: PlanState) -> None:
    state.put(models=("dinov2-s",), ways=(KNN, LINEAR, FULL))
    for key, text in (("optimizer", "sgd"), ("channels", "sum"), ("shot_tuning", "inner-cv")):
        state.set_setting("", key, text)
    knn, linear, full = (dict(request.settings) for request in state.requests())
    assert knn == {"channels": "sum"}
    assert linear == {"channels": "sum", "shot_tuning": "inner-cv"}
    assert full == {"optimizer": "sgd", "channels": "sum"}


def test_every_setting_has_its_place_and_its_words() -> None:
    from dataclasses import fields

    own = {key for card in ADAPTATIONS for key in card.settings}
    shared = [key for group in GROUPS for key in group.keys]
    assert len(shared) == len(set(shared))
    assert not own & set(shared)
    left = {item.name for item in fields(Recipe)} - own - set(shared)
    defects = {"backbone_gradient", "validation_drop_last"}  # of published code, which presets repeat
    assert left - {"unit_score"} == {*defects, "threshold_rule"}  # the last has a panel for itself
    assert own | set(shared) <= set(FIELDS)
    for key, field in FIELDS.items():
        for _, word in field.options:
            assert not recipes.mistake(key, word)


@pytest.mark.parametrize("preset", ["", *PRESETS])
def test_no_preset_is_in_the_way_of_itself(preset: str) -> None:
    for card in ADAPTATIONS:
        assert recipes.conflict(card.name, preset, {}, False) == ""


def test_two_stages_and_a_few_shots_do_not_go_together() -> None:
    two = {"protocol": "two-stage"}
    said = recipes.conflict("linear-grid", "study-b", {"": two}, True)
    assert said.startswith("Grid of linear heads: with a few shots there are no validation labels")
    assert recipes.conflict("linear-grid", "study-b", {"": two}, False) == ""
    assert recipes.conflict("linear-grid", "study-b", {}, True) == "", "the preset tunes few shots by themselves"
    assert recipes.conflict("linear-grid", "study-b", {"": {**two, "shot_tuning": "validation"}}, True) == ""


def test_a_preset_has_values_of_its_own_for_a_layout() -> None:
    assert recipes.usual("full", "study-a", "warmup_iterations") == "0"
    assert recipes.usual("full", "study-a", "warmup_iterations", "isic2019") == "1000"
    assert recipes.usuals(("knn", "full", "lora"), "study-b", "optimizer") == ("sgd",)


def test_an_input_size_is_rounded_and_said() -> None:
    cards = [model.card for model in models() if model.card.name in ("dinov2-s", "resnet50")]
    assert recipes.remark("input_size", "225", cards) == "DINOv2 S/14 will see 224 pixels"
    assert recipes.remark("input_size", "224", cards) == ""
    assert recipes.remark("input_size", "x", cards) == ""


def test_an_attention_head_needs_the_weights_of_its_blocks(state: PlanState) -> None:
    state.put(models=("dinov2-s",), ways=(Way("attention-head"),))
    state.put(rule="youden")
    assert "DeiT-B" in rules.missing(state, rules.At.RECIPE)
    state.set_setting("attention-head", "attention_init", "random")
    assert rules.missing(state, rules.At.RECIPE) == ""


def test_fit_is_an_estimate_until_it_is_measured(state: PlanState) -> None:
    by_name = {model.card.name: model.card for model in models()}
    assert fit(by_name["dinov2-s"], state).word == ""
    state.offer_devices([Device("cuda:0", "Small GPU", 4.0), Device("cpu", "CPU", 64.0)])
    assert fit(by_name["dinov2-s"], state).word == "fits"
    assert fit(by_name["dinov2-l"], state).word == "fits frozen"
    assert fit(by_name["dinov2-g"], state).word == "too large"
    assert "Estimate" in fit(by_name["dinov2-s"], state).sentence
    state.put(models=("dinov2-s",))
    state.take_cost(ANSWERS[Preflight](Preflight(state.requests())))
    assert fit(by_name["dinov2-s"], state).word == "fits, measured"
    state.put(device="cpu")
    assert fit(by_name["dinov2-g"], state).word == "fits"


def test_a_known_dataset_is_known_by_its_importer_or_its_name() -> None:
    from dataclasses import replace

    row = DATASETS[0]
    assert known_dataset(row) == ""
    assert known_dataset(replace(row, layout="chexpert")) == "chexpert"
    assert known_dataset(replace(row, layout="folder", name="CBIS DDSM, masses")) == "cbis-ddsm"
    assert known_dataset(replace(row, layout="csv", id="aptos-2019-2")) == "aptos2019"
    assert known_dataset(None) == ""
    assert {overlap: overlap_words(overlap)[1] for overlap in ("yes", "possible", "no", "unknown")} == {
        "yes": "bad", "possible": "warning", "no": "", "unknown": "muted",
    }  # fmt: skip


def test_costs_are_told_by_pair(state: PlanState) -> None:
    state.put(models=("dinov2-s",), ways=(LINEAR, FULL), seeds="0, 1", shots="1, all")
    cost = ANSWERS[Preflight](Preflight(state.requests()))
    probe, full = pairs_of(cost.runs)
    assert (len(probe.runs), len(full.runs)) == (20, 20)
    assert (probe.seconds or 0) + (full.seconds or 0) == pytest.approx(cost.seconds)
    assert probe.note == "features already there for 19 of 20 runs"
    assert probe.axes == "shots 1, all; seeds 0 and 1; folds 1, 2, 3, 4 and 5"
