from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.errors import InputError
from labelwise.training.qa.examples import QaExample
from labelwise.training.qa.negatives import paired_negatives

NAMES = ("Ann", "Bob", "Eve")


def example(number: int, name: str, article: str = "a") -> QaExample:
    text = f"On day {number} it was {name} who left."
    return QaExample(f"q{number}", f"Who left on day {number}?", text, ((text.index(name), name),), article)


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from("ab")), max_size=12), st.integers(0, 99))
def test_a_negative_is_another_paragraph_of_the_article_without_the_answer(drawn, seed):
    examples = [example(number, name, article) for number, (name, article) in enumerate(drawn)]
    by_id = {entry.id: entry for entry in examples}
    for negative in paired_negatives(examples, share=1.0, seed=seed):
        asked = by_id[negative.id.removesuffix("#other")]
        assert negative.is_impossible
        assert negative.question == asked.question
        assert asked.answers[0][1].lower() not in negative.context.lower()
        assert negative.context in {e.context for e in examples if e.article == asked.article} - {
            asked.context
        }


def test_the_share_says_how_many_are_asked_elsewhere_and_the_seed_which():
    examples = [example(number, NAMES[number % 3]) for number in range(300)]
    half = paired_negatives(examples, share=0.5, seed=1)
    assert 110 < len(half) < 190
    assert half == paired_negatives(examples, share=0.5, seed=1)
    assert half != paired_negatives(examples, share=0.5, seed=2)
    assert paired_negatives(examples, share=0.0, seed=1) == ()


def test_neither_unanswerable_questions_nor_lone_paragraphs_give_negatives():
    lone = [example(1, "Ann", "a"), example(2, "Bob", "b"), example(3, "Ann", ""), example(4, "Bob", "")]
    impossible = [QaExample(f"i{n}", "Who?", f"Day {n}.", article="c") for n in range(5)]
    assert paired_negatives([*lone, *impossible], share=1.0, seed=0) == ()


def test_a_share_beyond_1_is_refused():
    with pytest.raises(InputError, match=r"1\.5"):
        paired_negatives([], share=1.5, seed=0)
