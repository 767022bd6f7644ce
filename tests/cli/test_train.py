from __future__ import annotations

import json

import pytest

from labelwise.errors import CheckpointError

pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("matplotlib")

from labelwise.cli.train_options import FitOptions, PublishOptions, prepare
from labelwise.training import nli, publishing
from labelwise.training.labels import run as labels_run

RECIPE = {
    "name": "tiny",
    "base": "owner/base",
    "classes": ["entailment", "not_entailment"],
    "sources": [{"path": "pairs.jsonl", "kind": "pairs", "licence": "own"}],
    "validation": "validation.jsonl",
    "validation_rows": 4,
    "seed": 7,
}


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(RECIPE))
    return path


@pytest.fixture
def started(monkeypatch, tmp_path):
    """Take the place of the training, and note what it was asked for."""
    calls = []

    def train(recipe, **given):
        calls.append((recipe.name, given))
        return given["output_dir"] / "model"

    monkeypatch.setattr(nli, "train_nli", train)
    monkeypatch.setattr(labels_run, "train_labels", train)
    return calls


@pytest.fixture
def pushed(monkeypatch):
    calls = []

    def push(folder, repo, **given):
        calls.append((folder.name, repo, given))
        return f"https://hub/{repo}"

    monkeypatch.setattr(publishing, "check_hub_access", lambda repo: calls.append(("checked", repo)))
    monkeypatch.setattr(publishing, "push_to_hub", push)
    return calls


def test_flags_come_before_what_the_recipe_says(labelwise, recipe, started, tmp_path):
    flags = ["--batch-size", 4, "--accumulation", 2, "--precision", "bf16", "--patience", 3]
    finished = labelwise(
        *("train", "nli", recipe, "--data", tmp_path, "--output", tmp_path / "run"),
        *(*flags, "--gradient-checkpointing", "--resume"),
    )
    assert (finished.status, finished.out) == (0, f"{tmp_path / 'run' / 'model'}\n")
    [(name, given)] = started
    assert (name, given["resume"], given["deepspeed"]) == ("tiny", True, None)
    assert given["changes"] == {
        "batch_size": 4,
        "accumulation": 2,
        "precision": "bf16",
        "patience": 3,
        "is_gradient_checkpointed": True,
    }


def test_without_flags_the_recipe_stands(labelwise, started, tmp_path):
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"name": "joint", "base": "owner/base", "sources": ["a.jsonl"]}))
    finished = labelwise("train", "labels", path, "--data", tmp_path, "--output", tmp_path / "run")
    assert finished.status == 0
    assert [(name, given["changes"], given["resume"]) for name, given in started] == [("joint", {}, False)]


def test_a_finished_model_is_pushed_where_asked(labelwise, recipe, started, pushed, tmp_path):
    place = ["--push-to-hub", "owner/name", "--private", "--revision", "v2"]
    finished = labelwise("train", "nli", recipe, "--data", tmp_path, "--output", tmp_path / "run", *place)
    assert finished.out.splitlines()[-1] == "https://hub/owner/name"
    assert pushed == [
        ("checked", "owner/name"),
        ("model", "owner/name", {"is_private": True, "revision": "v2"}),
    ]


def test_a_hub_that_would_refuse_is_found_before_the_training(
    labelwise, recipe, started, monkeypatch, tmp_path
):
    def refuse(repo):
        raise CheckpointError(f"cannot push to {repo}: no token")

    monkeypatch.setattr(publishing, "check_hub_access", refuse)
    finished = labelwise(
        "train", "nli", recipe, "--data", tmp_path, "--output", tmp_path, "--push-to-hub", "owner/name"
    )
    assert (finished.status, started) == (1, [])
    assert finished.err == "labelwise: cannot push to owner/name: no token\n"


def test_a_private_repository_needs_a_name(labelwise, recipe, started, tmp_path):
    finished = labelwise("train", "nli", recipe, "--data", tmp_path, "--output", tmp_path, "--private")
    assert (finished.status, started) == (2, [])
    assert "give the repository too" in finished.err


def test_only_the_first_process_names_and_pushes_the_model(
    labelwise, recipe, started, pushed, tmp_path, monkeypatch
):
    monkeypatch.setenv("RANK", "1")
    finished = labelwise(
        "train", "nli", recipe, "--data", tmp_path, "--output", tmp_path, "--push-to-hub", "owner/name"
    )
    assert (finished.status, finished.out, pushed) == (0, "", [])
    assert len(started) == 1


def test_a_missing_package_is_named_before_the_work(labelwise, recipe, started, monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    finished = labelwise("train", "nli", recipe, "--data", tmp_path, "--output", tmp_path)
    assert (finished.status, started) == (1, [])
    assert "pip install 'labelwise[train]'" in finished.err


def test_a_run_says_its_own_lines_alone():
    from transformers.utils import logging

    had_bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    try:
        logging.enable_progress_bar()
        logging.set_verbosity_warning()
        prepare(FitOptions(), PublishOptions())
        assert not logging.is_progress_bar_enabled()
        assert logging.get_verbosity() == logging.ERROR
    finally:
        (logging.enable_progress_bar if had_bars else logging.disable_progress_bar)()
        logging.set_verbosity(level)


@pytest.mark.parametrize("verb", [(), ("nli",), ("qa",), ("labels",), ("multitask",)])
def test_help_leads_to_the_page_on_training(labelwise, verb):
    assert "docs/training.md" in labelwise("train", *verb, "--help").out


@pytest.mark.parametrize("verb", ["nli", "qa", "labels", "multitask"])
def test_the_examples_of_the_help_use_the_recipes_of_the_page(labelwise, verb):
    said = " ".join(labelwise("train", verb, "--help").out.split())
    assert f"labelwise train {verb} {verb}.yaml --data data" in said


def test_help_says_what_a_kind_of_training_does_not_do(labelwise):
    labels, multitask = (
        " ".join(labelwise("train", verb, "--help").out.split()) for verb in ("labels", "multitask")
    )
    assert "GLiClass checkpoints are run, not trained" in labels
    assert "names an entailment recipe" in multitask
    assert "one process, without torchrun and without early stopping" in multitask
