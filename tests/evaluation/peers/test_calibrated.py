"""A checkpoint as others publish it: its calibration error is shown as it comes and after calibrating."""

import json
import sys

import pytest

from labelwise.cli.main import run

KINDS = ["entailment", "neutral", "contradiction"]


@pytest.fixture
def labelwise(monkeypatch, capsys):
    """Return a function that runs ``labelwise ARGUMENTS --json`` and gives the object that it printed."""

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["labelwise", *map(str, arguments), "--json"])
        with pytest.raises(SystemExit) as stopped:
            run()
        assert not stopped.value.code
        return json.loads(capsys.readouterr().out)

    return command


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.jsonl"
    premises = [f"the {first} is {last}" for first in ("card", "parcel", "charge") for last in "abcdefgh"]
    lines = [
        json.dumps({"premise": premise, "hypothesis": "this is late", "label": KINDS[place % 3]}) + "\n"
        for place, premise in enumerate(premises)
    ]
    path.write_text("".join(lines))
    return path


def test_the_error_of_a_published_checkpoint_is_shown_before_and_after(
    labelwise, nli_checkpoint, pairs, tmp_path
):
    pytest.importorskip("torch")
    asked = "evaluate", pairs, "--task", "entail", "--model", nli_checkpoint
    (own,), (peer,) = labelwise(*asked), labelwise(*asked, "--peer", "pipeline")
    assert own["ece"] == pytest.approx(peer["ece"], abs=1e-4)
    fitted = labelwise("calibrate", nli_checkpoint, pairs, "--dry-run")
    assert {"ece", "brier", "nll"} <= fitted["before"].keys() & fitted["after"].keys()
    numbers = tmp_path / "numbers.json"
    numbers.write_text(json.dumps({"temperature": 5.0}))
    (calibrated,) = labelwise(*asked, "--calibration", numbers)
    assert calibrated["ece"] != pytest.approx(own["ece"], abs=1e-3)
