"""Tiny checkpoints with tokenizers that transformers and labelwise both read; and a fake backend."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from labelwise.checkpoints import open_checkpoint
from labelwise.model import Model
from labelwise.text.pair import PairLayout
from labelwise.text.sequence import TokenSequence
from labelwise.text.tokenizer import TextTokenizer

WORDS = ["card", "charge", "parcel", "late", "praise", "this", "example", "is", "about", "the", "good", "bad"]
CHARACTERS = string.ascii_lowercase + string.digits + ".,!?'-[]<>"
BERT_CONTROL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
ROBERTA_CONTROL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def _bert() -> tuple[Tokenizer, dict[str, str]]:
    pieces = [*BERT_CONTROL, *CHARACTERS, *(f"##{character}" for character in CHARACTERS), *WORDS]
    tokenizer = Tokenizer(
        models.WordPiece({piece: place for place, piece in enumerate(pieces)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    _bracket(tokenizer, has_types=True)
    return tokenizer, _names(*BERT_CONTROL)


def _deberta() -> tuple[Tokenizer, dict[str, str]]:
    text_pieces = ["▁", *(f"▁{word}" for word in WORDS), *CHARACTERS]
    pieces = [(name, 0.0) for name in BERT_CONTROL[:4]]
    pieces += [(piece, -1.0 - len(text_pieces) / 50 + len(piece) / 10) for piece in text_pieces]
    pieces.append(("[MASK]", 0.0))
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    _bracket(tokenizer, has_types=False)
    return tokenizer, _names(*BERT_CONTROL)


def _bracket(tokenizer: Tokenizer, *, has_types: bool) -> None:
    tokenizer.add_special_tokens(BERT_CONTROL)
    second = 1 if has_types else 0
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair=f"[CLS] $A [SEP] $B:{second} [SEP]:{second}",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )


def _roberta() -> tuple[Tokenizer, dict[str, str]]:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: place for place, piece in enumerate([*ROBERTA_CONTROL[:4], *alphabet, "<mask>"])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(ROBERTA_CONTROL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    start, pad, end, unknown, mask = ROBERTA_CONTROL
    return tokenizer, _names(pad, start, end, unknown, mask)


def _names(pad: str, cls: str, sep: str, unk: str, mask: str) -> dict[str, str]:
    return {"pad_token": pad, "cls_token": cls, "sep_token": sep, "unk_token": unk, "mask_token": mask}


TOKENIZERS = {"bert": _bert, "deberta-v2": _deberta, "roberta": _roberta, "bart": _roberta}


@pytest.fixture
def whole_checkpoint(save_tiny: Callable[..., Path]) -> Callable[..., Path]:
    """Save a tiny model with its tokenizer: a folder that both libraries load."""

    def make(family: str, *, labels: Sequence[str] = (), max_tokens: int = 110, **settings: Any) -> Path:
        tokenizer, names = TOKENIZERS[family]()
        changes: dict[str, Any] = {"vocab_size": tokenizer.get_vocab_size()}
        if labels:
            changes["id2label"] = dict(enumerate(labels))
            changes["label2id"] = {label: place for place, label in enumerate(labels)}
        folder = save_tiny(family, config=changes, **settings)
        tokenizer.save(str(folder / "tokenizer.json"))
        tokenizer_config: dict[str, Any] = {
            **names,
            "model_max_length": max_tokens,
            "tokenizer_class": "PreTrainedTokenizerFast",
        }
        if family == "bert":
            # transformers 5 leaves token types out unless the tokenizer asks for them.
            tokenizer_config["model_input_names"] = ["input_ids", "token_type_ids", "attention_mask"]
        (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config))
        return folder

    return make


@dataclass
class FakeBackend:
    """Answers by a rule on the ids of each row, and remembers what it was asked."""

    rule: Callable[[TokenSequence], Any]
    name: str = "fake"
    batches: list[list[TokenSequence]] = field(default_factory=list)

    @property
    def rows(self) -> list[TokenSequence]:
        return [row for batch in self.batches for row in batch]

    def run(self, sequences: Sequence[TokenSequence]) -> tuple[np.ndarray, ...]:
        self.batches.append(list(sequences))
        outputs = [self.rule(sequence) for sequence in sequences]
        if isinstance(outputs[0], tuple):
            longest = max(len(row) for row in sequences)
            padded = [
                np.stack([np.pad(row, (0, longest - len(row)), constant_values=-np.inf) for row in part])
                for part in zip(*outputs, strict=True)
            ]
            return tuple(part.astype(np.float32) for part in padded)
        return (np.array(outputs, dtype=np.float32),)


@pytest.fixture
def fake_model(tmp_path: Path) -> Callable[..., Model]:
    """Make a model whose network is a rule in the test: (entailment, neutral, contradiction), or a reader."""

    def make(rule: Callable[[TokenSequence], Any], *, max_tokens: int = 64, is_reader: bool = False) -> Model:
        tokenizer, names = _bert()
        config: dict[str, Any] = {
            "model_type": "bert",
            "vocab_size": tokenizer.get_vocab_size(),
            "max_position_embeddings": max_tokens,
            "architectures": ["BertForQuestionAnswering" if is_reader else "BertForSequenceClassification"],
            "id2label": {"0": "entailment", "1": "neutral", "2": "contradiction"},
        }
        (tmp_path / "config.json").write_text(json.dumps(config))
        (tmp_path / "model.onnx").write_bytes(b"never opened")
        tokenizer.save(str(tmp_path / "tokenizer.json"))
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(names))
        checkpoint = open_checkpoint(tmp_path)
        text_tokenizer = TextTokenizer.from_folder(tmp_path)
        layout = PairLayout.for_model(config, text_tokenizer.control, max_tokens=max_tokens)
        return Model(checkpoint, text_tokenizer, layout, FakeBackend(rule))

    return make
