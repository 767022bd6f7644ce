"""A tiny checkpoint in exactly the published layout, and batches for it."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

HIDDEN_SIZE = 16
WORDS = ["the", "match", "ended", "sports", "politics", "world", "news", "a"]
SPECIAL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
LAB = "[LAB]"
BACKBONE = {
    "model_type": "deberta-v2",
    "vocab_size": 24,
    "hidden_size": HIDDEN_SIZE,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 64,
    "relative_attention": True,
    "position_buckets": 8,
    "pos_att_type": ["p2c", "c2p"],
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "position_biased_input": False,
    "type_vocab_size": 0,
    "pad_token_id": 0,
    "dtype": "float16",
}
LAYER_SHAPES = {
    "attention.self.query_proj.weight": (16, 16),
    "attention.self.query_proj.bias": (16,),
    "attention.self.key_proj.weight": (16, 16),
    "attention.self.key_proj.bias": (16,),
    "attention.self.value_proj.weight": (16, 16),
    "attention.self.value_proj.bias": (16,),
    "attention.output.dense.weight": (16, 16),
    "attention.output.dense.bias": (16,),
    "attention.output.LayerNorm.weight": (16,),
    "attention.output.LayerNorm.bias": (16,),
    "intermediate.dense.weight": (24, 16),
    "intermediate.dense.bias": (24,),
    "output.dense.weight": (16, 24),
    "output.dense.bias": (16,),
    "output.LayerNorm.weight": (16,),
    "output.LayerNorm.bias": (16,),
}
SCORING_SHAPES = {
    "bilinear": {
        "aggregator.scoring.bilinear.weight": (1, 16, 16),
        "aggregator.scoring.bilinear.bias": (1,),
    },
    "cosine": {"aggregator.scoring.logit_scale": ()},
}


def published_shapes(scoring_method):
    """Every tensor of the published layout, written out by hand."""
    shapes = {
        "backbone.embeddings.word_embeddings.weight": (24, 16),
        "backbone.embeddings.LayerNorm.weight": (16,),
        "backbone.embeddings.LayerNorm.bias": (16,),
        "backbone.encoder.rel_embeddings.weight": (16, 16),
        "backbone.encoder.LayerNorm.weight": (16,),
        "backbone.encoder.LayerNorm.bias": (16,),
    }
    for layer in range(2):
        shapes |= {f"backbone.encoder.layer.{layer}.{name}": shape for name, shape in LAYER_SHAPES.items()}
    return shapes | SCORING_SHAPES[scoring_method]


def write_tokenizer(folder):
    vocabulary = {token: index for index, token in enumerate([*SPECIAL, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.add_special_tokens([*SPECIAL, LAB])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 512,
        "additional_special_tokens": [LAB],
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "mask_token": "[MASK]",
        "max_tokens_per_span": 16,
        "min_text_tokens": 5,
        "min_label_tokens": 1,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return tokenizer.token_to_id(LAB)


@pytest.fixture(params=["bilinear", "cosine"])
def scoring_method(request):
    return request.param


@pytest.fixture
def tensors(scoring_method):
    generator = torch.Generator().manual_seed(3)
    drawn = {}
    for name, shape in published_shapes(scoring_method).items():
        values = torch.randn(shape, generator=generator)
        # Vectors stay near 0 or 1: larger ones would make the states of all tokens alike, and hide faults.
        centre = 3.0 if name.endswith("logit_scale") else float(name.endswith("LayerNorm.weight"))
        drawn[name] = values * 0.5 if len(shape) > 1 else values * 0.1 + centre
    return drawn


@pytest.fixture
def checkpoint(tmp_path, scoring_method, tensors):
    """The folder of a GliZNet checkpoint, written file by file and not by the code under test."""
    config = {
        "architectures": ["GliZNetForSequenceClassification"],
        "model_type": "gliznet",
        "backbone_model": "microsoft/deberta-v3-base",
        "backbone_config": BACKBONE,
        "dropout_rate": 0.1,
        "lab_token_id": write_tokenizer(tmp_path),
        "bce_loss_weight": 0.5,
        "supcon_loss_weight": 0.5,
        "label_repulsion_weight": 0.05,
        "supcon_margin": 0.5,
        "repulsion_threshold": 0.3,
        "max_labels": 20,
        "scoring_method": scoring_method,
        "losses": ["softmax", "repulsion", "bce"],
        "a_field_of_the_future": {"curriculum": [1, 2]},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    return tmp_path


@pytest.fixture
def batch():
    """Three texts with 2, 3 and 1 labels as input_ids, attention_mask and lmask; [LAB] is 13, padding 0."""
    rows = [
        ([1, 5, 6, 7, 2, 8, 13, 9, 13], [0, 0, 0, 0, 0, 1, 0, 2, 0]),
        ([1, 5, 6, 2, 10, 11, 13, 9, 13, 12, 8, 13], [0, 0, 0, 0, 1, 1, 0, 2, 0, 3, 3, 0]),
        ([1, 12, 7, 6, 5, 2, 10, 13], [0, 0, 0, 0, 0, 0, 1, 0]),
    ]
    longest = max(len(ids) for ids, _ in rows)
    return {
        "input_ids": torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in rows]),
        "attention_mask": torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids, _ in rows]),
        "lmask": torch.tensor([marks + [0] * (longest - len(ids)) for ids, marks in rows]),
    }
