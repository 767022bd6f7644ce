"""The gate catches what was published broken, says where, and the search mends it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest

from labelwise import load
from labelwise.errors import BackendError
from labelwise.export import ExportSettings, export_model
from labelwise.export.gate import compare, run_all, shortcoming
from labelwise.export.gate_rows import GateRows, make_gate_rows
from labelwise.export.half import in_float16, position_arithmetic
from labelwise.export.precisions import in_precision
from labelwise.export.request import Artefact
from labelwise.export.surgery import without_stored_transposes
from labelwise.export.weight_files import WeightWriter, open_artefact
from labelwise.text.sequence import TokenSequence

INT8 = Artefact("onnx", "int8")
FP16 = Artefact("onnx", "fp16")
# DeBERTa-v3's own: beyond 128 tokens the logarithm of the distance decides.
BUCKETS = {"position_buckets": 256, "max_position_embeddings": 512, "max_tokens": 512}


@pytest.fixture
def torch_model(save_model):
    return lambda family="deberta-v2", **changes: load(
        save_model(family, **changes), backend="torch", device="cpu", threads=1
    )


def figures_of(model, graph, rows, folder):
    """Run a graph through the gate as a file would be."""
    file = folder / INT8.name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(graph.SerializeToString())
    ours = run_all(open_artefact(INT8, folder, model.checkpoint, threads=1), rows)
    return compare(rows, run_all(model.backend, rows), ours)


def in_published_int8(graph, folder):
    """Quantise as the published files were: one scale for all activations of a batch, one per matrix."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    source, target = folder / "float.onnx", folder / "int8.onnx"
    del graph.graph.value_info[:]
    onnx.save(graph, str(source))
    quantize_dynamic(str(source), str(target), weight_type=QuantType.QInt8, per_channel=False)
    return onnx.load(str(target))


def with_log_buckets(graph):
    """Replace our table of buckets by the published arithmetic: logarithms of distances, as floats."""
    table = next(t for t in graph.graph.initializer if t.name == "row_of_distance")
    rows = onnx.numpy_helper.to_array(table)
    reach, middle, last = len(rows) // 2, 128, 511
    names = {"row_of_distance": 1.0, "row_of_opposite_distance": -1.0}
    constants = {
        "far_from": middle, "reach": reach, "scale": np.log(last / middle), "steps": middle - 1,
        "shift": 2 * middle, "top": rows.max(), "zero": 0, "minus": -1, "plus": 1,
    }  # fmt: skip
    nodes = []
    for node in graph.graph.node:
        if node.op_type == "Gather" and node.input[0] in names:
            nodes += bucket_nodes(node, "plus" if names[node.input[0]] > 0 else "minus")
        else:
            nodes.append(node)
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
    graph.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants.items()
    )
    return graph


def bucket_nodes(node, sign):
    out = node.output[0]
    steps = [
        ("Cast", [node.input[1]], "place", {"to": onnx.TensorProto.FLOAT}),
        ("Sub", ["place", "reach"], "from_zero", {}),
        ("Mul", ["from_zero", sign], "distance", {}),
        ("Abs", ["distance"], "size", {}),
        ("Max", ["size", "far_from"], "far", {}),
        ("Div", ["far", "far_from"], "ratio", {}),
        ("Log", ["ratio"], "log", {}),
        ("Div", ["log", "scale"], "part", {}),
        ("Mul", ["part", "steps"], "step", {}),
        ("Ceil", ["step"], "whole", {}),
        ("Add", ["whole", "far_from"], "bucket", {}),
        ("Sign", ["distance"], "sign", {}),
        ("Mul", ["bucket", "sign"], "signed", {}),
        ("LessOrEqual", ["size", "far_from"], "is_near", {}),
        ("Where", ["is_near", "distance", "signed"], "chosen", {}),
        ("Add", ["chosen", "shift"], "row", {}),
        ("Clip", ["row", "zero", "top"], "clipped", {}),
        ("Cast", ["clipped"], "", {"to": onnx.TensorProto.INT64}),
    ]
    known = {name for _, _, name, _ in steps if name}
    return [
        onnx.helper.make_node(
            operator,
            [f"{out}/{name}" if name in known else name for name in inputs],
            [f"{out}/{name}" if name else out],
            **attributes,
        )
        for operator, inputs, name, attributes in steps
    ]


def test_rows_have_all_lengths_and_odd_batches_and_pass_the_training_length(torch_model):
    rows = make_gate_rows(torch_model(), count=200)
    lengths = sorted(len(row) for batch in rows.batches for row in batch)
    assert rows.num_inputs >= 200
    assert lengths[:3] == [1, 2, 3]
    assert lengths[-1] == 256  # twice the model's own 128
    assert {len(batch) for batch in rows.batches} >= {1, 3, 5, 7}
    assert sum(length == 128 for length in lengths) >= 10


def test_little_of_what_the_gate_runs_is_padding(torch_model):
    rows = make_gate_rows(torch_model("bert"), count=1000)
    num_tokens = sum(len(row) for batch in rows.batches for row in batch)
    num_padded = sum(len(batch) * max(map(len, batch)) for batch in rows.batches)
    assert num_padded < 1.5 * num_tokens


def test_a_model_of_three_heads_gets_rows_for_each(save_multitask):
    rows = make_gate_rows(load(save_multitask(), backend="torch", threads=1), count=150)
    readers = [reader for batch in rows.readers for reader in batch]
    assert min(readers.count(head) for head in ("labels", "entailment", "answers")) >= 30
    assert rows.heads == ("labels", "entailment", "answers", "answers")


