from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from labelwise.cli.expand import expand_flags
from labelwise.cli.train_multitask import multitask
from labelwise.errors import DataError

pytest.importorskip("torch")
pytest.importorskip("accelerate")

RECIPE = Path(__file__).parents[2] / "recipes" / "bundled-multitask.json"


def run(*arguments: object):
    app = typer.Typer()
    app.command()(expand_flags(multitask))
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_the_command_trains_by_the_recipe_and_says_where_the_model_is(tmp_path: Path, monkeypatch):
    from labelwise.training.multitask import run as training

    def train_multitask(recipe, **settings):
        assert recipe.name == "labelwise bundled multi-task"
        assert settings == {
            "recipe_dir": RECIPE.parent,
            "data_dir": tmp_path,
            "output_dir": tmp_path / "run",
            "resume": True,
        }
        return tmp_path / "run" / "model"

    monkeypatch.setattr(training, "train_multitask", train_multitask)
    result = run(RECIPE, "--data", tmp_path, "--output", tmp_path / "run", "--resume")
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(tmp_path / "run" / "model")


def test_a_recipe_that_is_not_there_is_named(tmp_path: Path):
    result = run(tmp_path / "none.json", "--data", tmp_path, "--output", tmp_path / "run")
    assert isinstance(result.exception, DataError)
    assert "none.json" in str(result.exception)
