import pytest

from labelwise.backends.heads import HeadOutputs
from labelwise.backends.inputs import check_inputs, check_outputs
from labelwise.errors import BackendError

PAIR = HeadOutputs("sequence-classification", 3)
READER = HeadOutputs("question-answering", None)


def test_known_inputs_pass():
    check_inputs(["attention_mask", "input_ids"])
    check_inputs(["input_ids", "attention_mask", "token_type_ids"])


@pytest.mark.parametrize(
    ("names", "culprit"),
    [
        (["input_ids", "attention_mask", "position_ids"], "position_ids"),
        (["pixel_values"], "pixel_values"),
        (["input_ids"], "attention_mask"),
        (["attention_mask"], "input_ids"),
    ],
)
def test_other_inputs_are_refused_by_name(names, culprit):
    with pytest.raises(BackendError, match=culprit):
        check_inputs(names)


def test_the_heads_outputs_pass_with_free_or_equal_classes():
    check_outputs({"logits": ["batch", 3]}, PAIR)
    check_outputs({"logits": ["batch", "classes"]}, PAIR)
    check_outputs({"end_logits": [None, None], "start_logits": [None, None]}, READER)


@pytest.mark.parametrize(
    ("shapes", "head", "culprit"),
    [
        ({"last_hidden_state": [1, 2, 3]}, PAIR, "'logits'"),
        ({"logits": ["batch", 2]}, PAIR, "2 classes"),
        ({"start_logits": [1, 2]}, READER, "'end_logits'"),
        ({"logits": ["batch", 2]}, READER, "'start_logits'"),
    ],
)
def test_other_outputs_are_refused(shapes, head, culprit):
    with pytest.raises(BackendError, match=culprit):
        check_outputs(shapes, head)
