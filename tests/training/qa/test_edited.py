from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.errors import InputError
from labelwise.training.qa.edited import edited_negatives
from labelwise.training.qa.examples import QaExample


def example(question: str, context: str, answer: str) -> QaExample:
    return QaExample("q", question, context, ((context.index(answer), answer),), "article")


def edits(question: str, context: str, answer: str) -> set[str]:
    asked = example(question, context, answer)
    return {
        edited.question for seed in range(300) for edited in edited_negatives([asked], share=1, seed=seed)
    }


def test_a_name_gives_way_to_other_names_of_the_context():
    found = edits("When did Ann Lee meet Tom?", "In 1999 Ann Lee met Tom near Bonn with Eve.", "1999")
    assert {"When did Bonn meet Tom?", "When did Ann Lee meet Eve?"} <= found


def test_what_an_answer_holds_is_never_put_into_the_question():
    found = edits("Who met Tom?", "Later Ann Lee met Tom near Bonn.", "Ann Lee")
    assert "Who met Bonn?" in found
    assert not any("Ann" in question for question in found)


def test_a_number_gives_way_to_another_number():
    found = edits("Where was she in 1999?", "In 1999 she was in Bonn, in 2004 in Rome.", "Bonn")
    assert "Where was she in 2004?" in found


def test_a_word_gives_way_to_its_opposite_and_sometimes_a_verb_to_its_negation():
    found = edits("Who was the first king?", "Otto was the first king.", "Otto")
    assert found == {"Who was the last king?", "Who was the first queen?", "Who wasn't the first king?"}


def test_a_question_that_offers_nothing_gives_nothing():
    assert edits("Who came?", "Ann came.", "Ann") == set()


@given(st.integers(0, 999))
def test_an_edited_question_is_another_one_without_an_answer_about_the_same_context(seed):
    asked = example("When did Ann meet Tom?", "In 1999 Ann met Tom and Eve, not in 2004.", "1999")
    for edited in edited_negatives([asked], share=1, seed=seed):
        assert edited.is_impossible
        assert edited.question != asked.question
        assert (edited.context, edited.article, edited.id) == (asked.context, asked.article, "q#edited")


def test_the_share_says_how_many_are_edited_and_unanswerable_questions_are_left_alone():
    asked = example("Who was the first king?", "Otto was the first king.", "Otto")
    many = edited_negatives([asked] * 400, share=0.5, seed=1)
    assert 140 < len(many) < 260
    assert many == edited_negatives([asked] * 400, share=0.5, seed=1)
    assert edited_negatives([QaExample("i", "Who was first?", "Nobody.")] * 9, share=1, seed=0) == ()
    with pytest.raises(InputError, match=r"1\.5"):
        edited_negatives([], share=1.5, seed=0)
