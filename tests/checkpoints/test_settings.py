import json

import pytest

from labelwise.checkpoints.settings import CheckpointSettings, read_settings
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
