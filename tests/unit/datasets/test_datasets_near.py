"""Planted near-duplicates are found, strangers are not; certificates name what was seen; tables go round."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from medfm_gui.base import wire
from medfm_gui.datasets import near_duplicates as near
from medfm_gui.datasets import registration
from medfm_gui.datasets.certificate import certificate, flagged, is_whole, suspects
from medfm_gui.datasets.near_duplicates import NearDuplicates, NearPair, find_near_duplicates
from medfm_gui.datasets.split import SplitRequest, make_split
from medfm_gui.datasets.split_file import split_table, write_split_table
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import LeakError, UsageError
from medfm_gui.domain.split import LeakKind, Partition

Make = Callable[..., Dataset]
Picture = NDArray[Any]


def texture(seed: int, rows: int = 260, columns: int = 240) -> Picture:
    """A picture with structure at every scale."""
    noise = np.random.default_rng(seed).normal(size=(rows, columns))
    found = sum(gaussian_filter(noise, width) * width**1.3 for width in (2, 5, 12, 30, 70))
    return np.asarray((found - found.min()) / np.ptp(found) * 200 + 20, dtype=np.uint8)


def jpeg(picture: Picture) -> Picture:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file))


CHANGES: Mapping[str, Callable[[Picture], Picture]] = {
    "recompressed": jpeg,
    "cropped in the middle": lambda picture: picture[8:-8, 7:-7],
    "cropped at a corner": lambda picture: picture[15:, :-14],
    "turned": np.rot90,
    "mirrored": lambda picture: picture[:, ::-1],
    "brighter": lambda picture: np.clip(picture.astype(float) * 1.2 + 10, 0, 255).astype(np.uint8),
    "less contrast": lambda picture: (picture * 0.6 + 40).astype(np.uint8),
    "sixteen bits": lambda picture: picture.astype(np.uint16) * 200,
    "in colours": lambda picture: np.repeat(picture[..., None], 3, axis=2),
    "all at once": lambda picture: jpeg(np.ascontiguousarray(np.rot90(picture[10:-4, 6:-8], 3))),
}


class Images:
    """Pictures by name."""

    def __init__(self, pictures: Mapping[str, Picture]) -> None:
        self.pictures = pictures

    def image(self, sample_id: str) -> Picture:
        return self.pictures[sample_id]


def test_planted_pairs_are_found_and_strangers_are_not() -> None:
    pictures = {f"s{n:02d}": texture(n) for n in range(14)}
    pictures |= {f"copy {name}": change(pictures[f"s{n:02d}"]) for n, (name, change) in enumerate(CHANGES.items())}
    told: list[tuple[int, int]] = []
    found = find_near_duplicates(
        Images(pictures), list(pictures), on_progress=lambda done, total: told.append((done, total))
    )
    pairs = {(pair.a, pair.b) for pair in found.pairs}
    assert pairs == {(f"s{n:02d}", f"copy {name}") for n, name in enumerate(CHANGES)}
    assert found.compared == len(pictures)
    assert found.left_out == 0
    assert all(0.6 < pair.correlation <= 1.001 for pair in found.pairs)
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_small_blank_and_other_shapes_are_left_out() -> None:
    pictures = {
        "a": texture(1),
        "b": texture(1),
        "small": texture(2, 40, 90),
        "blank": np.full((200, 200), 7, np.uint8),
        "volume": np.zeros((4, 100, 100, 2), np.uint8),
    }
    found = find_near_duplicates(Images(pictures), list(pictures))
    assert (found.compared, found.left_out) == (2, 3)
    assert [(pair.a, pair.b) for pair in found.pairs] == [("a", "b")]
    assert find_near_duplicates(Images(pictures), ["a", "blank"]).compared == 1


def test_a_look_can_be_stopped() -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        find_near_duplicates(Images({"a": texture(1)}), ["a"], on_progress=stop)


def test_many_copies_of_one_picture_are_proposed_in_bounded_number() -> None:
    pictures = {f"s{n:02d}": (texture(0) * (1 - n / 100)).astype(np.uint8) for n in range(12)}
    found = find_near_duplicates(Images(pictures), list(pictures))
    assert found.proposed <= 12 * near._NEIGHBOURS * 8
    assert {name for pair in found.pairs for name in (pair.a, pair.b)} == set(pictures)


@pytest.mark.parametrize("way", registration.WAYS)
def test_registration_knows_how_a_picture_was_turned(way: int) -> None:
    first = registration.square(texture(5))
    turned = np.ascontiguousarray(registration.turned(first, way))
    found = registration.agreement(registration.prepare(turned), registration.prepare(first))
    assert found.way == way
    assert found.share > 0.95


def test_strangers_and_background_do_not_agree() -> None:
    first, second = (registration.prepare(registration.square(texture(seed))) for seed in (1, 2))
    assert registration.agreement(first, second).share < 0.3
    blank = registration.prepare(registration.square(np.zeros((100, 100), np.uint8)))
    assert registration.agreement(first, blank) == registration.Agreement()


# -- certificate


def pair(a: int, b: int) -> NearPair:
    return NearPair(f"s{a:06d}", f"s{b:06d}", 0.9, 0.9)


def looked(*pairs: NearPair) -> NearDuplicates:
    return NearDuplicates("method", 40, 2, 9, pairs)


def test_a_certificate_names_looks_suspects_and_what_it_cannot_see(make: Make) -> None:
    given = [{"target": (n % 2,), "patient": f"p{n}", "fold": "test" if n >= 30 else "train"} for n in range(40)]
    dataset = make(given)
    (split,) = make_split(dataset, SplitRequest(), near=looked(pair(1, 35), pair(2, 3), pair(36, 4)))
    found = split.certificate
    assert found is not None
    assert [check.kind for check in found.checks] == [LeakKind.PATIENT, LeakKind.GROUP, LeakKind.PIXELS, LeakKind.NEAR]
    assert [check.compared for check in found.checks] == [40, 0, 40, 40]
    assert found.checks[1].reason == "The dataset has none."
    assert {(leak.a, leak.b) for leak in found.suspects} == {("s000001", "s000035"), ("s000004", "s000036")}
    assert all(leak.partitions[1] == "test" for leak in found.suspects)
    assert any("2 images that are too small" in text for text in found.unseen)
    assert any("pretraining" in text for text in found.unseen)
    assert flagged(split) == ("s000035", "s000036")
    assert not split.leaks
    assert any("near-duplicates on two sides" in text for text in split.warnings)


def test_the_hash_of_a_certificate_covers_it(make: Make) -> None:
    dataset = make([{"target": (n % 2,)} for n in range(40)])
    sides = {sample.id: Partition.TEST if n < 9 else Partition.TRAIN for n, sample in enumerate(dataset.samples)}
    found = certificate(dataset, sides, (), near_reason="no pixels")
    assert is_whole(found)
    assert found == certificate(dataset, sides, (), near_reason="no pixels")
    assert not is_whole(replace(found, accepted="whatever"))
    assert found.checks[-1].reason == "no pixels"
    assert "no patients are known" in found.unseen[0]


def test_a_certificate_fits_its_own_division_alone(make: Make) -> None:
    dataset = make([{"target": (n % 2,)} for n in range(40)])
    first, second = (make_split(dataset, SplitRequest(seed=seed))[0] for seed in (0, 1))
    assert first.certificate is not None and second.certificate is not None
    assert first.certificate.checks == second.certificate.checks
    assert first.certificate.sha256 != second.certificate.sha256
    assert is_whole(first.certificate, first) and not is_whole(first.certificate, second)
    earlier = replace(first.certificate, split="", sha256="")
    bare = {name: value for name, value in wire.plain(earlier).items() if name != "split"}
    kept = replace(earlier, sha256=hashlib.sha256(wire.canonical(bare)).hexdigest())
    assert is_whole(kept, first), "one of an earlier version is as good as it was"


def test_a_look_at_small_images_alone_says_that_nothing_was_compared(make: Make) -> None:
    dataset = make([{"target": (n % 2,)} for n in range(20)])
    (split,) = make_split(dataset, SplitRequest(), near=NearDuplicates("method", 0, 20, 0, ()))
    assert split.certificate is not None
    assert split.certificate.checks[-1].reason == "All images are too small, blank or volumes."


def test_identical_pixels_are_leaks_and_no_suspects(make: Make) -> None:
    dataset = make([{"target": (n % 2,), "pixels_sha256": "same" if n < 2 else str(n)} for n in range(20)])
    sides = {sample.id: Partition.TEST if n % 2 else Partition.TRAIN for n, sample in enumerate(dataset.samples)}
    found = suspects(dataset, sides, looked(pair(1, 2), pair(3, 4), pair(3, 5)))
    assert [(leak.a, leak.b) for leak in found] == [("s000003", "s000004")]
    assert suspects(dataset, {}, looked(pair(3, 4))) == ()
    assert suspects(dataset, sides, None) == ()


# -- tables


def test_a_split_goes_round_as_a_table(make: Make, tmp_path: Path) -> None:
    given = [{"target": (n % 2,), "patient": f"p{n // 2}", "path": f"=a/{n}.png"} for n in range(60)]
    dataset = make(given)
    (split,) = make_split(dataset, SplitRequest(ratios="60/10/15/15"))
    path = tmp_path / "split.csv"
    digest = write_split_table(path, dataset, split)
    assert len(digest) == 64
    lines = path.read_text().splitlines()
    assert lines[0] == "sample,path,partition,group"
    assert lines[1].startswith("s000001,'=a/0.png,")
    assert len(lines) == 61
    (again,) = make_split(dataset, SplitRequest(file=path))
    assert again.fingerprint == split.fingerprint
    assert {item.sample: item.group for item in again.assignments} == {
        item.sample: item.group for item in split.assignments
    }


def test_frames_are_named_in_a_table_and_leaks_are_found_again(make: Make, tmp_path: Path) -> None:
    given = [{"target": (n % 2,), "patient": f"p{n // 2}", "path": "a.npz", "frame": n} for n in range(40)]
    dataset = make([{**row, "pixels_sha256": str(n)} for n, row in enumerate(given)])
    (split,) = make_split(dataset, SplitRequest(by="image", accept="to see"))
    table = split_table(dataset, split)
    assert "a.npz#7" in table
    path = tmp_path / "split.csv"
    path.write_text(table)
    with pytest.raises(LeakError):
        make_split(dataset, SplitRequest(file=path))
    (again,) = make_split(dataset, SplitRequest(file=path, accept="to see"))
    assert again.fingerprint == split.fingerprint


# -- near-duplicates resolved as leaks are


def test_near_duplicates_are_dropped_or_moved_with_all_that_belongs_to_them(make: Make) -> None:
    given = [{"target": (n % 2,), "patient": f"p{n // 2}", "fold": "test" if n >= 30 else "train"} for n in range(40)]
    dataset = make(given)
    near = looked(pair(1, 35), pair(2, 20), pair(5, 6))
    ids = [sample.id for sample in dataset.samples]
    (kept,) = make_split(dataset, SplitRequest(), near=near)
    (dropped,) = make_split(dataset, SplitRequest(alike="drop"), near=near)
    assert "s000001" in dropped.dropped and "s000001" not in {item.sample for item in dropped.assignments}
    assert len({split.fingerprint for split in (kept, dropped)}) == 2
    (moved,) = make_split(dataset, SplitRequest(alike="move"), near=near)
    side = {item.sample: item.partition for item in moved.assignments}
    assert list(side) == ids and not moved.dropped
    # its patient (s000002), what is alike to that one (s000020), and that one's patient (s000019)
    assert {side[f"s{n:06d}"] for n in (1, 2, 19, 20)} == {Partition.TEST}
    for split in (dropped, moved):
        assert split.certificate is not None and not split.certificate.suspects
        assert is_whole(split.certificate, split) and not split.leaks
        assert not any("see the certificate" in text for text in split.warnings)
        assert any("near-duplicate" in text for text in split.warnings)
        assert split.settings["near-duplicates"] in ("drop", "move")


def test_folds_made_with_near_duplicates_together_test_each_image_once(make: Make) -> None:
    dataset = make([{"target": (n % 2,), "patient": f"p{n}"} for n in range(60)])
    near = looked(*(pair(n, n + 30) for n in range(1, 20)))
    splits = make_split(dataset, SplitRequest(folds=3, alike="move"), near=near)
    tested = [name for split in splits for name in split.samples_in(Partition.TEST)]
    assert sorted(tested) == [sample.id for sample in dataset.samples]
    assert all(split.certificate is not None and not split.certificate.suspects for split in splits)


def test_accepted_leaks_stay_where_near_duplicates_move(make: Make) -> None:
    given: list[dict[str, Any]] = [{"target": (n % 2,), "fold": "test" if n >= 30 else "train"} for n in range(40)]
    given[9]["pixels_sha256"] = given[39]["pixels_sha256"] = "same"
    (split,) = make_split(make(given), SplitRequest(accept="as it came", alike="move"), near=looked(pair(1, 35)))
    side = {item.sample: item.partition for item in split.assignments}
    assert [(leak.a, leak.b) for leak in split.leaks if leak.a == "s000010"] == [("s000010", "s000040")]
    assert side["s000001"] is Partition.TEST and split.acceptance == "as it came"


def test_what_is_not_known_or_published_cannot_be_resolved(make: Make) -> None:
    dataset = make([{"target": (n % 2,)} for n in range(40)])
    with pytest.raises(UsageError, match=r"not known.*not asked for"):
        make_split(dataset, SplitRequest(alike="drop"), near_reason="It was not asked for.")
    with pytest.raises(UsageError, match="as published"):
        SplitRequest(alike="move", preset="study-a-as-published")
    with pytest.raises(UsageError, match="nothing that can become"):
        SplitRequest(alike="away")
