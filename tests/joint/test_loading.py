"""From a folder or a hub id to a model that answers."""

import importlib.util
import json
from pathlib import Path

import pytest

import labelwise
from labelwise.checkpoints import open_checkpoint
from labelwise.errors import CheckpointError, TaskNotSupportedError
from labelwise.integrations.gliznet_pipeline import ZeroShotClassificationPipeline

TEXT, LABELS = "the match was late", ["sports", "card charge"]


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """Serve a folder's files as the repository owner/name of a hub on this machine."""
    constants = pytest.importorskip("huggingface_hub").constants
    path = Path(__file__).parents[1] / "checkpoints" / "test_hub.py"
    spec = importlib.util.spec_from_file_location("hub_for_joint_models", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    started = []

    def start(folder, **more_files):
        files = {file.name: file.read_bytes() for file in folder.iterdir()} | more_files
        fake = module.FakeHub(files)
        started.append(fake)
        monkeypatch.setattr(constants, "ENDPOINT", fake.url)
        template = fake.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
        return fake

    yield start
    for fake in started:
        fake.server.shutdown()
        fake.server.server_close()


@pytest.mark.parametrize("kind", ["gliznet", "gliclass"])
def test_a_hub_id_gives_the_same_scores_as_its_folder(save_gliznet, save_gliclass, serve, kind):
    folder = save_gliznet() if kind == "gliznet" else save_gliclass(prompt_first=True)
    hub = serve(folder, **{"onnx/model.onnx": b"a graph of another package"})
    fetched = labelwise.load("owner/name").classify(TEXT, LABELS)
    assert fetched == labelwise.load(folder).classify(TEXT, LABELS)
    assert "model.safetensors" in hub.fetched
    assert "onnx/model.onnx" not in hub.fetched


def test_the_limits_come_from_the_checkpoint(save_gliznet):
    head = open_checkpoint(save_gliznet(max_labels=7)).head
    assert (head.max_labels, head.lab_token) == (7, "[LAB]")
    assert (head.max_tokens_per_span, head.min_text_tokens, head.min_label_tokens) == (16, 5, 1)


def test_the_limits_have_the_published_defaults(save_gliznet):
    folder = save_gliznet()
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    kept = {key: value for key, value in settings.items() if key.endswith("_token")}
    (folder / "tokenizer_config.json").write_text(json.dumps(kept))
    config = json.loads((folder / "config.json").read_text())
    del config["max_labels"]
    (folder / "config.json").write_text(json.dumps(config))
    checkpoint = open_checkpoint(folder)
    head = checkpoint.head
    assert (head.max_labels, head.max_tokens_per_span) == (20, 64)
    assert (head.min_text_tokens, head.min_label_tokens) == (10, 2)
    assert checkpoint.max_tokens == 512


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"max_labels": 0}, "allows 0 labels"),
        ({"max_labels": "many"}, "max_labels must be a whole number"),
        ({"backbone_config": None}, "backbone_config"),
    ],
)
def test_a_config_without_meaning_is_refused(save_gliznet, change, named):
    folder = save_gliznet()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(CheckpointError, match=named):
        open_checkpoint(folder)


def test_a_joint_model_without_safetensors_is_refused(save_gliznet):
    folder = save_gliznet()
    (folder / "model.safetensors").rename(folder / "model.onnx")
    with pytest.raises(CheckpointError, match="without safetensors"):
        open_checkpoint(folder)


def test_other_verbs_are_refused(save_gliznet):
    model = labelwise.load(save_gliznet())
    with pytest.raises(TaskNotSupportedError, match="cannot entail; it can classify"):
        model.entail("a", "b")
    with pytest.raises(TaskNotSupportedError, match="cannot answer"):
        model.answer("a", "b")


def test_the_published_pipeline_gives_the_scores_of_classify(save_gliznet):
    folder = save_gliznet()
    pipeline = ZeroShotClassificationPipeline.from_pretrained(folder, classification_type="multi-class")
    result = pipeline(TEXT, LABELS)
    expected = {entry.label: entry.score for entry in labelwise.load(folder).classify(TEXT, LABELS).labels}
    assert [entry.label for entry in result.labels] == LABELS
    assert {entry.label: entry.score for entry in result.labels} == expected


def test_entailment_models_take_label_orders_and_answer_the_same(save_nli):
    model = labelwise.load(save_nli())
    assert model.classify(TEXT, LABELS, label_orders=3) == model.classify(TEXT, LABELS)
