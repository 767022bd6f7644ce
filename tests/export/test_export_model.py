"""Exports of every family load where they should, and nothing half-written is taken for a model."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import labelwise
from labelwise.checkpoints.description import describe
from labelwise.checkpoints.manifest import MANIFEST_FILE, check_manifest
from labelwise.errors import CheckpointError, DataError
from labelwise.export import ExportSettings, export_model

INTERRUPTED = """
import sys
from pathlib import Path
from labelwise.export import ExportSettings, export_model
def tell(stage, done, total):
    print(stage, flush=True)
export_model(sys.argv[1], to=Path(sys.argv[2]), on_progress=tell,
             settings=ExportSettings(num_gate_inputs=100000, threads=1))
"""


def small(**settings):
    return ExportSettings(**({"num_gate_inputs": 120, "threads": 1} | settings))


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta-v2"])
def test_an_exported_classifier_answers_as_its_source(save_model, tmp_path, family):
    source = save_model(family)
    report = export_model(source, to=tmp_path / "out", settings=small())
    assert report.files[0].figures.largest_difference <= 1e-4
    ours = labelwise.load(tmp_path / "out").entail("the parcel is late", "the card")
    theirs = labelwise.load(source, backend="torch").entail("the parcel is late", "the card")
    assert ours.entailment == pytest.approx(theirs.entailment, abs=1e-5)


def test_a_family_without_a_builder_is_exported_through_torch_and_its_layers_are_found(save_model, tmp_path):
    pytest.importorskip("onnxscript")
    report = export_model(
        save_model("modernbert"),
        to=tmp_path / "out",
        settings=small(precisions=("fp32", "fp16", "int8"), searches_mixed=True),
    )
    whole, half, eight = report.files
    assert whole.figures.largest_difference <= 1e-4
    assert whole.figures.longest_tokens == 256
    assert eight.num_bytes < whole.num_bytes
    assert half.num_bytes < 0.8 * whole.num_bytes


def test_a_reader_keeps_both_its_outputs(save_model, tmp_path):
    source = save_model("bert", head="QuestionAnswering")
    export_model(source, to=tmp_path / "out", settings=small())
    model = labelwise.load(tmp_path / "out")
    answer = model.answer("the card", context="the parcel is late", no_answer=False)
    assert answer.text in "the parcel is late"


def test_joint_models_are_exported_with_label_positions(save_gliznet, save_gliclass, tmp_path):
    import onnxruntime

    for folder in (save_gliznet(), save_gliclass()):
        to = tmp_path / f"{folder.name}-out"
        report = export_model(folder, to=to, settings=small(precisions=("fp32", "fp16")))
        assert [file.figures.agreement for file in report.files] == [1.0, 1.0]
        session = onnxruntime.InferenceSession(str(to / "onnx/model.onnx"))
        assert "label_positions" in [entry.name for entry in session.get_inputs()]


def test_each_format_has_the_names_that_its_ecosystem_looks_for(save_model, tmp_path):
    pytest.importorskip("openvino")
    source = save_model("bert")
    for name, expected in {
        "sentence-transformers": [
            "model.safetensors", "onnx/model.onnx", "openvino/openvino_model.bin",
            "openvino/openvino_model.xml",
        ],
        "transformersjs": ["onnx/model.onnx"],
    }.items():  # fmt: skip
        export_model(source, to=tmp_path / name, settings=small(formats=(name,)))
        files = {path.relative_to(tmp_path / name).as_posix() for path in (tmp_path / name).rglob("*.*")}
        assert files >= {*expected, "config.json", "tokenizer.json", "tokenizer_config.json", MANIFEST_FILE}


def test_transformers_reads_the_folder_with_its_token_types(save_model, tmp_path):
    """What CrossEncoder does with the folder, too."""
    import torch
    import transformers

    export_model(save_model("bert"), to=tmp_path / "out", settings=small(formats=("safetensors",)))
    pair = ("the parcel is late", "the card")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "out")
    with torch.inference_mode():
        theirs = model(**tokenizer(*pair, return_tensors="pt")).logits.softmax(dim=-1)[0]
    ours = labelwise.load(tmp_path / "out").entail(*pair)
    assert theirs.tolist() == pytest.approx([ours.entailment, ours.neutral, ours.contradiction], abs=1e-4)


@pytest.mark.parametrize(("precision", "dtype"), [("fp16", "float16"), ("bf16", "bfloat16")])
def test_safetensors_in_half_say_so_in_their_config(save_model, tmp_path, precision, dtype):
    source = save_model("bert")
    settings = small(formats=("safetensors",), precisions=(precision,))
    export_model(source, to=tmp_path / "out", settings=settings)
    assert json.loads((tmp_path / "out/config.json").read_text())["dtype"] == dtype
    size = (tmp_path / "out/model.safetensors").stat().st_size
    assert size < 0.6 * (source / "model.safetensors").stat().st_size
    ours = labelwise.load(tmp_path / "out").entail("the parcel", "the card")
    theirs = labelwise.load(source).entail("the parcel", "the card")
    assert ours.entailment == pytest.approx(theirs.entailment, abs=0.02)


def test_safetensors_in_two_precisions_lie_side_by_side_as_transformers_variants(save_model, tmp_path):
    import torch
    import transformers

    settings = small(formats=("safetensors",), precisions=("fp16", "fp32"), num_gate_inputs=20)
    export_model(save_model("bert"), to=tmp_path / "out", settings=settings)
    read = transformers.AutoModelForSequenceClassification.from_pretrained
    assert read(tmp_path / "out").dtype is torch.float32
    whole, half = read(tmp_path / "out"), read(tmp_path / "out", variant="fp16")
    expected = whole.classifier.weight.half().float()
    assert torch.equal(half.classifier.weight.float(), expected)
    assert not torch.equal(whole.classifier.weight, expected)
    assert describe(tmp_path / "out").precisions == ("float32", "float16")
    labelwise.load(tmp_path / "out").entail("the parcel", "the card")


def test_a_flipped_byte_in_any_file_is_refused_by_name(save_model, tmp_path):
    export_model(save_model("bert"), to=tmp_path / "out", settings=small(num_gate_inputs=10))
    check_manifest(tmp_path / "out")
    for name in ("onnx/model.onnx", "tokenizer.json"):
        file = tmp_path / "out" / name
        whole = file.read_bytes()
        file.write_bytes(whole[:-50] + bytes([whole[-50] ^ 1]) + whole[-49:])
        with pytest.raises(CheckpointError, match=f"{name} is not the file that was exported"):
            check_manifest(tmp_path / "out")
        file.write_bytes(whole)
    check_manifest(tmp_path / "out")


def test_a_killed_export_is_never_taken_for_a_model(save_model, tmp_path):
    source, parent = save_model("bert"), tmp_path / "parent"
    run = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, source, parent / "out"], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    run.stdout.readline()
    time.sleep(0.2)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert not (parent / "out").exists()
    (left,) = parent.iterdir()
    with pytest.raises(CheckpointError, match="was interrupted"):
        check_manifest(left)


def test_no_space_left_is_said_in_a_line_and_leaves_nothing(save_model, tmp_path, monkeypatch):
    source = save_model("bert")

    def full(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match="out cannot be written: No space left on device"):
        export_model(source, to=tmp_path / "parent/out", settings=small(num_gate_inputs=5))
    assert list((tmp_path / "parent").iterdir()) == []


def test_a_place_that_cannot_be_written_is_said_in_a_line(save_model, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written"):
        export_model(save_model("bert"), to=tmp_path / "file/out", settings=small())


def test_the_effect_of_a_trimmed_vocabulary_is_measured(save_model, tmp_path):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("".join(f"the parcel is late {number}\n" for number in range(30)))
    settings = small(trim_corpus=corpus)
    report = export_model(save_model("bert"), to=tmp_path / "out", settings=settings)
    assert report.trimming.report.rows_after < report.trimming.report.rows_before
    assert report.trimming.agreement == 1.0
    assert json.loads((tmp_path / "out" / MANIFEST_FILE).read_text())["trimming"]["num_compared"] == 3
    labelwise.load(tmp_path / "out").entail("the parcel is late", "the card")
