import json

import pytest
import typer
from typer.testing import CliRunner

from labelwise.cli.distill import distill
from labelwise.errors import CheckpointError, InputError


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(distill)

    def invoke(*arguments):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def bart_folder(bart_large, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(bart_large))
    return tmp_path


def test_a_dry_run_needs_only_the_configuration(run, bart_folder):
    output = run(bart_folder, "--encoder-layers", 12, "--decoder-layers", 1, "--dry-run").output
    assert "407,344,131" in output and "222,580,739" in output and "54.6 %" in output
    assert "decoder layers kept: 0\n" in output


def test_a_dry_run_speaks_json(run, bart_folder):
    output = run(bart_folder, "--keep-decoder-layers", "0,11", "--dry-run", "--json").output
    report = json.loads(output)
    assert report["kept_layers"]["decoder"] == [0, 11]
    assert report["teacher"]["total"] == 407_344_131
    assert report["student"]["total"] == 407_344_131 - 10 * 16_796_672


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dry-run", "--encoder-layers", 13], "teacher of 12"),
        (["--dry-run", "--encoder-layers", 2, "--keep-layers", "0,1"], "not both"),
        (["--dry-run", "--keep-layers", "first"], "list of numbers"),
        (["--dry-run", "--trim-vocabulary", "texts.txt"], "needs --output"),
        ([], "--dry-run"),
    ],
)
def test_senseless_flags_are_refused(run, bart_folder, arguments, message):
    with pytest.raises(InputError, match=message):
        run(bart_folder, *arguments)


def test_a_folder_without_a_supported_model_is_refused(run, tmp_path):
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        run(tmp_path, "--dry-run")
    (tmp_path / "config.json").write_text('{"model_type": "t5"}')
    with pytest.raises(CheckpointError, match="t5"):
        run(tmp_path, "--dry-run")


def test_the_student_is_written(run, save_teacher, tmp_path):
    _, folder = save_teacher("bert")
    run(folder, "--encoder-layers", 3, "--output", tmp_path / "student")
    assert json.loads((tmp_path / "student" / "config.json").read_text())["num_hidden_layers"] == 3
