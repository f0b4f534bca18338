"""A run whose backbone has, or may have, seen a dataset in pretraining is warned of by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from medfm_gui.base.plugins import read_plugins
from medfm_gui.domain.cards import Overlap
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.run import FileRef, Phase, RunState, TrainSpec
from medfm_gui.workspace.pretraining import overlap, warnings
from medfm_gui.workspace.report_sections import models_section
from medfm_gui.workspace.training import RunView

CARD = read_plugins().card("efficientnet-lite0")


def _view(run: str, answer: Overlap, *, from_scratch: bool = False) -> RunView:
    file = FileRef("/a", "0" * 64)
    card = replace(CARD, overlaps={"aptos2019": answer})
    spec = TrainSpec(run, file, file, "/p", "/f", card, "linear", Recipe(), 0, "cpu", file, from_scratch)
    return RunView(run, spec, RunState(Phase.FINISHED), Path("/nowhere"))


def _dataset(layout: str = "aptos2019", name: str = "eyes") -> Dataset:
    samples = (Sample("s1", "1.png", (0,)), Sample("s2", "2.png", (1,)))
    return Dataset("d", name, layout, Task.BINARY, ("no", "yes"), "/x", samples, "f", positive="yes")


def test_each_answer_names_its_runs() -> None:
    views = (_view("r1", "yes"), _view("r2", "possible"), _view("r3", "no"), _view("r4", "unknown"))
    certain, maybe = warnings(views, _dataset())
    assert certain.startswith("The weights of r1 have seen images of APTOS 2019 in pretraining")
    assert maybe.startswith("The weights of r2 may have seen images of APTOS 2019")
    assert "counts as the best" in certain


def test_a_dataset_is_known_by_its_name_too_and_a_strange_one_is_unknown() -> None:
    view = _view("r1", "yes")
    assert overlap(view, _dataset("folder", "APTOS 2019 cleaned")) == "yes"
    assert overlap(view, _dataset("folder", "my eyes")) == "unknown"
    assert warnings((view,), _dataset("folder", "my eyes")) == ()


def test_random_weights_have_seen_nothing() -> None:
    assert overlap(_view("r1", "yes", from_scratch=True), _dataset()) == "no"


def test_the_report_says_it_in_the_table_and_in_words() -> None:
    section = models_section((_view("r1", "possible"),), _dataset())
    told = str(section)
    assert "Saw these images" in told
    assert "'possible'" in told
    assert "The weights of r1 may have seen images of APTOS 2019 in pretraining" in told
