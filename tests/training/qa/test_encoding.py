from __future__ import annotations

import numpy as np
import pytest

from labelwise.errors import InputError
from labelwise.tasks.answer import SpanReader
from labelwise.text.pair import PairLayout
from labelwise.text.tokenizer import TextTokenizer
from labelwise.training.qa.encoding import encode_examples
from labelwise.training.qa.examples import QaExample

WORDS = ["the", "shop", "sold", "bread", "boat", "sank", "open", "closed", "red", "blue", "is", "about"]
LONG = " ".join(WORDS * 8)


@pytest.fixture
def tokenizer(tmp_path, tiny_tokenizer) -> TextTokenizer:
    tiny_tokenizer.save(str(tmp_path / "tokenizer.json"))
    return TextTokenizer.from_folder(tmp_path)


@pytest.fixture
def layout(tokenizer) -> PairLayout:
    return PairLayout.for_model({"model_type": "bert"}, tokenizer.control, max_tokens=64)


def at(text: str, answer: str, *, after: int = 0) -> tuple[int, str]:
    return text.index(answer, after), answer


def encode(examples, tokenizer, layout, **changes):
    settings = {"max_tokens": 32, "stride": 8, "max_question_tokens": 8, **changes}
    return encode_examples(examples, tokenizer, layout, **settings)


def test_the_target_of_a_window_spells_the_answer(tokenizer, layout):
    place = at(LONG, "open closed red", after=200)
    features = encode([QaExample("q", "is about", LONG, (place,))], tokenizer, layout)
    holding = np.flatnonzero(features.end_positions)
    assert len(features) > len(holding) > 0
    assert set(features.lengths.tolist()) == {32}
    answer_ids = tokenizer.encode("open closed red").ids
    for window in holding:
        ids, token_types = features.row(int(window))
        start, end = features.start_positions[window], features.end_positions[window]
        assert ids[start : end + 1].tolist() == answer_ids.tolist()
        assert features.context_starts[window] == 4 <= start <= end < features.context_ends[window] == 31
        assert token_types.tolist() == [0] * 4 + [1] * 28


def test_a_window_that_cuts_every_answer_is_left_out_and_others_without_it_point_to_the_first_token(
    tokenizer, layout
):
    # Windows have room for 28 tokens and share 8: the first cuts tokens 26 to 29, the second holds them.
    words = LONG.split()
    place = len(" ".join(words[:26])) + 1, " ".join(words[26:30])
    with_answer = encode([QaExample("q", "is", LONG, (place,))], tokenizer, layout)
    without = encode([QaExample("n", "is", LONG)], tokenizer, layout)
    assert len(with_answer) == len(without) - 1
    assert with_answer.start_positions.tolist() == [3 + 6, *[0] * (len(with_answer) - 1)]
    assert not without.start_positions.any()
    assert not without.end_positions.any()


def test_a_window_takes_the_first_answer_that_it_holds_whole(tokenizer, layout):
    far, near = at(LONG, "boat", after=300), at(LONG, "boat")
    features = encode([QaExample("q", "is", LONG, (far, near))], tokenizer, layout)
    holding = np.flatnonzero(features.start_positions)
    assert holding[0] == 0
    assert len(holding) >= 2


def test_the_windows_are_those_that_the_question_is_answered_in(tokenizer):
    layout = PairLayout.for_model({"model_type": "bert"}, tokenizer.control, max_tokens=40)
    features = encode_examples(
        [QaExample("q", "  is about", LONG)], tokenizer, layout, max_tokens=384, stride=128,
        max_question_tokens=8,
    )  # fmt: skip
    question, context = tokenizer.encode("is about"), tokenizer.encode(LONG)
    windows = SpanReader(tokenizer, layout, None, 2048).windows(question, context, number=1)
    expected = [
        layout.assemble(question.ids, context.ids[window.start : window.end]).ids.tolist()
        for window in windows
    ]
    assert [features.row(place)[0].tolist() for place in range(len(features))] == expected


def test_windows_without_an_answer_are_drawn_by_the_seed_up_to_the_cap(tokenizer, layout):
    examples = [QaExample(f"q{n}", "is", LONG, (at(LONG, "boat"),)) for n in range(5)]
    examples.append(QaExample("none", "is", LONG))
    capped = encode(examples, tokenizer, layout, max_empty_windows=1, seed=3)
    empty = capped.example_indices[capped.end_positions == 0].tolist()
    assert empty == sorted(set(empty))
    assert 5 in empty
    again = encode(examples, tokenizer, layout, max_empty_windows=1, seed=3)
    other = encode(examples, tokenizer, layout, max_empty_windows=1, seed=4)
    assert capped.ids.tolist() == again.ids.tolist()
    assert capped.ids.tolist() != other.ids.tolist()


def test_long_questions_are_cut_and_an_answer_longer_than_a_window_leaves_only_what_lacks_it(
    tokenizer, layout
):
    features = encode([QaExample("q", LONG, "the shop")], tokenizer, layout)
    assert features.lengths.tolist() == [3 + 8 + 2]
    whole = encode([QaExample("q", "is", LONG, ((0, LONG),))], tokenizer, layout)
    assert len(whole) == 0
    assert whole.examples_left_out == (0,)


@pytest.mark.parametrize(
    "changes", [{"max_tokens": 12}, {"stride": -1}, {"max_question_tokens": 0}, {"max_empty_windows": -1}]
)
def test_numbers_that_make_no_window_are_refused(tokenizer, layout, changes):
    with pytest.raises(InputError):
        encode([QaExample("q", "is", LONG)], tokenizer, layout, **changes)
