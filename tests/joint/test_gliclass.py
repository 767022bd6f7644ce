"""GLiClass through ``labelwise.load`` and ``classify``, against logits of the gliclass package."""

import json

import numpy as np
import pytest

import labelwise
from labelwise.errors import CheckpointError, MissingExtraError
from labelwise.scores import sigmoid

LABEL, TEXT, EXAMPLE = 57, 58, 59
BUILT = ["v3-deberta-mlp-avg", "v1-deberta-simple-normalized"]
EXPORTED = ["v3-modernbert-simple-first", "deberta-segments-average-rms"]


def parts(row, *, prompt_first):
    """Take a row of the fixtures apart into a text and labels; None for a row with examples."""
    inner = row[1:-1]
    if EXAMPLE in inner:
        return None
    split = inner.index(TEXT)
    prompt, text = (inner[:split], inner[split + 1 :]) if prompt_first else (inner[:split], [])
    if not prompt_first:
        first = inner.index(LABEL)
        text, prompt = inner[:first], inner[first:split]
    words = " ".join(f"w{i}" if i != LABEL else "|" for i in prompt)
    return " ".join(f"w{i}" for i in text), [label.strip() for label in words.split("|")[1:]]


def check_against_package(folder, facts, *, backend):
    config = json.loads((folder / "config.json").read_text())
    model = labelwise.load(folder, backend=backend)
    scorer = model._scorers("classify").labels("classify", None, "entail_logit", 1)
    num_compared = 0
    for row, logits in zip(facts["rows"], facts["logits"], strict=True):
        taken = parts(row, prompt_first=config["prompt_first"])
        if taken is None or len(set(taken[1])) < len(taken[1]):
            continue
        text, labels = taken
        label_set = labelwise.labels.LabelSet.parse(labels)
        (found,) = scorer.score([text], [label_set], truncation="error", on_progress=None)
        np.testing.assert_allclose(found.evidence[0], logits, atol=1e-4)
        result = {entry.label: entry.score for entry in model.classify(text, labels, multi_label=True).labels}
        np.testing.assert_allclose([result[label] for label in labels], sigmoid(np.array(logits)), atol=1e-5)
        num_compared += 1
    assert num_compared >= 2


@pytest.mark.parametrize("backend", ["onnx", "torch"])
@pytest.mark.parametrize("name", BUILT)
def test_scores_are_the_packages(published_gliclass, name, backend):
    check_against_package(*published_gliclass(name), backend=backend)


@pytest.mark.parametrize("name", EXPORTED)
def test_what_has_no_builder_is_exported_and_scores_as_the_package(published_gliclass, name):
    pytest.importorskip("onnxscript")
    check_against_package(*published_gliclass(name), backend="onnx")


def test_what_cannot_be_exported_runs_in_torch(published_gliclass):
    folder, facts = published_gliclass("deberta-weighted-dot-lstm")
    with pytest.raises(CheckpointError, match="use backend='torch'"):
        labelwise.load(folder)
    check_against_package(folder, facts, backend="torch")


@pytest.mark.parametrize(
    "fields",
    [
        {"scorer_type": "weighted-dot", "prompt_first": True},
        {"scorer_type": "mlp", "class_token_pooling": "average", "embed_class_token": False},
        {"pooling_strategy": "avg", "embed_class_token": False},
        {"pooling_strategy": "max", "class_token_pooling": "average", "projector_hidden_act": "relu"},
        {"hidden_size": 24, "normalize_features": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("family", ["deberta-v2", "bert", "roberta"])
def test_every_built_option_equals_torch(save_gliclass, family, fields):
    if fields.get("hidden_size"):
        fields = fields | {"scorer_type": "simple"}
    folder = save_gliclass(family, **fields)
    ours = labelwise.load(folder)._scorers("classify").labels("classify", None, "entail_logit", 1)
    theirs = (
        labelwise.load(folder, backend="torch")
        ._scorers("classify")
        .labels("classify", None, "entail_logit", 1)
    )
    texts = ["the parcel was late", "praise", "world news about the match"]
    sets = [
        labelwise.labels.LabelSet.parse(labels)
        for labels in (["sports", "late card"], ["x"], ["a", "b", "c d e"])
    ]
    settings = {"truncation": "window", "on_progress": None}
    for one, other in zip(
        ours.score(texts, sets, **settings), theirs.score(texts, sets, **settings), strict=True
    ):
        np.testing.assert_allclose(one.evidence, other.evidence, atol=1e-4)


def test_text_is_never_pushed_out_by_labels(save_gliclass):
    model = labelwise.load(save_gliclass("bert", prompt_first=True))
    assert model.layout.max_tokens == 160
    labels = [f"the late parcel {number}" for number in range(60)]
    result = model.classify("match " * 60, labels, truncation="error")
    assert len(result.labels) == 60
    assert result.num_tokens == 60


def test_relative_positions_read_a_window_of_1024_tokens(save_gliclass):
    assert labelwise.load(save_gliclass()).layout.max_tokens == 1024


@pytest.mark.parametrize("name", ["<<LABEL>>", "<<SEP>>", "<<EXAMPLE>>"])
def test_control_names_in_texts_and_labels_make_no_control_tokens(save_gliclass, name):
    model = labelwise.load(save_gliclass(prompt_first=True))
    labels = [f"{name}sports", "praise"]
    result = model.classify(f"the match {name} was late", labels, multi_label=True)
    assert {entry.label for entry in result.labels} == set(labels)


def test_without_torch_an_unbuilt_model_asks_for_the_extra(published_gliclass, monkeypatch):
    from labelwise.backends import joint_export

    def refuse(module, *, extra):
        raise MissingExtraError(f"{module} of {extra}")

    monkeypatch.setattr(joint_export, "require", refuse)
    folder, _ = published_gliclass("v3-modernbert-simple-first")
    with pytest.raises(MissingExtraError, match=r"pip install 'labelwise\[torch\]'"):
        labelwise.load(folder)


def test_other_architectures_are_refused(save_gliclass):
    folder = save_gliclass()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architecture_type": "bi-encoder"}))
    with pytest.raises(CheckpointError, match="only GLiClass uni-encoders"):
        labelwise.load(folder)
