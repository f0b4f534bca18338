from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medfm_gui.base import wire
from medfm_gui.datasets.ingest import ImportOptions
from medfm_gui.datasets.split import SplitRequest, sample_set_hash
from medfm_gui.domain.correction import CorrectionDraft, CorrectionKind
from medfm_gui.domain.dataset import Dataset, Sample, Skipped, Statement, Task
from medfm_gui.domain.errors import InputError, NotFound, SealError, UsageError, WeightsAbsent
from medfm_gui.domain.split import Partition
from medfm_gui.store.rows import SampleFilter
from medfm_gui.workspace import cohort, corrections, data, embedding, flow, journal, screening, sealing, statements
from medfm_gui.workspace.place import Workspace, open_workspace

PATIENTS = 16


def picture(path: Path, seed: int) -> None:
    grey = np.random.default_rng(seed).integers(0, 255, (80, 96), dtype=np.uint8)
    Image.fromarray(grey).save(path)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Sixteen patients with two images each, a covariate that tells the label and one that does not."""
    folder = tmp_path / "source"
    (folder / "images").mkdir(parents=True)
    rows = ["file,patient_id,finding,sex,diagnosis"]
    for patient, view in itertools.product(range(PATIENTS), range(2)):
        name = f"p{patient:02d}_{view}.png"
        picture(folder / "images" / name, seed=patient * 2 + view + 1)
        finding, diagnosis = ("nodule", "cancer") if patient % 2 else ("clear", "healthy")
        rows.append(f"images/{name},P{patient:02d},{finding},{'FM'[view]},{diagnosis}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "w") as opened:
        yield opened


@pytest.fixture
def dataset(room: Workspace, source: Path) -> Dataset:
    options = ImportOptions(labels=("finding",), patient="patient_id")
    return data.import_dataset(room, "csv", source, options, name="chest")


def divided(room: Workspace, dataset: Dataset) -> tuple[str, frozenset[str]]:
    (split,) = data.make_split(room, dataset.id, SplitRequest("50/25/25")).splits
    return split.id, frozenset(split.samples_in(Partition.TEST))


def open_test(room: Workspace, dataset: Dataset, test: frozenset[str]) -> None:
    room.store.put_opening("r0001", "test", sample_set_hash(dataset, test), "to see", "2026-11-22T10:00:00Z")


# -- sealed tests


def test_before_a_split_nothing_is_hidden(room: Workspace, dataset: Dataset) -> None:
    page = sealing.samples_page(room, dataset.id)
    assert (page.total, page.hidden) == (32, ())
    assert page.samples[0].target and page.samples[0].path


def test_a_frozen_split_hides_what_tells_the_label_of_its_test(room: Workspace, dataset: Dataset) -> None:
    _, test = divided(room, dataset)
    page = sealing.samples_page(room, dataset.id)
    assert set(page.hidden) == test
    for sample in page.samples:
        if sample.id in test:
            assert (sample.target, sample.path) == ((), "")
            assert set(sample.covariates) <= {"sex"}
        else:
            assert sample.target and sample.path and sample.covariates["diagnosis"]


def test_no_filter_finds_out_what_is_hidden(room: Workspace, dataset: Dataset) -> None:
    _, test = divided(room, dataset)
    asked = [
        SampleFilter(class_index=0),
        SampleFilter(class_index=1),
        SampleFilter(covariate=("diagnosis", "cancer")),
        SampleFilter(text="images/"),
    ]
    for only in asked:
        found = {sample.id for sample in sealing.samples_page(room, dataset.id, only=only).samples}
        assert found and not found & test
    neutral = sealing.samples_page(room, dataset.id, only=SampleFilter(covariate=("sex", "F")))
    assert neutral.total == 16 and set(neutral.hidden) <= test


def test_a_filter_counts_what_it_finds_and_says_what_it_omits(room: Workspace, dataset: Dataset) -> None:
    divided(room, dataset)
    for name, values in sealing.covariate_values(room, dataset.id):
        for value, number in values:
            assert sealing.samples_page(room, dataset.id, only=SampleFilter(covariate=(name, value))).total == number
    assert dict(sealing.covariate_values(room, dataset.id))["sex"] == (("F", 16), ("M", 16))
    asked = {
        SampleFilter(): False,
        SampleFilter(class_index=0): True,
        SampleFilter(covariate=("diagnosis", "cancer")): True,
        SampleFilter(covariate=("sex", "F")): False,
    }
    for only, omits in asked.items():
        assert sealing.samples_page(room, dataset.id, only=only).omits_sealed is omits


def test_of_identical_images_of_a_sealed_test_agreement_is_not_told(dataset: Dataset) -> None:
    first, second = dataset.samples[:2]
    same = [dataclasses.replace(one, pixels_sha256="1", target=(0,)) for one in (first, second)]
    assert not cohort._twins_of(dataset, same, frozenset()).has_hidden
    found = cohort._twins_of(dataset, same, frozenset({first.id}))
    assert found.has_hidden and not found.is_torn


def test_an_opened_test_is_shown(room: Workspace, dataset: Dataset) -> None:
    _, test = divided(room, dataset)
    open_test(room, dataset, test)
    assert sealing.sealed_splits(room, dataset.id) == ()
    assert sealing.samples_page(room, dataset.id).hidden == ()


def test_a_trial_that_was_followed_by_another_split_seals_nothing(room: Workspace, dataset: Dataset) -> None:
    divided(room, dataset)
    newest = data.make_split(room, dataset.id, SplitRequest("50/25/25", seed=5)).id
    assert sealing.sealed_splits(room, dataset.id) == (newest,)


def test_folds_seal_nothing(room: Workspace, dataset: Dataset) -> None:
    data.make_split(room, dataset.id, SplitRequest(folds=4))
    assert sealing.sealed_samples(room, dataset.id) == frozenset()


def test_counts_of_classes_leave_a_sealed_test_out(room: Workspace, dataset: Dataset) -> None:
    split, test = divided(room, dataset)
    table = cohort.characteristics(room, dataset.id, split)
    by_title = {section.title: section.lines for section in table.sections}
    place = table.columns.index("test")
    assert table.n_hidden == len(test) and table.images[place] == len(test)
    assert all(line.counts[place] is None for line in by_title["Class"])
    assert sum(line.counts[0] or 0 for line in by_title["Class"]) == 32 - len(test)
    patients = by_title["Patients with a class"]
    assert sum(line.counts[0] or 0 for line in patients) == 16 - len(test) // 2
    assert all(line.counts[place] is None for line in patients)
    assert all(line.counts[place] is None for line in by_title["Diagnosis"])
    assert sum(line.counts[place] or 0 for line in by_title["Sex"]) == len(test)
    facts = cohort.split_facts(room, dataset.id, split)
    assert all(line.counts[facts.columns.index("test")] is None for line in facts.lines)
    shown = [0 if name == "test" else number for name, number in zip(table.columns, table.images, strict=True)]
    assert facts.wholes == tuple(shown[1:]), "shares are of images whose labels are shown, as among characteristics"


# -- corrections


def test_undo_and_redo_and_the_label_that_was_at_first(room: Workspace, dataset: Dataset) -> None:
    name = dataset.samples[0].id
    draft = corrections.correct_label(room, dataset.id, name, (1,), " second \n reader ")
    assert draft.in_force[name].reason == "second reader"
    assert corrections.undo(room, dataset.id).in_force == {}
    assert corrections.redo(room, dataset.id).in_force[name].after == (1,)
    back = corrections.correct_label(room, dataset.id, name, (0,), "no, the first was right")
    assert back.in_force == {} and len(back.done) == 2
    assert corrections.discard(room, dataset.id) == CorrectionDraft(dataset.id, dataset.fingerprint)


def test_what_cannot_be_corrected_is_refused(room: Workspace, dataset: Dataset) -> None:
    _, test = divided(room, dataset)
    seen = next(sample.id for sample in dataset.samples if sample.id not in test)
    with pytest.raises(SealError):
        corrections.correct_label(room, dataset.id, next(iter(test)), (1,), "why not")
    for target, reason in (((7,), "x"), ((), "x"), ((0, 1), "x"), ((1,), "  ")):
        with pytest.raises(UsageError):
            corrections.correct_label(room, dataset.id, seen, target, reason)
    with pytest.raises(NotFound):
        corrections.exclude(room, dataset.id, ["s999999"], "blank")
    with pytest.raises(UsageError):
        corrections.save_version(room, dataset.id)


def test_a_new_version_carries_pixels_statement_and_splits(room: Workspace, dataset: Dataset) -> None:
    split, test = divided(room, dataset)
    seen = [sample for sample in dataset.samples if sample.id not in test]
    statements.state(room, dataset.id, Statement(unit="image"))
    corrections.correct_label(room, dataset.id, seen[0].id, (1 - seen[0].target[0],), "second reader")
    corrections.exclude(room, dataset.id, [seen[1].id], "blank")
    saved = corrections.save_version(room, dataset.id, splits=(split,))
    made = data.read(room, saved.dataset)
    assert (made.id, made.parent, len(made.samples)) == ("chest-v2", "chest", 31)
    assert made.fingerprint != dataset.fingerprint
    assert data.read(room, dataset.id) == dataset
    assert made.samples[0].target == (1 - seen[0].target[0],) or seen[0].id != made.samples[0].id
    (carried,) = data.splits_of(room, saved.splits[0])
    sides = {item.sample: item.partition for item in data.splits_of(room, split)[0].assignments}
    assert all(sides[item.sample] is item.partition for item in carried.assignments)
    assert carried.dataset_fingerprint == made.fingerprint and seen[1].id not in {i.sample for i in carried.assignments}
    assert sample_set_hash(made, test) == sample_set_hash(dataset, test)
    assert statements.statement_of(room, made.id).unit == "image"
    from medfm_gui.datasets.pixels import PixelCache

    cache = PixelCache(room.dataset(made.id) / "pixels")
    cache.check()
    assert cache.image(seen[0].id).shape == (80, 96)
    told = [(entry.what, entry.details.get("reason")) for entry in journal.entries(room.root)]
    assert ("sample relabelled", "second reader") in told and ("sample left out", "blank") in told
    assert wire.read(corrections.Version, room.dataset(made.id) / corrections.VERSION).parent == dataset.id
    assert corrections.draft_of(room, dataset.id).done == ()
    again = corrections.exclude(room, made.id, [made.samples[5].id], "rotated")
    assert again.in_force and corrections.save_version(room, made.id).dataset == "chest-v3"


def test_no_class_may_lose_its_last_image(room: Workspace, dataset: Dataset) -> None:
    nodules = [sample.id for sample in dataset.samples if sample.target == (1,)]
    corrections.exclude(room, dataset.id, nodules, "all wrong")
    with pytest.raises(InputError):
        corrections.save_version(room, dataset.id)
    assert not (room.root / "datasets" / "chest-v2").exists()


def test_a_split_that_loses_its_test_stays_behind(room: Workspace, dataset: Dataset) -> None:
    split, test = divided(room, dataset)
    corrections.exclude(room, dataset.id, sorted(test), "another scanner")
    saved = corrections.save_version(room, dataset.id, splits=(split,))
    assert saved.splits == () and saved.left[0][0] == split


def test_an_exclusion_tells_no_label(room: Workspace, dataset: Dataset) -> None:
    draft = corrections.exclude(room, dataset.id, [dataset.samples[3].id], "blank")
    assert draft.done[0].kind is CorrectionKind.EXCLUDE and draft.done[0].before == ()


# -- statement


def test_a_statement_is_kept_journalled_and_checked(room: Workspace, dataset: Dataset) -> None:
    assert {text for _, text in statements.rows(statements.statement_of(room, dataset.id))} == {"not stated"}
    kept = statements.state(
        room, dataset.id, Statement(sampling="enriched", codes={"nodule": " SCT 27925004 ", "clear": ""})
    )
    assert kept.codes == {"nodule": "SCT 27925004"}
    assert statements.statement_of(room, dataset.id) == kept
    assert journal.entries(room.root)[-1].details == {"Sampling": "enriched", "Class codes": "nodule: SCT 27925004"}
    before = len(journal.entries(room.root))
    statements.state(room, dataset.id, kept)
    assert len(journal.entries(room.root)) == before
    with pytest.raises(UsageError):
        statements.state(room, dataset.id, Statement(sampling="by the moon"))
    with pytest.raises(UsageError):
        statements.state(room, dataset.id, Statement(codes={"ghost": "x"}))


# -- flow


def test_every_file_is_somewhere_in_the_flow() -> None:
    samples = tuple(Sample(f"s{n}", f"{n}.png", (n % 2,), patient=f"p{n // 2}") for n in range(10))
    skipped = (Skipped("a", "unreadable"), Skipped("b", "no_label"), Skipped("c", "no_label"))
    made = Dataset("d", "D", "csv", Task.BINARY, ("x", "y"), "s", samples, "f", positive="y", skipped=skipped)
    found = flow.flow_of(made)
    assert [(step.number, step.n_lost) for step in found.steps] == [(13, 1), (12, 2), (10, 0)]
    assert found.steps[-1].patients == 5
    for before, after in itertools.pairwise(found.steps):
        assert before.number - before.n_lost == after.number


def test_the_flow_of_a_corrected_version_and_its_split_adds_up(room: Workspace, dataset: Dataset) -> None:
    split, _ = divided(room, dataset)
    corrections.exclude(room, dataset.id, [dataset.samples[0].id], "blank")
    saved = corrections.save_version(room, dataset.id, splits=(split,))
    found = flow.flow(room, saved.dataset, saved.splits[0])
    for before, after in itertools.pairwise(found.steps):
        assert before.number - before.n_lost == after.number
    assert sum(step.number for step in found.partitions) == found.steps[-1].number == 31
    lines = flow.as_csv(found).splitlines()
    assert "left out by a correction,1," in next(line for line in lines if "correction" in line)
    assert len(flow.as_table(found).rows) == len(lines) - 1


# -- screening


def test_each_oddity_is_found_and_ordinary_images_are_not() -> None:
    ordinary = np.random.default_rng(0)
    shade = np.linspace(40, 200, 96)[None, :] + np.linspace(0, 40, 80)[:, None]

    def measured(image: np.ndarray) -> tuple[float, float, np.ndarray]:
        return screening.measure_one(np.clip(image, 0, 255).astype(np.uint8))

    images = [shade + ordinary.normal(0, 8, shade.shape) for _ in range(60)]
    images += [np.full((80, 96), 90.0), np.where(shade > 90, 255.0, shade), 255 - shade]
    facts = [measured(image) for image in images]
    samples = [
        Sample(f"s{n:03d}", "", (n % 2,), rows=80, columns=96, pixels_sha256=str(n), covariates={"modality": "CR"})
        for n in range(len(images))
    ]
    samples[3] = dataclasses.replace(samples[3], rows=20)
    samples[4] = dataclasses.replace(samples[4], columns=900)
    samples[6] = dataclasses.replace(samples[6], pixels_sha256="5")
    samples[7] = dataclasses.replace(samples[7], covariates={"modality": "OT"})
    table = screening.Measured(
        np.array([one[0] for one in facts], np.float32),
        np.array([one[1] for one in facts], np.float32),
        np.ones(len(facts), np.int8),
        np.array([one[2] for one in facts]),
    )
    found = {(finding.sample, finding.oddity) for finding in screening._findings(samples, table)}
    assert found >= {
        ("s003", screening.Oddity.TINY),
        ("s003", screening.Oddity.ASPECT),
        ("s004", screening.Oddity.ASPECT),
        ("s005", screening.Oddity.IDENTICAL),
        ("s006", screening.Oddity.IDENTICAL),
        ("s060", screening.Oddity.BLANK),
        ("s061", screening.Oddity.SATURATED),
        ("s062", screening.Oddity.INVERTED),
        ("s007", screening.Oddity.KIND),
    }
    assert not {name for name, _ in found} & {f"s{n:03d}" for n in range(8, 60)}


def test_values_that_are_cut_off_are_found_with_12_bits_and_where_it_is_unusual() -> None:
    ramp = np.linspace(0, 1, 4096).reshape(64, 64)
    clipped = (np.minimum(ramp * 1.7, 1) * 4095).astype(np.uint16)
    assert screening.measure_one(clipped)[1] == pytest.approx((ramp * 1.7 >= 1).mean(), abs=1e-6)
    assert screening.measure_one((ramp * 4095).astype(np.uint16))[1] < 0.01
    blurred = np.where(ramp > 0.6, 252, ramp * 200).astype(np.uint8)
    assert screening.measure_one(blurred)[1] == pytest.approx(0.4, abs=0.01)
    n = 9
    samples = [Sample(f"s{k}", "", (0,), rows=64, columns=64) for k in range(n)]
    spread, small = np.full(n, 0.8, np.float32), np.zeros((n, 8, 8), np.float32)

    def found(shares: list[float]) -> list[tuple[str, screening.Oddity]]:
        table = screening.Measured(spread, np.array(shares, np.float32), np.ones(n, np.int8), small)
        return [(one.sample, one.oddity) for one in screening._findings(samples, table)]

    assert found([0.41, *[0.01] * 8]) == [("s0", screening.Oddity.SATURATED)], "the others have hardly any"
    assert found([0.41, *[0.30] * 8]) == [], "a bright ground is usual here"
    assert found([0.90, *[0.30] * 8]) == [("s0", screening.Oddity.SATURATED)]
    samples[1] = dataclasses.replace(samples[1], columns=128)
    assert found([0.0] * n) == [("s1", screening.Oddity.ASPECT)], "twice as long as usual"


def test_a_screening_is_kept_for_its_fingerprint(room: Workspace, dataset: Dataset) -> None:
    told: list[tuple[int, int]] = []
    first = screening.screen(room, dataset.id, on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (32, 32) and first.n_images == 32
    told.clear()
    assert screening.screen(room, dataset.id, on_progress=lambda *_: told.append((0, 0))) == first
    assert told == [] and screening.kept_screening(room, dataset.id) == first
    (room.dataset(dataset.id) / screening.FILE).write_text("{", encoding="utf-8")
    assert screening.kept_screening(room, dataset.id) is None


# -- map


def bank(room: Workspace, dataset: Dataset, rows: np.ndarray, name: str = "b" * 32) -> None:
    folder = room.root / "features" / name
    folder.mkdir(parents=True)
    about = {"dataset_fingerprint": dataset.fingerprint, "model": "m", "input_size": 64, "rows": "pooled"}
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")
    (folder / "shape.json").write_text(json.dumps(rows.shape[1:]), encoding="utf-8")
    (folder / "features.f32").write_bytes(rows.astype("<f4").tobytes())
    keys = [f"{sample.id} {sample.pixels_sha256[:16]}" for sample in dataset.samples[: len(rows)]]
    (folder / "index.jsonl").write_text(json.dumps({"sha256": "", "keys": keys}) + "\n", encoding="utf-8")


def test_the_map_is_the_plane_of_the_largest_variance(room: Workspace, dataset: Dataset) -> None:
    random = np.random.default_rng(1)
    rows = random.normal(size=(30, 12)) * np.array([9, 4] + [0.5] * 10)
    bank(room, dataset, rows)
    _, test = divided(room, dataset)
    made = embedding.embedding(room, dataset.id)
    assert (made.n, made.n_missing, made.bank) == (30, 2, "b" * 32)
    x, y = (np.frombuffer(made.payload, "<f4", 30, offset) for offset in (0, 120))
    centred = rows - rows.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    assert np.allclose(np.abs(x), np.abs(u[:, 0] * s[0]), atol=1e-3)
    assert np.allclose(np.abs(y), np.abs(u[:, 1] * s[1]), atol=1e-3)
    assert made.explained == pytest.approx(tuple(s[:2] ** 2 / (s**2).sum()), rel=1e-4)
    places = np.frombuffer(made.payload, "<u4", 30, 240)
    groups = np.frombuffer(made.payload, "u1", 30, 360)
    ids = [dataset.samples[place].id for place in places]
    assert {name for name, group in zip(ids, groups, strict=True) if made.groups[group] == embedding.HIDDEN} == (
        test & set(ids)
    )
    telling = embedding.embedding(room, dataset.id, by="diagnosis")
    assert embedding.HIDDEN in telling.groups
    assert embedding.embedding(room, dataset.id, by="sex").groups == ("F", "M")


def test_the_map_groups_ages_as_the_table_does(room: Workspace, dataset: Dataset) -> None:
    aged = [
        dataclasses.replace(one, covariates={"age": "" if k == 3 else str(20 + 2 * k), "ward": f"w{k % 20:02d}"})
        for k, one in enumerate(dataset.samples)
    ]
    changed = dataclasses.replace(dataset, samples=tuple(aged))
    places = np.arange(len(aged))
    groups, codes = embedding._groups(room, changed, places, "age", "")
    assert groups == ("18–39 years", "40–59 years", "60–79 years", "80 years and older", embedding.NOT_RECORDED)
    assert [groups[code] for code in codes[:12].tolist()].count("18–39 years") == 9
    wards, _ = embedding._groups(room, changed, places, "ward", "")
    assert wards[-1] == embedding.OTHER and wards.count(embedding.OTHER) == 1


def test_without_features_the_models_that_could_make_them_are_named(room: Workspace, dataset: Dataset) -> None:
    made = embedding.embedding(room, dataset.id)
    assert made.n == 0 and made.n_missing == 32
    assert all(name and title for name, title in made.models)


def test_a_torn_bank_is_read_as_far_as_it_goes(room: Workspace, dataset: Dataset) -> None:
    bank(room, dataset, np.random.default_rng(0).normal(size=(20, 4)))
    index = room.root / "features" / ("b" * 32) / "index.jsonl"
    index.write_bytes(index.read_bytes() + b'{"sha256": "", "keys": ["s0')
    assert embedding.embedding(room, dataset.id).n == 20


def test_features_need_weights_that_are_here(room: Workspace, dataset: Dataset) -> None:
    from medfm_gui.workspace.models import every_model

    absent = [one.card.name for one in every_model(room.settings)[0] if not one.weights.is_here]
    assert absent
    with pytest.raises(WeightsAbsent):
        embedding.compute_features(room, dataset.id, absent[0])


# -- what a sealed test hides of splits


def test_a_plan_counts_no_label_of_a_sealed_test(room: Workspace, dataset: Dataset) -> None:
    before = cohort.plan_split(room, dataset.id, cohort.SplitWish())
    assert sum(line.counts[-1] or 0 for line in before.folds[0].lines) > 0
    _, test = divided(room, dataset)
    plan = cohort.plan_split(room, dataset.id, cohort.SplitWish(seed=5))
    counted = sum(sum(number or 0 for number in line.counts) for line in plan.folds[0].lines)
    assert counted == len(dataset.samples) - len(test)
    assert any("still sealed" in text for text in plan.warnings)


def test_leaks_name_no_file_of_a_sealed_test(tmp_path: Path, room: Workspace, source: Path) -> None:
    table = source / "labels.csv"
    first, *rows = table.read_text(encoding="utf-8").splitlines()
    sides = ["test" if number % 8 == 0 else "train" for number in range(len(rows))]
    lines = [f"{row},{side}" for row, side in zip(rows, sides, strict=True)]
    table.write_text("\n".join([f"{first},fold", *lines]) + "\n", encoding="utf-8")
    options = ImportOptions(labels=("finding",), patient="patient_id")
    made = data.import_dataset(room, "csv", source, options, name="torn")
    outcome = data.make_split(room, made.id, SplitRequest(official=True, accept="to see"), look=False)
    facts = cohort.split_facts(room, made.id, outcome.id)
    test = set(outcome.splits[0].samples_in(Partition.TEST))
    assert facts.leaks
    for line in facts.leaks:
        for name, place in ((line.leak.a, line.path_a), (line.leak.b, line.path_b)):
            assert (place == name) == (name in test)


def test_an_import_names_identical_images_by_their_ids(room: Workspace, source: Path) -> None:
    (source / "images" / "p01_0.png").write_bytes((source / "images" / "p00_0.png").read_bytes())
    options = ImportOptions(labels=("finding",), patient="patient_id")
    made = data.import_dataset(room, "csv", source, options, name="twins")
    (twins,) = (text for text in made.warnings if "identical pixels" in text)
    assert "s0" in twins and "p00" not in twins


@pytest.mark.parametrize("text", ["3", "-1", "101 %", "-2%", "1,5"])
def test_a_number_that_is_no_share_is_no_prevalence(room: Workspace, dataset: Dataset, text: str) -> None:
    with pytest.raises(UsageError, match="cannot be"):
        statements.state(room, dataset.id, Statement(prevalence=text))


@pytest.mark.parametrize("text", ["", "0.03", "3 %", "100%", "12 of 400", "about one in ten"])
def test_a_share_or_words_are_a_prevalence(room: Workspace, dataset: Dataset, text: str) -> None:
    assert statements.state(room, dataset.id, Statement(prevalence=text)).prevalence == text
