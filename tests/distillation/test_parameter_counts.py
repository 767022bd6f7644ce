import json

import pytest

from labelwise.distillation.parameter_counts import count_parameters
from labelwise.errors import CheckpointError

SETTINGS = [
    ("bart", {}),
    ("bert", {}),
    ("roberta", {"type_vocab_size": 1}),
    ("deberta-v2", {}),
    ("deberta-v2", {"share_att_key": False, "position_biased_input": True, "type_vocab_size": 2}),
    ("deberta-v2", {"share_att_key": False, "pos_att_type": ["c2p"], "position_buckets": -1}),
    ("deberta-v2", {"embedding_size": 16, "conv_kernel_size": 3, "norm_rel_ebd": "none"}),
    ("deberta-v2", {"relative_attention": False}),
    ("modernbert", {}),
    ("modernbert", {"norm_bias": True, "attention_bias": True, "mlp_bias": True, "classifier_bias": True}),
]


@pytest.mark.parametrize("head", ["SequenceClassification", "QuestionAnswering", ""])
@pytest.mark.parametrize(("family", "changes"), SETTINGS)
def test_counts_equal_those_of_the_torch_module(model_config, family, changes, head):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    config = model_config(family, **changes)
    made_by = getattr(transformers, f"AutoModelFor{head}" if head else "AutoModel")
    if head == "QuestionAnswering":
        config.num_labels = 2
    with torch.device("meta"):
        model = made_by.from_config(config)
    stored = json.loads(config.to_json_string()) | {"architectures": [type(model).__name__]}
    assert count_parameters(stored).total == sum(parameter.numel() for parameter in model.parameters())


def test_parts_of_bart_add_up(bart_large):
    counts = count_parameters(bart_large)
    assert counts.to_dict() == {
        "embeddings": 53_576_704,
        "encoder": 151_154_688,
        "decoder": 201_560_064,
        "head": 1_052_675,
        "total": 407_344_131,
    }


@pytest.mark.parametrize("change", [{"d_model": None}, {"d_model": "1024"}, {"encoder_layers": 0}])
def test_a_senseless_number_is_named(bart_large, change):
    with pytest.raises(CheckpointError, match=next(iter(change))):
        count_parameters(bart_large | change)


def test_other_families_and_heads_are_refused(bart_large):
    with pytest.raises(CheckpointError, match="t5"):
        count_parameters({"model_type": "t5"})
    with pytest.raises(CheckpointError, match="BartForConditionalGeneration"):
        count_parameters(bart_large | {"architectures": ["BartForConditionalGeneration"]})
