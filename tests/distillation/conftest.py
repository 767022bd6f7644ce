"""Teachers of a few narrow layers, and the published configuration of BART-large."""

from __future__ import annotations

import pytest

NAMES = {0: "contradiction", 1: "neutral", 2: "entailment"}
ENCODER = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
}
SETTINGS = {
    "bart": {
        "vocab_size": 60,
        "d_model": 32,
        "encoder_layers": 6,
        "decoder_layers": 6,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 48,
        "decoder_ffn_dim": 40,
        "max_position_embeddings": 40,
    },
    "bert": ENCODER,
    "roberta": ENCODER,
    "deberta-v2": ENCODER
    | {
        "relative_attention": True,
        "position_buckets": 8,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False,
        "type_vocab_size": 0,
        "pooler_hidden_size": 32,
    },
    "modernbert": ENCODER
    | {"pad_token_id": 1, "bos_token_id": 0, "cls_token_id": 0, "eos_token_id": 2, "sep_token_id": 2}
    | {"local_attention": 8},
}


def make_config(family, **changes):
    transformers = pytest.importorskip("transformers")
    names = {"id2label": NAMES, "label2id": {name: index for index, name in NAMES.items()}}
    return transformers.AutoConfig.for_model(family, **(SETTINGS[family] | names | changes))


@pytest.fixture
def model_config():
    return make_config


@pytest.fixture
def save_teacher(tmp_path):
    def save(family, *, dtype="float32", max_shard_size="1GB", **changes):
        torch = pytest.importorskip("torch")
        transformers = pytest.importorskip("transformers")
        transformers.utils.logging.disable_progress_bar()
        torch.manual_seed(1)
        model = transformers.AutoModelForSequenceClassification.from_config(make_config(family, **changes))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        folder = tmp_path / "teacher"
        model = model.to(getattr(torch, dtype)).eval()
        model.save_pretrained(folder, max_shard_size=max_shard_size)
        (folder / "tokenizer_config.json").write_text('{"model_max_length": 40}')
        return model, folder

    return save


@pytest.fixture
def bart_large():
    return {
        "model_type": "bart",
        "architectures": ["BartForSequenceClassification"],
        "vocab_size": 50265,
        "d_model": 1024,
        "encoder_layers": 12,
        "decoder_layers": 12,
        "num_hidden_layers": 12,
        "encoder_ffn_dim": 4096,
        "decoder_ffn_dim": 4096,
        "max_position_embeddings": 1024,
        "id2label": {"0": "contradiction", "1": "neutral", "2": "entailment"},
    }
