from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from labelwise.errors import DataError, InputError, LabelwiseError
from labelwise.training.recipe import Hyperparameters, NliRecipe, Source

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from safetensors.torch import load_file  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from transformers import AutoModelForSequenceClassification  # noqa: E402

import labelwise  # noqa: E402
from labelwise.training.nli import train_nli  # noqa: E402

SETTINGS = Hyperparameters(
    learning_rate=3e-3,
    batch_size=8,
    epochs=4,
    max_tokens=24,
    dropout=0.1,
    log_every_steps=4,
    evaluate_every_steps=8,
    save_every_steps=4,
)


@pytest.fixture
def data(write_rows, tmp_path: Path) -> Path:
    # The hypothesis alone gives the answer away: two layers of width 32 must learn it in a second.
    answers = {"open": "entailment", "closed": "contradiction", "red": "neutral"}
    rows = [
        {"premise": premise, "hypothesis": f"this is {word}", "label": label}
        for premise in ("the shop is open", "the shop sold bread")
        for word, label in answers.items()
    ]
    write_rows("data/pairs.jsonl", rows * 8)
    texts = [{"text": "the shop is open", "label": "open"}, {"text": "the boat sank", "label": "boat"}]
    write_rows("data/texts.jsonl", texts * 8)
    write_rows("data/validation.jsonl.gz", rows)
    return tmp_path / "data"


def recipe(base: Path, **changes) -> NliRecipe:
    settings = replace(SETTINGS, **changes.pop("settings", {}))
    fields = {
        "name": "tiny",
        "base": str(base),
        "classes": ("entailment", "neutral", "contradiction"),
        "sources": (
            Source("pairs.jsonl", "pairs", "own"),
            Source("texts.jsonl", "texts", "own", templates=("this is {}",), negatives_per_text=1),
        ),
        "validation": "validation.jsonl.gz",
        "validation_rows": 4,
        "seed": 7,
        "hyperparameters": settings,
    }
    return NliRecipe(**{**fields, **changes})


def test_a_run_learns_and_leaves_a_complete_checkpoint(tiny_base, data, tmp_path, caplog):
    caplog.set_level("INFO", logger="labelwise.training")
    wanted = recipe(tiny_base, settings={"epochs": 8})
    folder = train_nli(wanted, data_dir=data, output_dir=tmp_path / "run")

    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["validation"]["eval_accuracy"] == 1
    assert metrics["pairs_per_source"] == {"pairs.jsonl": 48, "texts.jsonl": 32}
    losses = [entry["loss"] for entry in metrics["curve"] if "loss" in entry]
    assert losses[-1] < losses[0]
    assert "s left" in caplog.text
    assert (tmp_path / "run" / "curves.png").is_file()
    card = (folder / "README.md").read_text()
    assert "| pairs.jsonl | 48 | own |" in card
    assert "| accuracy | 1.0000 |" in card

    model = AutoModelForSequenceClassification.from_pretrained(folder)
    assert model.config.id2label == {0: "entailment", 1: "neutral", 2: "contradiction"}
    assert all(weight.dtype == torch.float32 for weight in load_file(folder / "model.safetensors").values())
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert (tokenizer.padding, tokenizer.truncation) == (None, None)
    assert (folder / "tokenizer_config.json").is_file()


def test_a_killed_run_resumes_to_the_weights_of_an_unbroken_one(tiny_base, data, tmp_path, monkeypatch):
    wanted = recipe(tiny_base)
    whole = load_file(train_nli(wanted, data_dir=data, output_dir=tmp_path / "whole") / "model.safetensors")

    from transformers import Trainer

    unbroken_step = Trainer.training_step

    def dies_at_step_9(self, *args, **kwargs):
        if self.state.global_step == 9:
            raise KeyboardInterrupt
        return unbroken_step(self, *args, **kwargs)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Trainer, "training_step", dies_at_step_9)
        train_nli(wanted, data_dir=data, output_dir=tmp_path / "broken")
    resumed = train_nli(wanted, data_dir=data, output_dir=tmp_path / "broken", resume=True)

    weights = load_file(resumed / "model.safetensors")
    for name, expected in whole.items():
        torch.testing.assert_close(weights[name], expected, rtol=0, atol=1e-6)


