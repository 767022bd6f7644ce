"""Answers equal the published post-processing, and are always a piece of the context."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import labelwise
from labelwise.errors import InputError, TextTooLongError
from labelwise.text.tokenizer import TextTokenizer

QUESTION = "where is the card?"
CONTEXT = "the parcel is late, and the card is good. " * 9
ROOM_LIMIT = 110


def published_post_processing(folder, question, context, *, max_answer_tokens=30):
    """run_qa.py in plain loops: overlapping windows, the least null, the best valid span (spec: qa.md)."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    reader = transformers.AutoModelForQuestionAnswering.from_pretrained(folder).eval()
    tokenizer = TextTokenizer.from_folder(folder)
    asked, read = tokenizer.encode(question), tokenizer.encode(context)
    room = ROOM_LIMIT - 3 - len(asked)
    overlap = min(128, room // 2)
    starts = [0]
    while starts[-1] + room < len(read):
        starts.append(min(starts[-1] + room - overlap, len(read) - room))
    null, best = np.inf, (-np.inf, 0, 0)
    for start in starts:
        part = read.ids[start : start + room]
        ids = torch.tensor([[1, *asked.ids, 2, *part, 2]])
        types = torch.tensor([[0] * (len(asked) + 2) + [1] * (len(part) + 1)])
        with torch.no_grad():
            output = reader(input_ids=ids, token_type_ids=types)
        start_logits, end_logits = output.start_logits[0].numpy(), output.end_logits[0].numpy()
        null = min(null, float(start_logits[0] + end_logits[0]))
        first = len(asked) + 2
        for i in range(len(part)):
            for j in range(i, min(i + max_answer_tokens, len(part))):
                logit = float(start_logits[first + i] + end_logits[first + j])
                if logit > best[0]:
                    best = (logit, int(read.offsets[start + i, 0]), int(read.offsets[start + j, 1]))
    return null, best


@pytest.fixture
def reader_folder(whole_checkpoint):
    return whole_checkpoint("bert", head="QuestionAnswering", max_tokens=ROOM_LIMIT)


@pytest.mark.parametrize("context", [CONTEXT[:60], CONTEXT])
def test_the_best_span_is_that_of_the_published_post_processing(reader_folder, context):
    null, (logit, start, end) = published_post_processing(reader_folder, QUESTION, context)
    reader = labelwise.load(reader_folder)
    spanned = reader.answer(QUESTION, context, no_answer=False)
    assert (spanned.start, spanned.end) == (start, end)
    decided = reader.answer(QUESTION, context)
    assert decided.is_answer == (null - logit <= 0.0)
    moved = reader.answer(QUESTION, context, null_threshold=null - logit + 1e-3)
    assert (moved.start, moved.end) == (start, end)
    assert not reader.answer(QUESTION, context, null_threshold=null - logit - 1e-3).is_answer


@pytest.mark.parametrize("family", ["bert", "deberta-v2", "roberta"])
def test_without_a_null_threshold_the_decision_is_that_of_the_pipeline_of_transformers_4(
    whole_checkpoint, family
):
    # Softmax of starts and ends over the context and [CLS], then the products are compared (spec: qa.md).
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = whole_checkpoint(family, head="QuestionAnswering", max_tokens=ROOM_LIMIT)
    network = transformers.AutoModelForQuestionAnswering.from_pretrained(folder).eval()
    model = labelwise.load(folder)
    for context in ("the parcel is late", "card", "good, bad. late!", "about the praise 42", CONTEXT[:60]):
        asked, read = model.tokenizer.encode(QUESTION), model.tokenizer.encode(context)
        row = model.layout.assemble(asked.ids, read.ids)
        first = model.layout.second_start(len(asked))
        kept = [0, *range(first, first + len(read))]
        inputs = {"input_ids": torch.tensor(row.ids[None].astype(np.int64))}
        if family == "bert":
            types = (np.arange(len(row)) >= first).astype(np.int64)
            inputs["token_type_ids"] = torch.tensor(types[None])
        with torch.no_grad():
            output = network(**inputs)
        starts, ends = (
            logits[0, kept].softmax(0).numpy() for logits in (output.start_logits, output.end_logits)
        )
        products = np.triu(np.outer(starts[1:], ends[1:]))
        for null_threshold in (None, 0.0):
            found = model.answer(QUESTION, context, null_threshold=null_threshold)
            assert found.is_answer == (products.max() >= starts[0] * ends[0])
        start, end = np.unravel_index(products.argmax(), products.shape)
        spanned = model.answer(QUESTION, context, no_answer=False)
        assert (spanned.start, spanned.end) == (read.offsets[start, 0], read.offsets[end, 1])


def test_long_contexts_are_read_in_windows(reader_folder):
    found = labelwise.load(reader_folder).answer(QUESTION, CONTEXT)
    assert found.windows_read > 1


def test_pairs_are_answered_in_order_and_as_alone(reader_folder):
    reader = labelwise.load(reader_folder)
    pairs = [(QUESTION, CONTEXT), ("what is late?", "the parcel is late"), (QUESTION, "good")]
    together = reader.answer(pairs=pairs, no_answer=False)
    for (question, context), one in zip(pairs, together, strict=True):
        alone = reader.answer(question, context, no_answer=False)
        assert (one.text, one.start) == (alone.text, alone.start)
        assert one.score == pytest.approx(alone.score, abs=1e-5)
    assert [answer.text for answer in reader.answer(pairs=iter(pairs), no_answer=False)] == [
        answer.text for answer in together
    ]


def test_several_answers_come_as_a_list(reader_folder):
    answers = labelwise.load(reader_folder).answer(QUESTION, CONTEXT, top_k=3, no_answer=False)
    assert len(answers) == 3
    spans = sorted((answer.start, answer.end) for answer in answers)
    assert all(one[1] <= two[0] for one, two in pairwise(spans))


characters = st.sampled_from(
    ["card", "é", "e\u0301", "😀", "👩\u200d🚀", "\r\n", "\t", "  ", "\uff0c", "[SEP]", "late", "."]
)
contexts = st.lists(characters, min_size=1, max_size=40).map("".join).filter(str.strip)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(context=contexts, seed=st.integers(0, 1000))
def test_an_answer_is_always_a_piece_of_the_context(fake_model, context, seed):
    random = np.random.default_rng(seed)
    reader = fake_model(
        lambda row: (random.normal(size=len(row)), random.normal(size=len(row))), is_reader=True
    )
    for found in reader.answer("who is it?", context, top_k=3, no_answer=False):
        assert context[found.start : found.end] == found.text
        assert found.text == found.text.strip()


def test_offsets_survive_what_the_tokenizer_changes(fake_model):
    context = "  Ünïcode 😀 und\r\nder  CARD."

    def points_at_card(row):
        start = (row.ids == row.ids[-3]).astype(float)
        return start, start

    found = fake_model(points_at_card, is_reader=True).answer("wo?", context)
    assert found.text == "CARD"
    assert found.start == context.index("CARD")


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("", "text"), {}, "the question of pair 1 is blank"),
        (("who?", " "), {}, "the context of pair 1 is blank"),
        (("who?",), {}, "give a question and a context"),
        (("who?", "text"), {"pairs": []}, "not both"),
        (("who?", "text"), {"top_k": 0}, "top_k must be at least 1"),
        (("who?", "text"), {"max_answer_tokens": 0}, "max_answer_tokens must be at least 1"),
        ((), {"pairs": [("who?",)]}, "pair 1 must be"),
    ],
)
def test_bad_input_gets_one_clear_line(fake_model, arguments, options, message):
    with pytest.raises(InputError, match=message):
        fake_model(lambda row: (np.zeros(len(row)), np.zeros(len(row))), is_reader=True).answer(
            *arguments, **options
        )


