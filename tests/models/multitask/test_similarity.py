import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from labelwise.models.multitask.similarity import LexicalSimilarity
from labelwise.training.multitask.similarity import token_rarities

IDS = torch.tensor([[2, 7, 8, 3, 7, 3, 9, 9, 3]])
SEGMENTS = torch.tensor([[0, 0, 0, 0, 1, 1, 2, 2, 2]])
POSITIONS = torch.tensor([[5, 8, -1]])


def filled():
    module = LexicalSimilarity(12, 4)
    generator = torch.Generator().manual_seed(0)
    module.token_weights[:] = torch.rand(12, generator=generator)
    module.token_weights[[2, 3]] = 0.0
    module.center[:] = torch.randn(4, generator=generator)
    module.scale.fill_(3.0)
    return module, torch.randn(12, 4, generator=generator)


def test_it_is_the_scaled_cosine_of_weighted_word_sums_without_the_mean_word():
    module, table = filled()
    found = module(table[IDS], IDS, SEGMENTS, POSITIONS)[0].numpy()
    weights, center, words = (part.numpy() for part in (module.token_weights, module.center, table))

    def bag(*ids):
        return sum(weights[i] * (words[i] - center) for i in ids)

    def cosine(one, other):
        return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))

    text = bag(7, 8)
    assert found[0] == pytest.approx(3.0 * cosine(text, bag(7)), abs=1e-5)
    assert found[1] == pytest.approx(3.0 * cosine(text, bag(9, 9)), abs=1e-5)


def test_a_fresh_module_adds_nothing():
    module = LexicalSimilarity(12, 4)
    assert module(torch.randn(1, 9, 4), IDS, SEGMENTS, POSITIONS).abs().max() == 0.0


def test_words_without_weight_make_no_similarity():
    module, table = filled()
    module.token_weights.zero_()
    assert module(table[IDS], IDS, SEGMENTS, POSITIONS).abs().max() == 0.0


def test_rare_tokens_weigh_more_and_control_tokens_nothing():
    texts = [np.array([5, 6, 6]), np.array([5]), np.array([5, 7])]
    rarities = token_rarities(texts, vocab_size=9, control_ids=[0, 3])
    assert rarities[5] == 0.0
    assert rarities[6] == pytest.approx(np.log(4 / 2))
    assert rarities[8] == pytest.approx(np.log(4))
    assert rarities[0] == rarities[3] == 0.0
