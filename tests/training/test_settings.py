from __future__ import annotations

from dataclasses import dataclass

import pytest

from labelwise.errors import InputError
from labelwise.training.settings import settings_from


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 0),
        ("learning_rate", 5),
        ("batch_size", 0),
        ("accumulation", 1.5),
        ("warmup_ratio", 1),
        ("weight_decay", -0.1),
        ("max_grad_norm", float("nan")),
        ("patience", 0),
        ("precision", "float16"),
        ("scheduler", "constant"),
        ("save_every_steps", 0),
    ],
)
def test_a_setting_out_of_range_is_named_with_its_value(settings, name, value):
    with pytest.raises(InputError, match=f"{name} is '?{value}"):
        settings(**{name: value})


def test_a_recipes_values_are_taken_over_by_name_and_flags_come_first():
    @dataclass
    class Chosen:
        learning_rate: float = 1e-4
        batch_size: int = 16
        epochs: int = 3
        warmup_ratio: float = 0.0
        weight_decay: float = 0.0
        max_grad_norm: float = 1.0
        log_every_steps: int = 1
        evaluate_every_steps: int | None = None

    given = {"seed": 1, "evaluate_every_steps": 7, "save_every_steps": 7}
    taken = settings_from(Chosen(), **given, changes={"batch_size": 4, "patience": None})
    assert (taken.learning_rate, taken.batch_size, taken.evaluate_every_steps) == (1e-4, 4, 7)
    assert taken.patience is None
    with pytest.raises(InputError, match="no setting 'batchsize'"):
        settings_from(Chosen(), **given, changes={"batchsize": 4})
