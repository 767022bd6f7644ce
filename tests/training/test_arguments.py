from __future__ import annotations

from types import SimpleNamespace

import pytest

from labelwise.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from labelwise.training.arguments import (  # noqa: E402
    TrainerSettings,
    check_model,
    check_precision,
    rows_per_step,
    training_arguments,
)


def settings(**changes):
    values = {
        "learning_rate": 2e-5,
        "batch_size": 8,
        "warmup_ratio": 0.1,
        "weight_decay": 0.01,
        "max_grad_norm": 1.0,
        "log_every_steps": 10,
        "evaluate_every_steps": 100,
        "save_every_steps": 50,
        "seed": 3,
    }
    return TrainerSettings(**{**values, **changes})


def arguments(tmp_path, num_steps=1000, is_resumed=False, keeps_best=None, **changes):
    return training_arguments(
        settings(**changes),
        tmp_path,
        num_steps=num_steps,
        metric="eval_accuracy",
        greater_is_better=True,
        is_resumed=is_resumed,
        keeps_best=keeps_best,
        evaluates_at_start=True,
    )


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


def test_gradient_checkpointing_is_refused_where_the_model_has_none():
    model = SimpleNamespace(config=SimpleNamespace(model_type="odd"), supports_gradient_checkpointing=False)
    check_model(model, settings())
    with pytest.raises(InputError, match="odd has no gradient checkpointing"):
        check_model(model, settings(is_gradient_checkpointed=True))
    with pytest.raises(InputError, match="fp16 does not work for deberta-v2"):
        check_model(model, settings(precision="fp16"), model_type="deberta-v2")


def test_a_step_counts_the_rows_of_all_passes_and_processes(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert rows_per_step(settings(accumulation=3)) == 24
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert rows_per_step(settings(accumulation=3)) == 48


def test_the_last_weights_are_kept_without_patience_and_the_best_with_it(tmp_path):
    plain = arguments(tmp_path)
    assert (plain.load_best_model_at_end, plain.eval_steps, plain.save_steps) == (False, 100, 50)
    patient = arguments(tmp_path, patience=2)
    assert (patient.load_best_model_at_end, patient.save_steps) == (True, 100)
    assert arguments(tmp_path, patience=2, save_every_steps=300).save_steps == 300


def test_a_short_run_is_measured_at_its_end(tmp_path):
    assert arguments(tmp_path, num_steps=20).eval_steps == 20


def test_a_resumed_run_does_not_measure_its_start_again(tmp_path):
    assert arguments(tmp_path).eval_on_start
    assert not arguments(tmp_path, is_resumed=True).eval_on_start


def test_auto_is_fp32_without_a_gpu(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert not arguments(tmp_path, precision="auto").bf16
    assert arguments(tmp_path, precision="bf16").bf16


def test_gradient_checkpointing_reaches_the_trainer_without_a_warning(tmp_path, recwarn):
    given = arguments(tmp_path, is_gradient_checkpointed=True)
    assert given.gradient_checkpointing
    assert given.gradient_checkpointing_kwargs == {"use_reentrant": False}
    assert not [warning for warning in recwarn if "checkpointing" in str(warning.message)]
