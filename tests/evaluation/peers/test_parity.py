"""Peers say what labelwise says where both run the same checkpoint: a table compares like with like."""

import numpy as np
import pytest

import labelwise
from labelwise.evaluation.labelled import LabelledPair, LabelledText
from labelwise.evaluation.measuring import measure
from labelwise.evaluation.peers import open_peer
from labelwise.evaluation.protocols import EvaluationSet
from labelwise.evaluation.ranking import RankingQuery

pytest.importorskip("torch")
pytest.importorskip("transformers")

TEXTS = [
    "my card was charged twice",
    "the parcel is late",
    "good card",
    "praise the parcel",
    "bad, bad charge",
]
LABELS = ["billing", "delivery", "praise"]
GOLD = ["billing", "delivery", "praise", "praise", "billing"]
PEERS = ["pipeline", "cross-encoder"]


@pytest.fixture(params=PEERS)
def both(request, nli_checkpoint):
    """The same checkpoint in labelwise and in a peer."""
    if request.param == "cross-encoder":
        pytest.importorskip("sentence_transformers")
    return labelwise.load(nli_checkpoint), open_peer(request.param, str(nli_checkpoint))


def test_the_measures_of_a_classification_are_those_of_labelwise(both):
    rows = [LabelledText(text, label) for text, label in zip(TEXTS, GOLD, strict=True)]
    asked = EvaluationSet(name="tiny", labels={label: label for label in LABELS}, template="about {}.")
    own, peer = (measure(system, asked, rows).measures for system in both)
    assert own == pytest.approx(peer, abs=1e-5)


def test_label_scores_are_those_of_labelwise(both):
    wording = {"billing": "a card was charged", "delivery": "a parcel is late"}
    own, peer = (system.classify(TEXTS, wording, hypothesis_template="this is about {}.") for system in both)
    for one, other in zip(own, peer, strict=True):
        scores = {entry.label: entry.score for entry in other.labels}
        assert [scores[entry.label] for entry in one.labels] == pytest.approx(
            [entry.score for entry in one.labels], abs=1e-5
        )


def test_entailment_and_ranking_are_those_of_labelwise(both):
    pairs = [(text, "this is about the card.") for text in TEXTS]
    own, peer = (system.entail(pairs=pairs) for system in both)
    np.testing.assert_allclose(
        [[one.entailment, one.neutral, one.contradiction] for one in own],
        [[one.entailment, one.neutral, one.contradiction] for one in peer],
        atol=1e-5,
    )
    rows = [LabelledPair(*pair, "entailment") for pair in pairs]
    own, peer = (measure(system, EvaluationSet(name="t", task="entail"), rows) for system in both)
    assert own.measures["accuracy"] == peer.measures["accuracy"]
    queries = [RankingQuery("a late parcel", tuple(TEXTS), (0, 2, 0, 1, 0))]
    own, peer = (measure(system, EvaluationSet(name="t", task="rank"), queries) for system in both)
    assert own.measures == pytest.approx(peer.measures)


def test_progress_reaches_the_end(both):
    _, peer = both
    told = []
    peer.classify(TEXTS, LABELS, on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (15, 15)
