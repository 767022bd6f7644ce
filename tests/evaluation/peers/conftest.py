"""A tiny entailment checkpoint that every library loads."""

from __future__ import annotations

import json
import string

import pytest

CONTROL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
WORDS = ["card", "charge", "parcel", "late", "praise", "this", "example", "is", "about", "the", "good", "bad"]
CHARACTERS = string.ascii_lowercase + ".,"


def write_tokenizer(folder, added=()):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces = [*CONTROL, *WORDS, *CHARACTERS, *(f"##{character}" for character in CHARACTERS)]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens([*CONTROL, *added])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = dict(
        zip(("pad_token", "cls_token", "sep_token", "unk_token", "mask_token"), CONTROL, strict=True)
    )
    settings = {
        "model_max_length": 110,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(names | settings))
    return tokenizer.get_vocab_size()


@pytest.fixture
def nli_checkpoint(save_tiny, tmp_path):
    """Return the folder of a tiny BERT with three classes in the order of cross-encoder/nli-*."""
    size = write_tokenizer(tmp_path / "words")
    folder = save_tiny("bert", config={"vocab_size": size})
    write_tokenizer(folder)
    return folder
