from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from labelwise.errors import CheckpointError, DataError, InputError, LabelwiseError

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

import labelwise  # noqa: E402
from labelwise.models.loading import load_joint_model  # noqa: E402
from labelwise.training.labels import run as training  # noqa: E402
from labelwise.training.labels.recipe import TextSource  # noqa: E402
from labelwise.training.labels.run import train_labels  # noqa: E402
from labelwise.training.labels.trainer import LabelTrainer  # noqa: E402


def changed(recipe, **settings):
    return replace(recipe, hyperparameters=replace(recipe.hyperparameters, **settings))


def losses(run: Path) -> list[tuple[int, float]]:
    curve = json.loads((run / "metrics.json").read_text())["curve"]
    return [(entry["step"], entry["loss"]) for entry in curve if "loss" in entry]


def test_a_run_learns_and_leaves_a_checkpoint_that_labelwise_reads(recipe, tmp_path: Path):
    run = tmp_path / "run"
    folder = train_labels(
        changed(recipe, epochs=12, accumulation=1), data_dir=tmp_path / "data", output_dir=run
    )
    curve = [loss for _, loss in losses(run)]
    assert sum(curve[-5:]) < 0.7 * sum(curve[:5])
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["data"]["train_rows"] == 40
    assert {"eval_micro_f1", "eval_macro_f1", "eval_mrr", "eval_ece", "eval_brier"} <= metrics[
        "validation"
    ].keys()
    assert json.loads((run / "recipe.json").read_text())["name"] == "tiny"
    assert (run / "curves.png").is_file()
    assert "| rows.jsonl.gz | 40 | own |" in (folder / "README.md").read_text()

    model = load_joint_model(folder)
    config = json.loads((folder / "config.json").read_text())
    assert config["model_type"] == "gliznet"
    assert config["lab_token_id"] == model.config.lab_token_id == 17
    assert model.backbone.get_input_embeddings().num_embeddings == 18
    result = labelwise.load(folder, backend="torch").classify("the boat is blue", labels=["boat", "bread"])
    assert {entry.label for entry in result.labels} == {"boat", "bread"}


def test_the_card_lists_each_file_with_its_rows_and_licence(recipe, write_rows, rows, tmp_path: Path):
    write_rows(
        "data/more.csv", ["body,topic", f"{rows[0]['text']},bread", "a red shop,shop", "a blue boat,boat"]
    )
    more = TextSource(path="more.csv", licence="MIT", columns={"text": "body", "label": "topic"}, max_rows=2)
    chosen = replace(changed(recipe, max_steps=1), sources=(*recipe.sources, more))
    folder = train_labels(chosen, data_dir=tmp_path / "data", output_dir=tmp_path / "run")
    card = (folder / "README.md").read_text()
    assert "| rows.jsonl.gz | 40 | own |\n| more.csv | 2 | MIT |" in card
    assert "not named in the recipe" not in card


def test_a_killed_run_goes_on_along_the_same_losses(recipe, tmp_path: Path, monkeypatch):
    chosen = replace(changed(recipe, evaluate_every_steps=3), model=replace(recipe.model, dropout_rate=0.3))
    data = tmp_path / "data"
    train_labels(chosen, data_dir=data, output_dir=tmp_path / "whole")

    step = LabelTrainer.training_step

    def killed_at_step_5(self, *arguments, **named):
        if self.state.global_step == 5:
            raise KeyboardInterrupt
        return step(self, *arguments, **named)

    monkeypatch.setattr(LabelTrainer, "training_step", killed_at_step_5)
    with pytest.raises(KeyboardInterrupt):
        train_labels(chosen, data_dir=data, output_dir=tmp_path / "cut")
    monkeypatch.undo()
    with pytest.raises(DataError, match="holds a run already"):
        train_labels(chosen, data_dir=data, output_dir=tmp_path / "cut")
    train_labels(chosen, data_dir=data, output_dir=tmp_path / "cut", resume=True)

    whole, cut = losses(tmp_path / "whole"), losses(tmp_path / "cut")
    assert [at for at, _ in cut] == [at for at, _ in whole] == list(range(1, 11))
    assert [loss for _, loss in cut] == pytest.approx([loss for _, loss in whole], abs=1e-6)


