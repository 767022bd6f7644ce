import pytest

from labelwise.checkpoints.files import (
    lone_weight_files,
    onnx_by_preference,
    refuse_without_weights,
    wanted_from_hub,
)
from labelwise.errors import CheckpointError

PUBLISHED = [
    ".gitattributes", "README.md", "config.json", "tokenizer.json", "tokenizer_config.json", "spm.model",
    "special_tokens_map.json", "added_tokens.json", "training_args.bin", "pytorch_model.bin",
    "onnx/model.onnx", "onnx/model_quantized.onnx", "onnx/model_O3.onnx", "onnx/model.onnx_data",
    "model.safetensors", "flax_model.msgpack",
]  # fmt: skip
SMALL = {
    "config.json", "tokenizer.json", "tokenizer_config.json", "spm.model", "special_tokens_map.json",
    "added_tokens.json",
}  # fmt: skip


@pytest.mark.parametrize(("has_own_graph", "needs_safetensors"), [(True, False), (False, True), (True, True)])
def test_weights_alone_are_fetched_where_our_graph_or_torch_reads_them(has_own_graph, needs_safetensors):
    wanted = wanted_from_hub(PUBLISHED, has_own_graph=has_own_graph, needs_safetensors=needs_safetensors)
    assert set(wanted) == {*SMALL, "model.safetensors"}


def test_other_families_fetch_one_onnx_file_with_its_data():
    wanted = wanted_from_hub(PUBLISHED, has_own_graph=False, needs_safetensors=False)
    assert set(wanted) == {*SMALL, "onnx/model.onnx", "onnx/model.onnx_data"}


def test_shards_are_fetched_with_their_index():
    names = ["config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors",
             "model-00002-of-00002.safetensors", "pytorch_model-00001-of-00002.bin"]  # fmt: skip
    wanted = wanted_from_hub(names, has_own_graph=True, needs_safetensors=False)
    assert set(wanted) == set(names[:4])


def test_model_onnx_in_the_root_comes_first_and_other_folders_do_not_count():
    names = [
        "onnx/a.onnx",
        "onnx/model_quantized.onnx",
        "onnx/model.onnx",
        "model.onnx",
        "deep/er/model.onnx",
    ]
    assert onnx_by_preference(names) == [
        "model.onnx", "onnx/model.onnx", "onnx/model_quantized.onnx", "onnx/a.onnx",
    ]  # fmt: skip


def test_adapters_are_not_taken_for_models():
    assert lone_weight_files(["adapter_model.safetensors"]) == []
    with pytest.raises(CheckpointError, match="adapter"):
        refuse_without_weights(["config.json", "adapter_model.safetensors"])


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pkl", "tf_model.h5"])
def test_pickles_are_refused_by_name_with_the_way_out(name):
    with pytest.raises(CheckpointError, match="safetensors") as caught:
        refuse_without_weights(["config.json", name])
    assert name in str(caught.value)


def test_no_weights_at_all_is_said():
    with pytest.raises(CheckpointError, match="no weights"):
        refuse_without_weights(["config.json"])
