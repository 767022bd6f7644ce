from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import DebertaV2Config

from labelwise.errors import CheckpointError
from labelwise.models.loading import fill_module, load_joint_model

PUBLISHED = Path(__file__).parent / "fixtures" / "v3-modernbert-simple-first"


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(PUBLISHED, tmp_path / "model")
    return tmp_path / "model"


def rewrite_weights(folder, change):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={"format": "pt"})


def test_a_whole_checkpoint_is_read_as_float32_for_evaluation(folder):
    model = load_joint_model(folder)
    assert not model.training
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_a_missing_weight_is_an_error_and_not_a_random_number(folder):
    rewrite_weights(folder, lambda tensors: tensors.pop("model.text_projector.linear_2.bias"))
    with pytest.raises(
        CheckpointError, match=r"1 missing weights, first model\.text_projector\.linear_2\.bias"
    ):
        load_joint_model(folder)


def test_weights_under_other_names_are_an_error(folder):
    def rename(tensors):
        for name in list(tensors):
            tensors[name.replace("encoder_model", "encoder")] = tensors.pop(name)

    rewrite_weights(folder, rename)
    with pytest.raises(CheckpointError, match="missing weights"):
        load_joint_model(folder)


def test_a_surplus_weight_is_an_error(folder):
    rewrite_weights(folder, lambda tensors: tensors.update({"model.scorer.extra": torch.zeros(2)}))
    with pytest.raises(CheckpointError, match=r"unexpected weights, first model\.scorer\.extra"):
        load_joint_model(folder)


def test_a_weight_of_another_shape_is_an_error(folder):
    rewrite_weights(
        folder, lambda tensors: tensors.update({"model.text_projector.linear_1.bias": torch.zeros(3)})
    )
    with pytest.raises(
        CheckpointError, match=r"mismatched weights, first model\.text_projector\.linear_1\.bias"
    ):
        load_joint_model(folder)


def test_another_kind_of_model_is_refused(tmp_path):
    DebertaV2Config().save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="deberta-v2"):
        load_joint_model(tmp_path)


def test_columns_that_were_filled_up_with_zeros_are_cut_off():
    layer = torch.nn.Linear(3, 2)
    fill_module(layer, {"weight": np.array([[1, 2, 3, 0], [4, 5, 6, 0]], np.float32), "bias": np.ones(2)})
    assert layer.weight.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert layer.bias.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"weight": np.ones((2, 4))}, r"'weight' has shape \(2, 4\) where config\.json asks for \(2, 3\)"),
        ({"other": np.ones(2)}, "no weight 'other'"),
        ({"bias": None}, "'bias' is missing"),
    ],
)
def test_weights_that_do_not_fit_a_module_are_refused_by_name(changed, message):
    weights = {"weight": np.ones((2, 3)), "bias": np.ones(2)} | changed
    with pytest.raises(CheckpointError, match=message):
        fill_module(torch.nn.Linear(3, 2), {name: one for name, one in weights.items() if one is not None})