def test_a_head_is_judged_on_its_own_rows_and_named_where_it_fails():
    row = TokenSequence(np.array([1, 2], dtype=np.int64))
    rows = GateRows(((row, row),), readers=(("labels", "entailment"),), heads=("labels", "entailment"))
    original = [(np.array([[1.0, 0.0]] * 2, np.float32), np.array([[1.0, 0.0]] * 2, np.float32))]
    elsewhere = [(original[0][0], np.array([[0.0, 1.0], [1.0, 0.0]], np.float32))]
    assert compare(rows, original, elsewhere).agreement == 1.0
    own = compare(rows, original, [(original[0][0], np.array([[1.0, 0.0], [0.0, 1.0]], np.float32))])
    assert [(head.name, head.agreement) for head in own.by_head] == [("labels", 1.0), ("entailment", 0.0)]
    assert "50.00 % of decisions" in (shortcoming(own, "int8") or "")
    hidden = replace(own, agreement=0.995)
    assert "0.00 % of decisions on entailment" in (shortcoming(hidden, "int8") or "")


def test_a_model_with_a_table_of_positions_is_not_tried_beyond_it(torch_model):
    assert make_gate_rows(torch_model("bert"), count=60).longest_tokens == 128


def test_one_scale_for_a_whole_matrix_and_batch_is_caught_where_blocks_pass(torch_model, tmp_path):
    """The published 8-bit DeBERTa: one large weight and one large activation, and the rest is noise."""
    import torch

    model = torch_model(scale=0.12)
    with torch.no_grad():
        for name, parameter in model.backend._model.named_parameters():
            if name.endswith(("query_proj.weight", "key_proj.weight", "intermediate.dense.weight")):
                parameter[0, 0] = 40.0
            if name.endswith("embeddings.LayerNorm.weight"):
                parameter[0] = 12.0
    folder = tmp_path / "outliers"
    model.backend._model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((model.checkpoint.folder / name).read_bytes())
    model = load(folder, backend="torch", device="cpu", threads=1)
    rows = make_gate_rows(model, count=150)
    graph = WeightWriter(model.checkpoint).graph()
    ours = figures_of(model, in_precision(graph, INT8), rows, tmp_path)
    published = figures_of(
        model, in_published_int8(without_stored_transposes(graph), tmp_path), rows, tmp_path
    )
    assert shortcoming(published, "int8") is not None
    assert published.mean_difference > 5 * ours.mean_difference


def test_bucket_arithmetic_in_float16_is_caught_on_long_rows_and_kept_in_float32(torch_model, tmp_path):
    model = torch_model(**BUCKETS)
    rows = make_gate_rows(model, count=60)
    graph = with_log_buckets(WeightWriter(model.checkpoint).graph())
    plain = without_stored_transposes(graph)
    trapped = figures_of(model, in_float16(plain), rows, tmp_path)
    ours = figures_of(model, in_float16(plain, float32_nodes=position_arithmetic(plain)), rows, tmp_path)
    assert ours.largest_difference < 0.05
    assert trapped.largest_difference > 5 * ours.largest_difference


def test_what_fails_leaves_nothing_behind_and_names_parts_and_a_precision_that_passes(
    save_model, tmp_path, monkeypatch
):
    monkeypatch.setattr("labelwise.export.gate.LEAST_AGREEMENT", 0.999)
    settings = ExportSettings(precisions=("q4",), num_gate_inputs=200, threads=1)
    before = sorted(path.name for path in tmp_path.iterdir())
    folder = save_model("deberta-v2")
    with pytest.raises(BackendError) as caught:
        export_model(folder, to=tmp_path / "out", settings=settings)
    message = str(caught.value)
    assert "onnx/model_q4.onnx is not exported: in q4 it agrees with float32 on" in message
    assert "what hurts most: encoder.layer." in message
    assert any(f"--precision {other} passes on a sample" in message for other in ("int8", "fp16"))
    assert "\n" not in message
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*before, folder.name])


def test_the_search_keeps_the_harmful_parts_and_no_others(save_model, tmp_path):
    settings = ExportSettings(precisions=("q4",), num_gate_inputs=100, threads=1, searches_mixed=True)
    report = export_model(save_model("deberta-v2"), to=tmp_path / "out", settings=settings)
    (file,) = report.files
    assert 0 < len(file.kept_float32) < 7  # embeddings and 2 layers of 3 parts
    assert file.figures.agreement >= 0.99
    whole = export_model(
        tmp_path / "model",
        to=tmp_path / "whole",
        settings=ExportSettings(num_gate_inputs=20, threads=1),
    )
    assert file.num_bytes < whole.files[0].num_bytes


def test_accuracy_on_labelled_rows_is_part_of_the_gate(save_model, tmp_path, monkeypatch):
    rows = '{"premise": "the parcel is late", "hypothesis": "the card", "label": "neutral"}\n' * 3
    (tmp_path / "rows.jsonl").write_text(rows)
    settings = ExportSettings(
        precisions=("int8",), num_gate_inputs=20, threads=1, labelled=tmp_path / "rows.jsonl"
    )
    folder = save_model("bert")
    (file,) = export_model(folder, to=tmp_path / "out", settings=settings).files
    assert file.figures.accuracy == file.figures.accuracy_float32
    monkeypatch.setattr("labelwise.export.gate.LARGEST_ACCURACY_DROP", -0.1)
    with pytest.raises(BackendError, match="accuracy drops by"):
        export_model(folder, to=tmp_path / "again", settings=settings)
