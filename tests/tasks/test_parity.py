"""The same scores as transformers' zero-shot pipeline, and the same logits as the torch model."""

import numpy as np
import pytest

import labelwise

transformers = pytest.importorskip("transformers")

TEXTS = ["my card was charged twice", "the parcel is late, again!", "good", "a bad charge, " * 3]
LABELS = ["card", "late parcel", "praise", "something else"]
# The class orders of the published families (spec: nli.md section 1); the peer takes contradiction to be the
# first class, or the last one if entailment is first, which holds for these.
HEADS = {
    "cross-encoder": ["contradiction", "entailment", "neutral"],
    "bart-mnli": ["contradiction", "neutral", "entailment"],
    "mnli": ["entailment", "neutral", "contradiction"],
    "binary": ["entailment", "not_entailment"],
    "binary reversed": ["not_entailment", "entailment"],
}
CASES = [
    ("deberta-v2", "cross-encoder"),
    ("deberta-v2", "binary"),
    ("deberta-v2", "binary reversed"),
    ("bert", "mnli"),
    ("bert", "bart-mnli"),
    ("roberta", "binary"),
    ("roberta", "cross-encoder"),
    ("bart", "bart-mnli"),
]


def peer_pipeline(folder):
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    return transformers.pipeline(
        "zero-shot-classification", model=model.eval(), tokenizer=tokenizer, device="cpu"
    )


@pytest.mark.parametrize(("family", "head"), CASES)
def test_scores_equal_the_pipeline(whole_checkpoint, family, head):
    folder = whole_checkpoint(family, labels=HEADS[head])
    ours, peer = labelwise.load(folder), peer_pipeline(folder)
    spreads = []
    for multi_label in (False, True):
        for template in ("This example is {}.", "about {}", "{}"):
            for labels in (LABELS, LABELS[:1]):
                found = ours.classify(TEXTS, labels, multi_label=multi_label, hypothesis_template=template)
                expected = peer(TEXTS, labels, multi_label=multi_label, hypothesis_template=template)
                for one, other in zip(found, expected, strict=True):
                    scores = {label.label: label.score for label in one.labels}
                    assert scores == pytest.approx(
                        dict(zip(other["labels"], other["scores"], strict=True)), abs=1e-5
                    )
                    assert [label.label for label in one.labels] == other["labels"]
                    spreads.append(max(other["scores"]) - min(other["scores"]))
    # Labels that all score alike would make any two programs agree.
    assert max(spreads) > 0.01


def test_the_peer_is_equal_in_batches_too(whole_checkpoint):
    folder = whole_checkpoint("deberta-v2", labels=HEADS["cross-encoder"])
    ours = labelwise.load(folder, batch_tokens=64)
    expected = peer_pipeline(folder)(TEXTS, LABELS, batch_size=3)
    for one, other in zip(ours.classify(TEXTS, LABELS), expected, strict=True):
        assert [label.score for label in one.labels] == pytest.approx(other["scores"], abs=1e-5)


def test_contradiction_is_found_by_name_where_the_peer_takes_the_first_class(whole_checkpoint):
    folder = whole_checkpoint("bert", labels=["neutral", "entailment", "contradiction"])
    (found,) = labelwise.load(folder).classify(TEXTS[:1], LABELS[:1], multi_label=True)
    entailed = labelwise.load(folder).entail(TEXTS[0], "This example is card.")
    by_name = entailed.entailment / (entailed.entailment + entailed.contradiction)
    by_place = entailed.entailment / (entailed.entailment + entailed.neutral)
    assert found.labels[0].score == pytest.approx(by_name, abs=1e-6)
    assert peer_pipeline(folder)(TEXTS[0], LABELS[:1], multi_label=True)["scores"][0] == pytest.approx(
        by_place, abs=1e-5
    )
    assert abs(by_name - by_place) > 1e-3


@pytest.mark.parametrize("family", ["bert", "deberta-v2", "roberta"])
def test_probabilities_equal_the_torch_model(whole_checkpoint, family):
    torch = pytest.importorskip("torch")
    folder = whole_checkpoint(family, labels=HEADS["mnli"])
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    pairs = [(text, hypothesis) for text in TEXTS for hypothesis in ("the card is good", "late")]
    found = labelwise.load(folder).entail(pairs=pairs)
    for (premise, hypothesis), one in zip(pairs, found, strict=True):
        with torch.no_grad():
            expected = model(**tokenizer(premise, hypothesis, return_tensors="pt")).logits[0].softmax(-1)
        ours = [one.entailment, one.neutral, one.contradiction]
        assert np.allclose(ours, expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("family", ["bert", "deberta-v2", "roberta"])
def test_rows_and_logits_equal_those_of_the_torch_model(whole_checkpoint, family):
    torch = pytest.importorskip("torch")
    folder = whole_checkpoint(family, labels=HEADS["mnli"])
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    ours = labelwise.load(folder)
    for premise, hypothesis in [(text, label) for text in TEXTS for label in LABELS]:
        row = ours.layout.assemble(ours.tokenizer.encode(premise).ids, ours.tokenizer.encode(hypothesis).ids)
        encoded = tokenizer(premise, hypothesis, return_tensors="pt")
        assert row.ids.tolist() == encoded["input_ids"][0].tolist()
        with torch.no_grad():
            expected = network(**encoded).logits.numpy()
        assert np.allclose(ours.backend.run([row])[0], expected, atol=1e-4)


def test_a_cut_text_scores_as_in_the_peer(whole_checkpoint):
    folder = whole_checkpoint("bert", labels=HEADS["cross-encoder"])
    text = "the card is bad, the parcel late; " * 12
    found = labelwise.load(folder).classify(text, LABELS[:1], truncation="truncate")
    assert found.was_truncated
    expected = peer_pipeline(folder)(text, LABELS[:1])["scores"]
    assert [label.score for label in found.labels] == pytest.approx(expected, abs=1e-5)
