from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.synthesis.bundle import parse_bundle
from labelwise.synthesis.invalid import InvalidAnswerError, RefusedError
from labelwise.synthesis.plan import SynthesisPlan

REQUEST = SynthesisPlan(lengths=("line",), texts_per_bundle=3, labels_per_bundle=4).bundle(0)
GOOD = {
    "labels": ["about rain", "about trains", "is a complaint", "is a question"],
    "texts": [
        {
            "text": "It has been raining on the tracks all day long.",
            "true": ["about rain", "about trains"],
            "false": ["is a question", "is a complaint"],
        },
        {
            "text": "Why does nobody ever mend this dripping roof here?",
            "true": ["is a question", "is a complaint"],
            "false": ["about trains"],
        },
        {
            "text": "The timetable that you printed is wrong once more, sir.",
            "true": ["is a complaint"],
            "false": ["about rain"],
        },
    ],
}
SECOND = GOOD["texts"][1]["text"]


def changed(change) -> str:
    answer = copy.deepcopy(GOOD)
    change(answer)
    return json.dumps(answer)


def reason_of(answer: str) -> str:
    with pytest.raises(InvalidAnswerError) as caught:
        parse_bundle(answer, REQUEST)
    return caught.value.reason


def keeps_the_promise(bundle) -> bool:
    pool = {label for text in bundle.texts for label in text.labels + text.not_labels}
    return all(
        any(
            label in one.labels and label in other.not_labels
            for one in bundle.texts
            for other in bundle.texts
            if one is not other
        )
        for label in pool
    )


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "```json\n{}\n```",
        "```\n{}\n```\nI hope this helps!",
        "Sure! Here is the bundle:\n\n{}\n\nTell me if {{you}} need more.",
        '<think>Maybe {{"labels": ["draft"], "texts": [] }}. No.</think>{}',
        "I'm sorry for the wait. {}",
    ],
)
def test_the_bundle_is_found_whatever_stands_around_it(around):
    bundle = parse_bundle(around.format(json.dumps(GOOD)), REQUEST)
    assert [text.text for text in bundle.texts] == [text["text"] for text in GOOD["texts"]]
    assert bundle.texts[1].labels == ("is a question", "is a complaint")
    assert bundle.texts[1].not_labels == ("about trains",)
    assert bundle.num_labels_dropped == 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "no JSON"),
        ("Here is a poem instead.", "no JSON"),
        (json.dumps(GOOD)[:-30], "no JSON"),
        ('{"labels": ["a label"]}', "no JSON"),
        (json.dumps(GOOD).replace('"is a complaint"', "NaN", 1), "no JSON"),
        ('{"labels": [], "labels": [], "texts": []}', "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"a":' * 50_000, "no JSON"),
        ("x" * 500_000, "too long"),
        (changed(lambda answer: answer.update(labels="about rain")), "wrong shape"),
        (changed(lambda answer: answer["labels"].append(7)), "wrong shape"),
        (changed(lambda answer: answer["texts"][0].update(text=["no string"])), "wrong shape"),
        (changed(lambda answer: answer["texts"][0].pop("false")), "wrong shape"),
        (changed(lambda answer: answer["texts"].__setitem__(1, "a bare text")), "wrong shape"),
        (changed(lambda answer: answer["texts"][0].update(text="half \ud800 pair and words")), "wrong shape"),
        (changed(lambda answer: answer["texts"][0].update(text="a bell \u0007 rings here")), "wrong shape"),
        (changed(lambda answer: answer["texts"].pop()), "number of texts"),
        (changed(lambda answer: answer.update(texts={})), "number of texts"),
        (changed(lambda answer: answer["labels"].append("ab")), "label length"),
        (changed(lambda answer: answer["labels"].append("long " * 30)), "label length"),
        (changed(lambda answer: answer["labels"].append("About_Rain")), "doubled label"),
        (changed(lambda answer: answer["texts"][0]["true"].append("about snow")), "unknown label"),
        (changed(lambda answer: answer["texts"][0]["false"].append("About  rain")), "contradiction"),
        (changed(lambda answer: answer["texts"][0].update(text="Too short.")), "text length"),
        (changed(lambda answer: answer["texts"][0].update(text="too long " * 40)), "text length"),
        (changed(lambda answer: answer["texts"][0].update(text=SECOND.upper())), "doubled text"),
        (changed(lambda answer: [text.update(false=[]) for text in answer["texts"]]), "shared labels"),
        (changed(lambda answer: answer["texts"][2].update(false=[])), "text without labels"),
    ],
)  # fmt: skip
def test_a_broken_answer_is_refused_with_its_reason(answer, reason):
    assert reason_of(answer) == reason


@pytest.mark.parametrize(
    "answer",
    [
        "I cannot help with that.",
        "I can\u2019t write such texts.",
        "I'm sorry, but I can't assist with that request.",
        "Sorry, I won't do that.",
        "Unfortunately, I am unable to answer.",
        "As an AI language model, I do not write complaints.",
    ],
)
def test_a_refusal_is_told_from_a_broken_answer(answer):
    with pytest.raises(RefusedError):
        parse_bundle(answer, REQUEST)


def test_a_label_without_a_true_and_a_false_text_is_dropped_and_the_rest_stays():
    answer = changed(lambda answer: answer["texts"][2].update(false=["about trains"]))
    bundle = parse_bundle(answer, REQUEST)
    assert bundle.num_labels_dropped == 1
    assert not any("about rain" in text.labels + text.not_labels for text in bundle.texts)
    assert keeps_the_promise(bundle)


SIDES = st.lists(
    st.lists(st.sampled_from(["true", "false", "open"]), min_size=4, max_size=4), min_size=3, max_size=3
)


@given(SIDES)
def test_every_bundle_that_passes_keeps_its_promise(sides):
    answer = copy.deepcopy(GOOD)
    for text, of_labels in zip(answer["texts"], sides, strict=True):
        for side in ("true", "false"):
            text[side] = [label for label, its in zip(GOOD["labels"], of_labels, strict=True) if its == side]
    try:
        bundle = parse_bundle(json.dumps(answer), REQUEST)
    except InvalidAnswerError:
        return
    assert keeps_the_promise(bundle)
    assert all(text.labels and text.not_labels for text in bundle.texts)
    assert not any(set(text.labels) & set(text.not_labels) for text in bundle.texts)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "true", "false"]), inner)
    ),
    max_leaves=12,
)


@given(JSON_VALUES, JSON_VALUES)
def test_no_json_value_breaks_the_reading(labels, texts):
    with pytest.raises(InvalidAnswerError):
        parse_bundle(json.dumps({"labels": labels, "texts": texts}), REQUEST)


@given(st.text())
def test_no_text_breaks_the_reading(answer):
    with pytest.raises((InvalidAnswerError, RefusedError)):
        parse_bundle(answer, REQUEST)
