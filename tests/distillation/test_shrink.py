import json

import numpy as np
import pytest
from safetensors import safe_open

from labelwise.distillation.plan import plan_student
from labelwise.distillation.shrink import read_config, shrink
from labelwise.distillation.tensor_file import stored_tensors
from labelwise.errors import CheckpointError, DataError

IDS = [[0, 14, 25, 36, 47, 58, 9, 2], [0, 5, 6, 7, 8, 33, 21, 2]]


def keep_modules(model, family, kept):
    torch = pytest.importorskip("torch")
    if family == "bart":
        sides = {"encoder": model.model.encoder, "decoder": model.model.decoder}
        for side, part in sides.items():
            part.layers = torch.nn.ModuleList(part.layers[layer] for layer in kept[side])
        return
    if family == "modernbert":
        model.model.layers = torch.nn.ModuleList(model.model.layers[layer] for layer in kept["encoder"])
        return
    encoder = model.base_model.encoder
    encoder.layer = torch.nn.ModuleList(encoder.layer[layer] for layer in kept["encoder"])


def logits_of(model):
    torch = pytest.importorskip("torch")
    with torch.no_grad():
        return model(input_ids=torch.tensor(IDS)).logits.numpy()


@pytest.mark.parametrize("family", ["bart", "bert", "roberta", "deberta-v2", "modernbert"])
def test_the_student_is_the_teacher_without_the_other_layers(save_teacher, tmp_path, family):
    transformers = pytest.importorskip("transformers")
    teacher, folder = save_teacher(family)
    depths = {"encoder_layers": 4} | ({"decoder_layers": 3} if family == "bart" else {})
    plan = plan_student(read_config(folder), **depths)
    student_folder = shrink(folder, plan, output=tmp_path / "student")
    student, report = transformers.AutoModelForSequenceClassification.from_pretrained(
        student_folder, output_loading_info=True
    )
    assert not report["missing_keys"] and not report["unexpected_keys"]
    whole = logits_of(teacher)
    keep_modules(teacher, family, plan.kept)
    expected = logits_of(teacher)
    assert np.abs(whole - expected).max() > 1e-3
    np.testing.assert_allclose(logits_of(student.eval()), expected, atol=1e-6)
    assert student.config.id2label == teacher.config.id2label
    assert plan.student.total == sum(parameter.numel() for parameter in student.parameters())
    assert (student_folder / "tokenizer_config.json").is_file()


def test_a_deberta_convolution_goes_on_after_the_first_layer(save_teacher, tmp_path):
    transformers = pytest.importorskip("transformers")
    teacher, folder = save_teacher("deberta-v2", conv_kernel_size=3, conv_act="gelu")
    plan = plan_student(read_config(folder), encoder_layers=3)
    student = transformers.AutoModelForSequenceClassification.from_pretrained(
        shrink(folder, plan, output=tmp_path / "student")
    )
    keep_modules(teacher, "deberta-v2", plan.kept)
    np.testing.assert_allclose(logits_of(student.eval()), logits_of(teacher), atol=1e-6)


def test_shards_are_read_and_the_dtype_is_kept_bit_for_bit(save_teacher, tmp_path):
    _, folder = save_teacher("bert", dtype="bfloat16", max_shard_size="20KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    plan = plan_student(read_config(folder), encoder_layers=(0, 5))
    student = stored_tensors(shrink(folder, plan, output=tmp_path / "student"))
    teacher = stored_tensors(folder)
    name = "bert.encoder.layer.{}.output.dense.weight"
    assert {tensor.dtype for tensor in student.values()} == {"BF16"}
    assert np.array_equal(student[name.format(1)].read(), teacher[name.format(5)].read())
    with safe_open(tmp_path / "student" / "model.safetensors", framework="pt") as file:
        assert set(file.keys()) == set(student)


def test_calibrated_numbers_stay_with_the_teacher(save_teacher, tmp_path):
    _, folder = save_teacher("bert")
    settings = {"temperature": 2.0, "thresholds": {"a": 0.4}, "hypothesis_template": "It is {}."}
    (folder / "labelwise.json").write_text(json.dumps(settings))
    student = shrink(folder, plan_student(read_config(folder), encoder_layers=1), output=tmp_path / "student")
    assert json.loads((student / "labelwise.json").read_text()) == {"hypothesis_template": "It is {}."}


def test_nothing_is_overwritten_and_nothing_half_written_remains(save_teacher, tmp_path, monkeypatch):
    _, folder = save_teacher("bert")
    plan = plan_student(read_config(folder), encoder_layers=1)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(DataError, match="exists"):
        shrink(folder, plan, output=folder)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("labelwise.distillation.shrink.write_picked", fail)
    with pytest.raises(DataError, match="No space left"):
        shrink(folder, plan, output=tmp_path / "student")
    assert sorted(tmp_path.iterdir()) == before


def test_a_layer_that_the_weights_lack_is_named(save_teacher, tmp_path):
    _, folder = save_teacher("bert")
    plan = plan_student(read_config(folder) | {"num_hidden_layers": 8}, encoder_layers=(0, 7))
    with pytest.raises(CheckpointError, match="encoder layer 7"):
        shrink(folder, plan, output=tmp_path / "student")


def test_a_folder_without_config_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        read_config(tmp_path)
