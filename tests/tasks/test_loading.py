"""From a reference to a model that answers: every published layout gives the same scores."""

import json

import pytest

import labelwise
from labelwise.checkpoints.weights import read_tensors
from labelwise.errors import CheckpointError, InputError
from labelwise.graphs import build_graph

TEXT = "the parcel is late and the card is bad"
LABELS = ["late parcel", "card", "praise"]
NLI = ["contradiction", "entailment", "neutral"]


def scores_of(ref, **settings):
    found = labelwise.load(ref).classify(TEXT, LABELS, **settings)
    return {label.label: label.score for label in found.labels}


@pytest.fixture
def folder(whole_checkpoint):
    return whole_checkpoint("bert", labels=NLI)


def change(file, **values):
    content = json.loads(file.read_text()) | values if file.exists() else values
    file.write_text(json.dumps(content))


def test_a_string_and_a_path_name_the_same_folder(folder):
    assert scores_of(str(folder)) == scores_of(folder)


def test_weights_in_shards_score_as_weights_in_one_file(whole_checkpoint):
    in_one = scores_of(whole_checkpoint("bert", labels=NLI))
    folder = whole_checkpoint("bert", labels=NLI, max_shard_size="20KB")
    (folder / "model.safetensors").unlink(missing_ok=True)
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    assert scores_of(folder) == pytest.approx(in_one, abs=1e-6)


@pytest.mark.parametrize("place", ["model.onnx", "onnx/model.onnx"])
def test_an_onnx_file_serves_without_weights(folder, place):
    expected = scores_of(folder)
    checkpoint = labelwise.load(folder).checkpoint
    graph = build_graph(checkpoint.config, read_tensors(checkpoint), head="sequence-classification")
    (folder / place).parent.mkdir(exist_ok=True)
    (folder / place).write_bytes(graph.SerializeToString())
    (folder / "model.safetensors").unlink()
    assert scores_of(folder) == pytest.approx(expected, abs=1e-6)


def test_the_window_is_the_least_of_what_the_files_say(whole_checkpoint):
    assert labelwise.load(whole_checkpoint("bert", labels=NLI, max_tokens=64)).layout.max_tokens == 64
    assert labelwise.load(whole_checkpoint("roberta", labels=NLI, max_tokens=10**30)).layout.max_tokens == 110


def test_the_order_of_the_classes_is_read_from_their_names(folder):
    entailment = labelwise.load(folder).entail(TEXT, "card")
    names = ["neutral", "contradiction", "entailment"]
    change(
        folder / "config.json",
        id2label=dict(enumerate(names)),
        label2id={name: place for place, name in enumerate(names)},
    )
    renamed = labelwise.load(folder).entail(TEXT, "card")
    assert renamed.neutral == pytest.approx(entailment.contradiction)
    assert renamed.entailment == pytest.approx(entailment.neutral)


def test_the_checkpoint_may_bring_a_template_that_a_call_overrides(folder):
    usual, other = scores_of(folder), scores_of(folder, hypothesis_template="about {}")
    change(folder / "labelwise.json", hypothesis_template="about {}")
    assert scores_of(folder) == other != usual
    assert scores_of(folder, hypothesis_template="This example is {}.") == usual


def test_heads_decide_what_a_model_can_do(whole_checkpoint):
    assert labelwise.load(whole_checkpoint("bert", labels=NLI)).tasks == {"classify", "entail", "rank"}
    assert labelwise.load(whole_checkpoint("bert", head="QuestionAnswering")).tasks == {"answer"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_tokens": 0}, "batch_tokens must be at least 1, got 0"),
        ({"backend": "tf"}, "backend 'tf' is not known"),
        ({"threads": 0}, "threads must be at least 1"),
    ],
)
def test_settings_without_meaning_are_refused(folder, settings, message):
    with pytest.raises(InputError, match=message):
        labelwise.load(folder, **settings)


def spoil_nothing_there(folder):
    for file in folder.iterdir():
        file.unlink()


def spoil_head_names(folder):
    change(folder / "config.json", id2label={0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}, label2id=None)


def spoil_weights(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def spoil_shape(folder):
    change(folder / "config.json", hidden_size=64)


def spoil_layers(folder):
    change(folder / "config.json", num_hidden_layers=3)


def spoil_config(folder):
    (folder / "config.json").write_text("{not json")


def spoil_tokenizer(folder):
    (folder / "tokenizer.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (spoil_nothing_there, "config.json"),
        (spoil_head_names, "LABEL_0"),
        (spoil_weights, "safetensors"),
        (spoil_shape, "shape"),
        (spoil_layers, "layer.2"),
        (spoil_config, "config.json"),
        (spoil_tokenizer, "tokenizer.json"),
    ],
)
def test_a_folder_that_cannot_be_used_gets_one_clear_line(folder, spoil, named):
    spoil(folder)
    with pytest.raises(CheckpointError, match=named) as caught:
        labelwise.load(folder)
    assert "\n" not in str(caught.value)
