import pytest

from labelwise.checkpoints.heads import NliHead
from labelwise.errors import CheckpointError


def head_of(*names: str) -> NliHead:
    return NliHead.from_config({"id2label": {str(index): name for index, name in enumerate(names)}})


@pytest.mark.parametrize(
    ("names", "entailment", "contradiction", "neutral", "not_entailment"),
    [
        (("entailment", "not_entailment"), 0, None, None, 1),
        (("contradiction", "entailment", "neutral"), 1, 0, 2, None),
        (("contradiction", "neutral", "entailment"), 2, 0, 1, None),
        (("ENTAILMENT", "NEUTRAL", "CONTRADICTION"), 0, 2, 1, None),
        (("Not Entailment", "Entail"), 1, None, None, 0),
        (("non-entailment", "entails"), 1, None, None, 0),
        (("contradictory", "entailed"), 1, 0, None, None),
    ],
)
def test_roles_are_found_by_name_in_any_order(names, entailment, contradiction, neutral, not_entailment):
    head = head_of(*names)
    assert (head.entailment, head.contradiction, head.neutral) == (entailment, contradiction, neutral)
    assert head.not_entailment == not_entailment
    assert head.num_classes == len(names)


@pytest.mark.parametrize(
    "names",
    [
        ("LABEL_0", "LABEL_1", "LABEL_2"),
        ("NEGATIVE", "POSITIVE"),
        ("entailment",),
        ("entailment", "neutral"),
        ("entailment", "entailment_strong", "contradiction"),
        ("entailment", "neutral", "contradiction", "other"),
    ],
)
def test_other_labels_are_refused_by_name_with_the_way_out(names):
    with pytest.raises(CheckpointError) as caught:
        head_of(*names)
    assert repr(names[-1]) in str(caught.value)
    assert "label_roles" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_given_roles_replace_names_that_do_not_tell():
    config = {"id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}}
    head = NliHead.from_config(config, roles={"contradiction": 0, "entailment": 1, "neutral": 2})
    assert (head.contradiction, head.entailment, head.neutral) == (0, 1, 2)


@pytest.mark.parametrize(
    "roles",
    [
        {"entailment": 0, "contradiction": 1},
        {"entailment": 0, "neutral": 0, "contradiction": 2},
        {"entailment": 3, "neutral": 1, "contradiction": 2},
        {"neutral": 1, "contradiction": 2},
    ],
)
def test_given_roles_must_cover_the_head(roles):
    config = {"id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}}
    with pytest.raises(CheckpointError):
        NliHead.from_config(config, roles=roles)


def test_label2id_serves_where_id2label_is_absent():
    assert NliHead.from_config({"label2id": {"not_entailment": 0, "entailment": 1}}).entailment == 1


def test_a_config_without_labels_is_refused():
    with pytest.raises(CheckpointError, match="missing"):
        NliHead.from_config({})


def test_indices_that_are_not_numbers_are_refused():
    with pytest.raises(CheckpointError, match="whole numbers"):
        NliHead.from_config({"id2label": {"first": "entailment"}})
