# ruff: noqa: RUF001
"""The older files give the ids that they were published for."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelwise.text import TextTokenizer

REAL = Path(__file__).parents[3] / "shared" / "data" / "tokenizers"
TEXTS = (
    "Refund me twice! The card was declined.",
    "full-width，punctuation。（ｆｕｌｌ　ｗｉｄｔｈ）！",
    "emoji 😀 👩\u200d🔬 🇩🇪 👍🏽",
    "cafe\u0301 e\u0323\u0302 か\u3099 \u1112\u1161\u11ab q\u0307\u0323 A\u030a",
    "one\r\ntwo\rthree\nfour\tfive\x0bsix",
    "  leading, trailing and   many    spaces   ",
    "ﬁ ½ ① ´ Å ㎏ ǆ ﷺ ℡ x²",
    "zero\u200bwidth\u200c \u200d\ufeff\u2060 soft\u00adhyphen",
    "<0x41> \u2581mark\u2581\u2581 \ufffd \x01\x02",
    "hieroglyphs 𓀀𓀁 x 𓀀",
    "Größe naïve İstanbul straße кириллица مرحبا ไทย 한국어 中文字 日本語",
    "don't   e.g. 3.14 #tag @user http://x.y/z?a=b_c",
    "",
    " \n ",
    "\u00a0x\u00a0",
)
CONTROL_TEXT = "[CLS] a [SEP]b[MASK] [PAD][UNK] <s></s>"


def sentencepiece_ids(model: Path):
    sentencepiece = pytest.importorskip("sentencepiece")
    return sentencepiece.SentencePieceProcessor(model_file=str(model)).encode


@pytest.fixture(scope="module")
def deberta():
    if not (REAL / "deberta-v3" / "spm.model").is_file():
        pytest.skip("the published DeBERTa-v3 vocabulary is not here")
    return TextTokenizer.from_folder(REAL / "deberta-v3"), sentencepiece_ids(
        REAL / "deberta-v3" / "spm.model"
    )


@pytest.mark.parametrize("text", [*TEXTS, CONTROL_TEXT])
def test_deberta_v3_reads_as_sentencepiece_does(deberta, text):
    tokenizer, reference = deberta
    assert tokenizer.encode(text).ids.tolist() == reference(text)


def test_deberta_v3_has_the_published_control_ids(deberta):
    tokenizer, _ = deberta
    control = tokenizer.control
    assert (control.pad, control.cls, control.sep, control.unk, control.mask) == (0, 1, 2, 3, 128_000)
    assert tokenizer.vocab_size == 128_001


@pytest.mark.parametrize("text", [*TEXTS, CONTROL_TEXT])
def test_a_small_deberta_reads_as_sentencepiece_does(folder_of, tokenizer_of, text):
    assert tokenizer_of("spm").encode(text).ids.tolist() == sentencepiece_ids(folder_of("spm") / "spm.model")(
        text
    )


def train(folder: Path, **options: object) -> Path:
    sentencepiece = pytest.importorskip("sentencepiece")
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join([text for text in TEXTS if text.isprintable()] * 20), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(folder / "spm"),
        vocab_size=700,
        hard_vocab_limit=False,
        minloglevel=2,
        **options,
    )
    return folder / "spm.model"


@pytest.mark.parametrize(
    "options",
    [
        {"normalization_rule_name": "identity"},
        {"normalization_rule_name": "nfkc_cf"},
        {"remove_extra_whitespaces": False},
        {"add_dummy_prefix": False},
        {"split_by_whitespace": False},
        {"user_defined_symbols": ["ref", "und"], "byte_fallback": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("text", TEXTS)
def test_every_setting_of_the_file_is_followed(tmp_path_factory, options, text):
    key = str(options)
    if key not in _TRAINED:
        folder = tmp_path_factory.mktemp("spm")
        model = train(folder, **options)
        _TRAINED[key] = TextTokenizer.from_folder(folder), sentencepiece_ids(model)
    tokenizer, reference = _TRAINED[key]
    assert tokenizer.encode(text).ids.tolist() == reference(text)


_TRAINED: dict[str, tuple[TextTokenizer, object]] = {}


def test_xlm_roberta_shifts_the_ids_of_its_file_by_one(tmp_path):
    model = train(tmp_path)
    reference = sentencepiece_ids(model)
    model.rename(tmp_path / "sentencepiece.bpe.model")
    tokenizer = TextTokenizer.from_folder(tmp_path)
    control = tokenizer.control
    assert (control.cls, control.pad, control.sep, control.unk) == (0, 1, 2, 3)
    assert control.mask == tokenizer.vocab_size - 1
    for text in TEXTS:
        # The file's own id 0 is <unk>, which fairseq puts at 3.
        assert tokenizer.encode(text).ids.tolist() == [
            number + 1 if number else 3 for number in reference(text)
        ]


@pytest.fixture(scope="module")
def bart():
    folder = REAL / "bart"
    if not (folder / "vocab.json").is_file():
        pytest.skip("BART's published vocabulary is not here")
    transformers = pytest.importorskip("transformers")
    files = {"vocab": str(folder / "vocab.json"), "merges": str(folder / "merges.txt")}
    return TextTokenizer.from_folder(folder), transformers.BartTokenizer(**files)


@pytest.mark.parametrize("text", TEXTS)
def test_bart_reads_as_transformers_does(bart, text):
    tokenizer, reference = bart
    assert tokenizer.encode(text).ids.tolist() == reference(text, add_special_tokens=False)["input_ids"]


def test_bart_has_the_published_control_ids(bart):
    control = bart[0].control
    assert (control.cls, control.pad, control.sep, control.unk, control.mask) == (0, 1, 2, 3, 50_264)
    assert control.forbidden_ids.isdisjoint(bart[0].encode(CONTROL_TEXT).ids.tolist())


@pytest.mark.parametrize("text", TEXTS)
def test_vocab_txt_reads_as_transformers_does(folder_of, tokenizer_of, text):
    transformers = pytest.importorskip("transformers")
    reference = transformers.BertTokenizer(vocab=str(folder_of("wordpiece-files") / "vocab.txt"))
    expected = reference(text, add_special_tokens=False)["input_ids"]
    assert tokenizer_of("wordpiece-files").encode(text).ids.tolist() == expected
