from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from labelwise.training.qa.batches import PadWindows, WindowRows, span_loss  # noqa: E402
from labelwise.training.qa.encoding import QaFeatures  # noqa: E402


def features() -> QaFeatures:
    return QaFeatures(
        ids=np.arange(10, 19, dtype=np.int32),
        token_types=np.array([0, 0, 1, 1, 0, 0, 1, 1, 1], dtype=np.int8),
        row_starts=np.array([0, 4, 9]),
        start_positions=np.array([0, 2]),
        end_positions=np.array([0, 3]),
        context_starts=np.array([2, 2]),
        context_ends=np.array([3, 4]),
        example_indices=np.array([0, 1]),
        num_examples=2,
    )


def test_a_batch_is_padded_to_its_longest_window():
    rows = WindowRows(features(), np.array([1, 0, 1]))
    batch = PadWindows(7, with_type_ids=True)([rows[1], rows[2]])
    assert batch["input_ids"].tolist() == [[10, 11, 12, 13, 7], [14, 15, 16, 17, 18]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1, 0], [1] * 5]
    assert batch["token_type_ids"].tolist() == [[0, 0, 1, 1, 0], [0, 0, 1, 1, 1]]
    assert batch["labels"].tolist() == [[0, 0, 2, 3], [2, 3, 2, 4]]
    assert "token_type_ids" not in PadWindows(7, with_type_ids=False)([rows[0]])


def test_only_the_context_and_the_first_token_compete():
    labels = torch.tensor([[2, 3, 2, 4]])
    logits = torch.tensor([[0.0, 9.0, 2.0, 1.0, 9.0]])
    loss = span_loss({"start_logits": logits, "end_logits": logits}, labels)
    log_sum = torch.tensor([0.0, 2.0, 1.0]).logsumexp(0)
    assert loss.item() == pytest.approx((log_sum - 1.5).item())


def test_the_losses_of_the_batches_of_a_step_add_up_to_the_mean_over_its_windows():
    torch.manual_seed(0)
    labels = torch.tensor([[0, 0, 1, 4], [1, 2, 1, 4], [3, 3, 2, 4]])
    start, end = torch.randn(2, 3, 4)
    whole = span_loss({"start_logits": start, "end_logits": end}, labels)
    parts = [
        span_loss({"start_logits": start[part], "end_logits": end[part]}, labels[part], labels.numel())
        for part in (slice(0, 1), slice(1, 3))
    ]
    assert sum(parts).item() == pytest.approx(whole.item())
