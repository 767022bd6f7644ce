"""Tiny checkpoints of every family with a tokenizer of words and characters."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

CONTROL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
WORDS = ["the", "card", "charge", "parcel", "late", "praise", "customer", "returned", "is", "about", "not"]
CHARACTERS = string.ascii_lowercase + string.digits + ".,!?'-"
NLI_LABELS = {0: "entailment", 1: "neutral", 2: "contradiction"}


def save_tokenizer(folder: Path, added=(), **settings) -> int:
    """Write a tokenizer and return how many ids it has."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces = [*CONTROL, *CHARACTERS, *(f"##{character}" for character in CHARACTERS), *WORDS]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens([*CONTROL, *added])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = dict(
        zip(("pad_token", "cls_token", "sep_token", "unk_token", "mask_token"), CONTROL, strict=True)
    )
    (folder / "tokenizer_config.json").write_text(json.dumps(names | settings))
    return tokenizer.get_vocab_size()


def encoder_config(family: str, vocab_size: int, **changes):
    import transformers

    sizes = {
        "vocab_size": vocab_size,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 128,
        "pad_token_id": 0,
    }
    control = {"bos_token_id": 1, "cls_token_id": 1, "eos_token_id": 2, "sep_token_id": 2}
    relative = {
        "relative_attention": True,
        "position_buckets": 16,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False,
        "type_vocab_size": 0,
        "pooler_hidden_size": 32,
    }
    bart = {
        "vocab_size": vocab_size, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2,
        "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64, "max_position_embeddings": 128, "pad_token_id": 0, "bos_token_id": 1,
        "eos_token_id": 2, "decoder_start_token_id": 2, "forced_eos_token_id": 2,
    }  # fmt: skip
    classes = {
        "bert": (transformers.BertConfig, sizes),
        "roberta": (
            transformers.RobertaConfig,
            sizes | {"type_vocab_size": 1, "max_position_embeddings": 129},
        ),
        "deberta-v2": (transformers.DebertaV2Config, sizes | relative),
        "modernbert": (transformers.ModernBertConfig, sizes | control | {"local_attention": 16}),
        "bart": (transformers.BartConfig, bart),
    }
    config_class, settings = classes[family]
    return config_class(**(settings | changes))


def draw_weights(model, *, scale=0.2):
    """Draw weights that make decisions differ from row to row."""
    import torch

    torch.manual_seed(4)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(0.0, scale)
            elif "norm" not in name.lower() and "scale" not in name:
                parameter.normal_(0.0, 0.1)
    return model.eval()


@pytest.fixture
def save_model(tmp_path):
    """Save a tiny pair classifier or reader and return its folder."""

    def save(family="bert", *, head="SequenceClassification", scale=0.2, folder="model", **changes):
        import transformers

        transformers.utils.logging.disable_progress_bar()
        path = tmp_path / folder
        vocab_size = save_tokenizer(path, model_max_length=changes.pop("max_tokens", 128))
        config = encoder_config(family, vocab_size, **changes)
        if head == "SequenceClassification":
            config.id2label = NLI_LABELS
            config.label2id = {name: number for number, name in NLI_LABELS.items()}
        model = getattr(transformers, f"AutoModelFor{head}").from_config(config)
        draw_weights(model, scale=scale).save_pretrained(path)
        return path

    return save


@pytest.fixture
def save_gliznet(tmp_path):
    def save(family="deberta-v2"):
        from labelwise.models import GliZNetConfig, GliZNetModel

        path = tmp_path / "gliznet"
        limits = {"max_tokens_per_span": 16, "min_text_tokens": 5, "min_label_tokens": 1}
        vocab_size = save_tokenizer(path, ["[LAB]"], model_max_length=96, **limits)
        config = GliZNetConfig(
            backbone_config=encoder_config(family, vocab_size), lab_token_id=vocab_size - 1, max_labels=20
        )
        draw_weights(GliZNetModel(config)).save_pretrained(path)
        return path

    return save


@pytest.fixture
def save_gliclass(tmp_path):
    def save(family="deberta-v2"):
        from labelwise.models import GLiClassConfig, GLiClassModel

        path = tmp_path / "gliclass"
        vocab_size = save_tokenizer(path, ["<<LABEL>>", "<<SEP>>", "<<EXAMPLE>>"])
        config = GLiClassConfig(
            encoder_config=encoder_config(family, vocab_size),
            class_token_index=vocab_size - 3,
            text_token_index=vocab_size - 2,
        )
        draw_weights(GLiClassModel(config)).save_pretrained(path)
        return path

    return save


@pytest.fixture
def save_multitask(tmp_path):
    def save():
        import torch

        from labelwise.models import MultitaskConfig, MultitaskModel

        path = tmp_path / "multitask"
        vocab_size = save_tokenizer(path, model_max_length=96)
        sizes = encoder_config("bert", vocab_size).to_dict()
        for name in ("model_type", "id2label", "label2id", "architectures"):
            sizes.pop(name, None)
        labels = {"id2label": NLI_LABELS, "label2id": {name: number for number, name in NLI_LABELS.items()}}
        model = draw_weights(MultitaskModel(MultitaskConfig(label_head_size=24, **sizes, **labels)))
        model.similarity.token_weights[5:] = torch.rand(vocab_size - 5) + 0.5
        model.similarity.center[:] = 0.05
        model.similarity.scale.fill_(1.5)
        model.save_pretrained(path)
        return path

    return save
