import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from labelwise.distillation.finetune import (  # noqa: E402
    Signal,
    Teacher,
    freeze,
    load_student,
    load_teacher,
)
from labelwise.distillation.plan import plan_student  # noqa: E402
from labelwise.distillation.shrink import read_config, shrink  # noqa: E402
from labelwise.errors import InputError  # noqa: E402

NUM_STEPS = 24


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


def tune(student, rows, teacher=None):
    """Take some steps of plain gradient descent, and return the loss of each."""
    optimizer = torch.optim.AdamW([p for p in student.parameters() if p.requires_grad], lr=3e-3)
    losses = []
    for step in range(NUM_STEPS):
        batch = [rows[(16 * step + place) % len(rows)] for place in range(16)]
        ids = torch.stack([row["input_ids"] for row in batch])
        features = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        outputs = student(**features, output_hidden_states=teacher is not None and teacher.shows_states)
        labels = torch.stack([row["labels"] for row in batch])
        loss = torch.nn.functional.cross_entropy(outputs["logits"], labels)
        if teacher is not None:
            loss = loss + teacher.loss(outputs, features)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize(
    ("family", "depths"),
    [("bert", {"encoder_layers": 3}), ("bart", {"decoder_layers": 1})],
)
def test_the_loss_falls_and_what_is_frozen_stays(student_of, rows, family, depths):
    student, _, _ = student_of(family, **depths)
    freeze(student, encoder=family == "bart", embeddings=True)
    before = {name: tensor.clone() for name, tensor in student.named_parameters()}
    frozen = {name for name, tensor in student.named_parameters() if not tensor.requires_grad}
    losses = tune(student, rows)
    assert sum(losses[-6:]) < 0.9 * sum(losses[:6])
    changed = {name for name, tensor in student.named_parameters() if not torch.equal(tensor, before[name])}
    assert frozen and changed
    assert not frozen & changed


@pytest.mark.parametrize(
    ("family", "depths"),
    [("modernbert", {"encoder_layers": 3}), ("bart", {"encoder_layers": 3, "decoder_layers": 2})],
)
def test_a_teacher_adds_soft_labels_and_hidden_states(student_of, rows, tmp_path, family, depths):
    student, teacher, plan = student_of(family, **depths)
    signal = Signal(soft_label_weight=0.5, hidden_state_weight=1.0)
    listened_to = load_teacher(tmp_path / "teacher", student, kept=plan.kept, signal=signal)
    losses = tune(student, rows, listened_to)
    assert sum(losses[-6:]) < sum(losses[:6])
    after = listened_to.model.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in teacher.state_dict().items())


def test_a_student_that_is_its_teacher_has_nothing_to_learn_from_it(student_of, rows):
    student, teacher, plan = student_of("bert")
    features = {"input_ids": rows[0]["input_ids"][None], "attention_mask": torch.ones(1, 10).long()}
    with torch.no_grad():
        outputs = student.eval()(**features, output_hidden_states=True)
        for signal in (Signal(), Signal(soft_label_weight=0.0, hidden_state_weight=2.0)):
            assert Teacher(teacher, plan.kept, signal).loss(outputs, features).item() == pytest.approx(
                0.0, abs=1e-6
            )


def test_a_student_has_no_dropout_in_its_attention(student_of, tmp_path):
    student_of("bert", encoder_layers=2)
    config = load_student(tmp_path / "student", dropout=0.3).config
    assert (config.attention_probs_dropout_prob, config.hidden_dropout_prob) == (0.0, 0.3)


def test_a_teacher_of_other_classes_tokens_or_layers_is_refused(student_of, tmp_path):
    student, _, plan = student_of("bert", encoder_layers=4)

    def refused(message, *, kept=plan.kept, **changes):
        for name, value in changes.items():
            setattr(student.config, name, value)
        with pytest.raises(InputError, match=message):
            load_teacher(tmp_path / "teacher", student, kept=kept, signal=Signal(hidden_state_weight=1.0))

    refused("lacks the layers", kept={"encoder": (0, 6)})
    refused("tokenizer", vocab_size=59)
    refused("classes", id2label={0: "entailment", 1: "neutral", 2: "contradiction"})


def test_an_encoder_alone_cannot_be_frozen(student_of):
    student, _, _ = student_of("bert", encoder_layers=2)
    with pytest.raises(InputError, match="freeze the embeddings"):
        freeze(student, encoder=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": 0.0}, "temperature"),
        ({"soft_label_weight": -1.0}, "weights"),
        ({"hidden_state_weight": float("nan")}, "weights"),
        ({"soft_label_weight": 0.0}, "nothing would be learnt"),
    ],
)
def test_senseless_signals_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Signal(**settings)
