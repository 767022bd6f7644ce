from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from labelwise.errors import LabelwiseError

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from transformers import Trainer, TrainingArguments  # noqa: E402

from labelwise.training import callbacks  # noqa: E402
from labelwise.training.callbacks import (  # noqa: E402
    FiniteLoss,
    Patience,
    ProgressLines,
    add_callbacks,
    check_finite,
)

ENDS_WITH_LAST = SimpleNamespace(load_best_model_at_end=False)
ARGUMENTS = SimpleNamespace(train_batch_size=8, world_size=2, gradient_accumulation_steps=3)


def state(step: int, first: bool = True) -> SimpleNamespace:
    return SimpleNamespace(global_step=step, max_steps=100, is_world_process_zero=first)


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=50.0)
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now.seconds)
    return now


@pytest.fixture(autouse=True)
def listening(caplog):
    caplog.set_level(logging.INFO, logger="labelwise.training")


def test_a_line_tells_step_loss_rate_and_the_time_left(clock, caplog):
    lines = ProgressLines(rows="pairs")
    lines.on_train_begin(ARGUMENTS, state(0), None)
    clock.seconds += 40
    lines.on_log(ARGUMENTS, state(20), None, {"loss": 0.5, "learning_rate": 1e-4})
    assert caplog.messages == ["step 20 of 100, loss 0.5000, learning rate 1.00e-04, 24 pairs/s, 3 min left"]


def test_a_resumed_run_counts_its_own_steps_only(clock, caplog):
    lines = ProgressLines(rows_per_step=1)
    lines.on_train_begin(ARGUMENTS, state(80), None)
    clock.seconds += 10
    lines.on_log(ARGUMENTS, state(90), None, {"loss": 0.5, "entail_loss": 0.25})
    assert "loss 0.5000, entail loss 0.2500" in caplog.text
    assert "1 rows/s, 10 s left" in caplog.text


def test_a_validation_is_named_without_its_timings(caplog):
    logs = {"eval_loss": 0.25, "eval_micro_f1": 0.5, "eval_runtime": 3.0, "epoch": 1.0}
    ProgressLines().on_log(ARGUMENTS, state(20), None, logs)
    ProgressLines(measures=["eval_micro_f1"]).on_log(ARGUMENTS, state(20), None, logs)
    assert caplog.messages == [
        "step 20, validation loss 0.2500, micro f1 0.5000",
        "step 20, validation micro f1 0.5000",
    ]


def test_a_sampled_validation_is_told_from_the_whole_one_after_the_end(caplog):
    lines = ProgressLines(rows="pairs", sample=(4, 6))
    lines.on_log(ARGUMENTS, state(20), None, {"eval_loss": 0.25})
    lines.on_train_end(ENDS_WITH_LAST, state(20), None)
    lines.on_log(ARGUMENTS, state(20), None, {"eval_loss": 0.5})
    ProgressLines(rows="pairs", sample=(6, 6)).on_log(ARGUMENTS, state(20), None, {"eval_loss": 0.5})
    assert caplog.messages == [
        "step 20, validation on 4 of 6 pairs: loss 0.2500",
        "step 20, validation on all 6 pairs: loss 0.5000",
        "step 20, validation loss 0.5000",
    ]


def test_the_end_names_the_best_weights_where_these_are_kept(caplog):
    best = {"best_model_checkpoint": "run/checkpoint-8", "best_global_step": 8, "best_metric": 0.5}
    keeps = SimpleNamespace(load_best_model_at_end=True, metric_for_best_model="eval_f1")
    for arguments in (keeps, ENDS_WITH_LAST):
        ProgressLines().on_train_end(arguments, SimpleNamespace(**vars(state(20)), **best), None)
    assert caplog.messages == ["best weights: step 8, f1 0.5000"]


def test_early_stopping_says_that_it_ended_the_run(caplog):
    for failures, step in ((2, 20), (1, 20), (2, 100)):
        patience = Patience(2)
        patience.early_stopping_patience_counter = failures
        patience.on_train_end(None, state(step), None)
    assert caplog.messages == ["stopped at step 20 of 100: no better validation for 2 evaluations"]


def test_other_processes_and_other_reports_are_quiet(caplog):
    ProgressLines().on_log(ARGUMENTS, state(20, first=False), None, {"loss": 0.5})
    ProgressLines().on_log(ARGUMENTS, state(20), None, {"train_runtime": 0.5})
    assert caplog.messages == []


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_named_with_its_step_and_the_remedy(value):
    with pytest.raises(LabelwiseError, match="answer loss is not finite after step 7: lower learning_rate"):
        check_finite(torch.tensor(value), after_step=7, name="answer loss")
    check_finite(torch.tensor(1.0), after_step=7)


class Line(torch.nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(factor))

    def forward(self, x, labels):
        logits = self.weight * x
        return {"loss": torch.nan_to_num((logits - labels).square().mean()), "logits": logits}


class LooksAtLogits(FiniteLoss):
    def are_finite(self, outputs, inputs):
        return bool(torch.isfinite(outputs["logits"]).all()) and "labels" in inputs


def trainer(kind, tmp_path, factor=0.0):
    rows = [{"x": torch.tensor(1.0), "labels": torch.tensor(2.0)}] * 4
    arguments = TrainingArguments(
        str(tmp_path), max_steps=2, use_cpu=True, report_to="none", disable_tqdm=True, save_strategy="no"
    )
    return kind(model=Line(factor), args=arguments, train_dataset=rows)


def test_a_subclass_may_find_fault_with_outputs_whose_loss_is_finite(tmp_path):
    broken = float("nan")
    trainer(LooksAtLogits, tmp_path).train()
    trainer(FiniteLoss, tmp_path, factor=broken).train()
    with pytest.raises(LabelwiseError, match="the loss is not finite after step 0"):
        trainer(LooksAtLogits, tmp_path, factor=broken).train()


def test_the_lines_take_the_place_of_the_trainers_own_printing(tmp_path, capsys, caplog):
    plain = trainer(Trainer, tmp_path)
    plain.args.logging_steps = 1
    plain.state.logging_steps = 1
    add_callbacks(plain, ProgressLines())
    plain.train()
    assert "step 1 of 2" in caplog.text
    assert "{" not in capsys.readouterr().out
