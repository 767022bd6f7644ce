from __future__ import annotations

import json

import pytest
from transformers import AutoConfig, BertConfig

from labelwise.errors import InputError
from labelwise.models import GliZNetConfig


def test_defaults_are_the_published_ones():
    config = GliZNetConfig()
    published = {
        "model_type": "gliznet",
        "backbone_model": "answerdotai/ModernBERT-base",
        "backbone_config": None,
        "dropout_rate": 0.1,
        "lab_token_id": None,
        "bce_loss_weight": 1.0,
        "supcon_loss_weight": 1.0,
        "label_repulsion_weight": 0.0,
        "supcon_margin": 0.0,
        "repulsion_threshold": 0.3,
        "max_labels": 20,
        "scoring_method": "bilinear",
        "losses": ["softmax", "repulsion", "bce"],
    }
    assert {name: getattr(config, name) for name in published} == published


@pytest.mark.parametrize("max_labels", [0, -1])
def test_max_labels_must_be_positive(max_labels):
    with pytest.raises(ValueError, match=f"max_labels is {max_labels}"):
        GliZNetConfig(max_labels=max_labels)


def test_an_unknown_scoring_method_is_refused():
    with pytest.raises(InputError, match="'dot'"):
        GliZNetConfig(scoring_method="dot")


def test_a_backbone_without_a_type_is_refused():
    with pytest.raises(InputError, match="model_type"):
        GliZNetConfig(backbone_config={"hidden_size": 8})


def test_the_nested_backbone_config_becomes_the_backbones_own_class_without_a_dtype():
    config = GliZNetConfig(backbone_config={"model_type": "bert", "hidden_size": 32, "dtype": "float16"})
    assert isinstance(config.backbone_config, BertConfig)
    assert config.backbone_config.hidden_size == 32
    assert config.backbone_config.dtype is None


def test_reading_the_mapping_does_not_change_it():
    mapping = {"model_type": "bert", "hidden_size": 32}
    GliZNetConfig(backbone_config=mapping)
    assert mapping == {"model_type": "bert", "hidden_size": 32}


def test_config_json_reads_back_through_autoconfig_with_its_unknown_fields(checkpoint, tmp_path):
    config = AutoConfig.from_pretrained(checkpoint)
    assert isinstance(config, GliZNetConfig)
    assert config.backbone_config.model_type == "deberta-v2"
    assert config.a_field_of_the_future == {"curriculum": [1, 2]}
    config.save_pretrained(tmp_path / "again")
    written = json.loads((tmp_path / "again" / "config.json").read_text())
    original = json.loads((checkpoint / "config.json").read_text())
    for name in original.keys() - {"backbone_config"}:
        assert written[name] == original[name]
    for name in original["backbone_config"].keys() - {"dtype"}:
        assert written["backbone_config"][name] == original["backbone_config"][name]


def test_the_losses_of_the_configuration_are_the_published_weights(checkpoint):
    settings = AutoConfig.from_pretrained(checkpoint).loss_settings
    assert (settings.softmax_weight, settings.binary_weight, settings.repulsion_weight) == (0.5, 0.5, 0.05)
    assert settings.softmax_margin == 0.5


def test_an_unknown_loss_name_is_refused_when_losses_are_asked_for():
    with pytest.raises(ValueError, match="'hinge'"):
        _ = GliZNetConfig(losses=["hinge"]).loss_settings
