from __future__ import annotations

import pytest
import torch

from labelwise.errors import InputError
from labelwise.models.losses import repulsion_loss, sample_repulsion_loss


@pytest.fixture
def vectors():
    return torch.randn(4, 5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 0.7


@pytest.fixture
def present():
    return torch.tensor(
        [
            [True, True, True, True, True],
            [True, True, False, False, False],
            [True, False, False, False, False],
            [False, False, False, False, False],
        ]
    )


def test_the_batch_loss_equals_the_reference(vectors, present, reference):
    flat = vectors[present]
    assert repulsion_loss(flat).item() == pytest.approx(reference.repulsion(flat.numpy()), rel=1e-12)


@pytest.mark.parametrize("target", [0.05, 1.0])
def test_the_sample_loss_equals_the_reference(vectors, present, reference, target):
    loss = sample_repulsion_loss(vectors, present, target_deviation=target)
    expected = reference.sample_repulsion(vectors.numpy(), present.numpy(), target)
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    assert expected > 0


def test_gradients_equal_finite_differences(vectors, present):
    vectors.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: repulsion_loss(x.flatten(0, 1)), (vectors,))
    loss = lambda x: sample_repulsion_loss(x, present, target_deviation=1.0)  # noqa: E731
    assert torch.autograd.gradcheck(loss, (vectors,))


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_vectors_cost_nothing_and_still_have_a_gradient(count):
    vectors = torch.randn(count, 4, requires_grad=True)
    loss = repulsion_loss(vectors)
    loss.backward()
    assert loss.item() == 0
    assert not vectors.grad.any()


def test_texts_with_one_label_cost_nothing_per_sample(vectors):
    vectors.requires_grad_()
    present = torch.zeros(4, 5, dtype=torch.bool)
    present[:, 0] = True
    loss = sample_repulsion_loss(vectors, present)
    loss.backward()
    assert loss.item() == 0
    assert not vectors.grad.any()


def test_what_stands_at_absent_labels_changes_nothing(vectors, present):
    loss = sample_repulsion_loss(vectors, present, target_deviation=1.0)
    for filling in (0.0, float("nan")):
        filled = vectors.masked_fill(~present.unsqueeze(-1), filling).requires_grad_()
        again = sample_repulsion_loss(filled, present, target_deviation=1.0)
        again.backward()
        torch.testing.assert_close(again, loss)
        assert torch.isfinite(filled.grad).all()


def test_equal_vectors_cost_the_whole_variance_term():
    assert repulsion_loss(torch.ones(3, 8)).item() == pytest.approx(1 - 0.01, abs=1e-6)


def test_vectors_that_are_far_apart_in_every_dimension_and_uncorrelated_cost_nothing():
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert repulsion_loss(2 * signs).item() == 0


def test_mixed_precision_does_not_round_the_covariance(vectors, present):
    flat = vectors[present].float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = repulsion_loss(flat)
    torch.testing.assert_close(rounded, repulsion_loss(flat), rtol=1e-6, atol=1e-6)


def test_a_mask_of_another_shape_is_refused(vectors, present):
    with pytest.raises(InputError, match=r"\[4, 3\]"):
        sample_repulsion_loss(vectors, present[:, :3])
