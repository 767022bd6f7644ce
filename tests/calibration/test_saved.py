"""Fitted values go into labelwise.json and come back as the settings of the model."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelwise.calibration.saved import save_calibration
from labelwise.checkpoints.settings import (
    SETTINGS_FILE,
    CheckpointSettings,
    read_calibration,
    read_settings,
)
from labelwise.errors import CheckpointError


def test_what_is_saved_is_what_the_model_is_opened_with(tmp_path):
    saved = save_calibration(
        tmp_path, temperature=1.7, thresholds={"ätna": 0.25}, hypothesis_template="It is about {}."
    )
    assert read_settings(tmp_path) == saved
    assert (saved.temperature, dict(saved.thresholds)) == (1.7, {"ätna": 0.25})
    assert json.loads((tmp_path / SETTINGS_FILE).read_text(encoding="utf-8")) == {
        "hypothesis_template": "It is about {}.",
        "temperature": 1.7,
        "thresholds": {"ätna": 0.25},
    }


def test_values_that_are_not_given_stay_as_they_are(tmp_path):
    (tmp_path / SETTINGS_FILE).write_text(
        '{"source": "our own", "label_roles": {"entailment": 1, "not_entailment": 0}}', encoding="utf-8"
    )
    save_calibration(tmp_path, temperature=2.0)
    save_calibration(tmp_path, thresholds={"a": 0.5})
    found = read_settings(tmp_path)
    assert (found.source, found.temperature, found.thresholds) == ("our own", 2.0, {"a": 0.5})
    assert found.label_roles == {"entailment": 1, "not_entailment": 0}
    save_calibration(tmp_path, thresholds={})
    assert read_settings(tmp_path).thresholds == {}


@pytest.mark.parametrize("values", [{"temperature": 0.0}, {"hypothesis_template": "no place"}])
def test_settings_that_would_not_open_again_are_not_written(tmp_path, values):
    save_calibration(tmp_path, temperature=2.0)
    with pytest.raises(CheckpointError):
        save_calibration(tmp_path, **values)
    assert read_settings(tmp_path).temperature == 2.0
    assert [file.name for file in tmp_path.iterdir()] == [SETTINGS_FILE]


def test_only_a_folder_can_hold_settings(tmp_path):
    with pytest.raises(CheckpointError, match="is not a folder"):
        save_calibration(tmp_path / "none", temperature=2.0)


def test_a_file_that_cannot_be_replaced_is_said_so_and_leaves_nothing_behind(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(CheckpointError, match="Permission denied"):
        save_calibration(tmp_path, temperature=2.0)
    assert list(tmp_path.iterdir()) == []


numbers = st.floats(-20, 20)
by_label = st.dictionaries(st.text(min_size=1, max_size=5), numbers, max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "temperature": st.floats(0.01, 100),
            "task_temperatures": st.dictionaries(st.sampled_from(["classify", "entail"]), st.floats(0.01, 9)),
            "thresholds": by_label,
            "default_threshold": st.floats(0, 1),
            "label_biases": by_label,
            "none_bias": numbers,
            "null_threshold": numbers,
        },
    )
)
def test_every_number_comes_back_as_it_was_saved(tmp_path, values):
    file = tmp_path / "calibration.json"
    file.unlink(missing_ok=True)
    saved = save_calibration(file, **values)
    assert read_calibration(file, CheckpointSettings()) == saved == CheckpointSettings().updated(**values)


def test_a_file_apart_is_added_to(tmp_path):
    file = tmp_path / "calibration.json"
    save_calibration(file, task_temperatures={"entail": 1.4})
    saved = save_calibration(file, task_temperatures={"classify": 2.0}, none_bias=0.5)
    assert saved.task_temperatures == {"entail": 1.4, "classify": 2.0}
    assert [entry.name for entry in tmp_path.iterdir()] == [file.name]
