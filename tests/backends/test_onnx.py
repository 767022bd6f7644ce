import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from labelwise.backends import open_backend
from labelwise.backends.onnx import start_session
from labelwise.checkpoints import open_checkpoint
from labelwise.errors import BackendError

LENGTHS = ((1,), (9,), (37, 5), (100, 64, 2))


def write_published(
    folder, *, inputs=("input_ids", "attention_mask"), classes=3, kind=TensorProto.INT64, scale=None
):
    """Write a checkpoint that has ONNX alone; its logits are the counts of own tokens times (1, 2, 3)."""
    folder.mkdir(exist_ok=True)
    config = {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "id2label": {"0": "entailment", "1": "neutral", "2": "contradiction"},
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    scale = np.arange(1, classes + 1, dtype=np.float32)[None] if scale is None else scale
    nodes = [
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["mask", "axis"], ["count"], keepdims=1),
        helper.make_node("Mul", ["count", "scale"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, kind, ["batch", "tokens"]) for name in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", classes])],
        [numpy_helper.from_array(scale, "scale"), numpy_helper.from_array(np.array([1]), "axis")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    return folder


@pytest.mark.parametrize("family", ["deberta-v2", "bert", "roberta"])
@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_logits_equal_torchs(tiny, rows, family, backend):
    if backend == "openvino":
        pytest.importorskip("openvino")
    checkpoint = tiny(family)
    ours = open_backend(checkpoint, backend=backend, threads=1)
    theirs = open_backend(checkpoint, backend="torch")
    for lengths in LENGTHS:
        batch = rows(lengths, types=family == "bert")
        (expected,) = theirs.run(batch)
        (logits,) = ours.run(batch)
        assert logits.dtype == np.float32
        np.testing.assert_allclose(logits, expected, atol=1e-4)
        assert expected.std() > 1e-3


@pytest.mark.parametrize("family", ["deberta-v2", "bert"])
@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_start_and_end_logits_equal_torchs(tiny, rows, family, backend):
    if backend == "openvino":
        pytest.importorskip("openvino")
    checkpoint = tiny(family, head="QuestionAnswering")
    ours = open_backend(checkpoint, backend=backend, threads=1)
    theirs = open_backend(checkpoint, backend="torch")
    batch = rows((30, 7, 50), types=family == "bert")
    for mine, expected in zip(ours.run(batch), theirs.run(batch), strict=True):
        assert mine.shape == (3, 50)
        assert np.isneginf(mine[1, 7:]).all()
        np.testing.assert_allclose(mine, expected, atol=1e-4)


def test_the_answer_does_not_depend_on_the_neighbours_in_the_batch(tiny, rows):
    backend = open_backend(tiny("deberta-v2"))
    batch = rows((80, 3, 41))
    (together,) = backend.run(batch)
    alone = np.concatenate([backend.run([row])[0] for row in batch])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_sixteen_threads_get_the_answers_of_one(tiny, rows):
    backend = open_backend(tiny("bert"), threads=2)
    batches = [rows((length, 4), types=True) for length in range(2, 34)] * 4
    expected = [backend.run(batch)[0] for batch in batches]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda batch: backend.run(batch)[0], batches))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_rows_give_no_logits(tiny):
    assert open_backend(tiny("bert")).run([])[0].shape == (0, 3)


def test_a_published_onnx_file_is_read_with_the_inputs_it_has(tmp_path, rows):
    backend = open_backend(open_checkpoint(write_published(tmp_path / "m")))
    assert backend.run(rows((4, 2)))[0].tolist() == [[4, 8, 12], [2, 4, 6]]


def test_int32_inputs_are_fed_as_such(tmp_path, rows):
    backend = open_backend(open_checkpoint(write_published(tmp_path / "m", kind=TensorProto.INT32)))
    assert backend.run(rows((3,)))[0].tolist() == [[3, 6, 9]]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"inputs": ("input_ids", "attention_mask", "position_ids")}, "position_ids"),
        ({"classes": 2}, "2 classes"),
        ({"kind": TensorProto.FLOAT}, "integers"),
    ],
)
def test_a_published_file_that_does_not_fit_is_refused(tmp_path, changes, named):
    checkpoint = open_checkpoint(write_published(tmp_path / "m", **changes))
    with pytest.raises(BackendError, match=named):
        open_backend(checkpoint)


def test_a_logit_that_is_not_finite_is_refused(tmp_path, rows):
    backend = open_backend(
        open_checkpoint(write_published(tmp_path / "m", scale=np.array([[1, np.nan, 1]], np.float32)))
    )
    with pytest.raises(BackendError, match="not finite"):
        backend.run(rows((3,)))


def test_bytes_that_are_no_graph_are_refused_in_one_line(tmp_path):
    folder = write_published(tmp_path / "m")
    (folder / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(BackendError, match=r"model\.onnx") as caught:
        open_backend(open_checkpoint(folder))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("location", ["../secret.bin", "absolute", "linked.bin"])
def test_external_data_outside_the_folder_is_not_read(tmp_path, location):
    folder = write_published(tmp_path / "m")
    (tmp_path / "secret.bin").write_bytes(np.ones(3, np.float32).tobytes())
    if location == "absolute":
        location = str(tmp_path / "secret.bin")
    if location == "linked.bin":
        (folder / location).symlink_to(tmp_path / "secret.bin")
    model = onnx.load(folder / "model.onnx")
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "12")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(BackendError, match="cannot load"):
        start_session(folder / "model.onnx")


def test_ids_beyond_the_vocabulary_are_an_error_and_not_a_crash(tiny, rows):
    backend = open_backend(tiny("bert"), backend="onnx")
    batch = rows((4,))
    batch[0].ids[1] = 10**6
    with pytest.raises(BackendError, match=r"shape \(1, 4\)"):
        backend.run(batch)
