"""The SQuAD 2.0 measure against a second, literal reading of its description, and against numbers by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelwise.errors import InputError
from labelwise.evaluation.squad import evaluate_squad, exact_match, normalize_answer, token_f1
from labelwise.evaluation.squad_file import SquadQuestion

# --- the reference: loops only, nothing shared with the source, written from the measure's description ---

ASCII_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def reference_normalize(text):
    kept = "".join(letter for letter in text.lower() if letter not in ASCII_PUNCTUATION)
    spaced, word = [], ""
    # \b parts runs of word characters from the rest; an article is a run that is exactly one.
    for letter in [*kept, None]:
        if letter is not None and (letter.isalnum() or letter == "_"):
            word += letter
            continue
        spaced.append(" " if word in ("a", "an", "the") else word)
        word = ""
        if letter is not None:
            spaced.append(letter)
    return " ".join("".join(spaced).split())


def reference_f1(prediction, gold):
    left, right = reference_normalize(prediction).split(), reference_normalize(gold).split()
    if len(left) == 0 or len(right) == 0:
        return 1.0 if len(left) == len(right) else 0.0
    rest, same = list(right), 0
    for token in left:
        if token in rest:
            rest.remove(token)
            same += 1
    if same == 0:
        return 0.0
    precision, recall = same / len(left), same / len(right)
    return (2 * precision * recall) / (precision + recall)


def reference_raw(questions, predictions):
    exact, f1 = {}, {}
    for question in questions:
        if question.id not in predictions:
            continue
        golds = []
        for answer in question.answers:
            if reference_normalize(answer) != "":
                golds.append(answer)
        if golds == []:
            golds = [""]
        prediction = predictions[question.id]
        exact[question.id] = 0.0
        f1[question.id] = 0.0
        for gold in golds:
            if reference_normalize(gold) == reference_normalize(prediction):
                exact[question.id] = 1.0
            f1[question.id] = max(f1[question.id], reference_f1(prediction, gold))
    return exact, f1


def reference_best(scores, answerable, predictions, na_probs):
    """Try every place in the sorted list as the last one whose prediction is kept."""
    order = sorted(na_probs, key=lambda key: na_probs[key])
    order = [key for key in order if key in scores]
    best, threshold = sum(1 for key in scores if not answerable[key]), 0.0
    for last in range(len(order)):
        total = sum(1 for key in scores if not answerable[key])
        for key in order[: last + 1]:
            if answerable[key]:
                total += scores[key]
            elif predictions[key] != "":
                total += -1
        if total > best:
            best, threshold = total, na_probs[order[last]]
    return 100.0 * best / len(scores), threshold


def reference_average_precision(gains, answerable, na_probs):
    """Sum precision times the step in recall over the distinct thresholds."""
    num_answerable = sum(1 for key in gains if answerable[key])
    total, recall_before = 0.0, 0.0
    for threshold in sorted({na_probs[key] for key in gains}):
        kept = [key for key in gains if na_probs[key] <= threshold]
        hits = sum(gains[key] for key in kept if answerable[key])
        total += hits / len(kept) * (hits / num_answerable - recall_before)
        recall_before = hits / num_answerable
    return 100.0 * total


def reference_measures(questions, predictions, na_probs=None, na_prob_threshold=1.0):
    exact, f1 = reference_raw(questions, predictions)
    answerable = {question.id: len(question.answers) > 0 for question in questions}
    measures = {}
    for prefix, wanted in (("", (True, False)), ("HasAns_", (True,)), ("NoAns_", (False,))):
        keys = [key for key in exact if answerable[key] in wanted]
        for name, raw in (("exact", exact), ("f1", f1)):
            total = 0.0
            for key in keys:
                if na_probs is not None and na_probs[key] > na_prob_threshold:
                    total += 0.0 if answerable[key] else 1.0
                else:
                    total += raw[key]
            if keys:
                measures[prefix + name] = 100.0 * total / len(keys)
        if keys:
            measures[prefix + "total"] = len(keys)
    if na_probs is not None:
        measures.update(reference_threshold_measures(exact, f1, answerable, predictions, na_probs))
    return measures


def reference_threshold_measures(exact, f1, answerable, predictions, na_probs):
    measures = {}
    for name, raw in (("exact", exact), ("f1", f1)):
        best, threshold = reference_best(raw, answerable, predictions, na_probs)
        measures["best_" + name], measures["best_" + name + "_thresh"] = best, threshold
    if any(answerable[key] for key in exact):
        oracle = {key: 1.0 if answerable[key] else 0.0 for key in exact}
        for name, gains in (("exact", exact), ("f1", f1), ("oracle", oracle)):
            measures["pr_" + name + "_ap"] = reference_average_precision(gains, answerable, na_probs)
    return measures


# --- vectors ---

FRAGMENTS = [
    "The", "the", "a", "an", "A", "cat", "Cat!", "dog", "cat cat", "", " ", "\t", "\u00a0", "“cat”", "cat's",
    "U.S.", "a-the-an", "the_cat", "thea", "1,000", "$12", "—", "…", "é", "İ", "ß", ".", "\n",
    "a.n", "th.e", "²",
]  # fmt: skip

texts = st.lists(st.sampled_from(FRAGMENTS), max_size=5).map(" ".join) | st.text(max_size=8)
tight_texts = st.lists(st.sampled_from(FRAGMENTS), max_size=3).map("".join)
answers = texts | tight_texts


def question(key, *golds):
    return SquadQuestion(id=key, question="?", context="", answers=golds)


@st.composite
def scored_sets(draw):
    num_questions = draw(st.integers(1, 8))
    questions, predictions, na_probs = [], {}, {}
    for number in range(num_questions):
        golds = draw(st.lists(answers, max_size=3))
        questions.append(question(str(number), *golds))
        copied = st.sampled_from(golds) if golds else st.just("")
        predictions[str(number)] = draw(st.just("") | copied | answers)
    for key in draw(st.permutations(list(predictions))):
        na_probs[key] = draw(st.sampled_from([-2.5, 0.0, 0.25, 0.5, 1.0]) | st.floats(-5, 5))
    return questions, predictions, na_probs


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert math.isclose(found[name], value, rel_tol=1e-12, abs_tol=1e-9), name


@given(answers, answers)
@settings(max_examples=400, deadline=None)
def test_single_answers_score_as_in_the_reference(prediction, gold):
    assert normalize_answer(prediction) == reference_normalize(prediction)
    assert token_f1(prediction, gold) == reference_f1(prediction, gold)
    assert exact_match(prediction, gold) == (reference_normalize(prediction) == reference_normalize(gold))


@given(scored_sets(), st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0]))
@settings(max_examples=300, deadline=None)
def test_whole_sets_score_as_in_the_reference(scored, na_prob_threshold):
    questions, predictions, na_probs = scored
    found = evaluate_squad(
        questions, predictions, na_probs=na_probs, na_prob_threshold=na_prob_threshold
    ).measures
    assert_same(found, reference_measures(questions, predictions, na_probs, na_prob_threshold))
    plain = evaluate_squad(questions, predictions).measures
    assert_same(plain, reference_measures(questions, predictions))


# --- numbers by hand ---


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The  Cat!", "cat"),
        ("a", ""),
        ("The a an", ""),
        ("“Cat”", "“cat”"),
        ("cat—dog", "cat—dog"),
        ("cat-dog", "catdog"),
        ("a.n apple", "apple"),  # punctuation goes first and leaves an article behind
        ("theatre", "theatre"),
        ("U.S.A", "usa"),
        ("one\u00a0two\n three", "one two three"),
    ],
)
def test_normalising_goes_case_punctuation_articles_space(text, normal):
    assert normalize_answer(text) == normal


def test_repeated_tokens_count_as_often_as_they_occur_on_both_sides():
    assert token_f1("cat cat cat", "cat cat") == pytest.approx(2 * (2 / 3) * 1 / (2 / 3 + 1))
    assert token_f1("cat dog", "cat cat") == pytest.approx(0.5)


def test_an_empty_side_scores_one_only_against_another_empty_side():
    assert token_f1("", "the") == 1.0
    assert token_f1("cat", "the") == 0.0
    assert exact_match("The.", "") == 1.0


@pytest.mark.parametrize(("prediction", "score"), [("", 100.0), ("x", 0.0)])
def test_a_question_without_answers_wants_an_empty_prediction(prediction, score):
    measures = evaluate_squad([question("q")], {"q": prediction}).measures
    assert measures == {
        "exact": score, "f1": score, "total": 1, "NoAns_exact": score, "NoAns_f1": score, "NoAns_total": 1,
    }  # fmt: skip


def test_a_gold_answer_that_is_only_an_article_counts_as_no_text_yet_as_answerable():
    report = evaluate_squad([question("q", "a")], {"q": ""})
    assert report.measures["exact"] == 100.0
    assert report.measures["HasAns_total"] == 1


def test_the_best_of_several_gold_answers_counts():
    measures = evaluate_squad([question("q", "red dog", "the red cat sat")], {"q": "red cat"}).measures
    assert measures["exact"] == 0.0
    assert measures["f1"] == pytest.approx(80.0)  # against "red cat sat": precision 1, recall 2/3


def test_a_na_prob_equal_to_the_threshold_keeps_the_answer():
    asked = [question("q", "cat")]
    kept = evaluate_squad(asked, {"q": "cat"}, na_probs={"q": 0.5}, na_prob_threshold=0.5)
    dropped = evaluate_squad(asked, {"q": "cat"}, na_probs={"q": 0.5}, na_prob_threshold=0.4999)
    assert kept.measures["exact"] == 100.0
    assert dropped.measures["exact"] == 0.0


FOUR = [question("yes1", "cat"), question("no1"), question("yes2", "dog"), question("no2")]
FOUR_PREDICTIONS = {"yes1": "cat", "no1": "wrong", "yes2": "the dog", "no2": "wrong"}


def test_best_thresholds_by_hand():
    na_probs = {"yes1": 0.1, "no1": 0.3, "yes2": 0.4, "no2": 0.9}
    measures = evaluate_squad(FOUR, FOUR_PREDICTIONS, na_probs=na_probs).measures
    # 2 by saying nothing; +1 -> 3 at 0.1, -1 -> 2 at 0.3, +1 -> 3 at 0.4 (no strict gain), -1 -> 2 at 0.9
    assert measures["best_exact"] == 75.0
    assert measures["best_exact_thresh"] == 0.1
    assert measures["exact"] == 50.0


def test_equal_na_probs_are_swept_one_by_one_in_the_order_given():
    lucky = dict.fromkeys(["yes1", "yes2", "no1", "no2"], 0.5)
    unlucky = dict.fromkeys(["no1", "no2", "yes1", "yes2"], 0.5)
    # No threshold can part them, yet the official sweep counts the first two alone.
    assert evaluate_squad(FOUR, FOUR_PREDICTIONS, na_probs=lucky).measures["best_exact"] == 100.0
    assert evaluate_squad(FOUR, FOUR_PREDICTIONS, na_probs=unlucky).measures["best_exact"] == 50.0


def test_average_precision_by_hand():
    na_probs = {"yes1": 0.1, "no1": 0.3, "yes2": 0.4, "no2": 0.9}
    measures = evaluate_squad(FOUR, FOUR_PREDICTIONS, na_probs=na_probs).measures
    assert measures["pr_exact_ap"] == pytest.approx(100 * (1 * 0.5 + 2 / 3 * 0.5))
    tied = evaluate_squad(FOUR, FOUR_PREDICTIONS, na_probs=dict.fromkeys(na_probs, 0.5)).measures
    assert tied["pr_exact_ap"] == pytest.approx(50.0)
    assert tied["pr_oracle_ap"] == pytest.approx(50.0)


def test_precision_recall_is_left_out_when_nothing_has_an_answer():
    measures = evaluate_squad([question("q")], {"q": ""}, na_probs={"q": 0.5}).measures
    assert not [name for name in measures if name.startswith("pr_")]
    assert measures["best_f1"] == 100.0


def test_missing_and_unknown_predictions_are_named_and_count_nowhere():
    na_probs = {"yes1": 0.1, "other": 0.2}
    report = evaluate_squad(FOUR, {"yes1": "cat", "other": "x"}, na_probs=na_probs)
    assert report.missing == ("no1", "yes2", "no2")
    assert report.unknown == ("other",)
    assert report.measures["total"] == 1
    assert report.measures["best_exact"] == 100.0
    assert report.to_dict()["missing_predictions"] == 3


@pytest.mark.parametrize(
    ("questions", "predictions", "na_probs", "message"),
    [
        ([question("q"), question("q")], {"q": ""}, None, "two questions have the id 'q'"),
        ([question("q")], {"other": ""}, None, "none of the 1 questions"),
        ([question("q")], {"q": ""}, {}, "na_probs has None for question 'q'"),
        ([question("q")], {"q": ""}, {"q": math.nan}, "na_probs has nan for question 'q'"),
    ],
)
def test_what_cannot_be_scored_is_refused_by_name(questions, predictions, na_probs, message):
    with pytest.raises(InputError, match=message):
        evaluate_squad(questions, predictions, na_probs=na_probs)


def test_the_precision_recall_curve_answers_the_surest_questions_first():
    questions = [
        SquadQuestion("a", "?", "one", ("one",)),
        SquadQuestion("b", "?", "two", ()),
        SquadQuestion("c", "?", "three", ("three",)),
    ]
    predictions = {"a": "one", "b": "two", "c": "three"}
    report = evaluate_squad(questions, predictions, na_probs={"a": 0.1, "b": 0.5, "c": 0.9})
    assert report.precision_recall == ((0.5, 1.0), (0.5, 0.5), (1.0, 2 / 3))
    assert evaluate_squad(questions, predictions).precision_recall == ()
