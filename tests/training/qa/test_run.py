from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from labelwise.errors import DataError, InputError, LabelwiseError

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("matplotlib")

from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: E402

import labelwise  # noqa: E402
from labelwise.training.qa import run as training  # noqa: E402
from labelwise.training.qa.run import train_qa  # noqa: E402
from labelwise.training.qa.validation import QaTrainer  # noqa: E402

from ..conftest import WORDS  # noqa: E402


def changed(recipe, **settings):
    return replace(recipe, hyperparameters=replace(recipe.hyperparameters, **settings))


def losses(run: Path) -> list[tuple[int, float]]:
    curve = json.loads((run / "metrics.json").read_text())["curve"]
    return [(entry["step"], entry["loss"]) for entry in curve if "loss" in entry]


def test_a_run_learns_and_its_checkpoint_answers_as_it_was_validated(recipe, tmp_path: Path):
    run = tmp_path / "run"
    folder = train_qa(changed(recipe, epochs=12), data_dir=tmp_path / "data", output_dir=run)
    curve = [loss for _, loss in losses(run)]
    assert sum(curve[-5:]) < 0.5 * sum(curve[:5])
    metrics = json.loads((run / "metrics.json").read_text())
    assert {"eval_exact", "eval_f1", "eval_HasAns_f1", "eval_NoAns_f1"} <= metrics["validation"].keys()
    assert metrics["validation"]["eval_f1"] > 80
    assert metrics["data"]["train_unanswerable"] * 2 == metrics["data"]["train_questions"]
    assert json.loads((run / "recipe.json").read_text())["name"] == "tiny reader"
    assert (run / "curves.png").is_file()
    assert "train.json.gz" in (folder / "README.md").read_text()

    model = labelwise.load(folder)
    assert model.tasks == {"answer"}
    assert json.loads((folder / "tokenizer_config.json").read_text())["model_max_length"] == 32
    context = "the the boat sold bread closed"
    assert model.answer("the boat sold", context).text == "bread"
    assert model.answer("is about this", context).text == ""


def test_a_killed_run_goes_on_along_the_same_losses(recipe, tmp_path: Path, monkeypatch):
    config = Path(recipe.base) / "config.json"
    config.write_text(config.read_text().replace('_dropout_prob": 0.0', '_dropout_prob": 0.3'))
    chosen = changed(recipe, evaluate_every_steps=3, epochs=2)
    data = tmp_path / "data"
    train_qa(chosen, data_dir=data, output_dir=tmp_path / "whole")

    step = QaTrainer.training_step

    def killed_at_step_5(self, *arguments, **named):
        if self.state.global_step == 5:
            raise KeyboardInterrupt
        return step(self, *arguments, **named)

    monkeypatch.setattr(QaTrainer, "training_step", killed_at_step_5)
    with pytest.raises(KeyboardInterrupt):
        train_qa(chosen, data_dir=data, output_dir=tmp_path / "cut")
    monkeypatch.undo()
    with pytest.raises(DataError, match="holds a run already"):
        train_qa(chosen, data_dir=data, output_dir=tmp_path / "cut")
    train_qa(chosen, data_dir=data, output_dir=tmp_path / "cut", resume=True)

    whole, cut = losses(tmp_path / "whole"), losses(tmp_path / "cut")
    assert len(whole) > 6
    assert [at for at, _ in cut] == [at for at, _ in whole]
    assert [loss for _, loss in cut] == pytest.approx([loss for _, loss in whole], abs=1e-6)


def test_validation_without_a_better_f1_stops_the_run(recipe, tmp_path: Path):
    still = changed(recipe, learning_rate=1e-12, epochs=20, evaluate_every_steps=1, patience=2)
    train_qa(still, data_dir=tmp_path / "data", output_dir=tmp_path / "run")
    assert losses(tmp_path / "run")[-1][0] == 3


def test_a_loss_that_is_not_finite_stops_the_run(recipe, tmp_path: Path, monkeypatch):
    start = training.start_reader

    def damaged(*arguments):
        model = start(*arguments)
        with torch.no_grad():
            model.qa_outputs.weight.fill_(float("nan"))
        return model

    monkeypatch.setattr(training, "start_reader", damaged)
    with pytest.raises(LabelwiseError, match="loss is not finite after step 0: lower learning_rate"):
        train_qa(recipe, data_dir=tmp_path / "data", output_dir=tmp_path / "run")


