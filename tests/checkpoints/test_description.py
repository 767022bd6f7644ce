"""What is said of a model without loading it."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from labelwise.checkpoints import hub
from labelwise.checkpoints.description import describe
from labelwise.errors import CheckpointError, InputError

HEAVY = {"torch", "transformers", "onnx", "onnxruntime", "openvino", "huggingface_hub"}
BERT = {"num_hidden_layers": 2, "hidden_size": 4, "num_attention_heads": 2}


def add_tokenizer(folder):
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "word"]))


def test_a_folder_is_described_from_its_small_files_and_headers(make_folder):
    folder = make_folder(**BERT)
    add_tokenizer(folder)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    (folder / "labelwise.json").write_text(
        json.dumps({"temperature": 1.5, "source": "our own", "thresholds": {"a": 0.4}})
    )
    found = describe(folder)
    assert (found.family, found.head) == ("bert", "entailment")
    assert found.tasks == ("classify", "entail", "rank")
    assert found.labels == ("entailment", "neutral", "contradiction")
    assert (found.encoder.num_layers, found.encoder.width, found.encoder.num_attention_heads) == (2, 4, 2)
    assert found.num_parameters == 12
    assert found.max_tokens == 64
    assert (found.tokenizer.kind, found.tokenizer.vocabulary_size) == ("WordPiece", 6)
    assert found.precisions == ("float32",)
    assert found.licence == "mit"
    assert found.settings.temperature == 1.5
    assert found.missing == ("no ONNX file: the graph is built from the weights at first load",)


def test_files_come_with_size_and_hash(make_folder):
    folder = make_folder()
    (config,) = [file for file in describe(folder).files if file.name == "config.json"]
    content = (folder / "config.json").read_bytes()
    assert config.num_bytes == len(content)
    assert config.sha256 == hashlib.sha256(content).hexdigest()
    assert {file.sha256 for file in describe(folder, with_hashes=False).files} == {None}


def test_what_is_missing_is_said(make_folder):
    text = "\n".join(describe(make_folder()).missing)
    for lack in ("no ONNX file", "no usable tokenizer", "no calibration", "no licence stated"):
        assert lack in text


def test_a_family_without_a_builder_needs_torch_at_first_load(make_folder):
    folder = make_folder(model_type="electra", architectures=["ElectraForSequenceClassification"])
    assert any("labelwise[torch]" in lack for lack in describe(folder).missing)


def test_shards_are_counted_together(make_folder):
    folder = make_folder(weights=False)
    shards = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    for shard in shards:
        save_file({shard: np.ones((3, 4), np.float16)}, folder / shard)
    index = {"weight_map": {shard: shard for shard in shards}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    found = describe(folder)
    assert found.num_parameters == 24
    assert found.precisions == ("float16",)


def test_a_reader_has_no_labels(make_folder):
    found = describe(make_folder(architectures=["BertForQuestionAnswering"], id2label=None))
    assert (found.head, found.labels, found.tasks) == ("reader", (), ("answer",))


def test_the_encoder_inside_a_joint_model_is_described(make_folder):
    backbone = {"model_type": "bert", "hidden_size": 32, "num_hidden_layers": 3}
    folder = make_folder(model_type="gliznet", architectures=["GliZNet"], backbone_config=backbone)
    found = describe(folder)
    assert (found.family, found.head, found.encoder.family) == ("gliznet", "gliznet", "bert")
    assert (found.encoder.num_layers, found.encoder.width) == (3, 32)


def test_a_multitask_model_does_everything_and_names_its_entailment_outputs(make_folder):
    found = describe(make_folder(model_type="labelwise-multitask", **BERT))
    assert (found.head, found.tasks) == ("multitask", ("answer", "classify", "entail", "rank"))
    assert found.labels == ("entailment", "neutral", "contradiction")
    assert (found.encoder.family, found.encoder.num_layers) == ("bert", 2)
    assert "the graph is built from the weights" in found.missing[0]


def test_bart_has_a_decoder_too(make_folder):
    folder = make_folder(
        model_type="bart",
        architectures=["BartForSequenceClassification"],
        encoder_layers=12,
        decoder_layers=3,
        d_model=8,
    )
    encoder = describe(folder).encoder
    assert (encoder.num_layers, encoder.num_decoder_layers, encoder.width) == (12, 3, 8)


def test_the_bundled_model_is_described_and_is_json():
    found = describe()
    written = json.loads(json.dumps(found.to_dict()))
    assert written["ref"] == "bundled"
    assert written["num_bytes"] == sum(file["num_bytes"] for file in written["files"])
    assert found.tokenizer is not None
    assert found.num_parameters > 1_000_000
    assert found.licence is not None


def test_describing_loads_no_heavy_library():
    code = (
        "import sys; from labelwise.checkpoints.description import describe; describe(); print(*sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & {name.split(".")[0] for name in finished.stdout.split()}


def test_what_cannot_be_used_is_refused_in_one_line(make_folder, tmp_path):
    with pytest.raises(CheckpointError, match="no weights"):
        describe(make_folder(weights=False))
    with pytest.raises(CheckpointError, match="neither a folder"):
        describe("nosuchmodel")
    with pytest.raises(InputError, match="revision"):
        describe(make_folder("other"), revision="main")
    damaged = make_folder("damaged")
    (damaged / "model.safetensors").write_bytes(b"\x00" * 4)
    with pytest.raises(CheckpointError) as raised:
        describe(damaged)
    assert "\n" not in str(raised.value)


def test_the_card_of_a_hub_model_is_fetched_and_may_be_missing(make_folder, tmp_path, monkeypatch):
    import huggingface_hub

    snapshots = tmp_path / "models--owner--name" / "snapshots"
    snapshots.mkdir(parents=True)
    folder = make_folder().rename(snapshots / "abc123")
    monkeypatch.setattr(hub, "download", lambda *_, **__: folder)

    def fetch(repo_id, name, *, revision):
        assert (repo_id, name, revision) == ("owner/name", "README.md", "abc123")
        (folder / name).write_text("---\nlicense: mit\n---\n")

    def fail(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    assert describe("owner/name").licence is None
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetch)
    assert describe("owner/name").licence == "mit"