def losses(run: Path) -> list[tuple[int, float]]:
    curve = json.loads((run / "metrics.json").read_text())["curve"]
    return [(entry["step"], entry["loss"]) for entry in curve if "loss" in entry]


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no torch.distributed")
def test_two_processes_have_the_losses_and_the_weights_of_one(
    tiny_base, data, tmp_path, run_in_two_processes
):
    wanted = recipe(tiny_base, settings={"max_steps": 4, "log_every_steps": 1, "dropout": 0.0})
    train_nli(wanted, data_dir=data, output_dir=tmp_path / "one")
    (tmp_path / "recipe.json").write_text(json.dumps(wanted.to_dict()))
    flags = ["--data", data, "--output", tmp_path / "two", "--batch-size", "4"]
    finished = run_in_two_processes("train", "nli", tmp_path / "recipe.json", *flags)
    # torchrun says last that a process failed, which is known; why it did stands first.
    assert finished.returncode == 0, finished.stderr[:4000]
    assert finished.stdout.split() == [str(tmp_path / "two" / "model")]
    assert finished.stderr.count("step 4 of 4") == 1

    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert [step for step, _ in two] == [1, 2, 3, 4]
    assert [loss for _, loss in two] == pytest.approx([loss for _, loss in one], abs=1e-4)
    weights = [load_file(tmp_path / name / "model" / "model.safetensors") for name in ("one", "two")]
    for name, expected in weights[0].items():
        torch.testing.assert_close(weights[1][name], expected, rtol=0, atol=1e-3)


def test_accumulated_passes_have_the_losses_of_one_large_batch(tiny_base, data, tmp_path):
    wanted = recipe(tiny_base, settings={"max_steps": 4, "log_every_steps": 1, "dropout": 0.0})
    train_nli(wanted, data_dir=data, output_dir=tmp_path / "one")
    halves = {"batch_size": 4, "accumulation": 2, "is_gradient_checkpointed": True}
    train_nli(wanted, data_dir=data, output_dir=tmp_path / "two", changes=halves)
    assert dict(losses(tmp_path / "two")) == pytest.approx(dict(losses(tmp_path / "one")), abs=1e-4)


def test_a_run_without_progress_stops_early_and_keeps_the_best_weights(tiny_base, data, tmp_path, caplog):
    caplog.set_level("INFO", logger="labelwise.training")
    # All is learned after some twenty of the 400 steps: from then on no validation is better.
    wanted = recipe(tiny_base, settings={"epochs": 40, "dropout": 0.0})
    train_nli(wanted, data_dir=data, output_dir=tmp_path / "run", changes={"patience": 2})
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    accuracies = [
        (entry["eval_accuracy"], -entry["step"]) for entry in metrics["curve"] if "eval_loss" in entry
    ]
    last_step = losses(tmp_path / "run")[-1][0]
    best_step = -max(accuracies[:-1])[1]
    assert last_step < 400
    assert last_step == best_step + 16
    assert metrics["settings"]["patience"] == 2
    assert metrics["best_checkpoint"] == str(tmp_path / "run" / f"checkpoint-{best_step}")
    assert f"stopped at step {last_step} of 400: no better validation for 2 evaluations" in caplog.messages
    assert f"best weights: step {best_step}, accuracy 1.0000" in caplog.messages
    assert f"step {best_step}, validation on 4 of 6 pairs: " in caplog.text
    assert f"step {last_step}, validation on all 6 pairs: " in caplog.messages[-2]


def test_fp16_is_refused_before_the_data_is_read(tiny_base, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="fp16 needs a GPU"):
        train_nli(
            recipe(tiny_base),
            data_dir=tmp_path / "absent",
            output_dir=tmp_path / "run",
            changes={"precision": "fp16"},
        )


def test_rows_that_do_not_fill_a_step_are_counted(tiny_base, data, tmp_path):
    with pytest.raises(InputError, match="320 pairs do not fill one step of 1000: lower batch_size"):
        train_nli(recipe(tiny_base), data_dir=data, output_dir=tmp_path / "run", changes={"batch_size": 1000})