def test_a_question_that_fills_the_window_is_refused(fake_model):
    with pytest.raises(TextTooLongError, match="question 1 has 70 tokens"):
        fake_model(lambda row: (np.zeros(len(row)),) * 2, is_reader=True).answer("card " * 70, "late")


def test_scores_are_a_softmax_over_the_spans_and_no_answer(fake_model):
    # "[CLS] who [SEP] card late parcel [SEP]": three tokens of context make six spans.
    start = np.array([0.5, 0, 0, 2.0, 1.0, -1.0, 0])
    end = np.array([0.25, 0, 0, 0.5, 3.0, 1.5, 0])
    model = fake_model(lambda row: (start[-len(row) :], end[-len(row) :]), is_reader=True)
    context = "card late parcel"
    spans = [start[3 + i] + end[3 + j] for i in range(3) for j in range(i, 3)]
    question = "the"
    powers = np.exp([*spans, start[0] + end[0]])
    found = model.answer(question, context)
    assert found.text == "card late"
    assert found.score == pytest.approx(np.exp(5.0) / powers.sum())
    assert found.null_score == pytest.approx(powers[-1] / powers.sum())
    always = model.answer(question, context, no_answer=False)
    assert always.score == pytest.approx(np.exp(5.0) / powers[:-1].sum())


