import pytest

torch = pytest.importorskip("torch")

from labelwise.distillation.losses import (  # noqa: E402
    hidden_state_loss,
    soft_label_loss,
    supervising_layers,
)


def test_each_student_layer_reaches_for_the_layer_before_the_next_kept_one():
    assert supervising_layers((0, 2, 4, 7, 9, 11), teacher_depth=12) == (1, 3, 6, 8, 10, 11)
    assert supervising_layers((0,), teacher_depth=12) == (11,)


def test_equal_logits_cost_nothing_and_others_cost_their_divergence():
    logits = torch.tensor([[2.0, 0.0]])
    assert soft_label_loss(logits, logits, temperature=3.0).item() == pytest.approx(0.0, abs=1e-7)
    # KL of (1/2, 1/2) from (3/4, 1/4) is log(2/sqrt 3); twice the logits at T = 2 give it four times.
    other = torch.tensor([[2 * 1.0986123, 0.0]])
    expected = 4 * 0.1438410
    assert soft_label_loss(other, torch.zeros(1, 2), temperature=2.0).item() == pytest.approx(
        expected, rel=1e-5
    )


def test_padding_does_not_count_in_the_distance_of_hidden_states():
    teacher = [torch.zeros(1, 2, 4) for _ in range(3)]
    student = [torch.zeros(1, 2, 4), torch.tensor([[[2.0] * 4, [100.0] * 4]])]
    loss = hidden_state_loss(student, teacher, kept=(0,), attention_mask=torch.tensor([[1, 0]]))
    assert loss.item() == pytest.approx(4.0)
