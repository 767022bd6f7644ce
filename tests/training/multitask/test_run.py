import json
from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("accelerate")
pytest.importorskip("matplotlib")

import torch
from safetensors.torch import load_file

import labelwise
from labelwise.errors import DataError, InputError, LabelwiseError
from labelwise.models.multitask import MultitaskOutput
from labelwise.training.multitask.losses import answer_loss, task_loss
from labelwise.training.multitask.run import train_multitask


def run(recipe, data_dir, name, **settings):
    return train_multitask(
        recipe, recipe_dir=data_dir.parent, data_dir=data_dir, output_dir=data_dir.parent / name, **settings
    )


def losses(folder):
    curve = json.loads((folder / "metrics.json").read_text())["curve"]
    return [entry["loss"] for entry in curve if "loss" in entry]


def test_a_run_leaves_a_checkpoint_that_does_all_four_verbs(recipe, data_dir):
    folder = run(recipe, data_dir, "run")
    model = labelwise.load(folder)
    assert model.tasks == {"classify", "entail", "rank", "answer"}
    assert model.checkpoint.max_tokens == 48
    assert model.classify("the bread is red", labels=["bread", "boat"]).best is not None
    metrics = json.loads((folder.parent / "metrics.json").read_text())
    assert metrics["rows"] == {"classify": 15, "entail": 9, "answer": metrics["rows"]["answer"]}
    assert 0.0 <= metrics["validation"]["eval_macro_f1"] <= 1.0
    assert (folder.parent / "curves.png").is_file()
    card = (folder / "README.md").read_text()
    assert "topics.jsonl.gz" in card
    assert "qa.json" in card


def test_a_resumed_run_goes_on_as_if_it_had_never_stopped(recipe, data_dir):
    whole = run(recipe, data_dir, "whole").parent
    cut = data_dir.parent / "cut"
    run(recipe, data_dir, "cut")
    for name in ("metrics.json",):
        (cut / name).unlink()
    for later in cut.glob("checkpoint-12"):
        (later / "trainer_state.json").unlink()
    with pytest.raises(DataError, match="holds a run already"):
        run(recipe, data_dir, "cut")
    run(recipe, data_dir, "cut", resume=True)
    assert losses(cut) == pytest.approx(losses(whole), abs=1e-6)


def test_training_from_entailment_runs_that_recipe_first_and_only_once(recipe, data_dir):
    staged = replace(
        recipe, starts_from_entail=True, hyperparameters=replace(recipe.hyperparameters, steps=2)
    )
    run(staged, data_dir, "staged")
    entail = data_dir.parent / "staged" / "entail" / "model" / "model.safetensors"
    written = entail.stat().st_mtime_ns
    for name in ("metrics.json",):
        (data_dir.parent / "staged" / name).unlink()
    run(staged, data_dir, "staged", resume=True)
    assert entail.stat().st_mtime_ns == written


def test_an_earlier_recipe_is_run_first_and_its_model_gone_on_from(recipe, data_dir):
    brief = replace(recipe.hyperparameters, steps=2)
    earlier = replace(recipe, name="earlier", hyperparameters=brief)
    (data_dir.parent / "earlier.json").write_text(json.dumps(earlier.to_dict()))
    idle = replace(brief, learning_rate=1e-12, head_learning_rate=1e-12, weight_decay=0.0)
    later = replace(recipe, earlier_recipe="earlier.json", hyperparameters=idle)
    folder = run(later, data_dir, "later")
    ends = [load_file(at / "model.safetensors") for at in (folder.parent / "earlier" / "model", folder)]
    for name, expected in ends[0].items():
        torch.testing.assert_close(ends[1][name], expected, rtol=0, atol=1e-6)


def test_compiled_layers_are_asked_for_by_the_recipe_and_keep_their_names(recipe, data_dir, monkeypatch):
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda module, **how: compiled.append(how))
    brief = replace(recipe.hyperparameters, steps=1, is_compiled=True)
    folder = run(replace(recipe, hyperparameters=brief), data_dir, "compiled")
    assert compiled == [{"dynamic": True}] * 2
    assert "encoder.encoder.layer.0.attention.self.query.weight" in load_file(folder / "model.safetensors")


def test_several_processes_are_refused_before_anything_is_read(recipe, data_dir, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="2 processes were started, and train multitask runs in one"):
        run(recipe, data_dir, "twice")
    assert not (data_dir.parent / "twice").exists()


def test_the_loss_falls(recipe, data_dir):
    longer = replace(
        recipe,
        hyperparameters=replace(recipe.hyperparameters, steps=60, shares={"classify": 1.0}),
    )
    found = losses(run(longer, data_dir, "longer").parent)
    assert sum(found[-10:]) < 0.75 * sum(found[:10])


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_task(recipe, data_dir, monkeypatch):
    from labelwise.training.multitask import trainer

    monkeypatch.setattr(
        trainer, "task_loss", lambda task, outputs, batch: torch.tensor(float("nan"), requires_grad=True)
    )
    with pytest.raises(LabelwiseError, match="loss is not finite"):
        run(recipe, data_dir, "broken")


def test_an_answer_may_stand_in_the_context_or_be_none_and_nowhere_else():
    logits = torch.tensor([[0.0, 50.0, 1.0, 2.0]])
    may_answer = torch.tensor([[True, False, True, True]])
    loss = answer_loss(logits, torch.tensor([3]), may_answer)
    expected = torch.logsumexp(torch.tensor([0.0, 1.0, 2.0]), dim=0) - 2.0
    assert loss.item() == pytest.approx(expected.item(), abs=1e-6)


def test_the_label_loss_is_half_binary_and_half_one_against_the_false_ones():
    logits = torch.tensor([[2.0, -1.0, 0.5]])
    batch = {"targets": torch.tensor([[1, 0, -100]])}
    found = task_loss("classify", MultitaskOutput(label_logits=logits), batch)
    binary = (torch.nn.functional.softplus(torch.tensor([-2.0, -1.0]))).mean()
    ranking = torch.logaddexp(torch.tensor(2.0), torch.tensor(-1.0)) - 2.0
    assert found.item() == pytest.approx(0.5 * (binary + ranking).item(), abs=1e-6)
