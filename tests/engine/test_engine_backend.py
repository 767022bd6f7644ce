"""The engine backend against torch and onnxruntime."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from labelwise.backends import open_backend
from labelwise.backends.engine import EngineBackend
from labelwise.backends.graph_source import graph_of
from labelwise.backends.views import HeadView
from labelwise.checkpoints import open_checkpoint
from labelwise.engine.native import NativeEncoder
from labelwise.engine.onnx_weights import OnnxWeights
from labelwise.errors import CheckpointError, InputError
from labelwise.text.sequence import TokenSequence

LENGTHS = ((1,), (2, 1), (9,), (37, 5), (100, 64, 2), (17, 16, 15, 33, 31, 32))
HEADS = ("SequenceClassification", "QuestionAnswering")


def assert_same(ours, theirs, *, tolerance=1e-4):
    for mine, expected in zip(ours, theirs, strict=True):
        is_real = np.isfinite(expected)
        assert mine.dtype == np.float32
        np.testing.assert_array_equal(np.isneginf(mine), ~is_real)
        np.testing.assert_allclose(mine[is_real], expected[is_real], atol=tolerance)
        assert expected[is_real].std() > 1e-3 or is_real.sum() < 4


@pytest.mark.parametrize("family", ["deberta-v2", "bert", "roberta"])
@pytest.mark.parametrize("head", HEADS)
def test_logits_equal_torchs(each_set, tiny, rows, family, head):
    checkpoint = tiny(family, head=head)
    ours = EngineBackend.open(checkpoint, threads=2)
    theirs = open_backend(checkpoint, backend="torch")
    for lengths in LENGTHS:
        batch = rows(lengths, types=family == "bert")
        assert_same(ours.run(batch), theirs.run(batch))


@pytest.mark.parametrize(
    "changes",
    [
        {"pos_att_type": ["c2p"]},
        {"pos_att_type": ["p2c"]},
        {"pos_att_type": []},
        {"relative_attention": False, "position_biased_input": True},
        {"share_att_key": False},
        {"position_buckets": -1},
        {"norm_rel_ebd": "none"},
        {"position_biased_input": True},
        {"type_vocab_size": 2},
        {"hidden_act": "gelu_new", "pooler_hidden_act": "tanh"},
    ],
    ids=lambda changes: ",".join(changes),
)
def test_settings_of_deberta_are_followed(engine, tiny, rows, changes):
    checkpoint = tiny("deberta-v2", config=changes)
    batch = rows((50, 3, 81), types="type_vocab_size" in changes)
    theirs = open_backend(checkpoint, backend="onnx", threads=1)
    assert_same(EngineBackend.open(checkpoint, threads=1).run(batch), theirs.run(batch))


def test_texts_longer_than_any_before_read_the_outermost_distances(engine, tiny, rows):
    checkpoint = tiny("deberta-v2")
    ours = EngineBackend.open(checkpoint, threads=1)
    theirs = open_backend(checkpoint, backend="onnx", threads=1)
    for lengths in ((5,), (700, 20), (1300,)):
        batch = rows(lengths)
        assert_same(ours.run(batch), theirs.run(batch))


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_the_answer_does_not_depend_on_the_neighbours_in_the_batch(engine, tiny, rows, dtype):
    backend = EngineBackend.open(tiny("deberta-v2"), threads=2, dtype=dtype)
    batch = rows((80, 3, 41, 200, 7))
    (together,) = backend.run(batch)
    alone = np.concatenate([backend.run([row])[0] for row in batch])
    np.testing.assert_allclose(together, alone, atol=1e-5 if dtype == "float32" else 2e-3)


def test_many_threads_may_call_at_once(engine, tiny, rows):
    backend = EngineBackend.open(tiny("bert"), threads=2)
    batches = [rows((number + 3, 40)) for number in range(8)]
    expected = [backend.run(batch)[0] for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        for got, wanted in zip(pool.map(backend.run, batches * 5), expected * 5, strict=True):
            np.testing.assert_allclose(got[0], wanted, atol=1e-5)


def test_no_rows_give_no_logits(engine, tiny):
    assert EngineBackend.open(tiny("bert")).run([])[0].shape == (0, 3)


def test_eight_bits_stay_near_float32(each_set, tiny, rows):
    checkpoint = tiny("bert")
    batch = rows((60, 21, 33), types=True)
    (exact,) = EngineBackend.open(checkpoint, threads=1).run(batch)
    (small,) = EngineBackend.open(checkpoint, threads=1, dtype="int8").run(batch)
    assert 0 < np.abs(small - exact).max() < 0.1 * exact.std()


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("deberta-v2", {"conv_kernel_size": 3, "conv_act": "gelu"}),
        ("deberta-v2", {"embedding_size": 16}),
        ("bert", {"hidden_act": "mish"}),
        ("distilbert", {}),
    ],
)
def test_what_the_engine_does_not_know_is_refused(engine, tiny, family, changes):
    with pytest.raises(CheckpointError):
        EngineBackend.open(tiny(family, config=changes))


def test_what_the_engine_refuses_goes_to_onnxruntime_unless_the_engine_is_asked_for(engine, tiny):
    checkpoint = tiny("deberta-v2", config={"conv_kernel_size": 3, "conv_act": "gelu"})
    assert open_backend(checkpoint).name == "onnx"
    with pytest.raises(CheckpointError, match="conv_kernel_size"):
        open_backend(checkpoint, backend="engine")


def test_other_position_types_are_refused(engine, save_tiny):
    folder = save_tiny("bert")
    config = json.loads((folder / "config.json").read_text())
    config["position_embedding_type"] = "relative_key"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="relative_key"):
        EngineBackend.open(open_checkpoint(folder))


def test_auto_takes_the_engine_where_it_is(engine, tiny, monkeypatch):
    checkpoint = tiny("bert")
    assert open_backend(checkpoint).name == "engine"
    monkeypatch.setenv("LABELWISE_NO_ENGINE", "1")
    assert open_backend(checkpoint).name == "onnx"


def test_int8_is_the_engines_alone(engine, tiny):
    checkpoint = tiny("bert")
    assert open_backend(checkpoint, dtype="int8").name == "engine"
    with pytest.raises(InputError, match="engine"):
        open_backend(checkpoint, backend="onnx", dtype="int8")


def test_the_bundled_model_runs_in_the_engine_with_its_own_weights(engine, rows):
    checkpoint = open_checkpoint("bundled")
    ours, theirs = open_backend(checkpoint, threads=1), open_backend(checkpoint, backend="onnx", threads=1)
    assert (ours.name, theirs.name) == ("engine", "onnx")
    random = np.random.default_rng(0)
    batch = [TokenSequence(random.integers(1000, 20000, length)) for length in (12, 40, 25, 9)]
    for mine, expected in zip(ours.run(batch)[1:], theirs.run(batch)[1:], strict=True):
        real = np.isfinite(expected)
        assert np.abs(mine[real] - expected[real]).max() < 0.15  # both round to 8 bits, differently
        assert expected[real].std() > 0.3  # far apart enough that a difference of that size would show


def test_an_8_bit_file_gives_its_weights_back(tiny, tmp_path):
    from labelwise.checkpoints.weights import read_tensors
    from labelwise.graphs import build_graph

    checkpoint = tiny("bert", config={"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4})
    tensors = read_tensors(checkpoint)
    graph = build_graph(checkpoint.config, tensors, head="sequence-classification", weights="int8")
    file = tmp_path / "small.onnx"
    file.write_bytes(graph.SerializeToString())
    read = OnnxWeights(file, score_factor=16**-0.5)
    for name, tensor in tensors.items():
        if name.endswith("position_ids"):
            continue
        found = read[name]
        assert found.shape == tensor.shape, name
        assert np.abs(found - tensor).max() <= np.abs(tensor).max() / 127, name


def test_a_graph_of_others_is_not_read(tiny, tmp_path):
    graph = graph_of(tiny("bert"), fused=True)
    with pytest.raises(CheckpointError, match="8-bit graph"):
        OnnxWeights(graph, score_factor=1.0)


def label_row(random, text, labels):
    """Make a row of a text and its labels, as the multi-task model reads it."""
    counts = [int(random.integers(1, 4)) for _ in range(labels)]
    segments = np.repeat(np.arange(labels + 1), [text, *counts])
    return TokenSequence(
        random.integers(5, 40, len(segments)),
        segment_ids=segments,
        position_ids=np.concatenate([np.arange(text), *(text + np.arange(count) for count in counts)]),
        label_positions=text + np.cumsum([0, *counts])[:-1],
    )


def test_the_multitask_model_gives_what_onnxruntime_gives(each_set, multitask):
    random = np.random.default_rng(3)
    ours = EngineBackend.open(multitask, threads=2)
    theirs = open_backend(multitask, backend="onnx", threads=1)
    for batch in (
        [label_row(random, 20, 5)],
        [label_row(random, 30, 9), label_row(random, 6, 2), label_row(random, 17, 0)],
    ):
        assert_same(ours.run(batch), theirs.run(batch))


@pytest.mark.parametrize("backend", ["engine", "onnx"])
@pytest.mark.parametrize("threads", [1, 2])
def test_each_head_alone_says_what_it_says_beside_the_others(engine, multitask, rows, backend, threads):
    random = np.random.default_rng(5)
    opened = open_backend(multitask, backend=backend, threads=threads)
    labels = [label_row(random, 20 + 5 * number, number) for number in range(9)]
    pairs = [TokenSequence(row.ids % 40) for row in rows((7, 31, 60))]
    for batch, view, places in (
        (labels, HeadView.for_labels(opened), [0]),
        (pairs, HeadView.for_labels(opened), [0]),
        (pairs, HeadView.for_pairs(opened), [1]),
        (labels, HeadView.for_pairs(opened), [1]),
        (pairs, HeadView.for_answers(opened), [2, 3]),
    ):
        whole = opened.run(batch)
        found = view.run(batch)
        assert len(found) == len(places)
        for mine, place in zip(found, places, strict=True):
            np.testing.assert_allclose(mine, whole[place], atol=1e-5)


def test_a_head_that_nobody_asked_for_does_not_run(engine, multitask, rows, monkeypatch):
    backend = EngineBackend.open(multitask, threads=1)
    kept, run = [], NativeEncoder.run
    monkeypatch.setattr(NativeEncoder, "run", lambda self, batch: kept.append(batch.kept) or run(self, batch))
    batch = [TokenSequence(row.ids % 40) for row in rows((7, 31))]
    HeadView.for_pairs(backend).run(batch)
    HeadView.for_answers(backend).run(batch)
    (labels,) = HeadView.for_labels(backend).run([label_row(np.random.default_rng(1), 9, 3)])
    assert kept[0].tolist() == [0, 7]
    assert kept[1] is None
    assert kept[2].tolist()[:9] == list(range(9))
    assert len(kept[2]) == 9 + labels.shape[1]
