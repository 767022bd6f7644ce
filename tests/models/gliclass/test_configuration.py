from __future__ import annotations

import json

from transformers import AutoConfig, ModernBertConfig

from labelwise.models import GLiClassConfig


def test_defaults_are_the_published_ones():
    config = GLiClassConfig()
    assert config.encoder_config.model_type == "deberta-v2"
    published = {
        "projector_hidden_act": "gelu",
        "problem_type": "single_label_classification",
        "max_num_classes": 25,
        "use_lstm": False,
        "initializer_range": 0.03,
        "scorer_type": "simple",
        "scorer_num_heads": 16,
        "scorer_mlp_hidden_size": 1024,
        "pooling_strategy": "first",
        "class_token_pooling": "first",
        "logit_scale_init_value": 2.6592,
        "normalize_features": False,
        "extract_text_features": False,
        "architecture_type": "uni-encoder",
        "prompt_first": False,
        "squeeze_layers": False,
        "encoder_layer_id": -1,
        "embed_class_token": True,
        "dropout": 0.1,
        "use_segment_embeddings": False,
    }
    assert {name: getattr(config, name) for name in published} == published


def test_control_tokens_follow_the_vocabulary_unless_they_are_given():
    encoder = ModernBertConfig(vocab_size=100)
    config = GLiClassConfig(encoder_config=encoder, text_token_index=90)
    assert (config.class_token_index, config.text_token_index, config.example_token_index) == (100, 90, 102)


def test_the_outer_vocabulary_size_is_the_size_of_the_table():
    config = GLiClassConfig(encoder_config=ModernBertConfig(vocab_size=100).to_dict(), vocab_size=103)
    assert config.encoder_config.vocab_size == 103


def test_an_encoder_without_a_type_is_a_deberta():
    assert GLiClassConfig(encoder_config={"hidden_size": 24}).encoder_config.model_type == "deberta-v2"


def test_unknown_fields_survive_reading_and_writing(tmp_path):
    written = {
        "model_type": "GLiClass",
        "encoder_config": {"model_type": "deberta-v2", "hidden_size": 24},
        "focal_loss_alpha": 0.7,
        "a_field_of_the_future": {"deep": [1]},
    }
    (tmp_path / "config.json").write_text(json.dumps(written))
    config = AutoConfig.from_pretrained(tmp_path)
    config.save_pretrained(tmp_path / "again")
    again = json.loads((tmp_path / "again" / "config.json").read_text())
    assert again["a_field_of_the_future"] == {"deep": [1]}
    assert again["focal_loss_alpha"] == 0.7
    assert again["encoder_config"]["hidden_size"] == 24
