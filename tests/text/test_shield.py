"""Renaming control entries."""

from __future__ import annotations

import json

import pytest
from tokenizers import Tokenizer

from labelwise.text.shield import make_encodable, shield


def spec_of(model: dict, added: tuple[dict, ...] = ()) -> dict:
    return {
        "version": "1.0",
        "added_tokens": list(added),
        "model": model,
        "padding": {"x": 1},
        "truncation": {"x": 1},
    }


def test_ids_stay_where_they_are():
    model = {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "a": 1, "[SEP]": 2}}
    spec = {**spec_of(model), "padding": None, "truncation": None}
    spec["model"] |= {"continuing_subword_prefix": "##", "max_input_chars_per_word": 100}
    shielded, renamed = shield(spec, ["[SEP]", "[UNK]"])
    tokenizer = Tokenizer.from_str(json.dumps(shielded))
    assert [tokenizer.token_to_id(name) for name in (renamed["[UNK]"], "a", renamed["[SEP]"])] == [0, 1, 2]
    assert tokenizer.encode("[SEP]").ids == [0]


def test_the_given_spec_is_left_alone():
    spec = spec_of(
        {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0]]}, ({"content": "<unk>", "id": 0},)
    )
    before = json.dumps(spec)
    shield(spec, ["<unk>"])
    assert json.dumps(spec) == before


def test_truncation_padding_and_post_processing_go():
    shielded, _ = shield(spec_of({"type": "Unigram", "vocab": []}), [])
    assert shielded["truncation"] is shielded["padding"] is shielded["post_processor"] is None


@pytest.mark.parametrize("as_strings", [True, False])
def test_merges_that_make_or_use_a_control_entry_go(as_strings):
    merges = [["<", "s>"], ["s", ">"], ["<s>", "x"], ["a", "b"]]
    model = {"type": "BPE", "vocab": {}, "merges": [" ".join(m) for m in merges] if as_strings else merges}
    shielded, _ = shield(spec_of(model), ["<s>"])
    assert shielded["model"]["merges"] == [["s", ">"], ["a", "b"]]


def test_the_prefix_of_continued_words_counts_once_in_a_merge():
    model = {
        "type": "BPE",
        "vocab": {},
        "continuing_subword_prefix": "##",
        "merges": [["[", "##X]"], ["a", "##b"]],
    }
    shielded, _ = shield(spec_of(model), ["[X]"])
    assert shielded["model"]["merges"] == [["a", "##b"]]


def test_renamed_added_tokens_are_not_normalised():
    added = {"content": "[LAB]", "id": 5, "normalized": True, "special": False}
    shielded, renamed = shield(spec_of({"type": "Unigram", "vocab": []}, (added,)), ["[LAB]"])
    assert shielded["added_tokens"] == [{**added, "content": renamed["[LAB]"], "normalized": False}]


def test_text_keeps_its_length_when_it_is_made_encodable():
    assert make_encodable("a\ud800b\U0010ffff0é") == "a\ufffdb\ufffd0é"
    assert make_encodable("plain") == "plain"
