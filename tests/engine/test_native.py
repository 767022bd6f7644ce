"""The library's own parts against numpy, at sizes that fit no vector."""

import math
import threading

import numpy as np
import pytest

from labelwise.engine.native import (
    ATTENTION_OUTPUT,
    DOWN,
    QUERY_KEY_VALUE,
    UP,
    EncoderShape,
    NativeEncoder,
    PackedBatch,
    WordTable,
)
from labelwise.engine.small_weights import shrink_weight
from labelwise.errors import BackendError

ERF = np.vectorize(math.erf)
REFERENCES = {
    "none": lambda x: x,
    "gelu": lambda x: 0.5 * x * (1 + ERF(x / math.sqrt(2))),
    "gelu_new": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
}


def empty_encoder(*, tops=1, threads=1):
    return NativeEncoder(EncoderShape(8, 1, 8, 1, 1e-7, tops), threads=threads)


@pytest.mark.parametrize(("rows", "size_in", "size_out"), [(1, 1, 1), (13, 7, 33), (50, 40, 100)])
def test_a_linear_layer_is_a_product_and_a_bias(each_set, rows, size_in, size_out):
    random = np.random.default_rng(0)
    weight = random.normal(size=(size_out, size_in)).astype(np.float32)
    bias = random.normal(size=size_out).astype(np.float32)
    x = random.normal(size=(rows, size_in)).astype(np.float32)
    encoder = empty_encoder()
    encoder.set_top(0, weight, bias)
    np.testing.assert_allclose(encoder.apply_top(0, x), x @ weight.T + bias, atol=1e-4)


@pytest.mark.parametrize("name", REFERENCES)
def test_activations_are_those_of_their_names(each_set, name):
    x = np.concatenate([np.linspace(-12, 12, 500), [-90.0, 90.0, 0.0]]).astype(np.float32)[:, None]
    encoder = empty_encoder()
    encoder.set_top(0, np.ones((1, 1), np.float32), np.zeros(1, np.float32), name)
    np.testing.assert_allclose(encoder.apply_top(0, x), REFERENCES[name](x.astype(np.float64)), atol=2e-6)


@pytest.mark.parametrize(("rows", "size_in", "size_out"), [(1, 5, 3), (13, 130, 40), (31, 300, 70)])
def test_an_8_bit_layer_rounds_each_row_and_group_by_itself(each_set, rows, size_in, size_out):
    random = np.random.default_rng(1)
    weight = random.normal(size=(size_out, size_in)).astype(np.float32)
    x = (random.normal(size=(rows, size_in)) * 10.0 ** random.integers(-2, 3, (rows, 1))).astype(np.float32)
    x[0] = 0.0
    bias = random.normal(size=size_out).astype(np.float32)
    small = shrink_weight(weight, group_size=128)
    encoder = empty_encoder()
    encoder.set_top(0, small, bias)
    expected = np.tile(bias.astype(np.float64), (rows, 1))
    for number, first in enumerate(range(0, size_in, 128)):
        part = x[:, first : first + 128]
        low, high = np.minimum(part.min(1), 0), np.maximum(part.max(1), 0)
        scale = np.maximum((high - low) / 255, 1e-30)[:, None]
        zero = np.rint(-low[:, None] / scale)
        integers = np.clip(np.rint(part / scale) + zero, 0, 255) - zero
        products = integers @ small.integers[:, first : first + 128].T.astype(np.float64)
        expected += products * scale * small.scales[:, number]
    # A number halfway between two steps may go either way.
    tolerance = 0.004 * np.abs(x).max(axis=1, keepdims=True) * np.abs(weight).max() + 1e-5
    assert (np.abs(encoder.apply_top(0, x) - expected) <= tolerance).all()


