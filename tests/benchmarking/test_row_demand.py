"""What rows ask of an encoder, counted by hand."""

import numpy as np
import pytest

from labelwise.benchmarking.row_demand import RowDemand
from labelwise.text.sequence import TokenSequence

PLAIN = TokenSequence(np.arange(4))
# Three tokens of text; a label of two tokens with its vector at the first, and one of one token.
WITH_LABELS = TokenSequence(
    np.arange(6), segment_ids=np.array([0, 0, 0, 1, 1, 2]), label_positions=np.array([3, 5])
)
# The text sees its 3 tokens; the first label's tokens see 5, the second's sees 4.
SEEN = 3 * 3 + 2 * 5 + 4


def demand(row, head, *outputs):
    found = RowDemand.of(row, head=head, outputs=outputs)
    return found.num_tokens, found.num_pairs, found.num_read, found.num_pairs_read


def test_a_classifier_reads_the_first_token():
    assert demand(PLAIN, "sequence-classification", "logits") == (4, 16, 1, 4)


def test_a_reader_reads_every_token():
    assert demand(PLAIN, "question-answering", "start_logits", "end_logits") == (4, 16, 4, 16)


def test_a_joint_model_counts_whole():
    assert demand(PLAIN, "joint-labels", "logits") == (4, 16, 4, 16)


@pytest.mark.parametrize(
    ("outputs", "num_read", "num_pairs_read"),
    [
        (("entail_logits",), 1, 3),
        (("label_logits",), 5, 3 * 3 + 5 + 4),
        (("label_logits", "entail_logits"), 5, 3 * 3 + 5 + 4),
        (("start_logits",), 6, SEEN),
        (("label_logits", "end_logits"), 6, SEEN),
    ],
)
def test_each_head_of_the_multitask_model_reads_its_own_tokens(outputs, num_read, num_pairs_read):
    assert demand(WITH_LABELS, "multitask", *outputs) == (6, SEEN, num_read, num_pairs_read)


def test_a_row_without_labels_is_all_text():
    pair = TokenSequence(np.arange(4), segment_ids=np.zeros(4, dtype=np.int64))
    assert demand(pair, "multitask", "label_logits") == demand(PLAIN, "multitask", "label_logits")
    assert demand(PLAIN, "multitask", "label_logits") == (4, 16, 4, 16)
