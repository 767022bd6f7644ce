from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from labelwise.errors import CheckpointError, DataError, InputError
from labelwise.training.recipe import Hyperparameters, NliRecipe, Source

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")
pytest.importorskip("matplotlib")

from safetensors.torch import load_file  # noqa: E402

from labelwise.distillation.finetune import Signal  # noqa: E402
from labelwise.distillation.plan import plan_student  # noqa: E402
from labelwise.distillation.shrink import read_config, shrink  # noqa: E402
from labelwise.training.distilling import Lessons, fine_tune_student  # noqa: E402

# Another order than the recipe's, so that a mix-up of classes would be seen.
NAMES = {0: "contradiction", 1: "neutral", 2: "entailment"}
SETTINGS = Hyperparameters(
    learning_rate=3e-3,
    batch_size=8,
    epochs=4,
    max_tokens=24,
    dropout=0.0,
    log_every_steps=2,
    evaluate_every_steps=8,
    save_every_steps=4,
)


@pytest.fixture
def teacher(tiny_tokenizer, tmp_path: Path) -> Path:
    folder = tmp_path / "teacher"
    config = transformers.BertConfig(
        vocab_size=tiny_tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=64,
        pad_token_id=0,
        initializer_range=0.2,
        id2label=NAMES,
        label2id={name: index for index, name in NAMES.items()},
    )
    transformers.set_seed(1)
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    tiny_tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 64}')
    (folder / "labelwise.json").write_text('{"hypothesis_template": "this is {}", "temperature": 2.0}')
    return folder


@pytest.fixture
def student(teacher, tmp_path: Path) -> Path:
    plan = plan_student(read_config(teacher), encoder_layers=2)
    return shrink(teacher, plan, output=tmp_path / "student")


@pytest.fixture
def data(write_rows, tmp_path: Path) -> Path:
    answers = {"open": "entailment", "closed": "contradiction", "red": "neutral"}
    rows = [
        {"premise": premise, "hypothesis": f"this is {word}", "label": label}
        for premise in ("the shop is open", "the shop sold bread")
        for word, label in answers.items()
    ]
    write_rows("data/pairs.jsonl", rows * 8)
    write_rows("data/validation.jsonl", rows)
    return tmp_path / "data"


def recipe(**settings) -> NliRecipe:
    return NliRecipe(
        name="tiny student",
        base="not used",
        classes=("entailment", "neutral", "contradiction"),
        sources=(Source("pairs.jsonl", "pairs", "own"),),
        validation="validation.jsonl",
        validation_rows=6,
        seed=7,
        hyperparameters=replace(SETTINGS, **settings),
    )


def figures(run: Path) -> dict:
    return json.loads((run / "metrics.json").read_text())


def losses(run: Path) -> list[float]:
    return [entry["loss"] for entry in figures(run)["curve"] if "loss" in entry]


def test_a_student_learns_and_leaves_a_complete_checkpoint(student, data, tmp_path):
    before = load_file(student / "model.safetensors")
    run = tmp_path / "run"
    folder = fine_tune_student(
        recipe(epochs=6), student, data_dir=data, output_dir=run, lessons=Lessons(freezes_embeddings=True)
    )
    found = losses(run)
    assert found[-1] < 0.5 * found[0]
    validations = [entry["eval_accuracy"] for entry in figures(run)["curve"] if "eval_accuracy" in entry]
    assert validations[0] < validations[-1] == figures(run)["validation"]["eval_accuracy"] == 1
    assert figures(run)["settings"]["freezes_embeddings"] is True
    assert (run / "curves.png").is_file()
    card = (folder / "README.md").read_text()
    for line in (
        "A student of `teacher`, made with `labelwise distill`: it has the encoder layers 0, 3 of its",
        "labelwise distill teacher --keep-layers 0,3 --output RUN --fine-tune recipe.json --data DATA "
        "--freeze-embeddings",
    ):
        assert line in card
    assert "labelwise train" not in card

    config = transformers.AutoConfig.from_pretrained(folder)
    assert (config.num_hidden_layers, config.id2label) == (2, NAMES)
    # What was calibrated on the teacher's scores stays behind, the rest of its settings goes on.
    assert json.loads((folder / "labelwise.json").read_text()) == {"hypothesis_template": "this is {}"}
    after = load_file(folder / "model.safetensors")
    frozen = {name for name in before if torch.equal(before[name], after[name])}
    assert frozen == {name for name in before if name.startswith("bert.embeddings.")}


