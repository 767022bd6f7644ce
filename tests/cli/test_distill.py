from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from labelwise.cli.distill import distill
from labelwise.errors import DataError, InputError

NAMES = {0: "contradiction", 1: "neutral", 2: "entailment"}
WORDS = ["the", "shop", "sold", "bread", "boat", "sank", "open", "closed", "red", "is", "about", "this"]
ANSWERS = {"open": "entailment", "closed": "contradiction", "red": "neutral"}
PAIRS = [
    {"premise": premise, "hypothesis": f"this is {word}", "label": label}
    for premise in ("the shop is open", "the shop sold bread")
    for word, label in ANSWERS.items()
]
RECIPE = {
    "name": "tiny student",
    "base": "not used",
    "classes": ["entailment", "neutral", "contradiction"],
    "sources": [{"path": "pairs.jsonl", "kind": "pairs", "licence": "own", "repeats": 8}],
    "validation": "validation.jsonl",
    "validation_rows": 6,
    "seed": 7,
    "hyperparameters": {
        "learning_rate": 3e-3,
        "batch_size": 8,
        "epochs": 8,
        "max_tokens": 24,
        "dropout": 0.0,
        "attention": "eager",
        "log_every_steps": 8,
        "evaluate_every_steps": 24,
        "save_every_steps": 24,
    },
}
FIGURES = {
    "name",
    "parameters",
    "float32_bytes",
    "disk_bytes",
    "accuracy",
    "macro_f1",
    "pairs_per_second",
}


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(distill)

    def invoke(*arguments):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.stdout

    return invoke


@pytest.fixture
def teacher(save_tiny):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS]
    tokenizer = Tokenizer(models.WordPiece({piece: at for at, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(pieces[:4])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    names = {"id2label": NAMES, "label2id": {name: index for index, name in NAMES.items()}}
    config = {"num_hidden_layers": 4, "vocab_size": len(pieces), "pad_token_id": 0, **names}
    folder = save_tiny("bert", config=config)
    tokenizer.save(str(folder / "tokenizer.json"))
    control = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 64, **control}))
    return folder


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    lines = "".join(json.dumps(row) + "\n" for row in PAIRS)
    (folder / "pairs.jsonl").write_text(lines)
    (folder / "validation.jsonl").write_text(lines)
    (folder / "recipe.json").write_text(json.dumps(RECIPE))
    return folder


def test_a_fine_tuned_student_is_compared_with_what_it_was_made_from(run, teacher, data, tmp_path):
    pytest.importorskip("accelerate")
    pytest.importorskip("matplotlib")
    output = tmp_path / "run"
    flags = ("--encoder-layers", 2, "--to", output, "--fine-tune", data / "recipe.json", "--data", data)
    signal = ("--teacher", teacher, "--soft-label-weight", 0.1, "--teacher-temperature", 3)
    printed = run(teacher, *flags, *signal, "--freeze-embeddings", "--json")

    report = json.loads((output / "report.json").read_text())
    assert json.loads(printed) == report
    assert [system["name"] for system in report["systems"]] == ["teacher", "student", "fine-tuned student"]
    before, cut, after = report["systems"]
    assert set(after) == FIGURES
    assert before["parameters"] == report["teacher"]["total"] == before["float32_bytes"] // 4
    assert cut["parameters"] == after["parameters"] == report["student"]["total"] < before["parameters"]
    assert before["disk_bytes"] > after["disk_bytes"] > after["float32_bytes"]
    assert after["accuracy"] > cut["accuracy"]
    assert after["pairs_per_second"] > 0
    assert (report["measured_on"], report["rows"]) == ("validation.jsonl", len(PAIRS))
    settings = report["fine_tuning"]["settings"]
    assert settings["teacher"] == teacher.name
    assert (settings["soft_label_weight"], settings["temperature"]) == (0.1, 3.0)
    assert settings["freezes_embeddings"] is True

    # A finished run is not started again, and goes on only as what it was.
    with pytest.raises(DataError, match="--resume"):
        run(teacher, *flags)
    with pytest.raises(InputError, match="another student"):
        run(teacher, *flags[2:], "--encoder-layers", 3, "--resume")


def test_a_student_can_be_compared_without_training(run, teacher, data, tmp_path):
    output = tmp_path / "student"
    printed = run(
        teacher, "--encoder-layers", 2, "--output", output, "--labelled", data / "pairs.jsonl", "--limit", 4
    )
    assert "pairs/s" in printed and "on 4 rows of pairs.jsonl" in printed
    report = json.loads((output / "report.json").read_text())
    assert [system["name"] for system in report["systems"]] == ["teacher", "student"]


def test_trimming_the_vocabulary_says_what_it_saves_and_costs(run, teacher, data, tmp_path):
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join([*(row["premise"] for row in PAIRS), *(row["hypothesis"] for row in PAIRS)]))
    rows = tmp_path / "texts.jsonl"
    rows.write_text("".join(json.dumps({"text": f"the shop is {w}", "label": w}) + "\n" for w in ANSWERS))
    output = tmp_path / "student"
    run(teacher, "--trim-vocabulary", texts, "--output", output, "--labelled", rows)
    report = json.loads((output / "report.json").read_text())
    before, after = report["systems"]
    assert report["bytes_saved"] == before["disk_bytes"] - after["disk_bytes"] > 0
    assert report["parameters_after"] == after["parameters"]
    # Every word of these rows was kept.
    assert after["accuracy"] == before["accuracy"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--output", "run", "--fine-tune", "recipe.json"], "needs --data"),
        (["--output", "run", "--data", "data"], "--data belongs to --fine-tune"),
        (["--output", "run", "--freeze-encoder"], "--freeze-encoder belongs to --fine-tune"),
        (["--output", "run", "--resume"], "--resume belongs to --fine-tune"),
        (["--output", "run", "--batch-size", "8"], "belong to --fine-tune"),
        (
            ["--output", "run", "--fine-tune", "r", "--data", "d", "--hidden-state-weight", "1"],
            "--hidden-state-weight belongs to --teacher",
        ),
        (["--dry-run", "--fine-tune", "recipe.json", "--data", "data"], "need --output"),
        (["--dry-run", "--labelled", "rows.jsonl"], "need --output"),
        (["--output", "run", "--limit", "5"], "--limit belongs to"),
        (["--output", "run", "--labelled", "rows.jsonl", "--limit", "0"], "at least 1"),
    ],
)
def test_flags_that_lack_their_owner_are_refused(run, tmp_path, flags, message):
    with pytest.raises(InputError, match=message):
        run(tmp_path, *flags)


def test_several_processes_do_not_write_one_student(run, teacher, data, tmp_path, monkeypatch):
    pytest.importorskip("accelerate")
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="make it first"):
        run(teacher, "--to", tmp_path / "run", "--fine-tune", data / "recipe.json", "--data", data)
    assert not (tmp_path / "run").exists()
