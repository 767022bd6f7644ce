import json

import pytest

import labelwise
from labelwise.checkpoints.settings import CheckpointSettings
from labelwise.errors import InputError
from labelwise.training.settling import settle


@pytest.fixture
def files(write_rows):
    texts = [
        {"text": text, "label": label}
        for label, words in (
            ("billing", ["charged twice", "refund my card"]),
            ("delivery", ["parcel is late"]),
        )
        for text in words * 4
    ]
    pairs = [
        {"premise": "A man sleeps.", "hypothesis": hypothesis, "label": label}
        for hypothesis, label in (
            ("A person sleeps.", "entailment"),
            ("A man runs.", "contradiction"),
            ("It is night.", "neutral"),
        )
    ]
    return write_rows("pairs.jsonl", pairs), write_rows("texts.jsonl", texts)


def test_what_is_settled_is_what_a_labelwise_json_may_hold(files):
    pairs, texts = files
    found = settle(labelwise.load(), pair_files=[pairs], label_files=[texts], rows_per_file=8)
    settings = CheckpointSettings(**json.loads(json.dumps(found)))
    assert set(found["task_temperatures"]) == {"entail", "classify", "multi_label"}
    assert 0.0 < settings.default_threshold < 1.0


def test_a_file_that_is_not_there_is_named(files, tmp_path):
    with pytest.raises(InputError, match=r"none\.jsonl"):
        settle(labelwise.load(), pair_files=[tmp_path / "none.jsonl"], label_files=[files[1]])
