"""Every card of every plugin tells the truth about its model."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch

from medfm_gui.base.plugins import Catalogue, read_plugins
from medfm_gui.domain.cards import ADAPTATIONS, KNOWN_DATASETS, BackboneCard, Family, suitable_size
from medfm_gui.engine.backbones import build_backbone
from medfm_gui.engine.converters import CONVERTERS

CARDS = read_plugins().cards


def test_every_plugin_can_be_read(catalogue: Catalogue) -> None:
    assert catalogue.broken == ()
    assert {"dinov2-s", "dinov2-b", "dinov2-l", "dinov2-g", "mae-b", "mae-l", "mae-h"} <= {c.name for c in CARDS}
    assert {"resnet50", "efficientnet-lite0", "efficientnet-lite1"} <= {c.name for c in CARDS}


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_a_card_fits_its_model(card: BackboneCard) -> None:
    with torch.device("meta"):
        backbone = build_backbone(card, card.native_size)
        features = backbone.features(torch.empty(2, 3, card.native_size, card.native_size))
    parameters = sum(parameter.numel() for parameter in backbone.module.parameters())
    assert features.shape == (2, card.feature_dim)
    assert backbone.feature_dim == card.feature_dim
    assert parameters / 1e6 == pytest.approx(card.parameters_m, abs=0.006)
    assert isinstance(backbone.cam_layer(), torch.nn.Module)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_a_card_is_complete(card: BackboneCard) -> None:
    assert card.name == card.name.lower().replace("_", "-").replace(" ", "-")
    assert card.input_size % card.multiple == 0
    assert card.native_size % card.multiple == 0
    assert card.weights.converter in CONVERTERS
    assert card.weights.label != "none" or card.weights.note
    assert set(card.adaptations) <= {adaptation.name for adaptation in ADAPTATIONS}
    assert card.pretraining
    assert card.pretraining_data
    assert card.non_commercial == ("NC" in card.licence)


def test_every_family_has_its_models_and_its_marker() -> None:
    from medfm_gui.reports.palette import MARKERS

    named = {card.family for card in CARDS}
    assert named == set(Family)
    assert set(MARKERS) == set(Family)


def test_what_is_known_of_overlaps_names_known_datasets() -> None:
    for card in CARDS:
        assert set(card.overlaps) <= set(KNOWN_DATASETS), card.name
        assert "unknown" not in card.overlaps.values(), card.name  # what is not said is unknown
    by_name = {card.name: card for card in CARDS}
    assert by_name["rad-dino"].overlap("chexpert") == by_name["rad-dino"].overlap("nih-cxr14") == "yes"
    assert by_name["biomedclip"].overlap("nih-cxr14") == "possible"
    assert by_name["mae-b"].overlap("chexpert") == "no"
    assert by_name["dinov3-s"].overlap("chexpert") == by_name["mae-b"].overlap("ddsm") == "unknown"


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_a_size_is_rounded_to_one_that_the_model_takes(card: BackboneCard) -> None:
    assert suitable_size(card, card.input_size) == card.input_size
    for wanted in (1, 16, 33, 100, 225, 231, 517):
        size = suitable_size(card, wanted)
        assert size % card.multiple == 0
        assert abs(size - max(wanted, 32)) <= card.multiple
    smallest = suitable_size(card, 1)
    with torch.device("meta"):
        features = build_backbone(card, smallest).features(torch.empty(1, 3, smallest, smallest))
    assert features.shape == (1, card.feature_dim)


def test_sizes_are_rounded_to_the_nearest() -> None:
    card = next(card for card in CARDS if card.name == "dinov2-s")
    assert [suitable_size(card, wanted) for wanted in (224, 225, 230, 231, 237)] == [224, 224, 224, 238, 238]
    fixed = replace(card, size_rule="fixed")
    assert suitable_size(fixed, 100) == 518


def test_the_manifests_are_read_fast_enough_for_every_start() -> None:
    fastest = min(_seconds_to_read() for _ in range(3))
    assert fastest < 0.06  # 8 ms on an idle machine; five times that is a fault, a busy machine is none


def _seconds_to_read() -> float:
    start = time.perf_counter()
    read_plugins()
    return time.perf_counter() - start
