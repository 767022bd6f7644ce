"""Checkpoints with random weights in the geometry of published encoders, for timing and for what order does.

Real GliZNet and GLiClass weights cannot be had here; speed and memory do not depend on the weights' values.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from labelwise.models import GLiClassConfig, GLiClassModel, GliZNetConfig, GliZNetModel

CONTROL = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]")
ADDED = ("[LAB]", "<<LABEL>>", "<<SEP>>", "<<EXAMPLE>>")
VOCABULARY = 8000  # embedding rows are only looked up, so their number does not matter
NUM_WORDS = VOCABULARY - len(CONTROL) - len(ADDED)


def xsmall() -> transformers.PretrainedConfig:
    """Return the geometry of deberta-v3-xsmall."""
    return transformers.DebertaV2Config(
        vocab_size=VOCABULARY,
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=6,
        intermediate_size=1536,
        max_position_embeddings=512,
        relative_attention=True,
        position_buckets=256,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        type_vocab_size=0,
        pad_token_id=0,
    )


def write_tokenizer(folder: Path) -> Tokenizer:
    """Write a tokenizer that gives one token per word w0, w1, ..."""
    entries = [*CONTROL, *(f"w{number}" for number in range(NUM_WORDS))]
    tokenizer = Tokenizer(models.WordLevel({entry: i for i, entry in enumerate(entries)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens([*CONTROL, *ADDED])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = dict(
        zip(("pad_token", "cls_token", "sep_token", "unk_token", "mask_token"), CONTROL, strict=True)
    )
    limits = {"model_max_length": 512, "max_tokens_per_span": 16, "min_text_tokens": 5, "min_label_tokens": 1}
    (folder / "tokenizer_config.json").write_text(json.dumps(names | limits))
    return tokenizer


def save_gliznet(folder: Path, *, max_labels: int = 20, seed: int = 0) -> Path:
    """Save a GliZNet checkpoint."""
    tokenizer = write_tokenizer(folder)
    torch.manual_seed(seed)
    config = GliZNetConfig(
        backbone_config=xsmall(), lab_token_id=tokenizer.token_to_id("[LAB]"), max_labels=max_labels
    )
    GliZNetModel(config).save_pretrained(folder)
    return folder


def save_gliclass(folder: Path, *, max_labels: int = 25, seed: int = 0) -> Path:
    """Save a GLiClass checkpoint of the third generation's layout."""
    tokenizer = write_tokenizer(folder)
    torch.manual_seed(seed)
    config = GLiClassConfig(
        encoder_config=xsmall(),
        class_token_index=tokenizer.token_to_id("<<LABEL>>"),
        text_token_index=tokenizer.token_to_id("<<SEP>>"),
        prompt_first=True,
        pooling_strategy="avg",
        class_token_pooling="average",
        scorer_type="mlp",
        max_num_classes=max_labels,
    )
    GLiClassModel(config).save_pretrained(folder)
    return folder


def save_nli(folder: Path, *, seed: int = 0) -> Path:
    """Save an entailment checkpoint."""
    write_tokenizer(folder)
    torch.manual_seed(seed)
    config = xsmall()
    config.id2label = {0: "entailment", 1: "not_entailment"}
    config.label2id = {"entailment": 0, "not_entailment": 1}
    transformers.DebertaV2ForSequenceClassification(config).save_pretrained(folder)
    return folder
