"""Every card of every plugin tells the truth about its model."""

from __future__ import annotations

import pytest
import torch

from medfm_gui.base.plugins import Catalogue, read_plugins
from medfm_gui.domain.cards import ADAPTATIONS, BackboneCard, Family
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
    assert card.weights.label != "none"
    assert set(card.adaptations) <= {adaptation.name for adaptation in ADAPTATIONS}
    assert card.pretraining
    assert card.pretraining_data
    assert card.non_commercial == ("NC" in card.licence)


def test_families_are_told_apart() -> None:
    assert {card.family for card in CARDS} == {Family.DINOV2, Family.MAE, Family.BASELINE}
    assert all(card.convolutional == (card.family is Family.BASELINE) for card in CARDS)
