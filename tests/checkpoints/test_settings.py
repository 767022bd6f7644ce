import json

import pytest

from labelwise.checkpoints.settings import (
    CALIBRATED_KEYS,
    CheckpointSettings,
    read_calibration,
    read_settings,
)
from labelwise.errors import CheckpointError


def write(folder, value):
    (folder / "labelwise.json").write_text(json.dumps(value), encoding="utf-8")


def test_a_folder_without_the_file_has_the_defaults(tmp_path):
    assert read_settings(tmp_path) == CheckpointSettings()


def test_every_setting_is_read(tmp_path):
    values = {
        "hypothesis_template": "This text is about {}.",
        "temperature": 2,
        "thresholds": {"billing": 0.4},
        "label_roles": {"entailment": 1, "not_entailment": 0},
        "source": "made here",
        "task_temperatures": {"entail": 1.4},
        "default_threshold": 0.3,
        "label_biases": {"other": -0.5},
        "none_bias": 1.5,
        "null_threshold": -2.5,
    }
    write(tmp_path, values)
    settings = read_settings(tmp_path)
    assert {name: getattr(settings, name) for name in values} == values


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hypothesis_template", "no place"),
        ("hypothesis_template", "{} and {}"),
        ("hypothesis_template", 3),
        ("temperature", 0),
        ("temperature", -1.0),
        ("temperature", "hot"),
        ("temperature", True),
        ("thresholds", [0.5]),
        ("thresholds", {"a": "b"}),
        ("label_roles", {"entailed": 0}),
        ("label_roles", {"entailment": "0"}),
        ("label_roles", {"entailment": -1}),
        ("label_roles", [0, 1]),
        ("source", 1),
        ("task_temperatures", {"entail": 0}),
        ("task_temperatures", {"entailment": 1.0}),
        ("task_temperatures", 1.5),
        ("default_threshold", 1.5),
        ("default_threshold", "half"),
        ("label_biases", {"a": "b"}),
        ("label_biases", {"a": 1000.0}),
        ("label_biases", [1.0]),
        ("none_bias", None),
        ("null_threshold", None),
        ("null_threshold", 1000),
        ("temprature", 1.0),
    ],
)
def test_a_wrong_key_or_value_is_refused_by_name(tmp_path, key, value):
    write(tmp_path, {key: value})
    with pytest.raises(CheckpointError, match=key) as caught:
        read_settings(tmp_path)
    assert "labelwise.json" in str(caught.value)


def test_a_temperature_without_end_is_refused():
    with pytest.raises(CheckpointError, match="temperature"):
        CheckpointSettings(temperature=float("inf"))


def test_a_kind_of_score_without_a_temperature_of_its_own_has_the_one_of_all():
    settings = CheckpointSettings(temperature=2.0, task_temperatures={"entail": 1.4})
    assert [settings.temperature_of(kind) for kind in ("classify", "multi_label", "entail")] == [
        2.0,
        2.0,
        1.4,
    ]


def test_task_temperatures_are_joined_and_a_new_one_for_all_replaces_them():
    settings = CheckpointSettings().updated(task_temperatures={"entail": 1.4})
    joined = settings.updated(task_temperatures={"classify": 3.0})
    assert joined.task_temperatures == {"entail": 1.4, "classify": 3.0}
    assert joined.updated(temperature=2.0).temperature_of("entail") == 2.0


def test_without_calibration_only_what_was_measured_is_left_out():
    settings = CheckpointSettings(
        hypothesis_template="It is {}.", temperature=2.0, none_bias=1.0, null_threshold=1.0
    )
    assert settings.without_calibration() == CheckpointSettings(hypothesis_template="It is {}.")
    assert "hypothesis_template" not in CALIBRATED_KEYS


def test_a_calibration_apart_goes_before_what_the_model_says(tmp_path):
    file = tmp_path / "mails.json"
    file.write_text('{"task_temperatures": {"classify": 3.0}}')
    own = CheckpointSettings(task_temperatures={"entail": 1.4}, source="ours", thresholds={"a": 0.4})
    read = read_calibration(file, own)
    assert (read.temperature_of("classify"), read.temperature_of("entail")) == (3.0, 1.4)
    assert (read.source, read.thresholds) == ("ours", {"a": 0.4})


def test_a_calibration_apart_cannot_say_what_the_model_is(tmp_path):
    file = tmp_path / "mails.json"
    file.write_text('{"label_roles": {"entailment": 0}}')
    with pytest.raises(CheckpointError, match=r"mails\.json: unknown key 'label_roles'"):
        read_calibration(file, CheckpointSettings())
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_calibration(tmp_path / "none.json", CheckpointSettings())