def random_encoder(*, threads=1, layers=2, heads=3, hidden=24, inner=40):
    """An encoder with absolute positions, and the numpy function that it is."""
    random = np.random.default_rng(5)

    def draw(*shape, scale=0.3):
        return random.normal(size=shape).astype(np.float32) * np.float32(scale)

    encoder = NativeEncoder(EncoderShape(hidden, heads, inner, layers, 1e-7, 0), threads=threads)
    words, positions, norm = draw(50, hidden), draw(300, hidden), (1 + draw(hidden), draw(hidden))
    encoder.set_embeddings(WordTable(words), positions=positions, types=None, norm=norm)
    stack = []
    for layer in range(layers):
        sizes = {
            QUERY_KEY_VALUE: (3 * hidden, hidden),
            ATTENTION_OUTPUT: (hidden, hidden),
            UP: (inner, hidden),
            DOWN: (hidden, inner),
        }
        parts = {which: (draw(*size), draw(size[0])) for which, size in sizes.items()}
        norms = [(1 + draw(hidden), draw(hidden)) for _ in range(2)]
        for which, (weight, bias) in parts.items():
            encoder.set_layer(layer, which, weight, bias, "relu" if which == UP else "none")
        encoder.set_norms(layer, *norms)
        stack.append((parts, norms))

    def normed(x, weight, bias):
        centred = x - x.mean(-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-7) * weight + bias

    def reference(ids, segments):
        x = normed(words[ids].astype(np.float64) + positions[: len(ids)], *norm)
        is_seen = (segments[None] == 0) | (segments[None] == segments[:, None])
        for parts, norms in stack:
            qkv = x @ parts[QUERY_KEY_VALUE][0].T + parts[QUERY_KEY_VALUE][1]
            query, key, value = (part.reshape(len(ids), heads, -1) for part in np.split(qkv, 3, axis=1))
            scores = np.where(is_seen, np.einsum("qhd,khd->hqk", query, key), -np.inf)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            context = np.einsum("hqk,khd->qhd", weights, value).reshape(len(ids), -1)
            x = normed(x + context @ parts[ATTENTION_OUTPUT][0].T + parts[ATTENTION_OUTPUT][1], *norms[0])
            inside = np.maximum(x @ parts[UP][0].T + parts[UP][1], 0)
            x = normed(x + inside @ parts[DOWN][0].T + parts[DOWN][1], *norms[1])
        return x

    return encoder, reference


def packed(rows, *, segments=None, kept=None):
    offsets = np.cumsum([0, *map(len, rows)])
    return PackedBatch(
        offsets=offsets,
        ids=np.concatenate(rows),
        positions=np.concatenate([np.arange(len(row)) for row in rows]),
        segments=segments,
        kept=kept,
    )


def some_rows(*lengths):
    random = np.random.default_rng(2)
    return [random.integers(0, 50, length) for length in lengths]


def test_a_packed_batch_gives_each_sequence_what_it_gives_alone(each_set):
    encoder, reference = random_encoder()
    rows = some_rows(1, 33, 100, 7)
    expected = np.concatenate([reference(row, np.zeros(len(row))) for row in rows])
    np.testing.assert_allclose(encoder.run(packed(rows)), expected, atol=2e-5)


def test_a_token_sees_the_text_and_its_own_segment(each_set):
    encoder, reference = random_encoder()
    rows = some_rows(40, 9)
    segments = [np.repeat([0, 1, 2, 3], [25, 5, 3, 7]), np.repeat([0, 4], [4, 5])]
    expected = np.concatenate([reference(row, part) for row, part in zip(rows, segments, strict=True)])
    states = encoder.run(packed(rows, segments=np.concatenate(segments)))
    np.testing.assert_allclose(states, expected, atol=2e-5)


@pytest.mark.parametrize("threads", [1, 2])
def test_no_rows_give_no_states(engine, threads):
    encoder, _ = random_encoder(threads=threads)
    assert len(encoder.run(packed(some_rows(9), kept=np.array([], np.int64)))) == 0
    top = empty_encoder(threads=threads)
    top.set_top(0, np.ones((3, 8), np.float32), np.zeros(3, np.float32))
    assert top.apply_top(0, np.zeros((0, 8), np.float32)).shape == (0, 3)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_kept_rows_are_rows_of_the_whole(engine, threads):
    encoder, _ = random_encoder(threads=threads)
    rows = some_rows(50, 1, 140, 30)
    kept = np.array([0, 7, 8, 50, 51, 190, 191, 220])
    whole = encoder.run(packed(rows))
    np.testing.assert_allclose(encoder.run(packed(rows, kept=kept)), whole[kept], atol=1e-5)


