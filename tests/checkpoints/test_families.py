import pytest

from labelwise.checkpoints.families import pad_token_id, window_tokens


@pytest.mark.parametrize(
    ("config", "tokenizer_config", "expected"),
    [
        ({"model_type": "bert", "max_position_embeddings": 512}, {}, 512),
        ({"model_type": "bert", "max_position_embeddings": 512}, {"model_max_length": 128}, 128),
        ({"model_type": "bert", "max_position_embeddings": 512}, {"model_max_length": 1e30}, 512),
        ({"model_type": "bert", "max_position_embeddings": 512}, {"model_max_length": None}, 512),
        ({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}, {}, 512),
        ({"model_type": "xlm-roberta", "max_position_embeddings": 514}, {"model_max_length": 512}, 512),
        ({"model_type": "bart", "max_position_embeddings": 1024}, {}, 1024),
        ({"model_type": "modernbert", "max_position_embeddings": 8192}, {}, 8192),
        ({"model_type": "xlnet"}, {}, 512),
        ({"model_type": "bert", "max_position_embeddings": True}, {"model_max_length": -1}, 512),
    ],
)
def test_the_window_is_the_smaller_sane_limit(config, tokenizer_config, expected):
    assert window_tokens(config, tokenizer_config) == expected


def test_the_pad_id_comes_from_the_config_or_the_family():
    assert pad_token_id({"model_type": "bert", "pad_token_id": 7}) == 7
    assert pad_token_id({"model_type": "bert"}) == 0
    assert pad_token_id({"model_type": "roberta", "pad_token_id": None}) == 1
    assert pad_token_id({"model_type": "bart"}) == 1
