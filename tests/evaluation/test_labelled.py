"""Rows become what a task needs, and a row that does not fit is named."""

import pytest

from labelwise.errors import DataError
from labelwise.evaluation.labelled import LabelledPair, LabelledText, SeveralLabels, labelled_rows, spread
from labelwise.evaluation.protocols import EvaluationSet
from labelwise.evaluation.ranking import RankingQuery


def numbered(*rows):
    return list(enumerate(rows, start=1))


def test_columns_and_values_are_read_by_the_set():
    one = EvaluationSet(
        name="s", columns={"text": "utt", "label": "intent"}, label_values={"0": "bad", "true": "yes"}
    )
    rows = numbered({"utt": "a", "intent": 0}, {"utt": "b", "intent": "good"}, {"utt": "c", "intent": True})
    assert labelled_rows(one, rows) == [
        LabelledText("a", "bad"),
        LabelledText("b", "good"),
        LabelledText("c", "yes"),
    ]


def test_a_file_may_use_the_plain_names():
    one = EvaluationSet(name="s", columns={"text": "utt", "label": "label_text"})
    rows = numbered({"text": "a", "label": "x"}, {"utt": "b", "label": 3, "label_text": "y"})
    assert labelled_rows(one, rows) == [LabelledText("a", "x"), LabelledText("b", "y")]


def test_pairs_without_an_agreed_label_are_left_out():
    rows = numbered(
        {"premise": "p", "hypothesis": "h", "label": "entailment"},
        {"premise": "p", "hypothesis": "h", "label": -1},
        {"premise": "p", "hypothesis": "h", "label": "-"},
    )
    found = labelled_rows(EvaluationSet(name="s", task="entail"), rows)
    assert found == [LabelledPair("p", "h", "entailment")]


def test_queries_come_as_lists_or_row_by_row_in_any_order():
    one = EvaluationSet(name="s", task="rank")
    lists = numbered({"query": "q", "candidates": ["a", "b"], "relevance": [1, 0]})
    rows = numbered(
        {"query": "q", "candidate": "a", "relevance": "1"},
        {"query": "r", "candidate": "c", "relevance": "0"},
        {"query": "q", "candidate": "b", "relevance": "0"},
    )
    assert labelled_rows(one, lists) == [RankingQuery("q", ("a", "b"), (1.0, 0.0))]
    assert labelled_rows(one, rows) == [
        RankingQuery("q", ("a", "b"), (1.0, 0.0)),
        RankingQuery("r", ("c",), (0.0,)),
    ]


def test_caps_are_per_class_then_in_all_then_the_limit():
    rows = numbered(*({"text": f"t{place}", "label": "ab"[place > 1]} for place in range(10)))
    capped = labelled_rows(EvaluationSet(name="s", max_texts_per_class=2), rows)
    assert [row.text for row in capped] == ["t0", "t1", "t2", "t6"]
    capped = labelled_rows(EvaluationSet(name="s", max_texts_per_class=2, max_rows=2), rows)
    assert [row.label for row in capped] == ["a", "b"]
    assert len(labelled_rows(EvaluationSet(name="s"), rows, limit=3)) == 3


def test_a_limit_reaches_over_a_sorted_file():
    assert spread(list(range(100)), 4) == [0, 25, 50, 75]
    assert spread([1, 2], 5) == [1, 2]


@pytest.mark.parametrize(
    ("task", "row", "message"),
    [
        ("classify", {"text": " ", "label": "a"}, "row 1: column 'text' must hold text"),
        ("classify", {"text": "a", "label": None}, "row 1: column 'label' must hold one label, got None"),
        ("classify", {"text": "a", "label": " "}, "must hold one label"),
        ("classify", {"text": "a", "label": {"x": 1}}, "must hold one label"),
        ("classify", {"text": "a", "label": ["x", ""]}, "holds a label without a name"),
        ("entail", {"premise": "p", "hypothesis": "h", "label": "yes"}, "label 'yes' is not one of entail"),
        ("rank", {"query": "q", "candidate": "a", "relevance": "high"}, "relevance 'high' is not a number"),
        ("rank", {"query": "q", "candidate": "a", "relevance": None}, "relevance None is not a number"),
        ("rank", {"query": "q", "candidates": ["a"], "relevance": 1}, "must both be lists"),
        ("rank", {"query": "q", "candidates": ["a"], "relevance": [1, 0]}, "1 candidates and 2 relevance"),
    ],
)
def test_a_row_that_does_not_fit_is_named(task, row, message):
    with pytest.raises(DataError, match=message):
        labelled_rows(EvaluationSet(name="s", task=task), numbered(row))


