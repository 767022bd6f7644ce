import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DebertaV2Config,
    DebertaV2ForQuestionAnswering,
    DebertaV2ForSequenceClassification,
)

from labelwise.backends.torch import input_names
from labelwise.errors import InputError
from labelwise.models.attention import PackedDeberta, is_packable, packed_on_gpu

# As DeBERTa-v3 is configured, but narrow and with buckets that start soon.
V3 = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "relative_attention": True,
    "position_buckets": 16,
    "max_relative_positions": -1,
    "max_position_embeddings": 64,
    "pos_att_type": ["p2c", "c2p"],
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
    "position_biased_input": False,
    "type_vocab_size": 0,
    "layer_norm_eps": 1e-7,
    "num_labels": 3,
}
OTHER_CONFIGS = {
    "own position projections": {"share_att_key": False},
    "content to position alone": {"pos_att_type": ["c2p"], "share_att_key": False},
    "position to content alone": {"pos_att_type": ["p2c"]},
    "no relative positions": {"relative_attention": False, "pos_att_type": [], "position_biased_input": True},
    "no buckets, types, absolute positions": {
        "position_buckets": -1,
        "type_vocab_size": 2,
        "position_biased_input": True,
        "norm_rel_ebd": "none",
    },
    "narrow embeddings": {"embedding_size": 12},
}


def model_of(cls=DebertaV2ForSequenceClassification, **changes):
    torch.manual_seed(0)
    config = DebertaV2Config(**{**V3, **changes})
    model = cls(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            # As made, all weights are near zero and position scores would not show.
            parameter.add_(0.2 * torch.randn(parameter.shape))
    return model


def batch_of(lengths, *, seed=0, has_types=False):
    generator = torch.Generator().manual_seed(seed)
    shape = (len(lengths), max(lengths))
    mask = (torch.arange(shape[1]) < torch.tensor(lengths).unsqueeze(1)).long()
    feed = {"input_ids": torch.randint(1, 60, shape, generator=generator), "attention_mask": mask}
    if has_types:
        feed["token_type_ids"] = torch.randint(0, 2, shape, generator=generator)
    return feed


CLASSIFIER = model_of()
READER = model_of(DebertaV2ForQuestionAnswering, num_labels=2)
PACKED_CLASSIFIER = PackedDeberta(CLASSIFIER)
PACKED_READER = PackedDeberta(READER)


@torch.no_grad()
def transformers_gives(model, feed, name):
    """Run rows one by one, so that their padding cannot matter."""
    lengths = feed["attention_mask"].sum(1).tolist()
    rows = [
        model(**{key: values[row : row + 1, :length] for key, values in feed.items()})[name][0]
        for row, length in enumerate(lengths)
    ]
    return rows if name == "logits" else [row[:length] for row, length in zip(rows, lengths, strict=True)]


@settings(max_examples=10, deadline=None)
@given(lengths=st.lists(st.integers(1, 300), min_size=1, max_size=4), seed=st.integers(0, 100))
def test_a_classifier_gives_what_transformers_gives(lengths, seed):
    feed = batch_of(lengths, seed=seed)
    expected = torch.stack(transformers_gives(CLASSIFIER, feed, "logits"))
    torch.testing.assert_close(PACKED_CLASSIFIER(**feed)["logits"], expected, rtol=0, atol=1e-4)


@settings(max_examples=10, deadline=None)
@given(lengths=st.lists(st.integers(1, 300), min_size=1, max_size=4), seed=st.integers(0, 100))
def test_a_reader_gives_what_transformers_gives(lengths, seed):
    feed = batch_of(lengths, seed=seed)
    outputs = PACKED_READER(**feed)
    for name in ("start_logits", "end_logits"):
        for row, expected in enumerate(transformers_gives(READER, feed, name)):
            torch.testing.assert_close(outputs[name][row, : len(expected)], expected, rtol=0, atol=1e-4)
            assert not outputs[name][row, len(expected) :].any()


@pytest.mark.parametrize("changes", OTHER_CONFIGS.values(), ids=OTHER_CONFIGS)
def test_other_configs_give_what_transformers_gives(changes):
    model = model_of(**changes)
    feed = batch_of([50, 3, 1], has_types=changes.get("type_vocab_size", 0) > 0)
    expected = torch.stack(transformers_gives(model, feed, "logits"))
    torch.testing.assert_close(PackedDeberta(model)(**feed)["logits"], expected, rtol=0, atol=1e-4)


def test_position_scores_matter_in_these_tests():
    feed = batch_of([50])
    with_positions = PACKED_CLASSIFIER(**feed)["logits"]
    tables = [layer.attention.position_keys for layer in PACKED_CLASSIFIER.layers]
    kept = [table.clone() for table in tables]
    for table in tables:
        table.zero_()
    without = PACKED_CLASSIFIER(**feed)["logits"]
    for table, values in zip(tables, kept, strict=True):
        table.copy_(values)
    assert (with_positions - without).abs().max() > 1e-3


def test_bfloat16_stays_near_float32():
    feed = batch_of([120, 7, 60])
    exact = PACKED_CLASSIFIER(**feed)["logits"]
    rounded = PackedDeberta(model_of().bfloat16())(**feed)["logits"]
    assert rounded.dtype == torch.bfloat16
    assert (rounded.float() - exact).abs().max() < 0.05 * exact.abs().max()


def test_a_row_without_tokens_is_finite_and_leaves_the_others_alone():
    feed = batch_of([9, 4])
    feed["attention_mask"][0] = 0
    logits = PACKED_CLASSIFIER(**feed)["logits"]
    alone = PACKED_CLASSIFIER(**{name: values[1:] for name, values in feed.items()})["logits"]
    assert logits.isfinite().all()
    torch.testing.assert_close(logits[1:], alone, rtol=0, atol=1e-6)


def test_padding_before_tokens_is_refused():
    feed = batch_of([5, 3])
    feed["attention_mask"] = feed["attention_mask"].flip(1)
    with pytest.raises(InputError, match="padding stands before or between tokens"):
        PACKED_CLASSIFIER(**feed)


def test_the_backend_finds_the_inputs_that_transformers_module_takes():
    assert set(input_names(PACKED_CLASSIFIER)) == set(input_names(CLASSIFIER)) & {
        "input_ids",
        "attention_mask",
    }


def test_what_cannot_run_packed_stays_as_it_is():
    bert = BertForSequenceClassification(
        BertConfig(
            vocab_size=60,
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=48,
        )
    )
    convolved = model_of(conv_kernel_size=3)
    assert not is_packable(bert)
    assert not is_packable(convolved)
    assert packed_on_gpu(bert) is bert
    assert packed_on_gpu(CLASSIFIER) is CLASSIFIER  # on the CPU
    with pytest.raises(InputError, match="cannot run packed"):
        PackedDeberta(convolved)
