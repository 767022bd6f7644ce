"""A tiny entailment checkpoint that every library loads, and systems on a clock that a test turns."""

from __future__ import annotations

import json
import string
from dataclasses import dataclass, field

import numpy as np
import pytest

CONTROL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
WORDS = ["the", "parcel", "that", "i", "late", "this", "example", "is", "about", "shop", "billing", "delay"]
CHARACTERS = string.ascii_lowercase + ".,"


def write_tokenizer(folder):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces = [*CONTROL, *WORDS, *CHARACTERS, *(f"##{character}" for character in CHARACTERS)]
    pieces = list(dict.fromkeys(pieces))
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(CONTROL)
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
    return len(pieces)


@pytest.fixture
def nli_checkpoint(save_tiny, tmp_path):
    size = write_tokenizer(tmp_path / "words")
    folder = save_tiny("bert", config={"vocab_size": size})
    write_tokenizer(folder)
    return folder


@dataclass
class Clock:
    """Shows the time that systems have let pass."""

    now: float = 0.0

    def __call__(self):
        return self.now


@dataclass
class FakeSystem:
    """Takes the seconds that it is told, turn by turn, and the last for ever."""

    name: str
    clock: Clock
    seconds: list[float]
    told: list[str] = field(default_factory=list)
    value: float = 0.5

    def score(self, texts, labels):
        self.told.append(self.name)
        self.clock.now += self.seconds.pop(0) if len(self.seconds) > 1 else self.seconds[0]
        return np.full((len(texts), len(labels)), self.value)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def fake_system():
    return FakeSystem
