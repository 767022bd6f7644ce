import pytest

from labelwise.graphs.nested import encoder_config_of, encoder_prefix_of


def test_other_models_are_their_own_encoder():
    config = {"model_type": "bert", "hidden_size": 8}
    assert encoder_config_of(config) is config
    assert encoder_prefix_of(config) is None


def test_what_transformers_leaves_out_is_filled_with_its_defaults():
    encoder = encoder_config_of(
        {"model_type": "gliznet", "backbone_config": {"model_type": "roberta", "num_hidden_layers": 3}}
    )
    assert (encoder["num_hidden_layers"], encoder["hidden_size"], encoder["pad_token_id"]) == (3, 768, 1)


def test_the_defaults_are_those_of_transformers():
    transformers = pytest.importorskip("transformers")
    for family in ("deberta-v2", "bert", "roberta", "xlm-roberta", "camembert"):
        filled = encoder_config_of({"model_type": "gliznet", "backbone_config": {"model_type": family}})
        theirs = transformers.AutoConfig.for_model(family)
        assert {name: getattr(theirs, name) for name in filled} == dict(filled)


def test_gliclass_counts_the_tokens_that_were_added_and_was_first_deberta():
    config = {"model_type": "GLiClass", "vocab_size": 103, "encoder_config": {"vocab_size": 100}}
    assert encoder_config_of(config)["vocab_size"] == 103
    assert encoder_config_of(config)["model_type"] == "deberta-v2"
    assert encoder_prefix_of(config) == "model.encoder_model"
