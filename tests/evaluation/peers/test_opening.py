"""Opening peers: what is unknown, missing or unfit is said in one line."""

import json

import pytest

from labelwise.errors import CheckpointError, InputError, MissingExtraError
from labelwise.evaluation.peers import PeerOptions, open_peer
from labelwise.evaluation.peers.opening import package_folder
from labelwise.evaluation.peers.shapes import as_classification, hypotheses_of, refuse_score_mode


def test_unknown_kinds_and_settings_are_refused():
    with pytest.raises(InputError, match="'oracle' is not one of pipeline"):
        open_peer("oracle", "x")
    with pytest.raises(InputError, match="batch size must be at least 1"):
        PeerOptions(batch_size=0)
    with pytest.raises(InputError, match="'int8' is not one of auto"):
        PeerOptions(dtype="int8")
    with pytest.raises(InputError, match="no score mode 'entail_minus_rest'"):
        refuse_score_mode("entail_minus_rest")


def test_a_package_that_is_not_there_is_named():
    with pytest.raises(CheckpointError, match="needs the package 'no_such_package'"):
        package_folder("package:no_such_package/model")
    with pytest.raises(CheckpointError, match="no folder 'no_such_folder' in the package 'labelwise'"):
        package_folder("package:labelwise/no_such_folder")


def test_a_library_that_is_not_there_is_named(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"labelwise\[peers\]"):
        open_peer("cross-encoder", "x")


def test_a_folder_without_weights_cannot_be_opened(tmp_path):
    pytest.importorskip("transformers")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(CheckpointError, match="cannot be opened as pipeline"):
        open_peer("pipeline", str(tmp_path))


def test_templates_are_filled_literally():
    assert hypotheses_of({"x": "{0.__class__}"}, "a {} b") == {"x": "a {0.__class__} b"}
    with pytest.raises(InputError, match="two labels read the same"):
        hypotheses_of({"x": "same", "y": "same"}, None)


def test_equal_scores_keep_the_order_of_the_labels():
    import numpy as np

    found = as_classification("t", ["b", "a"], np.array([0.5, 0.5]))
    assert [entry.label for entry in found.labels] == ["b", "a"]
