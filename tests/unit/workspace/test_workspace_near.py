"""The look for near-duplicates, kept beside the dataset; certificates, tables, nested folds; what is flagged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from typer.testing import CliRunner

from medfm_gui.cli.app import app
from medfm_gui.datasets import near_duplicates
from medfm_gui.datasets.ingest import ImportOptions
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.domain.errors import InputError, Interrupted, UsageError
from medfm_gui.domain.split import LeakKind
from medfm_gui.workspace import cohort, data, evaluating, near, report_sections, training
from medfm_gui.workspace.cohort import SplitWish
from medfm_gui.workspace.place import Workspace, open_workspace

IMAGES = 12


def texture(seed: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(size=(150, 140))
    found = sum(gaussian_filter(noise, width) * width**1.3 for width in (2, 5, 12, 30))
    return np.asarray((found - found.min()) / np.ptp(found) * 200 + 20, dtype=np.uint8)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Twelve images of twelve patients at three sites, and a mirrored copy of each of the first three."""
    source = tmp_path_factory.mktemp("source")
    rows = ["file,patient_id,finding,site,year"]
    for number in range(IMAGES + 3):
        picture = texture(number) if number < IMAGES else texture(number - IMAGES)[:, ::-1]
        Image.fromarray(np.ascontiguousarray(picture)).save(source / f"{number:02d}.png")
        rows.append(f"{number:02d}.png,P{number},{'ab'[number % 2]},{'xyz'[number % 3]},{2000 + number}")
    (source / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with open_workspace(tmp_path_factory.mktemp("w") / "w") as room:
        data.import_dataset(room, "csv", source / "labels.csv", ImportOptions(labels=("finding",)), name="chest")
        yield room


def test_near_duplicates_are_kept_beside_the_dataset_and_named_in_the_certificate(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []
    made = data.make_split(
        workspace, "chest", SplitRequest(), on_progress=lambda done, total: told.append((done, total))
    )
    assert told[-1] == (2 * (IMAGES + 3),) * 2
    file = json.loads((workspace.dataset("chest") / near.FILE).read_text())
    assert [pair[:2] for pair in file["pairs"]] == [
        ["s000001", "s000013"],
        ["s000002", "s000014"],
        ["s000003", "s000015"],
    ]
    monkeypatch.setattr(near_duplicates, "find_near_duplicates", lambda *_, **__: pytest.fail("looked again"))
    again = data.make_split(workspace, "chest", SplitRequest())
    assert again.splits[0].certificate == made.splits[0].certificate
    (split,) = data.splits_of(workspace, made.id)
    side = {item.sample: item.partition.value for item in split.assignments}
    apart = [pair for pair in file["pairs"] if side[pair[0]] != side[pair[1]]]
    assert split.certificate is not None
    assert split.certificate.checks[-1].compared == IMAGES + 3
    assert len(split.certificate.suspects) == len(apart)
    facts = cohort.split_facts(workspace, "chest", made.id)
    assert facts.certificate == split.certificate
    assert len(facts.suspects) == len(apart)
    plan = cohort.plan_split(workspace, "chest", SplitWish())
    assert plan.n_suspects == len(apart)
    assert plan.near == ""


def test_a_look_may_be_left_out_or_stopped(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace.dataset("chest") / near.FILE).unlink(missing_ok=True)
    before = sorted((workspace.root / "splits").iterdir())

    def stop(done: int, total: int) -> None:
        raise Interrupted("It was cancelled.", "Start it again.")

    with pytest.raises(Interrupted):
        data.make_split(workspace, "chest", SplitRequest(), on_progress=stop)
    assert sorted((workspace.root / "splits").iterdir()) == before
    assert cohort.plan_split(workspace, "chest", SplitWish()).near == near.NOT_YET
    (split,) = data.make_split(workspace, "chest", SplitRequest(), look=False).splits
    assert split.certificate is not None
    assert split.certificate.checks[-1].reason == "It was not asked for."
    dataset = data.read(workspace, "chest")
    monkeypatch.setattr(near, "MOST_IMAGES", 10)
    assert "more than 10 images" in near.near_duplicates(workspace, dataset).reason
    (workspace.dataset("chest") / near.FILE).write_text("{")
    assert near.near_duplicates(workspace, dataset, always=True).found is not None


def test_a_damaged_or_lost_cache_gives_a_reason(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = data.read(workspace, "chest")
    (workspace.dataset("chest") / near.FILE).unlink(missing_ok=True)
    pixels = workspace.dataset("chest") / "pixels"
    away = pixels.with_name("away")
    pixels.rename(away)
    try:
        found = near.near_duplicates(workspace, dataset)
    finally:
        away.rename(pixels)
    assert found.found is None
    assert found.reason.startswith("The pixels are not at hand.")


def test_nested_folds_are_kept_and_the_newest_split_is_the_outer_one(workspace: Workspace) -> None:
    made = data.make_split(workspace, "chest", SplitRequest(folds=3, nested=True), look=False)
    assert [split.fold for split in made.splits] == [1, 2, 3]
    assert len(made.inner) == 9
    assert len(data.splits_of(workspace, made.id)) == 3
    assert len(data.splits_of(workspace, f"{made.splits[0].id}-inner")) == 3
    assert data.newest_split(workspace, "chest") == made.id
    with pytest.raises(UsageError, match="3 folds"):
        data.export_split(workspace, made.id, workspace.root / "x.csv")


def test_quality_offers_sites_times_and_no_rule_of_another_layout(workspace: Workspace) -> None:
    found = cohort.quality(workspace, "chest")
    assert found.sites == ("site",)
    assert found.times == ("year",)
    assert found.presets == ()
    for wish in (SplitWish(leave_out="site"), SplitWish(in_time="year", ratios="60/20/20")):
        assert cohort.plan_split(workspace, "chest", wish).folds


def invoke(workspace: Workspace, *arguments: str) -> Any:
    done = CliRunner().invoke(app, [*arguments, "--json", "--workspace", str(workspace.root)])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_command_line_writes_a_split_and_reads_it_back(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "split.csv"
    made = invoke(workspace, "split", "chest", "--by", "image", "--out", str(file), "--no-near-duplicates")
    assert made["file"] == str(file)
    assert len(made["certificate"]) == 64
    assert made["certificate"] != made["fingerprint"]
    assert [look["kind"] for look in made["checks"]] == [kind.value for kind in
        (LeakKind.PATIENT, LeakKind.GROUP, LeakKind.PIXELS, LeakKind.NEAR)]  # fmt: skip
    again = invoke(workspace, "split", "chest", "--file", str(file), "--no-near-duplicates")
    assert again["fingerprint"] == made["fingerprint"]
    only = invoke(workspace, "split", made["split"], "--out", str(tmp_path / "again.csv"))
    assert (tmp_path / "again.csv").read_bytes() == file.read_bytes()
    assert only["split"] == made["split"]
    sites = invoke(workspace, "split", "chest", "--leave-out", "site", "--out", str(file), "--no-near-duplicates")
    assert [Path(name).name for name in sites["files"]] == ["split-f1.csv", "split-f2.csv", "split-f3.csv"]
    nested = invoke(workspace, "split", "chest", "--folds", "2", "--nested", "--no-near-duplicates")
    assert len(nested["inner"]) == 4
    timed = invoke(workspace, "split", "chest", "--by-time", "year", "--no-near-duplicates")
    assert "earliest first" in timed["rule"]


def test_leaks_are_moved_from_the_command_line(workspace: Workspace, tmp_path: Path) -> None:
    rows = ["sample,partition", *(f"s{n:06d},{'test' if n > 12 else 'train'}" for n in range(1, 16))]
    file = tmp_path / "sides.csv"
    file.write_text("\n".join(rows) + "\n")
    found = invoke(workspace, "split", "chest", "--file", str(file))
    assert {(leak["a"], leak["b"]) for leak in found["suspects"]} == {
        ("s000001", "s000013"),
        ("s000002", "s000014"),
        ("s000003", "s000015"),
    }
    assert found["leaks"] == []


def printed(workspace: Workspace, *arguments: str) -> list[str]:
    done = CliRunner().invoke(app, [*arguments, "--quiet", "--workspace", str(workspace.root)])
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def test_near_duplicates_are_dropped_or_moved_from_the_command_line(workspace: Workspace, tmp_path: Path) -> None:
    rows = ["sample,partition", *(f"s{n:06d},{'test' if n > 10 else 'train'}" for n in range(1, 16))]
    file = tmp_path / "sides.csv"
    file.write_text("\n".join(rows) + "\n")
    flagged = printed(workspace, "split", "chest", "--file", str(file))
    (look,) = (line for line in flagged if line.startswith("near-duplicate:"))
    assert look.startswith("near-duplicate: 3 found among 15 images; --drop-near takes them out")
    dropped = invoke(workspace, "split", "chest", "--file", str(file), "--drop-near")
    assert dropped["dropped"] == ["s000001", "s000002", "s000003"] and dropped["suspects"] == []
    moved = invoke(workspace, "split", "chest", "--file", str(file), "--move-near")
    assert moved["sizes"]["test"] == 8 and moved["suspects"] == [] and moved["dropped"] == []
    assert len({dropped["fingerprint"], moved["fingerprint"]}) == 2
    plan = cohort.plan_split(workspace, "chest", SplitWish(file=str(file), alike="move"))
    assert plan.folds[0].sizes == moved["sizes"] and not plan.n_suspects
    refused = CliRunner().invoke(
        app, ["split", "chest", "--drop-near", "--no-near-duplicates", "--workspace", str(workspace.root)]
    )
    assert refused.exit_code == 1 and "not asked for" in refused.output


def test_each_fold_names_its_certificate_and_shares_without_part_are_said(workspace: Workspace) -> None:
    lines = printed(workspace, "split", "chest", "--folds", "3", "--ratios", "70/15/15", "--no-near-duplicates")
    assert lines[0] == "warning: --ratios 70/15/15 has no part in --folds, which has its own sizes."
    hashes = [line for line in lines if line.startswith("certificate of chest-")]
    assert len({line.split()[-1] for line in hashes}) == 3 and "-f2 " in hashes[1]
    assert "near-duplicate: not looked for. It was not asked for." in lines


@pytest.mark.parametrize(("said", "instead"), [('"train"', '"test"'), ('"compared":15', '"compared":14')])
def test_a_split_that_was_changed_after_it_was_frozen_is_not_trained_on(
    workspace: Workspace, said: str, instead: str
) -> None:
    made = data.make_split(workspace, "chest", SplitRequest(), look=False)
    dataset = data.read(workspace, "chest")
    request = training.TrainRequest(dataset="chest", models=("tiny",), adapts=("knn",), split=made.id)
    assert training._splits_for(workspace, request, dataset)
    path = workspace.split(made.id)
    whole = path.read_text()
    path.write_text(whole.replace(said, instead, 1))
    with pytest.raises(InputError, match="changed after it was frozen"):
        training._splits_for(workspace, request, dataset)
    path.write_text(whole)


def test_the_test_of_a_split_that_was_changed_stays_sealed(workspace: Workspace, tmp_path: Path) -> None:
    made = data.make_split(workspace, "chest", SplitRequest(), look=False)
    spec = SimpleNamespace(dataset_id="chest", split_id=made.id, split=SimpleNamespace(sha256="0" * 64))
    view: Any = SimpleNamespace(id="r1", folder=tmp_path, spec=spec)
    journal = (workspace.root / "journal.jsonl").read_text()
    with pytest.raises(InputError, match="its test stays sealed"):
        evaluating._open(workspace, view, "to see", None, None)
    assert (workspace.root / "journal.jsonl").read_text() == journal


@pytest.mark.parametrize("unit", ["image", "patient"])
def test_flagged_images_are_left_out_of_a_further_headline(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unit: str
) -> None:
    dataset = data.read(workspace, "chest")
    samples = [f"s{n:06d}" for n in range(9, 16)]
    rows = ["sample,partition", *(f"s{n:06d},{'test' if n > 8 else 'train'}" for n in range(1, 16))]
    file = tmp_path / "sides.csv"
    file.write_text("\n".join(rows) + "\n")
    made = data.make_split(workspace, "chest", SplitRequest(file=file))
    view: Any = SimpleNamespace(
        id="r1", folder=tmp_path, spec=SimpleNamespace(split_id=made.id, recipe=SimpleNamespace(counted=unit))
    )
    scores = np.random.default_rng(0).dirichlet((1, 1), len(samples)).astype(np.float32)
    named, without = evaluating._without_flagged(workspace, view, dataset, samples, scores)
    assert named == ("s000013", "s000014", "s000015")
    assert {row.subset for row in without} == {evaluating.WITHOUT_FLAGGED}
    assert {row.metric for row in without} == {"auc"}
    assert without[0].n == len(samples) - 3
    assert without[0].parameters["left out"] == "3 flagged images"


def test_a_test_that_is_flagged_as_a_whole_is_said_in_the_report() -> None:
    files: Any = [
        SimpleNamespace(run="r1", flagged=("s1", "s2"), without_flagged=()),
        SimpleNamespace(run="r2", flagged=(), without_flagged=()),
    ]
    (table,) = report_sections._without_flagged(files)
    assert table.rows == (("r1", "–", "what is left cannot be scored", "–", "2"),)
    assert report_sections._without_flagged(files[1:]) == []


def test_a_split_without_flags_has_no_further_headline(workspace: Workspace, tmp_path: Path) -> None:
    made = data.make_split(workspace, "chest", SplitRequest(), look=False)
    view: Any = SimpleNamespace(
        id="r1", folder=tmp_path, spec=SimpleNamespace(split_id=made.id, recipe=SimpleNamespace(counted="image"))
    )
    dataset = data.read(workspace, "chest")
    scores = np.full((2, 2), 0.5, np.float32)
    assert evaluating._without_flagged(workspace, view, dataset, _first(dataset.samples), scores) == ((), ())


def _first(samples: Sequence[Any]) -> list[str]:
    return [sample.id for sample in samples[:2]]


# -- neighbours in a feature bank


def bank(room: Workspace, alike: Sequence[tuple[int, int]], missing: int = 0) -> None:
    """A bank in which some images have nearly the same features as others, and the rest none in common."""
    dataset = data.read(room, "chest")
    features = np.random.default_rng(5).normal(size=(len(dataset.samples), 24)).astype("<f4")
    for first, second in alike:
        features[second] = features[first] + 0.01
    folder = room.root / "features" / "tiny-bank"
    folder.mkdir(parents=True, exist_ok=True)
    kept = dataset.samples[missing:]
    about = {"dataset_fingerprint": dataset.fingerprint, "model": "tiny", "input_size": 32, "rows": "pooled"}
    (folder / "about.json").write_text(json.dumps(about))
    (folder / "shape.json").write_text("[24]")
    keys = [f"{sample.id} {sample.pixels_sha256[:16]}" for sample in kept]
    (folder / "index.jsonl").write_text(json.dumps({"keys": keys}) + "\n")
    features[missing:].tofile(folder / "features.f32")


@pytest.fixture
def unlooked(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """Small descriptors find nothing, and nothing was looked for yet."""
    (workspace.dataset("chest") / near.FILE).unlink(missing_ok=True)

    def nothing(images: Any, samples: Sequence[str], **_: Any) -> near_duplicates.NearDuplicates:
        return near_duplicates.NearDuplicates(near_duplicates.METHOD, len(samples), 0, 0, ())

    monkeypatch.setattr(near_duplicates, "find_near_duplicates", nothing)
    yield workspace
    shutil.rmtree(workspace.root / "features" / "tiny-bank", ignore_errors=True)
    (workspace.dataset("chest") / near.FILE).unlink(missing_ok=True)


def test_neighbours_propose_and_registration_decides(unlooked: Workspace) -> None:
    dataset = data.read(unlooked, "chest")
    bank(unlooked, [(0, IMAGES), (1, 7)])
    found = near.near_duplicates(unlooked, dataset).found
    assert found is not None
    assert [(pair.a, pair.b) for pair in found.pairs] == [("s000001", "s000013")], "1 and 7 are strangers"
    assert found.proposed >= 2 and "neighbours in features of tiny" in found.method
    made = data.make_split(unlooked, "chest", SplitRequest())
    certificate = made.splits[0].certificate
    assert certificate is not None and "features of tiny" in certificate.checks[-1].method


def test_a_bank_that_comes_later_adds_to_what_was_found(unlooked: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = data.read(unlooked, "chest")
    first = data.make_split(unlooked, "chest", SplitRequest()).splits[0].certificate
    assert first is not None and "features" not in first.checks[-1].method
    assert not near.can_say_more(unlooked, dataset)
    bank(unlooked, [(0, IMAGES)])
    assert near.can_say_more(unlooked, dataset)
    assert near.known(unlooked, dataset).found is not None, "what is known is known meanwhile"
    monkeypatch.setattr(near_duplicates, "find_near_duplicates", lambda *_, **__: pytest.fail("looked again"))
    second = data.make_split(unlooked, "chest", SplitRequest()).splits[0].certificate
    assert second is not None and "features of tiny" in second.checks[-1].method
    assert not near.can_say_more(unlooked, dataset)
    known = near.known(unlooked, dataset).found
    assert known is not None and len(known.pairs) == 1


def test_a_bank_of_a_part_of_the_images_proposes_nothing(unlooked: Workspace) -> None:
    bank(unlooked, [(0, IMAGES)], missing=3)
    found = near.near_duplicates(unlooked, data.read(unlooked, "chest")).found
    assert found is not None and not found.pairs and found.method == near_duplicates.METHOD


def test_pairs_of_an_earlier_file_are_read(unlooked: Workspace) -> None:
    dataset = data.read(unlooked, "chest")
    near.near_duplicates(unlooked, dataset)
    path = unlooked.dataset("chest") / near.FILE
    kept = json.loads(path.read_text())
    del kept["bank"]
    path.write_text(json.dumps(kept))
    assert near.known(unlooked, dataset).found is not None
