"""Parity with the gliclass package, from logits that it wrote down (../make_gliclass_fixtures.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel, DebertaV2Config

from labelwise.errors import CheckpointError
from labelwise.models import GLiClassConfig, GLiClassModel

FIXTURES = sorted(path.parent for path in Path(__file__).parents[1].glob("fixtures/*/expected.json"))
TOLERANCE = 1e-4


def tiny_config(**fields):
    encoder = DebertaV2Config(
        vocab_size=60, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    return GLiClassConfig(encoder_config=encoder, class_token_index=57, text_token_index=58, **fields)


def padded(rows):
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask


def largest_difference(logits, expected):
    known = logits[: len(expected)]
    assert torch.isneginf(logits[len(expected) :]).all()
    return (known - torch.tensor(expected)).abs().max().item()


@pytest.fixture(params=FIXTURES, ids=lambda folder: folder.name)
def fixture(request):
    model = AutoModel.from_pretrained(request.param, dtype=torch.float32).eval()
    facts = json.loads((request.param / "expected.json").read_text())
    return model, facts["rows"], facts["logits"]


def test_there_are_checkpoints_to_compare_with():
    assert len(FIXTURES) == 8


def test_each_row_alone_scores_as_in_the_gliclass_package(fixture):
    model, rows, expected = fixture
    for row, row_logits in zip(rows, expected, strict=True):
        with torch.no_grad():
            logits = model(*padded([row])).logits[0]
        assert largest_difference(logits, row_logits) < TOLERANCE


def test_padding_and_the_other_rows_of_a_batch_do_not_change_a_row(fixture):
    model, rows, expected = fixture
    with torch.no_grad():
        logits = model(*padded([*rows, rows[1] + rows[1][1:]])).logits
    for row_logits, row_expected in zip(logits, expected, strict=False):
        assert largest_difference(row_logits, row_expected) < TOLERANCE


@pytest.mark.parametrize("folder", FIXTURES, ids=lambda folder: folder.name)
def test_the_state_dict_has_the_published_names_and_shapes(folder):
    published = {name: tensor.shape for name, tensor in load_file(folder / "model.safetensors").items()}
    model = GLiClassModel(AutoConfig.from_pretrained(folder))
    assert {name: tensor.shape for name, tensor in model.state_dict().items()} == published


@pytest.mark.parametrize("pooling", ["first", "average"])
@pytest.mark.parametrize("embeds_class_token", [True, False])
def test_more_labels_than_max_num_classes_all_get_a_score(pooling, embeds_class_token):
    model = GLiClassModel(
        tiny_config(class_token_pooling=pooling, embed_class_token=embeds_class_token)
    ).eval()
    assert model.config.max_num_classes == 25
    row = [1, *[token for k in range(100) for token in (57, 5 + k % 50)], 58, 9, 8, 2]
    logits = model(*padded([row])).logits
    assert logits.shape == (1, 100)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("pooling", ["first", "average"])
def test_a_batch_without_any_label_gives_a_table_without_columns(pooling):
    model = GLiClassModel(tiny_config(class_token_pooling=pooling)).eval()
    assert model(*padded([[1, 7, 8, 2]])).logits.shape == (1, 0)


def test_a_class_token_under_padding_is_not_a_label():
    model = GLiClassModel(tiny_config()).eval()
    ids, mask = padded([[1, 57, 6, 58, 7, 2, 57]])
    mask[0, -1] = 0
    assert model(ids, mask).logits.shape == (1, 1)


def test_logit_scale_counts_only_where_vectors_are_normalised():
    row = padded([[1, 57, 6, 57, 9, 58, 7, 2]])
    for normalises, factor in ((False, 1.0), (True, 3.0)):
        model = GLiClassModel(tiny_config(normalize_features=normalises, logit_scale_init_value=1.0)).eval()
        with torch.no_grad():
            before = model(*row).logits
            model.model.logit_scale.fill_(3.0)
            after = model(*row).logits
        torch.testing.assert_close(after, factor * before)


def test_a_saved_model_reads_back_with_the_same_scores(tmp_path):
    model = GLiClassModel(tiny_config(scorer_type="weighted-dot")).eval()
    row = padded([[1, 57, 6, 57, 9, 58, 7, 2]])
    model.save_pretrained(tmp_path)
    torch.testing.assert_close(AutoModel.from_pretrained(tmp_path)(*row).logits, model(*row).logits)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"architecture_type": "bi-encoder"}, "bi-encoder"),
        ({"scorer_type": "hopfield"}, "hopfield"),
        ({"pooling_strategy": "attention"}, "attention"),
        ({"pooling_strategy": "pass"}, "'pass' with scorer_type 'simple'"),
        ({"scorer_type": "cross-attn"}, "'first' with scorer_type 'cross-attn'"),
        ({"class_token_pooling": "last"}, "last"),
        ({"squeeze_layers": True}, "squeeze_layers"),
        ({"use_calibrator": True}, "use_calibrator"),
        ({"encoder_config": {"model_type": "t5", "vocab_size": 60, "d_model": 8}}, "t5"),
    ],
)
def test_what_cannot_be_built_is_refused_by_name(fields, named):
    with pytest.raises(CheckpointError, match=named):
        GLiClassModel(GLiClassConfig(**{"encoder_config": tiny_config().encoder_config, **fields}))


def test_gradients_reach_the_encoder_with_gradient_checkpointing():
    model = GLiClassModel(tiny_config()).train()
    model.gradient_checkpointing_enable()
    model(*padded([[1, 57, 6, 57, 9, 58, 7, 2]])).logits.sum().backward()
    assert model.get_input_embeddings().weight.grad.abs().sum() > 0