def test_bad_rows_are_named_in_the_report(recipe, tmp_path: Path, questions, write_json_file):
    questions["data"][0]["paragraphs"][0]["qas"][0]["answers"] = [{"text": "boat", "answer_start": 0}]
    write_json_file("train.json.gz", questions)
    train_qa(changed(recipe, max_steps=1), data_dir=tmp_path / "data", output_dir=tmp_path / "run")
    data = json.loads((tmp_path / "run" / "metrics.json").read_text())["data"]
    assert data["rows_left_out"] == 1
    assert data["first_rows_left_out"][0].startswith("train.json.gz row 1: the answer of 'what0', 'boat'")


def test_deberta_trains_without_token_types_in_bf16(recipe, tmp_path: Path, save_tiny):
    pieces = [(name, 0.0) for name in ("[PAD]", "[CLS]", "[SEP]", "[UNK]")]
    pieces += [("▁", -9.0), *((f"▁{word}", -2.0) for word in WORDS)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    folder = save_tiny("deberta-v2", head="QuestionAnswering", config={"vocab_size": len(pieces)})
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"cls_token": "[CLS]", "sep_token": "[SEP]"}')
    small = changed(recipe, max_steps=2, precision="bf16", is_gradient_checkpointed=True, accumulation=2)
    deberta = replace(small, base=str(folder))
    model = labelwise.load(
        train_qa(deberta, data_dir=tmp_path / "data", output_dir=tmp_path / "run"), backend="torch"
    )
    assert model.tasks == {"answer"}
    assert len(losses(tmp_path / "run")) == 2
    with pytest.raises(InputError, match="fp16 does not work for deberta-v2"):
        # Before the data is read.
        train_qa(
            changed(deberta, precision="fp16"), data_dir=tmp_path / "absent", output_dir=tmp_path / "half"
        )


def test_windows_beyond_the_bases_positions_are_refused(recipe, tmp_path: Path):
    with pytest.raises(InputError, match="reads 64"):
        train_qa(changed(recipe, max_tokens=65), data_dir=tmp_path / "data", output_dir=tmp_path / "run")


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no torch.distributed")
def test_two_processes_have_the_losses_and_the_answers_of_one(recipe, tmp_path: Path, run_in_two_processes):
    whole = changed(recipe, max_steps=4)
    train_qa(whole, data_dir=tmp_path / "data", output_dir=tmp_path / "one")
    (tmp_path / "recipe.json").write_text(json.dumps(whole.to_dict()))
    flags = ["--data", tmp_path / "data", "--output", tmp_path / "two", "--batch-size", "4"]
    finished = run_in_two_processes("train", "qa", tmp_path / "recipe.json", *flags)
    assert finished.returncode == 0, finished.stderr[:4000]
    assert finished.stdout.split() == [str(tmp_path / "two" / "model")]

    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert [step for step, _ in two] == [1, 2, 3, 4]
    assert [loss for _, loss in two] == pytest.approx([loss for _, loss in one], abs=1e-4)
    figures = [
        json.loads((tmp_path / name / "metrics.json").read_text())["validation"] for name in ("one", "two")
    ]
    assert figures[1]["eval_f1"] == pytest.approx(figures[0]["eval_f1"])


def test_accumulated_passes_have_the_losses_of_one_large_batch(recipe, tmp_path: Path):
    whole = changed(recipe, max_steps=4)
    train_qa(whole, data_dir=tmp_path / "data", output_dir=tmp_path / "one")
    halves = {"batch_size": 4, "accumulation": 2}
    train_qa(whole, data_dir=tmp_path / "data", output_dir=tmp_path / "two", changes=halves)
    assert dict(losses(tmp_path / "two")) == pytest.approx(dict(losses(tmp_path / "one")), abs=1e-4)
    assert json.loads((tmp_path / "two" / "metrics.json").read_text())["settings"]["accumulation"] == 2
