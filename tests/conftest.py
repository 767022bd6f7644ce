"""Tiny checkpoints in the published layout, made by transformers; every test has a cache of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NLI_LABELS = {0: "contradiction", 1: "entailment", 2: "neutral"}
MAX_TOKENS = 110


def tiny_config(family: str, head: str, **changes: Any) -> Any:
    """Return a configuration of two narrow layers for a family."""
    import transformers

    names = {"id2label": NLI_LABELS, "label2id": {name: index for index, name in NLI_LABELS.items()}}
    if head == "QuestionAnswering":
        names = {}  # a reader has start and end, which transformers counts as its two labels
    encoder = {
        "vocab_size": 90,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": MAX_TOKENS,
    }
    classes = {
        "bert": (transformers.BertConfig, encoder),
        "roberta": (
            transformers.RobertaConfig,
            encoder | {"max_position_embeddings": MAX_TOKENS + 2, "type_vocab_size": 1},
        ),
        "deberta-v2": (
            transformers.DebertaV2Config,
            encoder
            | {
                "relative_attention": True,
                "position_buckets": 16,
                "norm_rel_ebd": "layer_norm",
                "share_att_key": True,
                "pos_att_type": ["p2c", "c2p"],
                "position_biased_input": False,
                "type_vocab_size": 0,
                "pooler_hidden_size": 32,
            },
        ),
        "modernbert": (
            transformers.ModernBertConfig,
            encoder
            | {"pad_token_id": 1, "bos_token_id": 0, "cls_token_id": 0, "eos_token_id": 2, "sep_token_id": 2}
            | {"local_attention": 16},
        ),
        "bart": (
            transformers.BartConfig,
            {
                "vocab_size": 90,
                "d_model": 32,
                "encoder_layers": 2,
                "decoder_layers": 2,
                "encoder_attention_heads": 4,
                "decoder_attention_heads": 4,
                "encoder_ffn_dim": 48,
                "decoder_ffn_dim": 48,
                "max_position_embeddings": MAX_TOKENS,
            },
        ),
        "distilbert": (
            transformers.DistilBertConfig,
            {"vocab_size": 90, "dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 4}
            | {"max_position_embeddings": MAX_TOKENS},
        ),
    }
    config_class, settings = classes[family]
    return config_class(**(settings | names | changes))


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("LABELWISE_CACHE", str(folder))
    return folder


@pytest.fixture
def save_tiny(tmp_path: Path) -> Callable[..., Path]:
    """Save a tiny model of a family with weights that are large enough to make logits differ."""

    def save(
        family: str, *, head: str = "SequenceClassification", dtype: str = "float32", **settings: Any
    ) -> Path:
        torch = pytest.importorskip("torch")
        transformers = pytest.importorskip("transformers")
        transformers.utils.logging.disable_progress_bar()
        folder = tmp_path / f"{family}-{head}"
        changes = settings.pop("config", {})
        torch.manual_seed(0)
        model = getattr(transformers, f"AutoModelFor{head}").from_config(tiny_config(family, head, **changes))
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if parameter.ndim > 1:
                    parameter.normal_(0.0, 0.15)
                elif "bias" in name:
                    parameter.normal_(0.0, 0.05)
        model.to(getattr(torch, dtype)).save_pretrained(folder, **settings)
        return folder

    return save