def test_a_teacher_adds_to_the_loss_what_its_weights_say(student, teacher, data, tmp_path):
    def first_loss(name: str, **signal: float) -> float:
        lessons = Lessons(teacher=teacher if signal else None, signal=Signal(**signal))
        settings = recipe(max_steps=1, log_every_steps=1)
        fine_tune_student(settings, student, data_dir=data, output_dir=tmp_path / name, lessons=lessons)
        return losses(tmp_path / name)[0]

    alone = first_loss("alone")
    soft = first_loss("soft", soft_label_weight=1.0) - alone
    states = first_loss("states", soft_label_weight=0.0, hidden_state_weight=1.0) - alone
    both = first_loss("both", soft_label_weight=0.5, hidden_state_weight=2.0) - alone
    assert soft > 1e-3 and states > 1e-3
    assert both == pytest.approx(0.5 * soft + 2.0 * states, rel=1e-3)
    card = (tmp_path / "both" / "model" / "README.md").read_text()
    assert "fine-tuned from hard labels and the signal of `teacher`." in card
    assert "--teacher teacher --soft-label-weight 0.5 --hidden-state-weight 2.0" in card


def test_accumulated_batches_weigh_the_teacher_as_one_batch_does(student, teacher, data, tmp_path):
    def first_loss(name: str, **changes: int) -> float:
        fine_tune_student(
            recipe(max_steps=1, log_every_steps=1),
            student,
            data_dir=data,
            output_dir=tmp_path / name,
            lessons=Lessons(teacher=teacher),
            changes=changes,
        )
        return losses(tmp_path / name)[0]

    assert first_loss("one") == pytest.approx(first_loss("two", batch_size=4, accumulation=2), rel=1e-4)


def test_a_killed_run_resumes_to_the_weights_of_an_unbroken_one(
    student, teacher, data, tmp_path, monkeypatch
):
    settings = recipe(dropout=0.1)
    lessons = Lessons(teacher=teacher)

    def run(name: str, *, resume: bool = False) -> Path:
        return fine_tune_student(
            settings, student, data_dir=data, output_dir=tmp_path / name, lessons=lessons, resume=resume
        )

    whole = load_file(run("whole") / "model.safetensors")
    unbroken_step = transformers.Trainer.training_step

    def dies_at_step_9(self, *args, **kwargs):
        if self.state.global_step == 9:
            raise KeyboardInterrupt
        return unbroken_step(self, *args, **kwargs)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(transformers.Trainer, "training_step", dies_at_step_9)
        run("broken")
    with pytest.raises(DataError, match="--resume"):
        run("broken")
    weights = load_file(run("broken", resume=True) / "model.safetensors")
    for name, expected in whole.items():
        torch.testing.assert_close(weights[name], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("family", "layers"), [("bart", {"decoder_layers": 1}), ("deberta-v2", {})])
def test_a_student_of_another_family_learns_from_its_teacher(tiny_classifier, data, tmp_path, family, layers):
    names = {"id2label": NAMES, "label2id": {name: index for index, name in NAMES.items()}}
    teacher = tiny_classifier(family, "teacher", **names)
    plan = plan_student(read_config(teacher), encoder_layers=1, **layers)
    student = shrink(teacher, plan, output=tmp_path / "student")
    folder = fine_tune_student(
        recipe(max_steps=8),
        student,
        data_dir=data,
        output_dir=tmp_path / "run",
        lessons=Lessons(teacher=teacher, signal=Signal(hidden_state_weight=1.0)),
    )
    found = losses(tmp_path / "run")
    assert found[-1] < found[0]
    assert figures(tmp_path / "run")["validation"]["eval_accuracy"] in {right / 6 for right in range(7)}
    assert read_config(folder)["model_type"] == family


def test_a_window_longer_than_the_student_reads_is_refused_before_the_data_is_read(student, tmp_path):
    with pytest.raises(InputError, match=r"max_tokens is 65, and the base .* reads 64"):
        fine_tune_student(
            recipe(max_tokens=65), student, data_dir=tmp_path / "absent", output_dir=tmp_path / "run"
        )


def test_a_teacher_that_reads_other_tokens_is_refused(student, teacher, data, tmp_path):
    spec = json.loads((teacher / "tokenizer.json").read_text())
    vocabulary = spec["model"]["vocab"]
    vocabulary["boat"], vocabulary["red"] = vocabulary["red"], vocabulary["boat"]
    (teacher / "tokenizer.json").write_text(json.dumps(spec))
    with pytest.raises(InputError, match="reads other tokens"):
        fine_tune_student(
            recipe(), student, data_dir=data, output_dir=tmp_path / "run", lessons=Lessons(teacher=teacher)
        )


def test_a_student_without_entailment_or_without_a_plan_is_refused(student, teacher, data, tmp_path):
    (student / "distillation.json").unlink()
    with pytest.raises(CheckpointError, match="labelwise distill"):
        fine_tune_student(
            recipe(), student, data_dir=data, output_dir=tmp_path / "run", lessons=Lessons(teacher=teacher)
        )
    config = read_config(student)
    (student / "config.json").write_text(json.dumps({**config, "id2label": {"0": "good", "1": "bad"}}))
    with pytest.raises(CheckpointError, match="not those of an entailment model"):
        fine_tune_student(recipe(), student, data_dir=data, output_dir=tmp_path / "run")
