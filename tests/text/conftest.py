"""Tiny tokenizers of every kind that the hub holds, built from a few sentences."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = (
    "The quick brown fox jumps over the lazy dog while twelve zebras watch.",
    "Refund me twice! The card was declined and nobody answers my message.",
    "Numbers such as 12 and 345 stand beside names, cases and 'quotes' (in brackets).",
    "A label, a mask, a separator and a class are words like any other word in this unknown text.",
    "Paddington rode the paddle steamer; the unknown passenger left an unmasked ball behind.",
    "Größe, café and naïve façades: 中文 and кириллица too.",
)
BERT_NAMES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ROBERTA_NAMES = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
KINDS = (
    "wordpiece",
    "wordpiece-files",
    "byte-bpe",
    "byte-bpe-files",
    "plain-bpe",
    "unigram",
    "modern",
    "spm",
)


def _characters() -> list[str]:
    return sorted(set("".join(CORPUS)) - {" "} | set("[]<>/|_LAB"))


def _wordpiece() -> Tokenizer:
    words = sorted({word.strip(".,!?:;()'").lower() for text in CORPUS for word in text.split()})
    entries = dict.fromkeys(
        [*BERT_NAMES, "[unused0]", *_characters(), *(f"##{c}" for c in _characters()), *words, "[LAB]", "lab"]
    )
    tokenizer = Tokenizer(models.WordPiece({entry: i for i, entry in enumerate(entries)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens([*BERT_NAMES])
    tokenizer.add_tokens([AddedToken("[LAB]", special=False)])
    # The published files of sentence models come with these; none may reach labelwise.
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8, pad_id=0, pad_token="[PAD]")
    return tokenizer


def _byte_bpe(names: tuple[str, ...]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=list(names),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def _plain_bpe() -> Tokenizer:
    """Merges spell control names out of plain characters, which no special-token switch can stop."""
    steps = [
        ("<", "s"),
        ("<s", ">"),
        ("[", "L"),
        ("[L", "A"),
        ("[LA", "B"),
        ("[LAB", "]"),
        ("<s>", "<s>"),
        ("t", "h"),
    ]
    entries = dict.fromkeys(["<unk>", "<pad>", "</s>", *_characters(), " ", *(a + b for a, b in steps)])
    vocab = {entry: i for i, entry in enumerate(entries)}
    tokenizer = Tokenizer(models.BPE(vocab, steps, unk_token="<unk>"))
    tokenizer.add_special_tokens(["<s>", "</s>", "<pad>", "<unk>"])
    return tokenizer


def _unigram() -> Tokenizer:
    """As published DeBERTa files: control names stand in the lattice itself, with the best scores."""
    rng = random.Random(7)
    words = sorted({word for text in CORPUS for word in text.split()})
    pieces = [(name, 0.0) for name in ("[PAD]", "[CLS]", "[SEP]", "[UNK]")]
    pieces += [(piece, -rng.uniform(6, 9)) for word in words for piece in (f"▁{word}", word)]
    pieces += [(c, -rng.uniform(9, 12)) for c in [*_characters(), "▁"]]
    tokenizer = Tokenizer(models.Unigram(list(dict(pieces).items()), unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens(["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"])
    tokenizer.add_tokens([AddedToken("<<LABEL>>", special=False), AddedToken("<<SEP>>", special=False)])
    return tokenizer


def _modern() -> Tokenizer:
    """As ModernBERT: ordinary added tokens (runs of spaces) between and before the control tokens."""
    tokenizer = _byte_bpe(())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.add_tokens([AddedToken("|||PHONE|||", normalized=True, special=False)])
    tokenizer.add_tokens([AddedToken(" " * n, normalized=True, special=False) for n in range(8, 1, -1)])
    tokenizer.add_special_tokens(["[UNK]", "[CLS]"])
    tokenizer.add_tokens([AddedToken("[LAB]", special=False), AddedToken("    \t", special=False)])
    tokenizer.add_special_tokens(["[SEP]", "[PAD]", AddedToken("[MASK]", lstrip=True)])
    return tokenizer


def _write_spm(folder: Path) -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(CORPUS * 20), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(folder / "spm"),
        vocab_size=450,
        model_type="unigram",
        normalization_rule_name="nmt_nfkc",
        byte_fallback=True,
        **{"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3},
        **{"pad_piece": "[PAD]", "bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]"},
        hard_vocab_limit=False,
        minloglevel=2,
    )


def _write(kind: str, folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "deberta-v2" if kind == "spm" else "any"}))
    match kind:
        case "wordpiece":
            _wordpiece().save(str(folder / "tokenizer.json"))
        case "wordpiece-files":
            vocab = _wordpiece().get_vocab()
            (folder / "vocab.txt").write_text(
                "\n".join(sorted(vocab, key=vocab.__getitem__)) + "\n", encoding="utf-8"
            )
            (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True}))
        case "byte-bpe":
            _byte_bpe(ROBERTA_NAMES).save(str(folder / "tokenizer.json"))
        case "byte-bpe-files":
            _byte_bpe(ROBERTA_NAMES).model.save(str(folder))
        case "plain-bpe":
            _plain_bpe().save(str(folder / "tokenizer.json"))
        case "unigram":
            _unigram().save(str(folder / "tokenizer.json"))
        case "modern":
            _modern().save(str(folder / "tokenizer.json"))
            names = {
                "cls_token": "[CLS]",
                "sep_token": {"content": "[SEP]"},
                "unk_token": "[UNK]",
                "bos_token": None,
            }
            (folder / "tokenizer_config.json").write_text(json.dumps(names))
        case "spm":
            _write_spm(folder)


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory):
    """Kind -> a folder with that kind of tokenizer."""
    made: dict[str, Path] = {}

    def get(kind: str) -> Path:
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            _write(kind, folder)
            made[kind] = folder
        return made[kind]

    return get


@pytest.fixture(scope="session", params=KINDS)
def kind(request):
    """Each kind of tokenizer in turn."""
    return request.param


@pytest.fixture(scope="session")
def tokenizer_of(folder_of):
    """Kind -> the loaded tokenizer."""
    from labelwise.text import TextTokenizer

    made = {}

    def get(kind: str):
        if kind not in made:
            made[kind] = TextTokenizer.from_folder(folder_of(kind), extra_control=("<<EXAMPLE>>", "[LAB]"))
        return made[kind]

    return get


@pytest.fixture(scope="session")
def tokenizer(kind, tokenizer_of):
    """The loaded tokenizer of each kind in turn."""
    return tokenizer_of(kind)


@pytest.fixture(scope="session")
def published_ids_of(folder_of):
    """Kind -> a function text -> ids, by the library that the kind was published for."""

    def get(kind: str):
        folder = folder_of(kind.removesuffix("-files"))
        if kind == "spm":
            import sentencepiece

            return sentencepiece.SentencePieceProcessor(model_file=str(folder / "spm.model")).encode
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return lambda text: tokenizer.encode(text, add_special_tokens=False).ids

    return get


@pytest.fixture(scope="session")
def published_ids(kind, published_ids_of):
    """The reference of each kind in turn."""
    return published_ids_of(kind)
