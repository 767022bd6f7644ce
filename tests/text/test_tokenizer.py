# ruff: noqa: RUF001
"""No text reaches a control id; every other text reads as published; spans point into the original."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from labelwise.errors import CheckpointError
from labelwise.text import ControlTokens, EncodedText, TextTokenizer

SPECIAL_STRINGS = (
    "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", "[LAB]", "[unused0]",
    "<s>", "</s>", "<pad>", "<unk>", "<mask>", "<<LABEL>>", "<<SEP>>", "<<EXAMPLE>>",
    "<0x41>", "[cls]", "［ＣＬＳ］", "<s><s>", "\U0010ffff0", "\U0010ffff2",
)  # fmt: skip
ORDINARY = (
    "the", "fox", "Refund me twice!", "lab", "Größe", "12", "0", "ﬁ", "İ", "中文", "か\u3099",
    " ", "  ", "     ", "\t", "\r\n", "\x00", "\u0085", "\u200b", "\u202e", "\ufeff", "，", "é", "e\u0301",
    "👩\u200d🔬", "𓀀", "▁", "Ġ", "##", "||", "[", ">",
)  # fmt: skip
odd_text = st.lists(
    st.one_of(st.sampled_from(SPECIAL_STRINGS), st.sampled_from(ORDINARY), st.text(max_size=3)), max_size=12
).map("".join)
many_texts = settings(max_examples=150, deadline=None)


@many_texts
@given(text=odd_text)
def test_no_text_yields_a_control_id(tokenizer, text):
    assert tokenizer.control.forbidden_ids.isdisjoint(tokenizer.encode(text).ids.tolist())


@many_texts
@given(text=st.one_of(odd_text, st.text(st.characters(categories=None), max_size=8)))
def test_spans_stay_inside_the_text_and_never_run_backwards(tokenizer, text):
    encoded = tokenizer.encode(text)
    offsets = encoded.offsets
    assert offsets.shape == (len(encoded), 2)
    assert ((offsets >= 0) & (offsets <= len(text))).all()
    assert (offsets[:, 0] <= offsets[:, 1]).all()
    assert (np.diff(offsets, axis=0) >= 0).all()


@many_texts
@given(text=odd_text)
def test_spans_carry_no_white_space_at_their_ends(tokenizer, text):
    for start, end in tokenizer.encode(text).offsets.tolist():
        span = text[start:end]
        assert span == span.strip() or not span.strip()


@many_texts
@given(text=st.one_of(st.lists(st.sampled_from(ORDINARY), max_size=12).map("".join), st.text(max_size=12)))
def test_ordinary_text_reads_as_published(tokenizer, published_ids, text):
    if any(name in text for name in SPECIAL_STRINGS):
        return
    text = text.replace("\U0010ffff", "")
    assert tokenizer.encode(text).ids.tolist() == published_ids(text)


@pytest.mark.parametrize("name", SPECIAL_STRINGS[:13])
def test_a_control_name_in_a_text_is_read_as_its_characters(tokenizer, name):
    encoded = tokenizer.encode(f"a {name} b")
    control = tokenizer.control.forbidden_ids
    assert control.isdisjoint(encoded.ids.tolist())
    covered = "".join(
        f"a {name} b"[start:end] for start, end in sorted(set(map(tuple, encoded.offsets.tolist())))
    )
    assert covered.replace(" ", "") == f"a{name}b"


def test_the_published_tokenizer_alone_would_have_been_broken(published_ids_of, tokenizer_of):
    broken = {
        kind: tokenizer_of(kind).control.forbidden_ids.intersection(published_ids_of(kind)(text))
        for kind, text in (
            ("wordpiece", "a [SEP] b [LAB]"),
            ("plain-bpe", "a<s>b"),
            ("unigram", "a[CLS]b<<SEP>>"),
        )
    }
    assert all(broken.values())


def test_turning_special_parsing_off_alone_would_not_have_been_enough(folder_of, tokenizer_of):
    published = Tokenizer.from_file(str(folder_of("unigram") / "tokenizer.json"))
    published.encode_special_tokens = True
    forbidden = tokenizer_of("unigram").control.forbidden_ids
    assert forbidden & set(published.encode("a[CLS]b", add_special_tokens=False).ids)
    assert not forbidden & set(tokenizer_of("unigram").encode("a[CLS]b").ids.tolist())


def test_ordinary_added_tokens_keep_their_meaning(tokenizer_of, published_ids_of):
    text = "def f():\n        return  1 |||PHONE||| x"
    ids = tokenizer_of("modern").encode(text).ids.tolist()
    assert ids == published_ids_of("modern")(text)
    assert (
        len(
            set(ids)
            & set(range(min(tokenizer_of("modern").control.ids) - 8, tokenizer_of("modern").vocab_size))
        )
        >= 3
    )


def test_control_ids_are_those_of_the_files(folder_of, tokenizer):
    names = {"cls": ("[CLS]", "<s>"), "sep": ("[SEP]", "</s>"), "pad": ("[PAD]", "<pad>")}
    for role, (bert, roberta) in names.items():
        number = getattr(tokenizer.control, role)
        assert number in {
            tokenizer.control_id(name) for name in (bert, roberta) if name in tokenizer._control_ids
        }
        assert number in tokenizer.control.ids


@pytest.mark.parametrize("kind_name", ["wordpiece", "unigram", "modern", "byte-bpe", "plain-bpe"])
def test_control_ids_equal_the_published_ones(kind_name, folder_of, tokenizer_of):
    published = Tokenizer.from_file(str(folder_of(kind_name) / "tokenizer.json"))
    tokenizer = tokenizer_of(kind_name)
    for name in SPECIAL_STRINGS[:15]:
        if published.token_to_id(name) is not None and name != "[unused0]":
            assert tokenizer.control_id(name) == published.token_to_id(name)
    assert tokenizer.vocab_size == published.get_vocab_size(with_added_tokens=True)


def test_extra_control_names_need_not_be_marked_in_the_files(folder_of):
    plain = TextTokenizer.from_folder(folder_of("wordpiece-files"))
    guarded = TextTokenizer.from_folder(folder_of("wordpiece-files"), extra_control=("zebras",))
    zebras = guarded.control_id("zebras")
    assert zebras in plain.encode("twelve zebras").ids
    assert zebras not in guarded.encode("twelve zebras").ids
    assert zebras in guarded.control.ids


def test_an_unknown_control_name_is_refused_by_name(tokenizer_of):
    with pytest.raises(CheckpointError, match=r"\[NONE\].*\[CLS\]"):
        tokenizer_of("wordpiece").control_id("[NONE]")


def test_lone_surrogates_are_read_as_replacement_characters(tokenizer):
    broken, replaced = tokenizer.encode("a \ud83d fox\udc00"), tokenizer.encode("a \ufffd fox\ufffd")
    assert broken.ids.tolist() == replaced.ids.tolist()
    assert broken.offsets.tolist() == replaced.offsets.tolist()


def test_nothing_is_cut_and_nothing_is_padded(tokenizer_of):
    tokenizer = tokenizer_of("wordpiece")
    assert len(tokenizer.encode("fox " * 500)) == 500
    assert len(tokenizer.encode("fox")) == 1
    assert len(tokenizer.encode("")) == 0
    assert tokenizer.encode("").offsets.shape == (0, 2)


def test_many_texts_are_each_encoded_alone_and_in_order(tokenizer):
    texts = ["the fox", "", "Größe [SEP]", "\ud800 zebras", "  two  spaces "]
    for alone, together in zip(map(tokenizer.encode, texts), tokenizer.encode_many(texts), strict=True):
        assert alone.ids.tolist() == together.ids.tolist()
        assert alone.offsets.tolist() == together.offsets.tolist()
    assert tokenizer.encode_many([]) == []


def test_unknown_characters_become_the_unknown_id(tokenizer_of):
    tokenizer = tokenizer_of("wordpiece")
    assert tokenizer.encode("☃").ids.tolist() == [tokenizer.control.unk]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("  the  ﬁne Café ", ["the", "ﬁne", "Café"]),
        ("ＦＯＸ naïve", ["ＦＯＸ", "naïve"]),
        ("Cafe\u0301\tfox", ["Cafe\u0301", "fox"]),
    ],
)
@pytest.mark.parametrize("kind_name", ["wordpiece", "unigram", "byte-bpe", "spm"])
def test_words_can_be_cut_out_of_the_original(tokenizer_of, kind_name, text, spans):
    offsets = tokenizer_of(kind_name).encode(text).offsets
    for word in spans:
        start = text.index(word)
        inside = [(s, e) for s, e in offsets.tolist() if start <= s and e <= start + len(word)]
        assert text[inside[0][0] : inside[-1][1]] == word


class _LeakyPipeline:
    def encode_many(self, texts):
        return [(np.array([5, 2]), np.zeros((2, 2), dtype=np.int64)) for _ in texts]


def test_a_control_id_that_still_gets_through_is_an_error():
    control = ControlTokens(cls=2, sep=3, pad=0, unk=1, mask=None, ids=frozenset({0, 1, 2, 3}))
    leaky = TextTokenizer(_LeakyPipeline(), control_ids={}, control=control, vocab_size=6)
    with pytest.raises(CheckpointError, match=r"control ids \[2\]"):
        leaky.encode("x")


def test_encoded_text_is_as_long_as_its_ids():
    assert len(EncodedText(np.array([4, 5]), np.zeros((2, 2), dtype=np.int64))) == 2


def test_a_folder_path_may_be_a_string(folder_of):
    assert TextTokenizer.from_folder(Path(str(folder_of("unigram")))).encode("fox").ids.size


def test_settings_may_name_more_control_tokens(folder_of, tmp_path):
    for name in ("tokenizer.json",):
        (tmp_path / name).write_bytes((folder_of("unigram") / name).read_bytes())
    (tmp_path / "special_tokens_map.json").write_text(json.dumps({"additional_special_tokens": ["fox"]}))
    tokenizer = TextTokenizer.from_folder(tmp_path)
    assert tokenizer.control_id("fox") not in tokenizer.encode("foxfox fox").ids
