"""What all verbs of a loaded model share: shapes, batches, safety, and one clear line for bad input."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import labelwise
from labelwise.errors import InputError, LabelError, LabelwiseError, TaskNotSupportedError, TextTooLongError

LABELS = ["card", "parcel", "praise"]
PAD, CLS, SEP, MASK = 0, 1, 2, 4
LONG = "good " * 70 + "parcel " + "good " * 70


def sides_of(row):
    first_sep = int(np.flatnonzero(row.ids == SEP)[0])
    return row.ids[1:first_sep], row.ids[first_sep + 1 : -1]


def shares_a_word(row):
    premise, hypothesis = sides_of(row)
    shared = float(len(set(premise) & set(hypothesis)))
    return [shared, 0.0, -shared]


def reads_flat(row):
    return np.zeros(len(row)), np.zeros(len(row))


def test_one_gives_one_a_list_a_list_and_a_stream_a_stream(fake_model):
    model = fake_model(shares_a_word)
    alone = model.classify("a late parcel", LABELS)
    assert model.classify(["a late parcel"], LABELS) == [alone]
    assert model.classify(("a late parcel",), LABELS) == [alone]
    streamed = model.classify(iter(["a late parcel"]), LABELS)
    assert iter(streamed) is streamed
    assert list(streamed) == [alone]


def test_streams_of_pairs_are_read_when_results_are_asked_for(fake_model):
    taken = []
    endless = (taken.append(number) or (f"card {number}", "card") for number in itertools.count())
    results = fake_model(shares_a_word).entail(pairs=endless)
    assert taken == []
    assert next(results).label == "entailment"
    assert len(taken) <= 512


def test_results_of_a_long_stream_stay_in_order(fake_model):
    words = ["card", "parcel", "praise"]
    texts = [f"{words[number % 3]} {'late ' * (number % 7)}" for number in range(1100)]
    found = fake_model(shares_a_word).classify(iter(texts), LABELS, hypothesis_template="{}")
    assert [(one.text, one.best.label) for one in found] == [
        (text, words[number % 3]) for number, text in enumerate(texts)
    ]


def test_texts_with_labels_of_their_own_score_as_alone(fake_model):
    model = fake_model(shares_a_word, max_tokens=32)
    texts = ["late card", LONG, "praise the card"]
    sets = [["card", "late"], {"parcel": None, "x": "a good card"}, {"a": ["praise", "bad"], "b": ["card"]}]
    assert model.classify(texts, sets) == [
        model.classify(text, labels) for text, labels in zip(texts, sets, strict=True)
    ]


@pytest.mark.parametrize("batch_tokens", [16, 300, 10_000])
def test_batch_size_changes_no_pair_and_no_rank(whole_checkpoint, batch_tokens):
    folder = whole_checkpoint("deberta-v2", labels=["entailment", "neutral", "contradiction"])
    pairs = [("card", "the card is good"), ("good " * 80, "late"), ("the parcel is late", "card")]
    candidates = ["late", "the card", "praise " * 90]
    one, other = labelwise.load(folder, batch_tokens=1), labelwise.load(folder, batch_tokens=batch_tokens)
    for first, second in zip(one.entail(pairs=pairs), other.entail(pairs=pairs), strict=True):
        assert first.scores() == pytest.approx(second.scores(), abs=1e-5)
    scores = [
        {found.index: found.score for found in model.rank("the card is late", candidates)}
        for model in (one, other)
    ]
    assert scores[0] == pytest.approx(scores[1], abs=1e-5)


def test_a_long_premise_may_be_refused_or_cut(fake_model):
    model = fake_model(shares_a_word, max_tokens=32)
    assert model.entail(LONG, "parcel", truncation="truncate").windows_read == 1
    with pytest.raises(TextTooLongError, match="the premise of pair 2 has 141 tokens"):
        model.entail(pairs=[("card", "card"), (LONG, "card")], truncation="error")


@pytest.mark.parametrize("premise", ["query", "candidate"])
def test_ranking_shows_the_model_every_token_of_both_sides(fake_model, premise):
    model = fake_model(shares_a_word, max_tokens=32)
    texts = [f"{LONG} card", f"bad {LONG}"]
    model.rank(texts[0], texts[1:], premise=premise)
    first, second = texts if premise == "query" else reversed(texts)
    seen = [sides_of(row) for row in model.backend.rows]
    for text, parts in ((first, [one for one, _ in seen]), (second, [two for _, two in seen])):
        whole = model.tokenizer.encode(text).ids.tolist()
        covered = set()
        for part in {tuple(part.tolist()) for part in parts}:
            for start in range(len(whole) - len(part) + 1):
                if tuple(whole[start : start + len(part)]) == part:
                    covered.update(range(start, start + len(part)))
        assert covered == set(range(len(whole)))


pieces = st.sampled_from(
    ["[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]", "card", " ", "[", "SEP]", "\n", "e\u0301"]
)
hostile = st.lists(pieces, min_size=1, max_size=12).map("".join).filter(str.strip)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(one=hostile, two=hostile)
def test_no_verb_makes_control_tokens_of_user_text(fake_model, one, two):
    classifier = fake_model(shares_a_word, max_tokens=256)
    classifier.entail(one, two)
    classifier.rank(one, [two, one], premise="candidate")
    reader = fake_model(reads_flat, is_reader=True, max_tokens=256)
    reader.answer(one, two)
    for row in classifier.backend.rows + reader.backend.rows:
        assert [int((row.ids == token).sum()) for token in (PAD, CLS, SEP, MASK)] == [0, 1, 2, 0]


BAD_CALLS = [
    (
        lambda model: model.classify(None, LABELS),
        InputError,
        "texts must be a list or a stream, got NoneType",
    ),
    (lambda model: model.classify("card", None), LabelError, "labels must be a list of names"),
    (lambda model: model.classify("card", LABELS, top_k=0), InputError, "top_k must be at least 1"),
    (lambda model: model.classify("card", LABELS, threshold=1.5), InputError, "between 0 and 1"),
    (lambda model: model.classify("card", LABELS, threshold={"x": 0.5}), LabelError, "threshold names 'x'"),
    (
        lambda model: model.classify("card", LABELS, none_label="card"),
        LabelError,
        "is also one of the labels",
    ),
    (lambda model: model.classify("card", ["a", " "]), LabelError, "is blank"),
    (lambda model: model.classify("card", {"a": ""}), LabelError, "description of label 'a' is blank"),
    (lambda model: model.classify("card", LABELS, hypothesis_template="{} {}"), InputError, "exactly one {}"),
    (
        lambda model: model.classify("card", LABELS, hypothesis_template="{0}{}"),
        InputError,
        "a brace besides",
    ),
    (lambda model: model.classify("card", LABELS, label_orders=0), InputError, "label_orders"),
    (lambda model: model.entail("", "card"), InputError, "the premise of pair 1 is blank"),
    (lambda model: model.entail("card"), InputError, "give a premise and a hypothesis"),
    (lambda model: model.entail("card", "late", truncation="cut"), InputError, "'cut' is not one of"),
    (lambda model: model.entail("card", "late " * 70), TextTooLongError, "the hypothesis of pair 1 has 70"),
    (lambda model: model.entail(pairs=3), InputError, "pairs must be a list or a stream, got int"),
    (lambda model: model.entail(pairs=["ab"]), InputError, "pair 1 must be"),
    (lambda model: model.rank("card", None), InputError, "candidates is NoneType"),
    (lambda model: model.rank("card", ["late"], truncation="cut"), InputError, "'cut' is not one of"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_CALLS)
def test_bad_input_gets_one_clear_line_before_the_model_runs(fake_model, call, error, message):
    model = fake_model(shares_a_word)
    with pytest.raises(error, match=message) as caught:
        call(model)
    assert isinstance(caught.value, LabelwiseError)
    assert "\n" not in str(caught.value)
    assert model.backend.batches == []


def test_a_label_that_fills_the_window_is_named_but_not_in_full(fake_model):
    label = "very long label " * 30
    with pytest.raises(TextTooLongError, match=r"label 'very long label .*\.\.\.' has \d+ tokens") as caught:
        fake_model(shares_a_word).classify("card", ["fine", label])
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("verb", ["classify", "entail", "rank"])
def test_a_reader_says_what_it_can_do(fake_model, verb):
    reader = fake_model(reads_flat, is_reader=True)
    assert reader.tasks == {"answer"}
    with pytest.raises(TaskNotSupportedError, match=f"cannot {verb}; it can answer"):
        getattr(reader, verb)("card", LABELS)


def test_logits_that_are_not_finite_are_refused(fake_model):
    with pytest.raises(LabelwiseError, match="not finite"):
        fake_model(lambda row: [np.nan, 0.0, 0.0]).classify("card", LABELS)
