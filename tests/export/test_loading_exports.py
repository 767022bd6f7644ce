"""What was exported is loaded as any other model, without torch, and gives the scores of its source."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import labelwise
from labelwise.checkpoints.description import describe
from labelwise.errors import CheckpointError
from labelwise.export import ExportSettings, export_model

TEXTS = ["The parcel is late.", "praise", "the customer returned the card - 45 days late! " * 6]
LABELS = ["late parcel", "card charge", "praise"]
# Runs in a process of its own, where importing torch or transformers is an error.
WITHOUT_TORCH = """
import json, sys
sys.modules.update(torch=None, transformers=None)
import labelwise
folder, backend, request = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
model = labelwise.load(folder, backend=backend)
found = model.classify(request["texts"], labels=request["labels"])
scores = [{entry.label: entry.score for entry in result.labels} for result in found]
can_answer = "answer" in model.tasks
answer = model.answer("who is late?", context=request["texts"][0]).to_dict() if can_answer else None
print(json.dumps({"backend": model.backend.name, "scores": scores, "answer": answer}))
"""


def exported(source: Path, to: Path, *precisions: str) -> Path:
    settings = ExportSettings(precisions=precisions, num_gate_inputs=40, threads=1)
    export_model(source, to=to, settings=settings)
    return to


def read_without_torch(folder: Path, *, backend: str = "auto") -> dict:
    request = json.dumps({"texts": TEXTS, "labels": LABELS})
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, folder, backend, request], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def scores_of(model: labelwise.Model) -> list[dict[str, float]]:
    return [{entry.label: entry.score for entry in found.labels} for found in model.classify(TEXTS, LABELS)]


@pytest.fixture
def save(save_gliznet, save_gliclass, save_multitask):
    return {"gliznet": save_gliznet, "gliclass": save_gliclass, "multitask": save_multitask}


@pytest.mark.parametrize("family", ["gliznet", "gliclass", "multitask"])
def test_a_model_that_reads_text_and_labels_together_is_loaded_from_its_export(save, family, tmp_path):
    source = save[family]()
    folder = exported(source, tmp_path / "out", "fp32")
    model = labelwise.load(source, backend="torch")
    expected, found = scores_of(model), read_without_torch(folder)
    for ours, theirs in zip(found["scores"], expected, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)
    if "answer" in model.tasks:
        answer = model.answer("who is late?", context=TEXTS[0])
        assert found["answer"]["text"] == answer.text
        assert found["answer"]["score"] == pytest.approx(answer.score, abs=1e-4)


def test_eight_bits_alone_are_loaded_too(save_multitask, tmp_path):
    source = save_multitask()
    folder = exported(source, tmp_path / "out", "int8")
    for ours, theirs in zip(
        read_without_torch(folder)["scores"], scores_of(labelwise.load(source)), strict=True
    ):
        assert ours == pytest.approx(theirs, abs=0.05)


def test_a_joint_graph_of_another_maker_is_refused_with_the_reason(save_model, save_gliznet):
    """It has no input that says where the labels stand."""
    foreign = exported(save_model("bert"), save_gliznet().parent / "foreign", "fp32")
    folder = save_gliznet()
    (folder / "model.safetensors").unlink()
    (folder / "model.onnx").write_bytes((foreign / "onnx/model.onnx").read_bytes())
    with pytest.raises(CheckpointError, match=r"model\.onnx does not take label positions"):
        labelwise.load(folder)


def test_info_tells_how_an_exported_file_was_proven(save_model, tmp_path):
    folder = exported(save_model("bert"), tmp_path / "out", "fp32")
    (proof,) = describe(folder, with_hashes=False).proofs
    assert (proof.file, proof.agreement) == ("onnx/model.onnx", 1.0)
    assert proof.num_inputs >= 40
    assert 0 < proof.largest_difference <= 1e-4
