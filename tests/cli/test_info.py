"""``labelwise info``: a table for people, one object for machines, one line for errors."""

import json

import pytest
import typer
from typer.testing import CliRunner

from labelwise.cli.info import info
from labelwise.errors import CheckpointError

app = typer.Typer()
app.command()(info)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_people_get_names_and_values():
    lines = run("bundled").output.splitlines()
    facts = {line.split("  ")[0]: line for line in lines}
    assert facts["model"].split() == ["model", "bundled"]
    assert "classify" in facts["tasks"]
    assert "tokens" in facts["window"]
    assert any(line.startswith("model.onnx") and " MB  " in line for line in lines)
    assert "missing" in lines


def test_the_bundled_model_is_the_default():
    assert run("--no-hashes").output == run("bundled", "--no-hashes").output


def test_machines_get_one_object_on_one_line():
    (line,) = run("bundled", "--json").output.splitlines()
    found = json.loads(line)
    assert found["family"]
    assert all(len(file["sha256"]) == 64 for file in found["files"])


def test_hashes_can_be_left_out():
    found = json.loads(run("bundled", "--json", "--no-hashes").output)
    assert {file["sha256"] for file in found["files"]} == {None}
    assert "sha256" not in run("bundled", "--no-hashes").output


def test_settings_are_shown_and_long_lists_cut(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(
        json.dumps(
            {
                "model_type": "bert",
                "architectures": ["BertForSequenceClassification"],
                "id2label": {"0": "entailment", "1": "not_entailment"},
            }
        )
    )
    from onnx import helper, save

    save(helper.make_model(helper.make_graph([], "g", [], [])), folder / "model.onnx")
    settings = {
        "hypothesis_template": "About {}.",
        "temperature": 1.5,
        "task_temperatures": {"entail": 0.8},
        "default_threshold": 0.3,
        "thresholds": {f"label{number}": 0.25 for number in range(20)},
        "label_biases": {"a\x1b[2Jb": -0.5},
        "none_bias": 2,
    }
    (folder / "labelwise.json").write_text(json.dumps(settings))
    output = run(folder).output
    for shown in ("About {}.", "1.5, entail 0.8", "0.3, label0 0.25", "and 12 more", "none of these +2"):
        assert shown in output
    assert "\x1b" not in output
    assert "no calibration" not in output


def test_an_unusable_model_is_an_error():
    with pytest.raises(CheckpointError, match="neither a folder"):
        raise run("nosuchmodel").exception
