"""``labelwise export``: the table, the folder, and one-line errors."""

import json

import pytest
import typer

from labelwise.checkpoints.manifest import MANIFEST_FILE
from labelwise.cli.export import export
from labelwise.errors import CheckpointError, DataError, InputError

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture
def run_export(capsys):
    """Return a function that runs the verb and gives what it printed."""
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(export)

    def run(*arguments):
        app([*map(str, arguments), "--gate-inputs", "40", "--threads", "1"], standalone_mode=False)
        return capsys.readouterr().out

    return run


@pytest.fixture
def model(tmp_path):
    """Save a tiny entailment model with its tokenizer."""
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path / "model"
    folder.mkdir()
    pieces = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]", "the", "customer", "returned", "parcel", "."]
    tokenizer = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "model_max_length": 64}
    (folder / "tokenizer_config.json").write_text(json.dumps(names))
    labels = ["entailment", "neutral", "contradiction"]
    config = transformers.BertConfig(
        vocab_size=10, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64, id2label=dict(enumerate(labels)),
        label2id={name: number for number, name in enumerate(labels)},
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_a_table_for_people_says_size_speed_and_agreement(run_export, model, tmp_path):
    out = run_export(model, "--to", tmp_path / "out")
    assert out.splitlines()[0].split()[:3] == ["file", "precision", "MB"]
    assert out.splitlines()[1].split()[:2] == ["onnx/model.onnx", "fp32"]
    assert "100.00 %" in out
    assert (tmp_path / "out" / MANIFEST_FILE).is_file()


def test_json_for_machines_has_the_gates_figures(run_export, model, tmp_path):
    out = run_export(model, "--to", tmp_path / "out", "--json")
    (entry,) = json.loads(out)["exports"]
    assert entry["file"] == "onnx/model.onnx"
    assert entry["gate"]["largest_difference"] <= 1e-4
    assert entry["bytes"] == (tmp_path / "out/onnx/model.onnx").stat().st_size


@pytest.mark.parametrize(
    ("flags", "error", "words"),
    [
        (["--format", "tflite"], InputError, "format 'tflite' is not known: use one of safetensors"),
        (["--precision", "int2"], InputError, "precision 'int2' is not known"),
        (["--format", "transformersjs", "--precision", "bf16"], InputError, "has no precision 'bf16'"),
    ],
)
def test_a_wrong_choice_is_named_with_the_right_ones(run_export, model, tmp_path, flags, error, words):
    with pytest.raises(error, match=words) as caught:
        run_export(model, "--to", tmp_path / "out", *flags)
    assert "\n" not in str(caught.value)


def test_a_folder_without_weights_is_refused(run_export, model, tmp_path):
    (model / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="it has no weights"):
        run_export(model, "--to", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_exists_is_never_written_into(run_export, model):
    before = sorted(path.name for path in model.iterdir())
    with pytest.raises(DataError, match="exists already"):
        run_export(model, "--to", model)
    assert sorted(path.name for path in model.iterdir()) == before
