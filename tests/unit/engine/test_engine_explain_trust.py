"""The checks of maps: what they compute, and what they say of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from medfm_gui.base.plugins import read_plugins
from medfm_gui.domain.explain import Box
from medfm_gui.engine.explain import trust
from medfm_gui.engine.explain.maps import Map
from tests.fixtures.tiny import tiny_backbone

IDS = [""] * 8


def _maps(count: int = 8, size: int = 16) -> list[Map]:
    random = np.random.default_rng(0)
    return [random.random((size, size)).astype(np.float32) for _ in range(count)]


@pytest.mark.parametrize("shift", [(2, 0), (0, -3), (-4, 4), (0, 0)])
def test_a_moved_image_and_its_map_fit_again(shift: tuple[int, int]) -> None:
    image = torch.rand(1, 3, 12, 15)
    there = trust.moved(image, *shift)
    assert there.shape == image.shape
    first, second = trust.shared_part(image[0, 0].numpy(), there[0, 0].numpy(), *shift)
    assert first.shape == (12 - abs(shift[0]), 15 - abs(shift[1]))
    np.testing.assert_array_equal(first, second)


def test_moves_grow_with_the_input() -> None:
    assert trust.shifts_of(32) == [(1, 0), (0, -1), (-2, 2)]
    assert trust.shifts_of(518) == [(5, 0), (0, -5), (-10, 10)]


def test_shuffling_goes_down_from_the_head_and_keeps_every_number() -> None:
    backbone = tiny_backbone(read_plugins().card("dinov2-s"), depth=6)
    head = torch.nn.Linear(backbone.feature_dim, 2)
    parameters = {"head": head.weight, **dict(backbone.module.named_parameters())}

    def held() -> dict[str, torch.Tensor]:
        return {name: parameter.detach().clone() for name, parameter in parameters.items()}

    begun = before = held()
    names, changed = [], []
    for stage in trust.stages_of(backbone, head, seed=0):
        with torch.no_grad():
            stage.shuffle()
        after = held()
        names.append(stage.name)
        changed.append({name for name in after if not torch.equal(after[name], before[name])})
        before = after
    assert names == ["head", "block 6", "block 5", "blocks 3 to 4", "blocks 1 to 2", "everything"]
    assert changed[0] == {"head"}
    assert all(name.startswith("blocks.5.") for name in changed[1])
    assert {name.split(".")[1] for name in changed[3]} == {"2", "3"}
    assert not {name for name in changed[-1] if name.startswith("blocks.")} and "patch_embed.proj.weight" in changed[-1]
    for name, tensor in before.items():
        torch.testing.assert_close(tensor.flatten().sort().values, begun[name].flatten().sort().values)


def test_boxes_cover_at_least_one_place() -> None:
    marked = trust.mask_of([Box("a", 0.5, 0.25, 1.0, 0.5), Box("a", 0.0, 0.999, 0.001, 1.0)], 8, 4)
    assert marked[2:4, 2:].all() and marked[7, 0] and marked.sum() == 5


def test_maps_that_fall_apart_pass_and_maps_that_stay_fail() -> None:
    others = list(zip(_maps(), _maps(9)[1:], strict=True))
    good = trust.randomisation([("head", [0.9] * 8), ("all", [0.0, 0.1, -0.1, 0.05, 0.0, 0.1, 0.0, 0.0])], others, IDS)
    assert good.passed is True and "depend on what was learnt" in good.sentence and good.n == 8
    assert good.steps[0][0] == "head" and good.steps[0][1] == pytest.approx(0.9)
    assert good.reference is not None and abs(good.reference) < 0.2
    bad = trust.randomisation([("all", [0.9, 0.8, 0.95, 0.9, 0.9, 0.85, 0.9, 0.9])], others, IDS)
    assert bad.passed is False and "do not explain" in bad.sentence
    torn = trust.randomisation([("all", [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0])], others, IDS)
    assert torn.passed is None and "cannot be told" in torn.sentence


def test_stability_is_judged_by_image() -> None:
    others = list(zip(_maps(), _maps(9)[1:], strict=True))
    firm = trust.stability([("1 down", [0.9] * 7 + [None]), ("1 left", [0.7] * 7 + [0.8])], others, IDS)
    assert firm.passed is True and firm.estimate == pytest.approx(0.8) and firm.n == 8
    frail = trust.stability([("1 down", [0.1, 0.2, 0.1, 0.0, 0.1, 0.2, 0.1, 0.1])], others, IDS)
    assert frail.passed is False and "one map alone says little" in frail.sentence
    torn = trust.stability([("1 down", [1.0, 0.0] * 4)], others, IDS)
    assert torn.passed is None


def test_too_few_or_blank_maps_say_so() -> None:
    for values in ([0.1, 0.2], [None, None]):
        one = trust.randomisation([("all", values)], [], ["", ""])
        other = trust.stability([("1 down", values)], [], ["", ""])
        assert one.passed is None and other.passed is None
        assert "too few maps" in one.sentence and "too few maps" in other.sentence
        assert one.reference is None


def _marked(count: int) -> list[npt.NDArray[np.bool_]]:
    found = []
    for number in range(count):
        mask = np.zeros((16, 16), np.bool_)
        mask[number % 8 : number % 8 + 4, 10:14] = True
        found.append(mask)
    return found


def test_maps_on_the_finding_beat_chance_and_maps_beside_it_do_not() -> None:
    marked = _marked(20)
    right = [mask.astype(np.float32) for mask in marked]
    pointed, energy = trust.hits(right, marked, [""] * 20)
    assert (pointed.estimate, pointed.n, pointed.method, pointed.passed) == (1.0, 20, "wilson", True)
    assert pointed.reference == pytest.approx(16 / 256) and energy.reference == pointed.reference
    assert energy.passed is True and "more than by chance" in energy.sentence
    wrong = [np.roll(mask, 5, axis=1).astype(np.float32) for mask in marked]
    pointed, energy = trust.hits(wrong, marked, [""] * 20)
    assert pointed.estimate == 0.0 and pointed.passed is not True
    assert energy.estimate is not None and energy.estimate < 0.5


def test_hits_that_the_middle_explains_are_said_to_be() -> None:
    mask = np.zeros((16, 16), np.bool_)
    mask[6:10, 6:10] = True
    heat = np.zeros((16, 16), np.float32)
    heat[8, 8] = 1.0
    pointed, _ = trust.hits([heat] * 10, [mask] * 10, [f"p{number // 2}" for number in range(10)])
    assert pointed.method == "wilson-patients"
    assert "But the middle of the image alone would hit in 100 %" in pointed.sentence and pointed.passed is None
    assert pointed.steps == (("the middle of every image", 1.0),)