def test_calls_at_the_same_time_do_not_disturb_each_other(engine):
    encoder, reference = random_encoder(threads=2)
    rows = [some_rows(20 + 10 * number, 90) for number in range(4)]
    expected = [np.concatenate([reference(row, np.zeros(len(row))) for row in pair]) for pair in rows]
    wrong = []

    def work(number):
        for _ in range(20):
            difference = np.abs(encoder.run(packed(rows[number])) - expected[number]).max()
            if difference > 2e-5:
                wrong.append(difference)

    callers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


def test_a_token_outside_the_table_is_refused(engine):
    encoder, _ = random_encoder()
    with pytest.raises(BackendError, match="not in the model's tables"):
        encoder.run(packed([np.array([3, 50])]))
    with pytest.raises(BackendError, match="not in the model's tables"):
        encoder.run(packed([np.zeros(301, np.int64)]))


def test_words_may_be_stored_in_half_the_bits(engine):
    """Each number becomes the float32 that it stands for: small, infinite and odd ones too."""
    every_bits = np.arange(0x10000, dtype=np.uint32).astype(np.uint16)
    halves = every_bits[np.isfinite(every_bits.view(np.float16))]
    bfloats = (every_bits.astype(np.uint32) << 16).view(np.float32)
    bfloats = every_bits[np.isfinite(bfloats) & (np.abs(bfloats) < 1e15)]
    for table in (halves.view(np.float16), bfloats):
        table = table[: len(table) // 8 * 8].reshape(-1, 8)
        words = WordTable(table)
        ids = np.arange(len(table))
        wide = words.vectors(ids)
        np.testing.assert_array_equal(first_states(words, ids), first_states(WordTable(wide), ids))
    assert WordTable(np.array([[1.5, 65504.0]], np.float16)).vectors(np.array([0])).tolist() == [[1.5, 65504]]


def test_a_table_may_begin_at_an_odd_byte(engine):
    table = np.random.default_rng(0).normal(size=(9, 8)).astype(np.float16)
    shifted = np.frombuffer(b"x" + table.tobytes(), dtype=np.uint8)[1:].view(np.float16).reshape(9, 8)
    assert not shifted.flags.aligned
    ids = np.arange(9)
    np.testing.assert_array_equal(
        first_states(WordTable(shifted), ids), first_states(WordTable(table.astype(np.float32)), ids)
    )


def test_words_in_eight_bits_have_a_scale_each(engine):
    random = np.random.default_rng(0)
    table, scales = random.integers(-127, 128, (9, 8)).astype(np.int8), random.uniform(1, 2, 9)
    small, ids = WordTable(table, scales.astype(np.float32)), np.arange(9)
    np.testing.assert_array_equal(first_states(small, ids), first_states(WordTable(small.vectors(ids)), ids))


def first_states(words, ids):
    """Run an encoder whose only layer adds nothing: its states are the words' vectors, normed."""
    encoder = empty_encoder()
    ones, zeros = np.ones(8, np.float32), np.zeros(8, np.float32)
    encoder.set_embeddings(words, positions=None, types=None, norm=(ones, zeros))
    for which, size_out in ((QUERY_KEY_VALUE, 24), (ATTENTION_OUTPUT, 8), (UP, 8), (DOWN, 8)):
        encoder.set_layer(0, which, np.zeros((size_out, 8), np.float32), np.zeros(size_out, np.float32))
    encoder.set_norms(0, (ones, zeros), (ones, zeros))
    return np.concatenate(
        [encoder.run(PackedBatch(offsets=np.array([0, len(part)]), ids=part)) for part in np.split(ids, [5])]
    )
