"""A protocol: what is taken, what is refused by name, and what it makes of results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from medfm_gui.base import wire
from medfm_gui.base.plugins import read_plugins
from medfm_gui.base.settings import Settings
from medfm_gui.datasets.ingest import ImportOptions
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.domain.errors import InputError, MedfmError, NotFound, UsageError
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.protocol import LockedProtocol, Protocol, Role, Timing
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.run import FileRef, Phase, RunState, TrainSpec
from medfm_gui.workspace import data
from medfm_gui.workspace.journal import entries, note
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.protocol import every_protocol, is_intact, lock_protocol, locked_for
from medfm_gui.workspace.roles import NOTHING_PROMISED, Standing, names, protocol_section, standing
from medfm_gui.workspace.training import RunView
from medfm_gui.workspace.verifying import verify_journal
from tests.fixtures.hostile import class_folders

PAGE = {
    "question": "Which?",
    "population": "adults",
    "unit": "Patients",
    "reference standard": "biopsy",
    "primary-metric": "ROC AUC",
    "threshold_rule": "sensitivity:0.9",
    "n": 120,
}
CARD = read_plugins().card("efficientnet-lite0")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    source = class_folders(tmp_path / "images", {"a": 8, "b": 8})
    with open_workspace(tmp_path / "w", settings=Settings()) as room:
        data.import_dataset(room, "folder", source, ImportOptions(), name="d")
        data.make_split(room, "d", SplitRequest())
        yield room


def page(workspace: Workspace, **changes: object) -> Path:
    path = workspace.root.parent / "p.json"
    path.write_text(json.dumps({key: value for key, value in {**PAGE, **changes}.items() if value is not None}))
    return path


def a_run(workspace: Workspace, run: str = "r0001") -> RunView:
    """The folder of a run that was trained on the split."""
    dataset, (split,) = data.read(workspace, "d"), data.splits_of(workspace, "d-s1")
    spec = TrainSpec(
        run, FileRef("", ""), FileRef("", ""), "", "", CARD, "linear", Recipe(), 0, "cpu", None,
        dataset_id="d", dataset_fingerprint=dataset.fingerprint, split_id=split.id,
    )  # fmt: skip
    folder = workspace.root / "runs" / run
    folder.mkdir()
    (folder / "spec.json").write_bytes(wire.encode_spec(spec))
    return RunView(run, spec, RunState(Phase.FINISHED), folder)


def test_the_same_page_is_locked_once_whatever_its_form(workspace: Workspace) -> None:
    first = lock_protocol(workspace, page(workspace, margin=0.05, subgroups="sex, age"))
    toml = workspace.root.parent / "p.toml"
    toml.write_text(
        'question = "Which?"\npopulation = "adults"\nunit = "patient"\nreference_standard = "biopsy"\n'
        'primary_metric = "auc"\nthreshold_rule = "sensitivity:0.9"\nn = 120\nmargin = 0.05\n'
        'subgroups = ["sex", "age"]\ndataset = "d"\n'
    )
    again = lock_protocol(workspace, toml)
    assert first.is_new and not again.is_new and again.locked == first.locked
    assert first.locked.protocol.unit == "patient" and first.locked.protocol.primary_metric == "auc"
    assert first.locked.protocol.dataset == "d", "the only dataset there is"
    (kept,) = every_protocol(workspace)
    assert is_intact(kept) and kept.timing is Timing.BEFORE
    assert [entry.subject for entry in entries(workspace.root) if entry.what == "protocol locked"] == [kept.id]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"question": None, "n": None}, "missing: question, n"),
        ({"colour": "red"}, "unknown: colour"),
        ({"unit": "pixel"}, "“pixel” is no unit"),
        ({"primary-metric": "luck"}, "no metric “luck”"),
        ({"n": 0}, "no number of units"),
        ({"n": "many"}, "no number of units"),
        ({"margin": 3}, "no margin"),
        ({"subgroups": 7}, "no list"),
        ({"primary_comparison": ["a", "b", "c"]}, "two sides"),
        ({"question": ["?"]}, "not a text"),
        ({"dataset": "nowhere"}, "no dataset “nowhere”"),
        ({"split": "nowhere"}, "no split “nowhere”"),
    ],
)
def test_what_cannot_be_locked_is_named(workspace: Workspace, changes: dict[str, object], words: str) -> None:
    with pytest.raises(MedfmError, match=words) as caught:
        lock_protocol(workspace, page(workspace, **changes))
    assert isinstance(caught.value, UsageError | NotFound) and caught.value.hint
    assert every_protocol(workspace) == []


@pytest.mark.parametrize("raw", [b"", b"{", b"question", b"\xff\xfe", b"[1]", b"{" * 5000, b"x" * (2 << 20)])
def test_what_is_no_page_gets_a_sentence(workspace: Workspace, raw: bytes) -> None:
    path = workspace.root.parent / "bad.toml"
    path.write_bytes(raw)
    with pytest.raises((InputError, UsageError)):
        lock_protocol(workspace, path)
    with pytest.raises(InputError, match="cannot be read"):
        lock_protocol(workspace, workspace.root)


def test_a_look_before_makes_it_late(workspace: Workspace) -> None:
    view = a_run(workspace)
    note(workspace, "test opened", view.id, reason="curious")
    made = lock_protocol(workspace, page(workspace, split="d-s1"))
    assert made.locked.timing is Timing.AFTER and made.locked.opened_by == ("r0001",)
    assert "Locked after opening: exploratory" in made.sentence
    found = standing(workspace, [view])
    assert not found.is_binding and "locked after opening" in found.objection
    assert found.role(row()) is Role.EXPLORATORY


def test_the_last_page_before_the_look_counts(workspace: Workspace) -> None:
    lock_protocol(workspace, page(workspace))
    replacing = lock_protocol(workspace, page(workspace, n=130))
    second = replacing.locked
    assert any("the last before the opening counts" in remark for remark in replacing.remarks)
    view = a_run(workspace)
    note(workspace, "test opened", view.id, reason="now")
    lock_protocol(workspace, page(workspace, n=140))
    found = locked_for(workspace, "d", "d-s1")
    assert found is not None and found.timing is Timing.BEFORE
    before = [one for one in every_protocol(workspace) if one.timing is Timing.BEFORE]
    assert found == before[-1] and second in before
    found_now = standing(workspace, [view])
    assert found_now.is_binding
    unit, rule, several = found_now.departures
    assert sum(one.id in several for one in every_protocol(workspace)) == 2 and found.id not in several
    assert "evaluated by image, and the protocol says patient" in unit and "not by sensitivity:0.9" in rule
    assert unit in str(protocol_section(found_now))
    edited = replace(view, spec=replace(view.spec, dataset_fingerprint="other"))
    assert "changed after the protocol" in standing(workspace, [edited]).objection


def test_a_page_that_was_edited_later_counts_for_nothing(workspace: Workspace) -> None:
    made = lock_protocol(workspace, page(workspace)).locked
    path = workspace.root / "protocols" / f"{made.id}.json"
    path.write_text(path.read_text().replace("auc", "brier"))
    assert locked_for(workspace, "d", "d-s1") is None
    (found,) = verify_journal(workspace).differences
    assert (found.where, found.kind) == (f"protocols/{made.id}.json", "changed")
    assert standing(workspace, [a_run(workspace)]) == NOTHING_PROMISED


def row(metric: str = "auc", unit: str = "patient", label: str = "") -> Evaluation:
    return Evaluation("r1", "test", metric, 0.8, 0.7, 0.9, "delong", unit, 9, None, None, "s", label=label)


def locked(**changes: object) -> LockedProtocol:
    made = Protocol("?", "adults", "patient", "biopsy", "auc", "youden", 100, "d", ("knn", "r0001"), 0.05)
    return LockedProtocol("protocol-1", replace(made, **changes), "s", "2026", "f")  # type: ignore[arg-type]


def view(run: str, adapt: str) -> RunView:
    file = FileRef("", "")
    spec = TrainSpec(run, file, file, "", "", CARD, adapt, Recipe(), 0, "cpu", file)
    return RunView(run, spec, RunState(Phase.FINISHED), Path("/nowhere"))


def test_only_what_was_promised_is_primary() -> None:
    found = Standing(locked())
    assert found.role(row()) is Role.PRIMARY
    others = (row("brier"), row(unit="image"), row(label="a"), replace(row(), parameters={"failures": "as errors"}))
    assert {found.role(other) for other in others} == {Role.EXPLORATORY}
    views = (view("r0001", "linear"), view("r0002", "knn"), view("r0003", "lora"))
    pair = Comparison("r0002", "r0001", "auc", -0.1, -0.2, 0.0, "delong", 0.1, None, 9)
    assert found.role_of_pair(pair, views) is Role.PRIMARY and found.side_first(pair, views) == "r0002"
    assert found.side_first(replace(pair, a="r0001", b="r0002"), views) == "r0002"
    assert found.role_of_pair(replace(pair, a="r0003"), views) is Role.EXPLORATORY
    assert found.role_of_pair(replace(pair, metric="sensitivity"), views) is Role.EXPLORATORY
    assert Standing(locked(), "late").role(row()) is Role.EXPLORATORY and NOTHING_PROMISED.margin is None


@pytest.mark.parametrize(
    ("side", "is_named"),
    [
        ("knn", True),
        ("efficientnet-lite0 knn", True),
        ("EfficientNet-Lite0 with knn", True),
        ("r0002", True),
        ("the knn run", True),
        ("r0001", False),
        ("linear", False),
        ("dinov2-s knn", False),
        ("the", False),
        ("linear-grid", False),
    ],
)
def test_sides_are_named_in_words(side: str, is_named: bool) -> None:
    assert names(side, view("r0002", "knn")) is is_named


def test_the_report_says_what_was_fixed_and_when() -> None:
    told = str(protocol_section(Standing(locked())))
    assert "before the test was opened" in told and "0.05" in told and "ROC-AUC" in told
    assert "No protocol was locked" in str(protocol_section(NOTHING_PROMISED))
    assert "too late" in str(protocol_section(Standing(locked(), "too late")))


def test_what_does_not_fit_the_data_is_said_and_locked_all_the_same(workspace: Workspace) -> None:
    made = lock_protocol(workspace, page(workspace, unit="image", subgroups=["sexx"], n=26))
    assert made.is_new and len(made.remarks) == 2
    assert "“sexx”" in made.remarks[0] and "plans 26 images" in made.remarks[1]
    (split,) = data.splits_of(workspace, "d-s1")
    fits = lock_protocol(workspace, page(workspace, unit="image", n=split.sizes["test"]))
    (earlier,) = fits.remarks
    assert earlier.startswith(made.locked.id), "the data fit; that there was another page is said"


def test_a_look_as_an_external_test_makes_it_late_too(workspace: Workspace) -> None:
    note(workspace, "external test opened", "r0042", dataset="d", sample_set="x")
    note(workspace, "external test opened", "r0043", dataset="gone", sample_set="y")
    made = lock_protocol(workspace, page(workspace)).locked
    assert made.timing is Timing.AFTER and made.opened_by == ("r0042",)
