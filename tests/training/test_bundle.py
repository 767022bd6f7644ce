"""What ships in the package is small, complete and answers like the model it was made from."""

import dataclasses

import numpy as np
import pytest

import labelwise
from labelwise.checkpoints import open_checkpoint
from labelwise.errors import InputError
from labelwise.training import bundle as bundling


@pytest.fixture
def trained(save_tiny, tmp_path):
    folder = save_tiny("bert", config={"hidden_size": 64, "intermediate_size": 64})
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 64}')
    return folder


def test_the_bundle_is_one_onnx_file_with_its_settings(trained, tmp_path):
    output = tmp_path / "bundled"
    total = bundling.bundle(
        trained, output, settings={"hypothesis_template": "About {}.", "null_threshold": -2.5}
    )
    assert sorted(path.name for path in output.iterdir()) == [
        "config.json",
        "labelwise.json",
        "model.onnx",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert total == sum(path.stat().st_size for path in output.iterdir())
    checkpoint = open_checkpoint(output)
    assert checkpoint.weight_files == ()
    assert checkpoint.settings.hypothesis_template == "About {}."
    assert checkpoint.settings.null_threshold == -2.5


def test_the_shipped_window_may_be_smaller_than_the_trained_one(trained, tmp_path):
    bundling.bundle(trained, tmp_path / "bundled", settings={}, window_tokens=32)
    assert open_checkpoint(tmp_path / "bundled").max_tokens == 32
    assert open_checkpoint(trained).max_tokens == 64


def test_a_bundle_that_is_too_large_is_not_kept(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(bundling, "MAX_BUNDLE_BYTES", 1000)
    with pytest.raises(InputError, match="at most 1,000 may ship"):
        bundling.bundle(trained, tmp_path / "bundled", settings={})
    assert not (tmp_path / "bundled" / "model.onnx").exists()


def test_the_package_holds_a_bundle_within_its_limit():
    folder = open_checkpoint("bundled").folder
    assert sum(path.stat().st_size for path in folder.iterdir()) <= bundling.MAX_BUNDLE_BYTES


def test_a_neighbour_in_the_batch_never_changes_the_bundled_models_score():
    model = labelwise.load()
    texts = ["My card was charged twice", "late", "I love this kettle, it is wonderful " * 5]
    labels = ["billing problem", "delivery delay", "product praise"]
    together = model.classify(texts, labels)
    alone = [dataclasses.replace(model, batch_tokens=1).classify(text, labels) for text in texts]
    for one, other in zip(together, alone, strict=True):
        scores = [np.array([label.score for label in result.labels]) for result in (one, other)]
        assert np.abs(scores[0] - scores[1]).max() <= 1e-5
