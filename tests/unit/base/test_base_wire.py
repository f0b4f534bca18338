"""Every event and every order survives the wire, and what is broken is refused by name."""

from __future__ import annotations

import dataclasses
import typing
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.base import wire
from medfm_gui.base.plugins import read_plugins
from medfm_gui.domain import events as ev
from medfm_gui.domain import run
from medfm_gui.domain.errors import InputError, NotFound, UsageError
from medfm_gui.domain.explain import Box, Neighbour
from medfm_gui.domain.recipe import Recipe, recipe_from
from medfm_gui.domain.similar import SimilarCase

_SIMILAR = SimilarCase("s1", ("ill",), 0.12)


def _filled(kind: type[ev.Event]) -> ev.Event:
    """An event with a value in each field."""
    samples: dict[object, Any] = {float: 1.5, int: 2, str: "x", bool: True, float | None: None}
    values: dict[str, Any] = {}
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        if field.name == "event":
            continue
        hint = hints[field.name]
        values[field.name] = samples.get(hint, {"a": "1"} if "str, str" in str(hint) else None)
        if "float" in str(hint) and "Mapping" in str(hint):
            values[field.name] = {"a": 0.5}
        if "tuple" in str(hint):
            known = {tuple[Neighbour, ...]: Neighbour("s1", ("ill",), 0.9, 0.5), tuple[SimilarCase, ...]: _SIMILAR}
            values[field.name] = (known[hint],) if hint in known else (0.25, 0.75)
    return kind(**values)


@pytest.mark.parametrize("kind", typing.get_args(ev.Event), ids=lambda kind: kind.__name__)
def test_an_event_comes_back(kind: type[ev.Event]) -> None:
    event = _filled(kind)
    line = wire.encode_event(event)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert wire.decode_event(line) == event


def test_what_is_not_finite_is_null() -> None:
    line = wire.encode_event(ev.EpochFinished(0.0, 1, 2, {"val_loss": float("nan"), "lr": float("inf")}))
    assert b"null" in line and b"NaN" not in line


@pytest.mark.parametrize("line", [b"", b"{", b'{"event": "Nothing"}', b'{"event": "Beat"}', b"[]"])
def test_a_torn_line_is_no_event(line: bytes) -> None:
    with pytest.raises(ValueError):
        wire.decode_event(line)


def test_an_order_comes_back_by_its_kind() -> None:
    card = read_plugins().card("efficientnet-lite0")
    file = run.FileRef("/a", "0" * 64)
    orders: list[run.Spec] = [
        run.TrainSpec("r1", file, file, "/p", "/f", card, "linear", Recipe(), 3, "cpu", file),
        run.PredictSpec("/r", "test", "/o"),
        run.StudySpec(("/r",), (run.StudyImage("a", "b"),), "/o"),
        run.WeightsSpec(card, "/o"),
        run.CheckMapsSpec("/r", "/o", boxes=(Box("s1", 0.0, 0.0, 0.5, 0.5),)),
        run.ProbeSpec(),
    ]
    for order in orders:
        assert wire.decode_spec(wire.encode_spec(order)) == order


def test_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        wire.read(Recipe, tmp_path / "none.json")
    (tmp_path / "bad.json").write_text('{"epochs": "many"}')
    with pytest.raises(InputError, match=r"bad\.json"):
        wire.read(Recipe, tmp_path / "bad.json")
    with pytest.raises(InputError):
        wire.decode_spec(b'{"kind": "nothing"}')


@pytest.mark.parametrize(
    "settings",
    [
        {"epoch": "3"},
        {"epochs": "three"},
        {"epochs": "0"},
        {"amp": "perhaps"},
        {"unit": "organ"},
        {"threshold_rule": "best"},
        {"threshold_rule": "sensitivity:2"},
        {"input_size": "3"},
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        recipe_from("linear", settings)


def test_settings_become_a_recipe() -> None:
    recipe = recipe_from("full", {"epochs": "3", "amp": "no", "lr": "1e-3", "threshold_rule": "sensitivity:0.9"})
    assert (recipe.epochs, recipe.amp, recipe.lr, recipe.threshold_rule) == (3, False, 1e-3, "sensitivity:0.9")
    with pytest.raises(UsageError):
        recipe_from("magic", {})
