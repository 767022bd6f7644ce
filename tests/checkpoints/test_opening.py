import json
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from labelwise.checkpoints import NliHead, ReaderHead, open_checkpoint
from labelwise.errors import CheckpointError

CONFIG = {
    "architectures": ["BertForSequenceClassification"],
    "model_type": "bert",
    "id2label": {"0": "entailment", "1": "neutral", "2": "contradiction"},
}


def refusal(folder):
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)
    return str(caught.value)


def test_an_entailment_checkpoint_is_described(make_folder):
    folder = make_folder()
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 32}', encoding="utf-8")
    (folder / "labelwise.json").write_text('{"temperature": 1.5}', encoding="utf-8")
    checkpoint = open_checkpoint(str(folder))
    assert checkpoint.ref == str(folder)
    assert checkpoint.folder == folder
    assert checkpoint.family == "bert"
    assert checkpoint.head == NliHead(entailment=0, neutral=1, contradiction=2, num_classes=3)
    assert checkpoint.tasks == {"classify", "entail", "rank"}
    assert checkpoint.weight_files == (folder / "model.safetensors",)
    assert checkpoint.onnx_files == ()
    assert checkpoint.max_tokens == 32
    assert checkpoint.settings.temperature == 1.5


def test_a_reader_answers(make_folder):
    checkpoint = open_checkpoint(make_folder(architectures=["BertForQuestionAnswering"]))
    assert checkpoint.head == ReaderHead()
    assert checkpoint.tasks == {"answer"}


@pytest.mark.parametrize(
    ("tensor", "head"),
    [("qa_outputs.weight", ReaderHead), ("classifier.weight", NliHead), ("score.weight", NliHead)],
)
def test_without_an_architecture_the_tensors_tell_the_head(make_folder, tensor, head):
    folder = make_folder(architectures=None, weights=False)
    save_file({tensor: np.ones((2, 4), np.float32)}, folder / "model.safetensors")
    assert isinstance(open_checkpoint(folder).head, head)


def test_without_an_architecture_and_a_head_it_is_refused(make_folder):
    folder = make_folder(architectures=None, weights=False)
    save_file({"bert.pooler.weight": np.ones((2, 4), np.float32)}, folder / "model.safetensors")
    assert "neither a classifier nor qa_outputs" in refusal(folder)


def test_onnx_alone_is_enough(make_folder):
    folder = make_folder(weights=False)
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model_quantized.onnx").write_bytes(b"")
    (folder / "onnx" / "model.onnx").write_bytes(b"")
    checkpoint = open_checkpoint(folder)
    assert checkpoint.weight_files == ()
    assert [file.name for file in checkpoint.onnx_files] == ["model.onnx", "model_quantized.onnx"]


def test_roles_from_the_settings_serve_labels_that_do_not_tell(make_folder):
    folder = make_folder(id2label={"0": "LABEL_0", "1": "LABEL_1"})
    assert "LABEL_1" in refusal(folder)
    roles = {"label_roles": {"entailment": 1, "not_entailment": 0}}
    (folder / "labelwise.json").write_text(json.dumps(roles), encoding="utf-8")
    assert open_checkpoint(folder).head == NliHead(entailment=1, not_entailment=0, num_classes=2)


def test_a_folder_that_is_something_else_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    assert "config.json" in refusal(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", "\x00"])
def test_a_broken_config_is_refused(make_folder, content):
    folder = make_folder()
    (folder / "config.json").write_text(content)
    assert "config.json" in refusal(folder)


def test_a_config_without_a_model_type_is_refused(make_folder):
    assert "model_type" in refusal(make_folder(model_type=None))


@given(
    key=st.sampled_from(
        [
            "architectures",
            "model_type",
            "id2label",
            "label2id",
            "auto_map",
            "max_position_embeddings",
            "pad_token_id",
        ]
    ),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    ),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_any_config_value_is_read_or_refused_plainly(tmp_path_factory, key, value):
    folder = tmp_path_factory.getbasetemp() / "any-config"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**CONFIG, key: value}), encoding="utf-8")
    save_file({"classifier.weight": np.ones(1, np.float32)}, folder / "model.safetensors")
    try:
        assert open_checkpoint(folder).max_tokens >= 1
    except CheckpointError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("architecture", ["BertForMaskedLM", "BertModel", "LlamaForCausalLM"])
def test_other_architectures_are_refused_by_name(make_folder, architecture):
    assert architecture in refusal(make_folder(architectures=[architecture]))


def test_code_of_its_own_is_refused_naming_the_key(make_folder):
    auto_map = {"AutoModel": "modeling_evil.Evil"}
    assert "auto_map" in refusal(make_folder("evil", model_type="evil", auto_map=auto_map))
    assert open_checkpoint(make_folder("known", auto_map=auto_map)).family == "bert"


def test_a_pickle_is_refused_and_never_read(make_folder, tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "unpickled"),))

    import pickle

    folder = make_folder(weights=False)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil()))
    assert "pytorch_model.bin" in refusal(folder)
    assert not (tmp_path / "unpickled").exists()


def test_two_models_in_one_folder_are_refused(make_folder):
    folder = make_folder(weights=False)
    for name in ("a.safetensors", "b.safetensors"):
        save_file({"classifier.weight": np.ones(1, np.float32)}, folder / name)
    assert "a.safetensors, b.safetensors" in refusal(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "onnx/model.onnx"])
def test_a_link_out_of_the_folder_is_refused(make_folder, tmp_path, name):
    folder = make_folder(weights=name != "model.safetensors")
    (folder / "onnx").mkdir()
    (tmp_path / "secret").write_text("{}")
    (folder / name).symlink_to(tmp_path / "secret")
    assert "leads out" in refusal(folder)


def test_a_linked_onnx_folder_is_refused(make_folder, tmp_path):
    folder = make_folder()
    (tmp_path / "elsewhere").mkdir()
    (folder / "onnx").symlink_to(tmp_path / "elsewhere")
    assert "leads out" in refusal(folder)


def test_links_within_the_folder_are_fine(make_folder):
    folder = make_folder()
    (folder / "model.safetensors").rename(folder / "real.bin")
    (folder / "model.safetensors").symlink_to("real.bin")
    assert open_checkpoint(folder).family == "bert"


def test_a_linked_folder_is_fine(make_folder, tmp_path):
    (tmp_path / "latest").symlink_to(make_folder())
    assert open_checkpoint(tmp_path / "latest").family == "bert"


def test_the_hub_caches_links_are_fine_and_others_in_it_are_not(make_folder, tmp_path):
    repository = tmp_path / "hub" / "models--owner--name"
    snapshot = repository / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    make_folder().rename(repository / "blobs")
    for name in ("config.json", "model.safetensors"):
        (snapshot / name).symlink_to(f"../../blobs/{name}")
    assert open_checkpoint(snapshot).family == "bert"

    (tmp_path / "secret").write_text("{}")
    (snapshot / "tokenizer.json").symlink_to(tmp_path / "secret")
    assert "leads out" in refusal(snapshot)
