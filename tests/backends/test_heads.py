import numpy as np
import pytest

from labelwise.backends.heads import HeadOutputs
from labelwise.errors import BackendError

PAIR = HeadOutputs("sequence-classification", 3)
READER = HeadOutputs("question-answering", None)
MASK = np.array([[1, 1, 1], [1, 0, 0]])


def test_logits_pass_as_float32():
    (logits,) = PAIR.checked([np.ones((2, 3), np.float16)], MASK)
    assert logits.dtype == np.float32


def test_a_readers_padding_is_minus_infinity_whatever_the_network_wrote_there():
    start = np.array([[1, 2, 3], [4, np.nan, 6]], np.float32)
    end = np.array([[1, 2, 3], [4, 5, np.inf]], np.float32)
    for values in READER.checked([start, end], MASK):
        assert values[0].tolist() == [1, 2, 3]
        assert values[1].tolist() == [4, -np.inf, -np.inf]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_refused_by_output_name(bad):
    values = np.zeros((2, 3), np.float32)
    values[0, 1] = bad
    with pytest.raises(BackendError, match=r"'logits'.*float32"):
        PAIR.checked([values], MASK)
    with pytest.raises(BackendError, match="'end_logits'"):
        READER.checked([np.zeros((2, 3), np.float32), values], MASK)


def test_a_wrong_shape_is_refused():
    with pytest.raises(BackendError, match=r"\(2, 2\) where \(2, 3\)"):
        PAIR.checked([np.zeros((2, 2), np.float32)], MASK)


def test_no_rows_give_empty_outputs():
    assert [values.shape for values in PAIR.empty()] == [(0, 3)]
    assert [values.shape for values in READER.empty()] == [(0, 0), (0, 0)]
