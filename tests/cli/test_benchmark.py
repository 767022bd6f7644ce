"""``labelwise benchmark`` from the command line, on the bundled model."""

import json

import pytest
import typer
from typer.testing import CliRunner

from labelwise.cli.benchmark import benchmark
from labelwise.errors import InputError

QUICK = ["--system", "labelwise:onnx", "--rounds", "1", "--num-texts", "2", "--tokens", "8"]


@pytest.fixture
def run():
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(benchmark)

    def command(*arguments):
        return CliRunner().invoke(app, [*map(str, arguments)])

    return command


def test_people_get_a_table_and_machines_json(run, tmp_path):
    lines = run(*QUICK).stdout.splitlines()
    assert lines[0].split()[:3] == ["texts", "system", "pairs_per_s"]
    assert "labelwise:onnx" in lines[2]
    files = {"--output": tmp_path / "result.json", "--plot": tmp_path / "result.svg"}
    found = run(*QUICK, "--json", *(part for pair in files.items() for part in pair))
    (row,) = json.loads(found.stdout)["rows"]
    assert (row["workload"], row["texts"], row["labels"], row["ratio"]) == ("8 tokens", 2, 5, 1.0)
    assert json.loads(files["--output"].read_text())["rows"] == [row]
    assert files["--plot"].read_text().startswith("<svg")


def test_texts_of_a_file_are_measured(run, tmp_path):
    path = tmp_path / "mails.csv"
    path.write_text("body\nmy card was charged twice\nthe parcel is late\nthank you\n")
    found = run(
        *QUICK[:6], "--input", path, "--text-column", "body", "--labels", "billing,delivery", "--json"
    )
    (row,) = json.loads(found.stdout)["rows"]
    assert (row["workload"], row["texts"], row["labels"]) == ("mails.csv", 2, 2)


def test_a_system_that_cannot_run_here_is_told(run):
    found = run(*QUICK, "--system", "labelwise:onnx=/no/such/model")
    assert found.exit_code == 0
    assert "left out: labelwise:onnx=model: " in found.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--system", "nonsense"], "system 'nonsense' is not known: use one of labelwise, pipeline"),
        (["--tokens", "many"], "is neither a length nor a range"),
        (["--tokens", "8", "--input", "x.txt"], "give one of them"),
        (["--num-texts", "0"], "--num-texts must be at least 1"),
        (["--num-labels", "0"], "number of labels must be at least 1"),
        (["--num-labels", "3", "--labels", "a,b"], "leave it out where labels are given"),
        (["--rounds", "0"], "rounds must be at least 1"),
        (["--output", "result.txt"], "must end in .json"),
        (["--plot", "/no/such/folder/result.svg"], "there is no folder"),
    ],
)
def test_bad_usage_is_refused_before_anything_runs(run, arguments, says):
    found = run(*arguments)
    assert isinstance(found.exception, InputError)
    assert says in str(found.exception)