def test_the_window_that_speaks_most_for_an_answer_decides_against_none(fake_model):
    card = fake_model(lambda row: (np.zeros(len(row)),) * 2, is_reader=True).tokenizer.encode("card").ids[0]

    def finds_card(row):
        holds = row.ids == card
        logits = np.where(holds, 4.0, -4.0)
        logits[0] = -5.0 if holds.any() else 9.0
        return logits, logits

    model = fake_model(finds_card, is_reader=True, max_tokens=40)
    for context in ("good " * 80 + "card", "card" + " good" * 80, "good " * 40 + "card " + "bad " * 40):
        found = model.answer("what is bad?", context)
        assert (found.text, found.start) == ("card", context.index("card"))
        assert found.windows_read > 2
    missing = model.answer("what is bad?", "good " * 80)
    assert not missing.is_answer
    assert missing.null_score > 0.99


def test_every_token_of_the_context_is_read_beside_the_whole_question(fake_model):
    model = fake_model(lambda row: (np.zeros(len(row)),) * 2, is_reader=True, max_tokens=40)
    context = " ".join(f"{number} card" for number in range(60))
    model.answer("  is the card late?", context)
    question = model.tokenizer.encode("is the card late?").ids.tolist()
    whole = model.tokenizer.encode(context).ids.tolist()
    covered = set()
    for row in model.backend.rows:
        ids = row.ids.tolist()
        assert ids[1 : len(question) + 1] == question
        part = ids[len(question) + 2 : -1]
        for start in range(len(whole) - len(part) + 1):
            if whole[start : start + len(part)] == part:
                covered.update(range(start, start + len(part)))
    assert covered == set(range(len(whole)))


@pytest.mark.parametrize("family", ["deberta-v2", "roberta"])
def test_batch_size_changes_no_answer(whole_checkpoint, family):
    folder = whole_checkpoint(family, head="QuestionAnswering", max_tokens=ROOM_LIMIT)
    pairs = [(QUESTION, CONTEXT), ("what is late?", "  the parcel\r\nis late"), (QUESTION, "good")]
    reference = labelwise.load(folder, batch_tokens=1).answer(pairs=pairs, top_k=3)
    for batch_tokens in (16, 300, 10_000):
        found = labelwise.load(folder, batch_tokens=batch_tokens).answer(pairs=pairs, top_k=3)
        for one, other in zip(reference, found, strict=True):
            assert [answer.score for answer in one] == pytest.approx(
                [answer.score for answer in other], abs=1e-5
            )
            assert {(answer.start, answer.end) for answer in one} == {
                (answer.start, answer.end) for answer in other
            }


def test_no_answer_takes_its_place_among_several(fake_model):
    def rule(row):
        logits = np.zeros(len(row))
        logits[[0, -2, -4]] = 1.0, 2.0, 0.5
        return logits, logits

    answers = fake_model(rule, is_reader=True).answer(
        "who?", "card late parcel", top_k=3, max_answer_tokens=1
    )
    assert [answer.text for answer in answers] == ["parcel", "", "card"]


def test_spaces_before_a_question_change_nothing(whole_checkpoint):
    # A byte-level tokenizer would otherwise read each of them.
    reader = labelwise.load(whole_checkpoint("roberta", head="QuestionAnswering", max_tokens=ROOM_LIMIT))
    assert reader.answer(f" \n {QUESTION}", CONTEXT) == reader.answer(QUESTION, CONTEXT)
