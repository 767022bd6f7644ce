"""Time grows with the length of a text and no faster, whatever the text; a megabyte works."""

from __future__ import annotations

import time

import pytest

FAMILIES = {
    "one word": "a", "unknown symbol": "☃", "spaces": " ", "newlines": "\n", "zero width": "\u200b",
    "joined emoji": "👩\u200d🔬\u200d", "flags": "🇩🇪", "null": "\x00", "surrogates": "\ud800",
    "marks": "\u0301", "marks in the wrong order": "\u0301\u0323", "marked letters": "e\u0301\u0323",
    "direction marks": "\u202e\u200f", "right to left": "مرحبا", "ideographs": "中文字", "kana": "か\u3099",
    "jamo": "\u1112\u1161\u11ab", "ligatures": "ﷺ", "hieroglyphs": "𓀀", "punctuation": "!?.,",
    "control names": "[CLS]</s>", "words": "the fox ",
}  # fmt: skip
SHORT, LONG = 2_000, 8_000


def seconds(encode, text: str) -> float:
    def once() -> float:
        start = time.thread_time()
        encode(text)
        return time.thread_time() - start

    return min(once() for _ in range(3))


def is_linear(encode, unit: str) -> bool:
    """Four times the text costs 4 times as much if linear, 16 times if quadratic: 8 lies between."""
    text = unit * (LONG // len(unit))
    encode(text)
    # Processor time of this thread, so that a busy machine does not count; three tries, as caches still fill.
    return any(seconds(encode, text) <= 8 * seconds(encode, text[:SHORT]) + 1e-3 for _ in range(3))


@pytest.mark.parametrize("kind_name", ["wordpiece", "byte-bpe", "unigram", "spm"])
@pytest.mark.parametrize("family", FAMILIES)
def test_time_grows_with_the_text_and_no_faster(tokenizer_of, kind_name, family):
    assert is_linear(tokenizer_of(kind_name).encode, FAMILIES[family])


def test_a_quadratic_encoder_would_be_caught():
    assert not is_linear(lambda text: [text.count("\0", start) for start in range(len(text))], "a")


@pytest.mark.parametrize("kind_name", ["wordpiece", "byte-bpe", "unigram", "spm"])
@pytest.mark.parametrize("unit", ["a", "the fox,"])
def test_a_megabyte_works(tokenizer_of, kind_name, unit):
    text = unit * (1_000_000 // len(unit))
    encoded = tokenizer_of(kind_name).encode(text)
    assert encoded.offsets[-1, 1] == len(text)
