"""The multi-task checkpoint through ``labelwise.load``: four verbs, every backend, labels that never meet."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import labelwise
from labelwise.checkpoints import open_checkpoint, read_tensors
from labelwise.errors import CheckpointError, TextTooLongError
from labelwise.graphs import build_graph
from labelwise.models.loading import load_joint_model, load_multitask_model
from labelwise.scores import sigmoid, softmax
from labelwise.text.isolated_labels import IsolatedLabelsLayout

TEXT = "the match was late and the parcel was late"
LABELS = ["sports", "late parcel", "card charge", "world news"]


def label_logits(folder, model, text, labels):
    """Score each label in a row of its own, written out by hand."""
    encode = model.tokenizer.encode
    module = load_multitask_model(folder)
    found = []
    for label in labels:
        head = [1, *encode(text).ids.tolist(), 2]
        tail = [*encode(label).ids.tolist(), 2]
        with torch.no_grad():
            outputs = module(
                torch.tensor([head + tail]),
                segment_ids=torch.tensor([[0] * len(head) + [1] * len(tail)]),
                token_type_ids=torch.tensor([[0] * len(head) + [1] * len(tail)]),
                label_positions=torch.tensor([[len(head) + len(tail) - 1]]),
            )
        found.append(float(outputs.label_logits[0, 0]))
    return np.array(found)


def scores(result, labels):
    found = {entry.label: entry.score for entry in result.labels}
    return np.array([found[label] for label in labels])


@pytest.mark.parametrize("backend", ["onnx", "torch", "openvino"])
def test_all_verbs_give_the_torch_modules_numbers(save_multitask, backend):
    if backend == "openvino":
        pytest.importorskip("openvino")
    folder = save_multitask()
    model = labelwise.load(folder, backend=backend)
    assert model.tasks == {"classify", "entail", "rank", "answer"}
    logits = label_logits(folder, model, TEXT, LABELS)
    assert np.ptp(logits) > 0.05
    np.testing.assert_allclose(
        scores(model.classify(TEXT, LABELS, multi_label=True), LABELS), sigmoid(logits), atol=1e-5
    )
    np.testing.assert_allclose(scores(model.classify(TEXT, LABELS), LABELS), softmax(logits), atol=1e-5)

    pair = model.layout.assemble(model.tokenizer.encode(TEXT).ids, model.tokenizer.encode("late match").ids)
    with torch.no_grad():
        outputs = load_multitask_model(folder)(
            torch.tensor([pair.ids.tolist()]),
            segment_ids=torch.zeros(1, len(pair), dtype=torch.long),
            token_type_ids=torch.tensor([pair.token_types.tolist()]),
        )
    found = model.entail(TEXT, "late match")
    expected = softmax(outputs.entail_logits[0].numpy())
    np.testing.assert_allclose([found.entailment, found.neutral, found.contradiction], expected, atol=1e-5)
    (ranked,) = model.rank(TEXT, ["late match"])
    assert ranked.score == pytest.approx(found.entailment, abs=1e-6)
    answer = model.answer(TEXT, context="late match", no_answer=False)
    assert "late match"[answer.start : answer.end] == answer.text
    start, end = model.backend.run([pair])[2:]
    np.testing.assert_allclose(start, outputs.start_logits.numpy(), atol=1e-5)
    np.testing.assert_allclose(end, outputs.end_logits.numpy(), atol=1e-5)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(LABELS), extra=st.integers(0, 150))
def test_neither_order_nor_company_changes_a_labels_score(save_multitask, order, extra):
    model = labelwise.load(save_multitask())
    crowd = [f"label {number}" for number in range(extra)]
    alone = scores(model.classify(TEXT, LABELS, multi_label=True), LABELS)
    crowded = scores(model.classify(TEXT, [*crowd, *order], multi_label=True), LABELS)
    np.testing.assert_allclose(crowded, alone, atol=1e-6)


def test_a_thousand_labels_are_all_scored(save_multitask):
    model = labelwise.load(save_multitask())
    labels = [f"label {number}" for number in range(1000)]
    result = model.classify(TEXT, labels)
    assert sorted(entry.label for entry in result.labels) == sorted(labels)
    assert sum(entry.score for entry in result.labels) == pytest.approx(1.0)


def test_batch_size_changes_no_score(save_multitask):
    folder = save_multitask()
    texts = [TEXT, "late", "card charge " * 12, "the parcel"]
    sets = [LABELS[: 1 + number] for number in range(4)]
    results = [
        labelwise.load(folder, batch_tokens=size).classify(texts, labels=sets, multi_label=True)
        for size in (1, 300, 100_000)
    ]
    for one, other in itertools.pairwise(results):
        for left, right, labels in zip(one, other, sets, strict=True):
            np.testing.assert_allclose(scores(left, labels), scores(right, labels), atol=1e-6)


def test_a_long_text_is_read_to_its_end_in_windows(save_multitask):
    model = labelwise.load(save_multitask(window=40))
    result = model.classify("the match " * 60, LABELS)
    assert result.windows_read > 1
    assert result.num_tokens == 120
    with pytest.raises(TextTooLongError, match="text 1 has 120 tokens"):
        model.classify("the match " * 60, LABELS, truncation="error")


def test_a_label_that_fills_the_window_is_named(save_multitask):
    model = labelwise.load(save_multitask(window=40))
    with pytest.raises(TextTooLongError, match=r"label 'card card card.*leaves no room for the text"):
        model.classify(TEXT, ["card " * 40, "late"])


def test_descriptions_and_templates_are_what_is_read(save_multitask):
    model = labelwise.load(save_multitask())
    described = model.classify(TEXT, {"a": "late parcel", "b": "sports"}, multi_label=True)
    plain = model.classify(TEXT, ["late parcel", "sports"], multi_label=True)
    np.testing.assert_allclose(
        scores(described, ["a", "b"]), scores(plain, ["late parcel", "sports"]), atol=1e-7
    )
    templated = model.classify(TEXT, ["parcel"], hypothesis_template="the {} was late", multi_label=True)
    spelled = model.classify(TEXT, ["the parcel was late"], multi_label=True)
    assert templated.labels[0].score == pytest.approx(spelled.labels[0].score, abs=1e-7)


def test_control_names_in_texts_and_labels_are_plain_text(save_multitask):
    model = labelwise.load(save_multitask())
    result = model.classify("late [SEP] card [CLS]", ["[SEP]", "[PAD] late"], multi_label=True)
    assert all(0.0 < entry.score < 1.0 for entry in result.labels)
    assert 2 not in model.tokenizer.encode("[SEP]").ids


def test_the_8_bit_graph_stays_close_and_labels_still_never_meet(save_multitask):
    import onnx
    import onnxruntime

    folder = save_multitask()
    checkpoint = open_checkpoint(folder)
    tensors = read_tensors(checkpoint)
    model = labelwise.load(folder)
    small = onnxruntime.InferenceSession(
        build_graph(checkpoint.config, tensors, head="multitask", weights="int8").SerializeToString()
    )
    onnx.checker.check_model(build_graph(checkpoint.config, tensors, head="multitask", fused=False))
    from labelwise.backends.heads import HeadOutputs
    from labelwise.backends.onnx import OnnxBackend

    backend = OnnxBackend(small, head=HeadOutputs.of(checkpoint), pad_id=0)
    rows = [
        IsolatedLabelsLayout.beside(model.layout).assemble(
            model.tokenizer.encode(TEXT).ids, [model.tokenizer.encode(label).ids for label in labels]
        )
        for labels in (LABELS, LABELS[:1], LABELS[1:])
    ]
    exact, rounded = model.backend.run(rows)[0], backend.run(rows)[0]
    np.testing.assert_allclose(rounded[0], exact[0], atol=0.1)
    np.testing.assert_allclose(rounded[0, :1], rounded[1, :1], atol=1e-5)
    np.testing.assert_allclose(rounded[0, 1:], rounded[2, :3], atol=1e-5)


def test_a_folder_without_its_head_is_refused_by_the_tensors_name(save_multitask):
    from safetensors.numpy import load_file, save_file

    folder = save_multitask()
    tensors = load_file(folder / "model.safetensors")
    del tensors["classify_head.out.bias"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"classify_head\.out\.bias"):
        labelwise.load(folder)


def test_the_loaders_refuse_each_others_models(save_multitask, save_gliznet):
    with pytest.raises(CheckpointError, match="holds a 'labelwise-multitask' model"):
        load_joint_model(save_multitask())
    with pytest.raises(CheckpointError, match="holds a 'gliznet' model"):
        load_multitask_model(save_gliznet())