def test_a_loss_that_is_not_finite_stops_the_run(recipe, tmp_path: Path, monkeypatch):
    start = training.start_model

    def damaged(*arguments, **named):
        model = start(*arguments, **named)
        with torch.no_grad():
            model.aggregator.scoring.bilinear.weight.fill_(float("nan"))
        return model

    monkeypatch.setattr(training, "start_model", damaged)
    with pytest.raises(LabelwiseError, match="loss is not finite after step 0: lower learning_rate"):
        train_labels(recipe, data_dir=tmp_path / "data", output_dir=tmp_path / "run")


def test_gradient_checkpointing_changes_no_loss(recipe, tmp_path: Path):
    short = changed(recipe, max_steps=2)
    train_labels(short, data_dir=tmp_path / "data", output_dir=tmp_path / "plain")
    train_labels(
        short,
        data_dir=tmp_path / "data",
        output_dir=tmp_path / "saving",
        changes={"is_gradient_checkpointed": True},
    )
    assert dict(losses(tmp_path / "saving")) == pytest.approx(dict(losses(tmp_path / "plain")), abs=1e-5)


def test_a_row_limit_beyond_the_encoders_positions_is_refused(recipe, tmp_path: Path):
    longer = replace(recipe, examples=replace(recipe.examples, max_tokens=65))
    with pytest.raises(CheckpointError, match="64 positions"):
        train_labels(longer, data_dir=tmp_path / "data", output_dir=tmp_path / "run")


def test_without_a_validation_file_labels_are_held_out(recipe, tmp_path: Path):
    held_out = replace(
        changed(recipe, max_steps=1, accumulation=1, batch_size=1), validation=(), held_out_share=0.2
    )
    rows = [
        {"text": f"the shop is {'red ' * number}", "labels": [f"name {number}"], "not_labels": ["bread"]}
        for number in range(1, 11)
    ]
    (tmp_path / "data" / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    train_labels(
        replace(held_out, sources=(TextSource(path="rows.jsonl"),)),
        data_dir=tmp_path / "data",
        output_dir=tmp_path / "run",
    )
    data = json.loads((tmp_path / "run" / "metrics.json").read_text())["data"]
    assert (data["labels_held_out"], data["validation_rows"], data["train_rows"]) == (2, 2, 6)


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no torch.distributed")
def test_two_processes_have_the_losses_of_one(recipe, tmp_path: Path, run_in_two_processes):
    """One process sums two batches into a step where each of two processes reads one of them."""
    single = changed(recipe, max_steps=4)
    train_labels(single, data_dir=tmp_path / "data", output_dir=tmp_path / "one")
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(changed(single, accumulation=1).to_dict()))
    flags = ["--data", tmp_path / "data", "--output", tmp_path / "two"]
    finished = run_in_two_processes("train", "labels", path, *flags)
    assert finished.returncode == 0, finished.stderr[:4000]
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert [step for step, _ in two] == [1, 2, 3, 4]
    assert [loss for _, loss in two] == pytest.approx([loss for _, loss in one], abs=1e-4)
    figures = [
        json.loads((tmp_path / name / "metrics.json").read_text())["validation"] for name in ("one", "two")
    ]
    assert figures[1]["eval_micro_f1"] == pytest.approx(figures[0]["eval_micro_f1"])


def test_fp16_is_refused_before_the_data_is_read(recipe, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="fp16 needs a GPU"):
        train_labels(
            recipe,
            data_dir=tmp_path / "absent",
            output_dir=tmp_path / "run",
            changes={"precision": "fp16"},
        )
