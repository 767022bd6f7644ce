"""GliZNet through ``labelwise.load`` and ``classify``, against the torch module's own forward pass."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import labelwise
from labelwise.errors import CheckpointError, InputError, TextTooLongError
from labelwise.models.loading import load_joint_model
from labelwise.scores import sigmoid, softmax

TEXT = "the match was late and the parcel was late"
LABELS = ["sports", "late parcel", "card charge", "world news"]


def forward(folder, model, text, labels):
    """Score one text by the published layout, written out here."""
    encode = model.tokenizer.encode
    lab = model.tokenizer.control_id("[LAB]")
    ids = [1, *encode(text).ids.tolist(), 2]
    marks = [0] * len(ids)
    for number, label in enumerate(labels, start=1):
        label_ids = encode(label).ids.tolist()
        ids += [*label_ids, lab]
        marks += [number] * len(label_ids) + [0]
    with torch.no_grad():
        module = load_joint_model(folder)
        logits = module(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long), torch.tensor([marks]))
    return logits.logits[0].numpy()


def scores(result, labels):
    found = {entry.label: entry.score for entry in result.labels}
    return np.array([found[label] for label in labels])


@pytest.mark.parametrize("backend", ["onnx", "torch"])
@pytest.mark.parametrize("scoring_method", ["bilinear", "cosine"])
@pytest.mark.parametrize("family", ["deberta-v2", "bert", "roberta"])
def test_scores_are_the_torch_modules(save_gliznet, family, scoring_method, backend):
    folder = save_gliznet(family, scoring_method=scoring_method)
    model = labelwise.load(folder, backend=backend)
    assert model.tasks == {"classify"}
    logits = forward(folder, model, TEXT, LABELS)
    assert np.ptp(logits) > 0.05
    several = model.classify(TEXT, LABELS, multi_label=True)
    one = model.classify(TEXT, LABELS)
    np.testing.assert_allclose(scores(several, LABELS), sigmoid(logits), atol=1e-5)
    np.testing.assert_allclose(scores(one, LABELS), softmax(logits), atol=1e-5)
    assert several.windows_read == 1


def test_a_backbone_without_a_builder_is_exported_and_equals_torch(save_gliznet):
    pytest.importorskip("onnxscript")
    folder = save_gliznet("modernbert")
    model = labelwise.load(folder)
    logits = forward(folder, model, TEXT, LABELS)
    result = model.classify(TEXT, LABELS, multi_label=True)
    np.testing.assert_allclose(scores(result, LABELS), sigmoid(logits), atol=1e-5)


def test_texts_with_different_numbers_of_labels_share_a_batch_without_a_trace(save_gliznet):
    model = labelwise.load(save_gliznet())
    texts = [TEXT, "praise", "the world", TEXT]
    sets = [LABELS, LABELS[:1], LABELS[1:3], [*LABELS, "charge"]]
    together = model.classify(texts, sets, multi_label=True)
    for text, labels, result in zip(texts, sets, together, strict=True):
        alone = model.classify(text, labels, multi_label=True)
        np.testing.assert_allclose(scores(result, labels), scores(alone, labels), atol=1e-5)


def test_a_thousand_labels_all_get_a_score_and_share_one_softmax(save_gliznet):
    model = labelwise.load(save_gliznet())
    labels = [f"card {number}" for number in range(1000)]
    result = model.classify(TEXT, labels)
    assert {entry.label for entry in result.labels} == set(labels)
    assert sum(entry.score for entry in result.labels) == pytest.approx(1.0)
    assert result.windows_read == 1
    assert not result.was_truncated


def test_a_set_over_max_labels_is_split_evenly_and_raw_logits_are_joined(save_gliznet):
    folder = save_gliznet(max_labels=3)
    model = labelwise.load(folder)
    labels = [*LABELS, "praise"]
    joined = np.concatenate(
        [forward(folder, model, TEXT, labels[:3]), forward(folder, model, TEXT, labels[3:])]
    )
    np.testing.assert_allclose(scores(model.classify(TEXT, labels), labels), softmax(joined), atol=1e-5)


def test_labels_that_crowd_the_text_out_are_split_and_nothing_is_cut(save_gliznet):
    model = labelwise.load(save_gliznet(window=48))
    labels = [f"the late parcel {number}" for number in range(12)]
    result = model.classify("match " * 20, labels, truncation="error")
    assert len(result.labels) == 12
    assert result.num_tokens == 20


def test_a_long_text_is_read_in_windows(save_gliznet):
    model = labelwise.load(save_gliznet(window=48))
    result = model.classify("match " * 300, LABELS, multi_label=True)
    assert result.windows_read > 5
    assert not result.was_truncated
    with pytest.raises(TextTooLongError, match="text 1 has 300 tokens"):
        model.classify("match " * 300, LABELS, truncation="error")


def test_a_label_that_leaves_no_room_is_refused_by_name(save_gliznet):
    model = labelwise.load(save_gliznet(window=48))
    with pytest.raises(TextTooLongError, match=r"label 'card card.*\.\.\.' has 60 tokens.*shorten it"):
        model.classify(TEXT, ["sports", "card " * 60])


def test_with_several_label_orders_the_given_order_plays_no_part(save_gliznet):
    model = labelwise.load(save_gliznet(max_labels=3))
    labels = [*LABELS, "praise"]
    given_order = scores(model.classify(TEXT, labels, label_orders=3), labels)
    reversed_order = scores(model.classify(TEXT, labels[::-1], label_orders=3), labels)
    np.testing.assert_allclose(given_order, reversed_order, atol=1e-5)
    once = scores(model.classify(TEXT, labels), labels)
    backwards = scores(model.classify(TEXT, labels[::-1]), labels)
    assert np.abs(once - backwards).max() > 1e-4


@pytest.mark.parametrize("orders", [0, -1, 1.5, True])
def test_label_orders_without_meaning_are_refused(save_gliznet, orders):
    with pytest.raises(InputError, match="label_orders"):
        labelwise.load(save_gliznet()).classify(TEXT, LABELS, label_orders=orders)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.sampled_from(["", "card ", "x"]), name=st.sampled_from(["[LAB]", "[SEP]", "[CLS]", "[MASK]"])
)
def test_control_names_in_texts_and_labels_are_only_characters(save_gliznet, before, name):
    folder = save_gliznet()
    model = labelwise.load(folder)
    text, labels = f"{before}{name} the match", [f"{name} news", f"sports{name}", "praise"]
    for piece in (text, *labels):
        ids = set(model.tokenizer.encode(piece).ids.tolist())
        assert not model.tokenizer.control.forbidden_ids & ids
    logits = forward(folder, model, text, labels)
    assert len(logits) == 3
    result = model.classify(text, labels, multi_label=True)
    np.testing.assert_allclose(scores(result, labels), sigmoid(logits), atol=1e-5)


def test_nested_and_described_labels_and_a_template_work_as_elsewhere(save_gliznet):
    model = labelwise.load(save_gliznet())
    nested = model.classify(TEXT, {"news": ["sports", "world"], "late parcel": None})
    assert sum(entry.score for entry in nested.labels) == pytest.approx(1.0)
    described = model.classify(TEXT, {"a": "late parcel", "b": "world news"}, multi_label=True)
    plain = model.classify(TEXT, ["late parcel", "world news"], multi_label=True)
    np.testing.assert_allclose(
        scores(described, ["a", "b"]), scores(plain, ["late parcel", "world news"]), atol=1e-6
    )
    filled = model.classify(TEXT, ["parcel", "news"], hypothesis_template="the {}", multi_label=True)
    assert np.abs(scores(filled, ["parcel", "news"]) - scores(plain, ["late parcel", "world news"])).max() > 0


@pytest.mark.parametrize("fused", [True, False])
def test_8_bit_weights_stay_close(save_gliznet, fused):
    from labelwise.backends.heads import HeadOutputs
    from labelwise.backends.onnx import OnnxBackend, start_session
    from labelwise.checkpoints import open_checkpoint, read_tensors
    from labelwise.graphs import build_graph

    folder = save_gliznet()
    checkpoint = open_checkpoint(folder)
    graph = build_graph(
        checkpoint.config, read_tensors(checkpoint), head="joint-labels", fused=fused, weights="int8"
    )
    session = start_session(graph.SerializeToString(), threads=1)
    eight_bit = OnnxBackend(session, head=HeadOutputs.of(checkpoint), pad_id=0)
    model = labelwise.load(folder)
    encode = model.tokenizer.encode
    row = model.layout.assemble(encode(TEXT).ids, [encode(label).ids for label in LABELS])
    (close,), (exact,) = eight_bit.run([row]), model.backend.run([row])
    assert 0 < np.abs(close - exact).max() < 0.1 * np.ptp(exact) + 0.05


def test_openvino_gives_the_same_scores(save_gliznet):
    pytest.importorskip("openvino")
    folder = save_gliznet()
    standard = labelwise.load(folder, backend="openvino").classify(TEXT, LABELS)
    fused = labelwise.load(folder).classify(TEXT, LABELS)
    np.testing.assert_allclose(scores(standard, LABELS), scores(fused, LABELS), atol=1e-5)


def test_a_tokenizer_of_another_model_is_refused(save_gliznet):
    import json

    folder = save_gliznet()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"lab_token_id": 7}))
    with pytest.raises(CheckpointError, match=r"\[LAB\] has id .* and 7 in config"):
        labelwise.load(folder)


def test_longer_rows_than_the_position_table_equal_torch_for_relative_positions(save_gliznet):
    folder = save_gliznet(window=300)
    model = labelwise.load(folder)
    assert model.layout.max_tokens == 300
    text = "the match late card " * 50
    logits = forward(folder, model, text, LABELS)
    np.testing.assert_allclose(
        scores(model.classify(text, LABELS, multi_label=True), LABELS), sigmoid(logits), atol=1e-5
    )


def test_absolute_positions_bound_the_window(save_gliznet):
    assert labelwise.load(save_gliznet("bert", window=300)).layout.max_tokens == 160
    folder = save_gliznet("roberta", window=300)
    assert labelwise.load(folder).layout.max_tokens == 159
