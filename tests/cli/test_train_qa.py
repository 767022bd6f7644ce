from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from labelwise.cli.expand import expand_flags
from labelwise.cli.train_qa import qa
from labelwise.errors import InputError

pytest.importorskip("torch")
pytest.importorskip("accelerate")


def run(*arguments: object):
    app = typer.Typer()
    app.command()(expand_flags(qa))
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"name": "reader", "base": "base", "sources": [{"path": "a.json"}]}))
    return path


def test_the_command_trains_by_the_recipe_and_says_where_the_model_is(recipe, tmp_path: Path, monkeypatch):
    from labelwise.training.qa import run as training

    def train_qa(given, **settings):
        assert given.name == "reader"
        assert settings == {
            "data_dir": tmp_path,
            "output_dir": tmp_path / "run",
            "resume": True,
            "deepspeed": None,
            "changes": {"batch_size": 4, "patience": 2},
        }
        return tmp_path / "run" / "model"

    monkeypatch.setattr(training, "train_qa", train_qa)
    flags = ["--resume", "--batch-size", 4, "--patience", 2]
    result = run(recipe, "--data", tmp_path, "--output", tmp_path / "run", *flags)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(tmp_path / "run" / "model")


def test_a_recipe_with_an_unknown_field_is_bad_usage(recipe, tmp_path: Path):
    recipe.write_text(json.dumps({"name": "reader", "base": "b", "sources": [{"file": "a.json"}]}))
    result = run(recipe, "--data", tmp_path, "--output", tmp_path / "run")
    assert isinstance(result.exception, InputError)
    assert "unknown field 'file'" in str(result.exception)
