import numpy as np
import pytest

from labelwise.backends.heads import HeadOutputs
from labelwise.backends.pad import pad
from labelwise.errors import BackendError
from labelwise.text.sequence import TokenSequence

PAIR = HeadOutputs("sequence-classification", 3)
READER = HeadOutputs("question-answering", None)
JOINT = HeadOutputs("joint-labels", None)
BATCH = pad(
    [
        TokenSequence(np.array([4, 5, 6]), label_positions=np.array([0, 2])),
        TokenSequence(np.array([4]), label_positions=np.array([0])),
    ],
    pad_token_id=0,
)


def test_logits_pass_as_float32():
    (logits,) = PAIR.checked([np.ones((2, 3), np.float16)], BATCH)
    assert logits.dtype == np.float32


def test_a_readers_padding_is_minus_infinity_whatever_the_network_wrote_there():
    start = np.array([[1, 2, 3], [4, np.nan, 6]], np.float32)
    end = np.array([[1, 2, 3], [4, 5, np.inf]], np.float32)
    for values in READER.checked([start, end], BATCH):
        assert values[0].tolist() == [1, 2, 3]
        assert values[1].tolist() == [4, -np.inf, -np.inf]


def test_absent_labels_are_minus_infinity_whatever_the_network_wrote_there():
    (logits,) = JOINT.checked([np.array([[1, 2], [3, np.nan]], np.float32)], BATCH)
    assert logits.tolist() == [[1, 2], [3, -np.inf]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_refused_by_output_name(bad):
    values = np.zeros((2, 3), np.float32)
    values[0, 1] = bad
    with pytest.raises(BackendError, match=r"'logits'.*float32"):
        PAIR.checked([values], BATCH)
    with pytest.raises(BackendError, match="'end_logits'"):
        READER.checked([np.zeros((2, 3), np.float32), values], BATCH)
    with pytest.raises(BackendError, match="'logits'"):
        JOINT.checked([values[:, :2]], BATCH)


def test_a_wrong_shape_is_refused():
    with pytest.raises(BackendError, match=r"\(2, 2\) where \(2, 3\)"):
        PAIR.checked([np.zeros((2, 2), np.float32)], BATCH)
    with pytest.raises(BackendError, match=r"\(2, 3\) where \(2, 2\)"):
        JOINT.checked([np.zeros((2, 3), np.float32)], BATCH)


def test_no_rows_give_empty_outputs():
    assert [values.shape for values in PAIR.empty()] == [(0, 3)]
    assert [values.shape for values in READER.empty()] == [(0, 0), (0, 0)]
    assert [values.shape for values in JOINT.empty()] == [(0, 0)]


def test_a_part_of_the_outputs_is_checked_by_name():
    many = HeadOutputs("multitask", 3).only(["end_logits", "entail_logits"])
    assert many.names == ("end_logits", "entail_logits")
    ends, classes = many.checked([np.zeros((2, 3)), np.ones((2, 3))], BATCH)
    assert ends[1].tolist() == [0, -np.inf, -np.inf]
    assert classes.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert [values.shape for values in many.empty()] == [(0, 0), (0, 3)]


def test_zeros_have_the_shapes_of_what_a_network_gives():
    labels, classes, starts, ends = HeadOutputs("multitask", 3).zeros(BATCH)
    assert labels.tolist() == [[0, 0], [0, -np.inf]]
    assert classes.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert starts.tolist() == ends.tolist() == [[0, 0, 0], [0, -np.inf, -np.inf]]
