"""A model with ONNX weights alone is passed on as it is, or widened and made anything else of."""

from __future__ import annotations

import json

import numpy as np
import pytest

import labelwise
from labelwise.backends.heads import HeadOutputs
from labelwise.checkpoints.manifest import MANIFEST_FILE
from labelwise.checkpoints.opening import open_checkpoint
from labelwise.checkpoints.weights import read_tensors
from labelwise.checkpoints.widened import read_widened
from labelwise.errors import InputError
from labelwise.export import ExportSettings, export_model
from labelwise.export.precisions import in_precision
from labelwise.export.request import Artefact
from labelwise.graphs import build_graph

# How far a weight of at most 1 may lie off, for its steps.
STEPS = {"fp32": 1e-6, "fp16": 1e-3, "bf16": 8e-3, "int8": 8e-3, "q4": 0.15, "q4f16": 0.15}


def small(**settings):
    return ExportSettings(**({"num_gate_inputs": 60, "threads": 1} | settings))


def graph_of(folder, **form):
    checkpoint = open_checkpoint(folder)
    return build_graph(
        checkpoint.config, read_tensors(checkpoint), head=HeadOutputs.of(checkpoint).kind, **form
    )


def with_graph_alone(folder, graph, name="model.onnx"):
    """Put a graph in the place of the safetensors."""
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(graph.SerializeToString())
    return folder


@pytest.fixture
def bundled(save_multitask):
    """A folder such as the bundled model's."""
    folder = save_multitask()
    return with_graph_alone(folder, graph_of(folder, weights="int8"))


@pytest.mark.parametrize("precision", sorted(STEPS))
def test_an_export_in_any_precision_gives_its_weights_back(save_multitask, precision):
    folder = save_multitask()
    expected = {name: np.array(values) for name, values in read_tensors(open_checkpoint(folder)).items()}
    graph = in_precision(graph_of(folder, fused=False), Artefact("onnx", precision))
    found = read_widened(open_checkpoint(with_graph_alone(folder, graph)))
    assert set(found) == set(expected)
    for name, values in expected.items():
        columns = values.shape[-1] if values.ndim else None
        widened = found[name][..., :columns] if columns else found[name]
        np.testing.assert_allclose(widened, values, atol=STEPS[precision], rtol=STEPS[precision])


def test_the_precision_that_is_there_is_copied_byte_for_byte(bundled, tmp_path):
    report = export_model(bundled, to=tmp_path / "out", settings=small(precisions=("int8",)))
    assert report.files[0].figures is None
    assert report.widened_from is None
    copied = tmp_path / "out" / "onnx/model_quantized.onnx"
    assert copied.read_bytes() == (bundled / "model.onnx").read_bytes()


def test_eight_bits_of_three_heads_become_other_files_in_one_call(bundled, tmp_path):
    out = tmp_path / "out"
    report = export_model(bundled, to=out, settings=small(precisions=("fp32", "int8")))
    whole, eight = report.files
    assert whole.figures.largest_difference <= 1e-4
    assert eight.figures is None
    assert (out / eight.artefact.name).read_bytes() == (bundled / "model.onnx").read_bytes()
    assert report.widened_from == "model.onnx"
    assert any("stored in model.onnx, widened to float32" in line for line in report.table())
    assert json.loads((out / MANIFEST_FILE).read_text())["source"]["widened_from"] == "model.onnx"


def test_the_widened_weights_are_written_as_safetensors_that_torch_loads(bundled, tmp_path):
    export_model(bundled, to=tmp_path / "out", settings=small(formats=("safetensors",)))
    ours, theirs = (
        labelwise.load(folder, backend="torch").entail("the parcel is late", "the card")
        for folder in (tmp_path / "out", bundled)
    )
    assert ours.entailment == pytest.approx(theirs.entailment, abs=1e-6)
    assert not list((tmp_path / "out").glob("**/*.onnx"))


def test_the_vocabulary_of_a_widened_classifier_is_trimmed(save_model, tmp_path):
    folder = save_model("bert")
    folder = with_graph_alone(folder, graph_of(folder, weights="int8"))
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("".join(f"the parcel is late {number}\n" for number in range(30)))
    report = export_model(folder, to=tmp_path / "out", settings=small(trim_corpus=corpus))
    assert report.trimming.report.rows_after < report.trimming.report.rows_before
    assert report.files[0].figures.largest_difference <= 1e-4


def test_what_cannot_be_read_back_is_said_with_what_can_be_done(save_model, tmp_path):
    folder = save_model("deberta-v2")
    folder = with_graph_alone(folder, graph_of(folder, fused=False))
    with pytest.raises(
        InputError, match="'deberta-v2': --format onnx --precision fp32 passes it on as it is"
    ):
        export_model(folder, to=tmp_path / "out", settings=small(precisions=("int8",)))
    assert not (tmp_path / "out").exists()