def test_max_steps_ends_the_run_and_the_decay_early(tiny_base, data, tmp_path):
    short = recipe(tiny_base, settings={"max_steps": 6, "log_every_steps": 1})
    train_nli(short, data_dir=data, output_dir=tmp_path / "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    rates = [entry["learning_rate"] for entry in metrics["curve"] if "loss" in entry]
    assert metrics["train_pairs"] == 48
    assert len(rates) == 6
    assert rates[-1] < rates[0] / 4


def test_a_run_folder_is_not_overwritten_without_resume(tiny_base, data, tmp_path):
    (tmp_path / "run" / "checkpoint-4").mkdir(parents=True)
    (tmp_path / "run" / "checkpoint-4" / "trainer_state.json").write_text("{}")
    with pytest.raises(DataError, match="--resume or another --output"):
        train_nli(recipe(tiny_base), data_dir=data, output_dir=tmp_path / "run")


def test_frozen_word_embeddings_stay_those_of_the_base_while_the_encoder_moves(tiny_base, data, tmp_path):
    frozen = recipe(tiny_base, settings={"freeze_word_embeddings": True, "epochs": 1})
    trained = load_file(train_nli(frozen, data_dir=data, output_dir=tmp_path / "run") / "model.safetensors")
    base = load_file(tiny_base / "model.safetensors")
    name = "embeddings.word_embeddings.weight"
    assert torch.equal(trained[f"bert.{name}"], base[name])
    moved = "encoder.layer.0.attention.self.query.weight"
    assert not torch.equal(trained[f"bert.{moved}"], base[moved])


def test_a_two_class_head_trains_on_the_same_mix(tiny_base, data, tmp_path):
    two = recipe(tiny_base, classes=("entailment", "not_entailment"), settings={"epochs": 1})
    folder = train_nli(two, data_dir=data, output_dir=tmp_path / "run")
    assert load_file(folder / "model.safetensors")["classifier.weight"].shape == (2, 32)


def test_a_loss_that_is_not_finite_stops_the_run_with_the_remedy(tiny_base, data, tmp_path):
    weights = load_file(tiny_base / "model.safetensors")
    weights["embeddings.LayerNorm.weight"].fill_(torch.nan)
    from safetensors.torch import save_file

    save_file(weights, tiny_base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(LabelwiseError, match="lower learning_rate"):
        train_nli(recipe(tiny_base), data_dir=data, output_dir=tmp_path / "run")


def test_bad_rows_are_named_in_the_log(tiny_base, data, tmp_path, caplog):
    with (data / "pairs.jsonl").open("a") as rows:
        rows.write('{"premise": "the boat sank"}\n' * 7)
    train_nli(recipe(tiny_base, settings={"epochs": 1}), data_dir=data, output_dir=tmp_path / "run")
    assert "left out pairs.jsonl row 49: 'hypothesis' is None" in caplog.text
    assert "left out 7 rows of pairs.jsonl in all" in caplog.text


def test_a_window_longer_than_the_base_reads_is_refused_before_the_data_is_read(tiny_base, tmp_path):
    long = recipe(tiny_base, settings={"max_tokens": 65})
    with pytest.raises(InputError, match=r"max_tokens is 65, and the base .* reads 64"):
        train_nli(long, data_dir=tmp_path / "absent", output_dir=tmp_path / "run")


def test_bart_trains_though_its_outputs_hold_more_than_logits(tiny_classifier, data, tmp_path):
    base = tiny_classifier("bart", num_labels=3)
    wanted = recipe(base, settings={"max_steps": 16, "dropout": 0.0})
    folder = train_nli(wanted, data_dir=data, output_dir=tmp_path / "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["validation"]["eval_accuracy"] in {correct / 6 for correct in range(7)}
    found = losses(tmp_path / "run")
    assert found[-1][1] < found[0][1]
    assert AutoModelForSequenceClassification.from_pretrained(folder).config.model_type == "bart"


def test_deberta_trains_from_a_folder_with_spm_model(tiny_classifier, write_spm, data, tmp_path):
    base = tiny_classifier("deberta-v2")
    (base / "tokenizer.json").unlink()
    write_spm(base)
    wanted = recipe(base, settings={"max_steps": 8})
    folder = train_nli(wanted, data_dir=data, output_dir=tmp_path / "run")
    assert (folder / "spm.model").read_bytes() == (base / "spm.model").read_bytes()
    verdict = labelwise.load(folder, backend="torch").entail("the shop is open", "this is open")
    assert verdict.entailment + verdict.neutral + verdict.contradiction == pytest.approx(1, abs=1e-5)


def test_the_command_reports_a_fault_in_one_line_and_status_1(tmp_path, monkeypatch, capsys):
    from labelwise.training.__main__ import main

    arguments = [
        "nli",
        "--recipe",
        str(tmp_path / "absent.json"),
        "--data",
        ".",
        "--output",
        str(tmp_path / "o"),
    ]
    monkeypatch.setattr("sys.argv", ["labelwise.training", *arguments])
    assert main() == 1
    assert capsys.readouterr().err.startswith("error: cannot read the recipe")
