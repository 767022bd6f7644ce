"""When to say "no answer": the threshold of greatest official F1."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labelwise.calibration.null_threshold import fit_null_threshold
from labelwise.errors import InputError
from labelwise.evaluation.squad import evaluate_squad
from labelwise.evaluation.squad_file import SquadQuestion

# Few different margins, so that some are equal.
asked = st.lists(st.tuples(st.integers(-6, 6), st.sampled_from([0.0, 0.5, 1.0]), st.booleans()), min_size=2)


def arrays(rows):
    margins, f1, has_answer = zip(*rows, strict=True)
    return np.array(margins, dtype=float), np.array(f1), np.array(has_answer)


def f1_at(threshold, margins, f1, has_answer, weights=1.0):
    answered = margins <= threshold
    points = np.where(has_answer, np.where(answered, f1, 0.0), np.where(answered, 0.0, 1.0))
    return float((points * weights).sum())


@given(asked, st.booleans())
def test_no_other_threshold_has_a_greater_f1(rows, is_balanced):
    margins, f1, has_answer = arrays(rows)
    assume(0 < has_answer.sum() < len(rows))
    shares = np.where(has_answer, 1 / has_answer.sum(), 1 / (~has_answer).sum())
    weights = shares if is_balanced else 1.0
    others = [f1_at(threshold, margins, f1, has_answer, weights) for threshold in np.arange(-7, 8)]
    try:
        fitted = fit_null_threshold(margins, f1, has_answer, is_balanced=is_balanced)
    except InputError:
        assert max(others) == pytest.approx(others[0])
    else:
        assert f1_at(fitted, margins, f1, has_answer, weights) == pytest.approx(max(others))


def test_the_f1_reached_is_the_best_f1_of_the_official_measure():
    rng = np.random.default_rng(3)
    has_answer = rng.random(200) < 0.5
    margins = rng.normal(size=200) - has_answer
    texts = np.where(rng.random(200) < 0.7, "a red cat", "red dog")
    questions = [
        SquadQuestion(str(place), "?", "context", ("red cat",) if has_answer[place] else ())
        for place in range(200)
    ]
    spans = {str(place): str(text) for place, text in enumerate(texts)}
    margin_of = {str(place): float(margin) for place, margin in enumerate(margins)}
    official = evaluate_squad(questions, spans, na_probs=margin_of).measures
    f1 = np.where(has_answer, np.where(texts == "a red cat", 1.0, 0.5), 0.0)
    fitted = fit_null_threshold(margins, f1, has_answer)
    decided = {key: "" if margin_of[key] > fitted else span for key, span in spans.items()}
    assert evaluate_squad(questions, decided).measures["f1"] == pytest.approx(official["best_f1"])
    assert fitted > official["best_f1_thresh"]


@given(asked, st.integers(-50, 50))
def test_a_constant_in_all_margins_is_one_in_the_threshold(rows, rise):
    margins, f1, has_answer = arrays(rows)
    assume(0 < has_answer.sum() < len(rows))
    try:
        fitted = fit_null_threshold(margins, f1, has_answer)
    except InputError:
        with pytest.raises(InputError):
            fit_null_threshold(margins + rise, f1, has_answer)
    else:
        assert fit_null_threshold(margins + rise, f1, has_answer) == fitted + rise


def test_balanced_questions_count_by_kind_and_not_by_number():
    margins, f1 = np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.ones(5)
    has_answer = np.array([True, False, True, True, True])
    assert fit_null_threshold(margins, f1, has_answer) == 4.0
    margins = np.array([0.0, 2.0, 1.0, 1.0, 1.0, 1.0])
    has_answer = np.array([True, True, False, False, True, False])
    assert fit_null_threshold(margins, np.ones(6), has_answer, is_balanced=True) == 0.5


@pytest.mark.parametrize(
    ("margins", "f1", "has_answer", "message"),
    [
        ([0.0, 1.0], [1.0, 1.0], [True, True], "2 of 2 questions have an answer"),
        ([0.0, 1.0], [1.0, 1.0], [False, False], "0 of 2 questions have an answer"),
        ([0.0], [1.0, 1.0], [True, False], "must all be"),
        ([np.inf, 0.0], [1.0, 0.0], [True, False], "must be finite"),
        ([1.0, 0.0], [50.0, 0.0], [True, False], "from 0 to 1"),
        ([1.0, 0.0], [0.9, 0.0], [True, False], "never to answer"),
    ],
)
def test_what_tells_no_threshold_is_refused(margins, f1, has_answer, message):
    with pytest.raises(InputError, match=message):
        fit_null_threshold(np.array(margins), np.array(f1), np.array(has_answer))
