from __future__ import annotations

from types import SimpleNamespace

import pytest

from labelwise.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from labelwise.training.arguments import (  # noqa: E402
    check_model,
    check_precision,
    num_whole_steps,
    rows_per_step,
    settings_by_epoch,
    training_arguments,
)
from labelwise.training.qa.recipe import QaHyperparameters  # noqa: E402


@pytest.fixture
def arguments(settings, tmp_path):
    def make(num_steps=1000, is_resumed=False, **changes):
        return training_arguments(
            settings(**changes),
            tmp_path,
            num_steps=num_steps,
            metric="eval_accuracy",
            greater_is_better=True,
            is_resumed=is_resumed,
            evaluates_at_start=True,
        )

    return make


@pytest.mark.parametrize("model_type", ["deberta-v2", "t5", "mt5"])
def test_fp16_is_refused_with_the_reason_where_activations_overflow(model_type):
    with pytest.raises(InputError, match=r"65,504, the largest fp16 number; use bf16 or fp32"):
        check_precision(model_type, "fp16")
    check_precision(model_type, "bf16")


def test_fp16_is_for_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="needs a GPU"):
        check_precision("bert", "fp16")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    check_precision("bert", "fp16")


def test_gradient_checkpointing_is_refused_where_the_model_has_none(settings):
    model = SimpleNamespace(config=SimpleNamespace(model_type="odd"), supports_gradient_checkpointing=False)
    check_model(model, settings())
    with pytest.raises(InputError, match="odd has no gradient checkpointing"):
        check_model(model, settings(is_gradient_checkpointed=True))
    with pytest.raises(InputError, match="fp16 does not work for deberta-v2"):
        check_model(model, settings(precision="fp16"), model_type="deberta-v2")


def test_a_step_counts_the_rows_of_all_passes_and_processes(settings, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert rows_per_step(settings(accumulation=3)) == 24
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert rows_per_step(settings(accumulation=3)) == 48


def test_a_run_ends_with_its_last_whole_step_or_before():
    assert num_whole_steps(25, 8, max_steps=None, rows="pairs") == 3
    assert num_whole_steps(25, 8, max_steps=2, rows="pairs") == 2
    with pytest.raises(InputError, match="7 windows do not fill one step of 8: lower batch_size"):
        num_whole_steps(7, 8, max_steps=None, rows="windows")


@pytest.mark.parametrize(
    ("in_recipe", "changes", "expected"),
    [(None, {}, 10), (None, {"batch_size": 4}, 20), (None, {"batch_size": 900}, 1), (7, {}, 7)],
)
def test_validation_comes_once_an_epoch_unless_the_recipe_says_when(
    monkeypatch, in_recipe, changes, expected
):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    chosen = QaHyperparameters(batch_size=8, evaluate_every_steps=in_recipe)
    found = settings_by_epoch(chosen, num_rows=80, seed=1, changes=changes)
    assert (found.evaluate_every_steps, found.save_every_steps, found.seed) == (expected, expected, 1)


def test_the_last_weights_are_kept_without_patience_and_the_best_with_it(arguments):
    plain = arguments()
    assert (plain.load_best_model_at_end, plain.eval_steps, plain.save_steps) == (False, 100, 50)
    patient = arguments(patience=2)
    assert (patient.load_best_model_at_end, patient.save_steps) == (True, 100)
    assert arguments(patience=2, save_every_steps=300).save_steps == 300


def test_a_short_run_is_measured_at_its_end(arguments):
    assert arguments(num_steps=20).eval_steps == 20


def test_a_resumed_run_does_not_measure_its_start_again(arguments):
    assert arguments().eval_on_start
    assert not arguments(is_resumed=True).eval_on_start


def test_auto_is_fp32_without_a_gpu(arguments, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert not arguments(precision="auto").bf16
    assert arguments(precision="bf16").bf16


def test_gradient_checkpointing_reaches_the_trainer_without_a_warning(arguments, recwarn):
    given = arguments(is_gradient_checkpointed=True)
    assert given.gradient_checkpointing
    assert given.gradient_checkpointing_kwargs == {"use_reentrant": False}
    assert not [warning for warning in recwarn if "checkpointing" in str(warning.message)]
