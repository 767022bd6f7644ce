from __future__ import annotations

import json
from pathlib import Path

import pytest

from labelwise.errors import MissingExtraError

matplotlib = pytest.importorskip("matplotlib")
pytest.importorskip("accelerate")

from huggingface_hub import ModelCard  # noqa: E402

from labelwise.training import curves  # noqa: E402
from labelwise.training.finishing import finish_run  # noqa: E402

HISTORY = [
    {"step": 0, "eval_loss": 1.1, "eval_accuracy": 0.3, "eval_runtime": 9.0},
    {"step": 10, "loss": 0.9, "learning_rate": 1e-4, "grad_norm": 2.0},
    {"step": 10, "eval_loss": 0.8, "eval_accuracy": 0.6, "eval_runtime": 9.0},
    {"step": 10, "train_runtime": 20.0},
]
DATA = [
    {"path": "nli/mine.jsonl.gz", "rows": 12345, "licence": "CC BY-SA | own"},
    {"path": "stanfordnlp/snli:train", "rows": 10, "licence": "CC BY-SA"},
]


def finish(run: Path, **changes) -> None:
    values = {
        "title": "A tiny model",
        "base": "owner/base",
        "task": "nli",
        "metrics": {
            "seconds": 20,
            "settings": {"batch_size": 4},
            "validation": {"file": "nli/check.jsonl", "eval_accuracy": 0.61234, "eval_runtime": 9.0},
        },
        "log_history": HISTORY,
        "data": DATA,
        "recipe": {"name": "tiny", "seed": 7, "hyperparameters": {"batch_size": 8, "epochs": 3}},
        "limits": ["It has read English only."],
    }
    run.mkdir(exist_ok=True)
    finish_run(run, **{**values, **changes})


def test_the_figures_keep_the_reports_of_losses_and_validation(tmp_path):
    finish(tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["seconds"] == 20
    assert metrics["curve"] == HISTORY[:3]


def test_the_card_is_valid_for_the_hub_and_holds_figures_and_data(tmp_path):
    finish(tmp_path)
    header = ModelCard.load(tmp_path / "model" / "README.md").data
    assert header.pipeline_tag == "zero-shot-classification"
    assert (header.base_model, header.datasets) == ("owner/base", ["stanfordnlp/snli"])
    assert header.license == "other"
    [result] = header.eval_results
    assert (result.metric_type, result.metric_value, result.dataset_name) == (
        "accuracy",
        0.6123,
        "check.jsonl",
    )


def test_the_card_tells_people_data_command_settings_figures_and_limits(tmp_path):
    finish(tmp_path)
    text = (tmp_path / "model" / "README.md").read_text()
    for line in (
        "| nli/mine.jsonl.gz | 12,345 | CC BY-SA \\| own |",
        "labelwise train nli recipe.json --data DATA --output RUN",
        "| batch_size | 4 |",
        "| epochs | 3 |",
        "| accuracy | 0.6123 |",
        "- It has read English only.",
        '"name": "tiny"',
    ):
        assert line in text
    assert "runtime" not in text


def test_the_card_does_not_tell_where_files_lie_on_this_machine(tmp_path):
    (tmp_path / "base").mkdir()
    finish(tmp_path, base=str(tmp_path / "base"))
    card = ModelCard.load(tmp_path / "model" / "README.md")
    assert card.data.base_model is None
    assert str(tmp_path) not in card.text


def test_one_licence_of_all_data_is_the_models(tmp_path):
    finish(tmp_path, data=[{"path": "a.jsonl", "rows": 1, "licence": "MIT"}])
    assert ModelCard.load(tmp_path / "model" / "README.md").data.license == "mit"


def test_the_curves_show_losses_and_measures_but_no_timings(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    drawn = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *args, **kw: (drawn.append(self), save(self, *args, **kw))
    )
    curves.draw_curves(HISTORY, tmp_path / "curves.png")
    losses, measures = drawn[0].axes
    assert [line.get_label() for line in losses.lines] == ["training", "validation"]
    assert [line.get_label() for line in measures.lines] == ["accuracy"]
    assert list(measures.lines[0].get_ydata()) == [0.3, 0.6]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_without_validation_or_reports_still_finishes(tmp_path):
    finish(tmp_path, metrics={}, log_history=[], data=[])
    assert (tmp_path / "curves.png").is_file()
    assert "## Limits" in (tmp_path / "model" / "README.md").read_text()


def test_a_second_process_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    finish(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"labelwise\[train\]"):
        curves.draw_curves(HISTORY, tmp_path / "curves.png")