def test_a_candidate_must_stand_once_under_its_query():
    row = {"query": "q", "candidate": "a", "relevance": 1}
    with pytest.raises(DataError, match="row 2: query 'q' has candidate 'a' twice"):
        labelled_rows(EvaluationSet(name="s", task="rank"), numbered(row, row))


def test_a_list_of_labels_makes_a_text_of_several_whatever_the_file_can_hold():
    one = EvaluationSet(name="s", label_values={"0": "joy"})
    rows = numbered(
        {"text": "a", "labels": ["joy", "love", "joy"]},
        {"text": "b", "labels": []},
        {"text": "c", "labels": '["joy, mixed", 0]'},
        {"text": "d", "labels": 'joy, "love, or so"'},
    )
    assert labelled_rows(one, rows) == [
        SeveralLabels("a", ("joy", "love")),
        SeveralLabels("b", ()),
        SeveralLabels("c", ("joy, mixed", "joy")),
        SeveralLabels("d", ("joy", "love, or so")),
    ]


@pytest.mark.parametrize("labels", [None, 3, "[joy"])
def test_labels_that_are_no_list_are_named_with_their_row(labels):
    rows = numbered({"text": "a", "labels": ["joy"]}, {"text": "b", "labels": labels})
    with pytest.raises(DataError, match="row 2: "):
        labelled_rows(EvaluationSet(name="s"), rows)


def test_a_list_in_the_label_column_makes_a_text_of_several():
    one = EvaluationSet(name="s", columns={"label": "tags"})
    rows = numbered({"text": "a", "tags": None}, {"text": "b", "tags": ["joy", "love"]})
    told = []
    assert labelled_rows(one, rows, on_bad=told.append) == [SeveralLabels("b", ("joy", "love"))]
    assert [row.number for row in told] == [1]


def test_bad_rows_are_told_and_the_others_are_read():
    told = []
    rows = numbered(
        {"text": "a", "label": "x"}, {"text": "", "label": "x"}, {"label": "y"}, {"text": "b", "label": "y"}
    )
    found = labelled_rows(EvaluationSet(name="s"), rows, on_bad=told.append)
    assert found == [LabelledText("a", "x"), LabelledText("b", "y")]
    assert [str(row) for row in told] == [
        "row 2: column 'text' must hold text, got ''",
        "row 3: column 'text' must hold text, got None",
    ]


@pytest.mark.parametrize(
    ("row", "repeated"),
    [
        ({"query": "q", "candidate": "a", "relevance": "high"}, False),
        ({"query": "q", "candidates": ["a"], "relevance": [1, 0]}, False),
        ({"query": "q", "candidate": "b", "relevance": 1}, True),
    ],
)
def test_a_bad_row_of_a_ranking_leaves_its_query_as_it_is(row, repeated):
    good = {"query": "q", "candidate": "b", "relevance": 0}
    told = []
    found = labelled_rows(EvaluationSet(name="s", task="rank"), numbered(good, row), on_bad=told.append)
    assert found == [RankingQuery("q", ("b",), (0.0,))]
    assert [bad.number for bad in told] == [2]
    assert ("twice" in told[0].reason) == repeated


@pytest.mark.parametrize(
    ("task", "row", "missing"),
    [
        ("classify", {"Review": "a", "Cls": "x"}, "no column 'text': it has 'Review', 'Cls'"),
        ("classify", {"text": "a", "Cls": "x"}, "no column 'label': it has 'text', 'Cls'"),
        ("entail", {"premise": "a", "label": "x"}, "no column 'hypothesis': it has 'premise', 'label'"),
        ("rank", {"query": "a", "relevance": 1}, "no column 'candidate': it has 'query', 'relevance'"),
    ],
)
def test_a_column_that_no_row_has_is_named_with_those_there_are(task, row, missing):
    told = []
    with pytest.raises(DataError, match=f"^data/topics.csv has {missing}$"):
        labelled_rows(
            EvaluationSet(name="s", task=task, path="data/topics.csv"), numbered(row), on_bad=told.append
        )
    assert told == []


def test_a_column_that_was_asked_for_is_not_replaced_by_one_of_a_plain_name():
    rows = numbered({"text": "a", "label": "x"})
    one = EvaluationSet(name="s", columns={"label": "Cls"})
    assert labelled_rows(one, rows) == [LabelledText("a", "x")]
    with pytest.raises(DataError, match="s has no column 'Cls': it has 'text', 'label'"):
        labelled_rows(one, rows, takes_plain_names=False)
