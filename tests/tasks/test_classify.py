"""Classify through a network that is a rule: batches, windows, order, threads and safety."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import labelwise
from labelwise.errors import InputError, LabelError, TaskNotSupportedError, TextTooLongError
from labelwise.labels import LabelSet
from labelwise.model import Model

LABELS = ["card", "parcel", "praise"]
CONTROL = {"pad": 0, "cls": 1, "sep": 2, "mask": 4}


def premise_of(row):
    first_sep = int(np.flatnonzero(row.ids == CONTROL["sep"])[0])
    return row.ids[1:first_sep]


def hypothesis_of(row):
    first_sep = int(np.flatnonzero(row.ids == CONTROL["sep"])[0])
    return row.ids[first_sep + 1 : -1]


def shares_a_word(row):
    """Entailed in so far as the premise holds the hypothesis' words."""
    shared = len(set(premise_of(row)) & set(hypothesis_of(row)))
    return [float(shared), 0.0, -float(shared)]


def everything(model, texts, labels, **options):
    return [result.to_dict() for result in model.classify(texts, labels, **options)]


def test_results_come_in_input_order(fake_model):
    model = fake_model(shares_a_word)
    texts = ["a late parcel", "praise", "my card was charged", "parcel " * 20, "card"]
    found = model.classify(texts, LABELS, hypothesis_template="{}")
    assert [result.text for result in found] == texts
    assert [result.best.label for result in found] == ["parcel", "praise", "card", "parcel", "card"]


def test_batch_size_never_changes_a_score(whole_checkpoint):
    folder = whole_checkpoint("bert", labels=["entailment", "neutral", "contradiction"])
    texts = ["card", "the parcel is late and this is bad", "good", "x" * 60, "praise! " * 9]
    reference = everything(labelwise.load(folder, batch_tokens=1), texts, LABELS)
    for batch_tokens in (16, 100, 500, 10_000):
        other = everything(labelwise.load(folder, batch_tokens=batch_tokens), texts, LABELS)
        for one, two in zip(reference, other, strict=True):
            scores = {label["label"]: label["score"] for label in two["labels"]}
            assert {label["label"]: label["score"] for label in one["labels"]} == pytest.approx(
                scores, abs=1e-5
            )


def test_one_plan_serves_all_texts_and_labels_of_a_call(fake_model):
    model = fake_model(shares_a_word)
    model.classify([f"card {number}" for number in range(50)], LABELS)
    assert len(model.backend.rows) == 50 * len(LABELS)
    # 150 rows of some 30 tokens fill three batches of 2,048 tokens; one batch per text would be 50.
    assert len(model.backend.batches) <= 4
    lengths = [max(len(row) for row in batch) for batch in model.backend.batches]
    assert lengths == sorted(lengths)


def test_each_text_and_each_hypothesis_is_tokenised_once(fake_model, monkeypatch):
    model = fake_model(shares_a_word)
    encoded = []
    original = type(model.tokenizer).encode_many
    monkeypatch.setattr(
        type(model.tokenizer),
        "encode_many",
        lambda self, texts: encoded.extend(texts) or original(self, texts),
    )
    model.classify(["card one", "card two"], LABELS, hypothesis_template="about {}")
    assert sorted(encoded) == sorted(["card one", "card two", "about card", "about parcel", "about praise"])


def test_a_stream_is_read_a_chunk_at_a_time(fake_model):
    model = fake_model(shares_a_word)
    taken = []

    def endless():
        for number in itertools.count():
            taken.append(number)
            yield f"card {number}"

    results = model.classify(endless(), LABELS)
    assert taken == []
    assert next(results).text == "card 0"
    assert len(taken) <= 512


def test_a_stream_may_bring_its_own_labels(fake_model):
    model = fake_model(shares_a_word)
    results = list(model.classify(iter(["card", "late parcel"]), iter([["card", "bad"], ["late", "good"]])))
    assert [result.best.label for result in results] == ["card", "late"]


def test_no_texts_give_no_results(fake_model):
    assert fake_model(shares_a_word).classify([], LABELS) == []


