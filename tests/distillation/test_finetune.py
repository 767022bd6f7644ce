import copy

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from labelwise.distillation.finetune import FineTuning, Teacher, fine_tune, freeze, load_student  # noqa: E402
from labelwise.distillation.plan import plan_student  # noqa: E402
from labelwise.distillation.shrink import read_config, shrink  # noqa: E402
from labelwise.errors import InputError  # noqa: E402

QUICK = FineTuning(
    learning_rate=3e-3, warmup_steps=0, max_steps=24, batch_size=16, accumulation_steps=1, log_every_steps=6
)


@pytest.fixture
def student_of(save_teacher, tmp_path):
    def make(family, **depths):
        teacher, folder = save_teacher(family)
        plan = plan_student(read_config(folder), **depths)
        return load_student(shrink(folder, plan, output=tmp_path / "student")), teacher, plan

    return make


@pytest.fixture
def rows():
    generator = torch.Generator().manual_seed(3)
    made = []
    for number in range(64):
        ids = torch.randint(10, 50, (10,), generator=generator)
        ids[1], ids[-1] = 5 + number % 3, 2
        made.append({"input_ids": ids, "labels": torch.tensor(number % 3)})
    return made


def collate(batch):
    ids = torch.stack([row["input_ids"] for row in batch])
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "labels": torch.stack([row["labels"] for row in batch]),
    }


def tune(student, rows, tmp_path, **others):
    return fine_tune(student, rows, collate=collate, output_dir=tmp_path / "run", settings=QUICK, **others)


@pytest.mark.parametrize(
    ("family", "depths"),
    [("bert", {"encoder_layers": 3}), ("bart", {"decoder_layers": 1})],
)
def test_the_loss_falls_and_what_is_frozen_stays(student_of, rows, tmp_path, family, depths):
    student, _, _ = student_of(family, **depths)
    freeze(student, encoder=family == "bart", embeddings=True)
    before = {name: tensor.clone() for name, tensor in student.named_parameters()}
    frozen = {name for name, tensor in student.named_parameters() if not tensor.requires_grad}
    curve = tune(student, rows, tmp_path)
    assert curve[-1]["loss"] < 0.9 * curve[0]["loss"]
    after = {name: tensor.detach().cpu() for name, tensor in student.named_parameters()}
    changed = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert frozen and changed
    assert not frozen & changed


@pytest.mark.parametrize(
    ("family", "depths"),
    [("modernbert", {"encoder_layers": 3}), ("bart", {"encoder_layers": 3, "decoder_layers": 2})],
)
def test_a_teacher_adds_soft_labels_and_hidden_states(student_of, rows, tmp_path, family, depths):
    student, teacher, plan = student_of(family, **depths)
    signal = Teacher(teacher, plan.kept, soft_label_weight=0.5, hidden_state_weight=1.0)
    untouched = copy.deepcopy(teacher.state_dict())
    curve = tune(student, rows, tmp_path, teacher=signal)
    assert curve[-1]["loss"] < curve[0]["loss"]
    assert all(torch.equal(value.cpu(), untouched[name]) for name, value in teacher.state_dict().items())


def test_an_encoder_alone_cannot_be_frozen(student_of):
    student, _, _ = student_of("bert", encoder_layers=2)
    with pytest.raises(InputError, match="freeze the embeddings"):
        freeze(student, encoder=True)


def test_senseless_settings_are_refused():
    with pytest.raises(InputError, match="learning_rate"):
        FineTuning(learning_rate=0.0)
