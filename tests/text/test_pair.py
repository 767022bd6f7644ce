"""Pairs come out as transformers lays them out."""

from __future__ import annotations

import numpy as np
import pytest

from labelwise.errors import CheckpointError, InputError, TextTooLongError
from labelwise.text import ControlTokens, PairLayout

CONTROL = ControlTokens(cls=2, sep=3, pad=0, unk=1, mask=4, ids=frozenset(range(5)))
PAIRS = [
    ("The quick brown fox jumps.", "This text is about zebras."),
    ("Größe, café and naïve façades", "the 'lazy' dog (12)"),
    ("  two  spaces\n", " \t"),
]


def layout(family: str, **config: object) -> PairLayout:
    return PairLayout.for_model({"model_type": family, **config}, CONTROL, max_tokens=16)


def test_bert_gives_the_second_text_type_one():
    pair = layout("bert", type_vocab_size=2).assemble([7, 8], [9])
    assert pair.ids.tolist() == [2, 7, 8, 3, 9, 3]
    assert pair.token_types.tolist() == [0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize("family", ["deberta-v2", "modernbert", "distilbert"])
def test_one_separator_without_token_types(family):
    pair = layout(family, type_vocab_size=0).assemble(np.array([7, 8]), np.array([9]))
    assert pair.ids.tolist() == [2, 7, 8, 3, 9, 3]
    assert pair.token_types is None


@pytest.mark.parametrize("family", ["roberta", "xlm-roberta", "bart", "camembert"])
def test_two_separators_without_token_types(family):
    pair = layout(family, type_vocab_size=1).assemble([7, 8], [9])
    assert pair.ids.tolist() == [2, 7, 8, 3, 3, 9, 3]
    assert pair.token_types is None


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_places_of_both_texts(family):
    shape = layout(family)
    ids = shape.assemble([7, 8], [9]).ids
    assert ids[shape.first_start :][:2].tolist() == [7, 8]
    assert ids[shape.second_start(2)] == 9
    assert shape.num_control_tokens == len(ids) - 3


def test_a_pair_is_never_cut():
    assert len(layout("bert").assemble([7] * 10, [9] * 3)) == 16
    with pytest.raises(TextTooLongError, match="17 tokens"):
        layout("bert").assemble([7] * 10, [9] * 4)


def test_a_window_must_hold_more_than_control_tokens():
    with pytest.raises(InputError, match="max_tokens is 3"):
        PairLayout.for_model({"model_type": "bert"}, CONTROL, max_tokens=3)


def test_an_unknown_family_is_refused_by_name():
    with pytest.raises(CheckpointError, match="'gpt2'"):
        layout("gpt2")


def test_a_vocabulary_without_separator_is_refused():
    control = ControlTokens(cls=2, sep=None, pad=0, unk=1, mask=4, ids=frozenset())
    with pytest.raises(CheckpointError, match="sep_token"):
        PairLayout.for_model({"model_type": "bert"}, control, max_tokens=8)


def peers(folder_of, kind: str):
    transformers = pytest.importorskip("transformers")
    folder = folder_of(kind)
    if kind == "wordpiece-files":
        return transformers.BertTokenizer(vocab=str(folder / "vocab.txt"))
    if kind == "byte-bpe-files":
        files = {"vocab": str(folder / "vocab.json"), "merges": str(folder / "merges.txt")}
        return transformers.RobertaTokenizer(**files)
    from tokenizers import Tokenizer, processors

    published = Tokenizer.from_file(str(folder / "tokenizer.json"))
    published.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(name, published.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return transformers.PreTrainedTokenizerFast(tokenizer_object=published)


@pytest.mark.parametrize(
    ("kind_name", "config"),
    [
        ("wordpiece-files", {"model_type": "bert", "type_vocab_size": 2}),
        ("byte-bpe-files", {"model_type": "roberta", "type_vocab_size": 1}),
        ("byte-bpe-files", {"model_type": "bart"}),
        ("unigram", {"model_type": "deberta-v2", "type_vocab_size": 0}),
        ("modern", {"model_type": "modernbert"}),
    ],
)
@pytest.mark.parametrize(("premise", "hypothesis"), PAIRS)
def test_pairs_equal_those_of_transformers(folder_of, tokenizer_of, kind_name, config, premise, hypothesis):
    expected = peers(folder_of, kind_name)(premise, hypothesis)
    tokenizer = tokenizer_of(kind_name)
    shape = PairLayout.for_model(config, tokenizer.control, max_tokens=512)
    pair = shape.assemble(tokenizer.encode(premise).ids, tokenizer.encode(hypothesis).ids)
    assert pair.ids.tolist() == expected["input_ids"]
    if pair.token_types is not None:
        assert pair.token_types.tolist() == expected["token_type_ids"]