def test_progress_counts_every_pair(fake_model):
    seen = []
    fake_model(shares_a_word).classify(
        ["card"] * 40, LABELS, on_progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (120, 120)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


LONG = "good " * 70 + "parcel " + "good " * 70


def test_a_word_far_beyond_the_window_is_found(fake_model):
    model = fake_model(shares_a_word, max_tokens=32)
    result = model.classify(LONG, LABELS, hypothesis_template="{}", multi_label=True)
    assert result.best.label == "parcel"
    assert result.num_tokens == 141
    assert result.windows_read == len(model.backend.rows) // len(LABELS) > 4


def test_windows_hold_every_token_of_the_text(fake_model):
    model = fake_model(shares_a_word, max_tokens=32)
    model.classify(LONG, ["card"])
    whole = model.tokenizer.encode(LONG).ids.tolist()
    read = [premise_of(row).tolist() for row in model.backend.rows]
    assert all(any(place_in(whole, window, place) for window in read) for place in range(len(whole)))


def place_in(whole, window, place):
    starts = range(max(0, place - len(window) + 1), place + 1)
    return any(whole[start : start + len(window)] == window for start in starts)


def test_windows_are_combined_by_mean_or_by_maximum(fake_model):
    model = fake_model(shares_a_word, max_tokens=32)
    result = model.classify(LONG, LABELS, hypothesis_template="{}")
    rows = np.array([shares_a_word(row)[0] for row in model.backend.rows]).reshape(
        result.windows_read, len(LABELS)
    )
    powers = np.exp(rows.mean(axis=0))
    expected = dict(zip(LABELS, powers / powers.sum(), strict=True))
    assert {label.label: label.score for label in result.labels} == pytest.approx(expected)
    alone = model.classify(LONG, LABELS, hypothesis_template="{}", multi_label=True)
    best = dict(zip(LABELS, 1 / (1 + np.exp(-2 * rows.max(axis=0))), strict=True))
    assert {label.label: label.score for label in alone.labels} == pytest.approx(best)


def test_truncating_is_said(fake_model):
    model = fake_model(shares_a_word, max_tokens=32)
    result = model.classify(
        LONG, LABELS, hypothesis_template="{}", multi_label=True, threshold=0.6, truncation="truncate"
    )
    assert result.was_truncated
    assert result.windows_read == 1
    assert "parcel" not in [label.label for label in result.accepted]


def test_truncation_error_names_the_text(fake_model):
    with pytest.raises(TextTooLongError, match="text 2 has 141 tokens"):
        fake_model(shares_a_word, max_tokens=32).classify(["card", LONG], LABELS, truncation="error")


def test_temperature_and_thresholds_of_the_checkpoint_are_used(fake_model, tmp_path):
    (tmp_path / "labelwise.json").write_text(
        '{"temperature": 2.0, "thresholds": {"card": 0.9, "other": 0.1}}'
    )
    model = fake_model(lambda row: [2.0, 0.0, 0.0])
    result = model.classify("card", LABELS, multi_label=True)
    assert result.labels[0].score == pytest.approx(1 / (1 + np.exp(-1.0)))
    assert "card" not in [label.label for label in result.accepted]
    assert len(result.accepted) == 2


BAD = [
    (("", LABELS), {}, InputError, "text 1 is blank"),
    ((["card", " \n"], LABELS), {}, InputError, "text 2 is blank"),
    ((["card", None], LABELS), {}, InputError, "text 2 must be a string"),
    (("card", []), {}, LabelError, "labels is empty"),
    (("card", ["a", "a"]), {}, LabelError, "given twice"),
    (("card", "a,b"), {}, LabelError, "must be a list of names"),
    (("card", [["a"], ["b"]]), {}, LabelError, "there is one text"),
    ((["card"], [["a"], ["b"]]), {}, LabelError, "2 label sets for 1 texts"),
    (("card", LABELS), {"hypothesis_template": "x"}, InputError, "exactly one {}"),
    (("card", LABELS), {"truncation": "cut"}, InputError, "'cut' is not one of"),
    (("card", LABELS), {"score_mode": "logit"}, InputError, "'logit' is not one of"),
    (("card", ["fine", "long " * 70]), {}, TextTooLongError, "label 'long"),
]


@pytest.mark.parametrize(("arguments", "options", "error", "message"), BAD)
def test_bad_input_gets_one_clear_line(fake_model, arguments, options, error, message):
    with pytest.raises(error, match=message) as caught:
        fake_model(shares_a_word).classify(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_a_verb_that_the_model_lacks_names_those_it_has(fake_model):
    with pytest.raises(TaskNotSupportedError, match="cannot answer; it can classify, entail, rank"):
        fake_model(shares_a_word).answer("who?", "Ada")
    with pytest.raises(TaskNotSupportedError, match="cannot classify; it can answer"):
        fake_model(shares_a_word, is_reader=True).classify("card", LABELS)


pieces = st.sampled_from(
    ["[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]", "card", " ", "parcel. ", "[", "SEP]", "\n", "é"]
)
hostile = st.lists(pieces, min_size=1, max_size=12).map("".join).filter(str.strip)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=hostile, label=hostile)
def test_user_text_never_makes_control_tokens(fake_model, text, label):
    model = fake_model(shares_a_word, max_tokens=256)
    model.classify(text, {label: None}, truncation="window")
    for row in model.backend.rows:
        counts = {name: int((row.ids == token).sum()) for name, token in CONTROL.items()}
        assert counts == {"pad": 0, "cls": 1, "sep": 2, "mask": 0}


@pytest.fixture
def tiny(whole_checkpoint) -> Model:
    return labelwise.load(
        whole_checkpoint("bert", labels=["entailment", "neutral", "contradiction"]), threads=1
    )


def test_sixteen_threads_get_the_answers_of_one(tiny):
    from concurrent.futures import ThreadPoolExecutor

    texts = ["card", "the parcel is late", "good " * 60, "this [SEP] is bad", "praise, praise"]
    sets = [LABELS, {"card": "a good card", "late": None}, {"a": ["good", "bad"], "b": ["late"]}]
    templates = [None, "about {}", "{}"]
    calls = []
    for number in range(3000):
        text, labels, template = texts[number % 5], sets[number % 3], templates[number // 3 % 3]
        if number % 7 == 0:
            calls.append(lambda text=text: tiny.entail(text, "the card is good"))
        elif number % 11 == 0:
            calls.append(lambda text=text: tiny.rank(text, LABELS, top_k=2))
        else:
            options = {
                "multi_label": number % 2 == 0,
                "hypothesis_template": template,
                "truncation": ["window", "truncate"][number % 4 // 2],
            }
            calls.append(
                lambda text=text, labels=labels, options=options: tiny.classify(text, labels, **options)
            )
    alone = [call() for call in calls]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda call: call(), calls))
    assert together == alone


def test_label_sets_are_compared_by_value():
    assert LabelSet.parse(["a", "b"]) == LabelSet.parse({"a": None, "b": None})
