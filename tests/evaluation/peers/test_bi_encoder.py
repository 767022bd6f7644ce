"""The bi-encoder baseline: cosine of mean-pooled vectors."""

import pytest

from labelwise.evaluation.peers import PeerOptions, open_peer

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture
def peer(nli_checkpoint):
    return open_peer("bi-encoder", str(nli_checkpoint), options=PeerOptions(batch_size=2))


def test_the_label_that_is_the_text_is_best(peer):
    texts = ["the parcel is late", "good card", "praise"]
    found = peer.classify(texts, texts)
    assert [one.labels[0].label for one in found] == texts
    assert sum(entry.score for entry in found[0].labels) == pytest.approx(1.0)


def test_scores_do_not_depend_on_the_batch(peer, nli_checkpoint):
    alone = open_peer("bi-encoder", str(nli_checkpoint), options=PeerOptions(batch_size=1))
    texts = ["the parcel is late, late, late", "good"]
    ours, theirs = (one.classify(texts, ["card", "bad"]) for one in (peer, alone))
    for one, other in zip(ours, theirs, strict=True):
        assert [entry.score for entry in one.labels] == pytest.approx(
            [entry.score for entry in other.labels], abs=1e-5
        )


def test_a_query_ranks_itself_first_and_entailment_is_not_offered(peer):
    assert peer.rank("the parcel is late", ["good card", "the parcel is late"])[0].index == 1
    assert peer.tasks == {"classify", "rank"}
