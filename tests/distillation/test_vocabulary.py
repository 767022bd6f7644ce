import json

import numpy as np
import pytest
import typer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from typer.testing import CliRunner

from labelwise.cli.distill import distill
from labelwise.distillation.parameter_counts import count_parameters
from labelwise.distillation.plan import plan_student
from labelwise.distillation.shrink import read_config
from labelwise.distillation.vocabulary import read_texts, trim_vocabulary
from labelwise.errors import CheckpointError, DataError

CORPUS = [
    "the baker sold bread in the old market",
    "a boat sank near the harbour in a storm",
    "no reader of this sentence is a baker",
]
OTHER = [
    f"{first}{second}ing {second}{first}" for first in ("sail", "harv", "wint") for second in ("est", "or")
]
CONTROL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]


def write_tokenizer(folder, kind):
    if kind == "WordPiece":
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=320, special_tokens=CONTROL, show_progress=False)
    else:
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=320, special_tokens=CONTROL, unk_token="[UNK]", show_progress=False
        )
    tokenizer.train_from_iterator([*CORPUS, *OTHER] * 3, trainer)
    tokenizer.add_special_tokens(["[LATE]"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"added_tokens_decoder": {"0": {"content": "[PAD]"}}}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return tokenizer.get_vocab_size()


@pytest.fixture
def teacher_with(save_teacher, monkeypatch):
    monkeypatch.setattr("labelwise.distillation.tokenizer_rows._FREQUENT_PIECES", 20)

    def save(kind, family):
        _, folder = save_teacher(
            family, vocab_size=330, max_position_embeddings=90, pad_token_id=0, eos_token_id=2
        )
        write_tokenizer(folder, kind)
        return folder

    return save


def logits_of(folder, texts):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    rows = [tokenizer.encode(text, "this example is a boat").ids for text in texts]
    with torch.no_grad():
        return np.concatenate([model(input_ids=torch.tensor([row])).logits.numpy() for row in rows])


@pytest.mark.parametrize(
    ("kind", "family"), [("WordPiece", "bert"), ("Unigram", "deberta-v2"), ("Unigram", "bart")]
)
def test_logits_of_the_corpus_do_not_change(teacher_with, tmp_path, kind, family):
    folder = teacher_with(kind, family)
    corpus = [*CORPUS, "this example is a boat"]
    report = trim_vocabulary(folder, corpus, output=tmp_path / "trimmed", held_out=OTHER)
    assert report.rows_before == 330
    assert report.rows_after < 250
    assert report.bytes_after < report.bytes_before
    assert report.changed_share == 0.0
    assert report.held_out_changed_share > 0.0
    np.testing.assert_allclose(logits_of(tmp_path / "trimmed", CORPUS), logits_of(folder, CORPUS), atol=1e-5)
    config = json.loads((tmp_path / "trimmed" / "config.json").read_text())
    assert config["vocab_size"] == report.rows_after


def test_layers_and_tokens_are_dropped_in_one_step(teacher_with, tmp_path):
    folder = teacher_with("WordPiece", "bert")
    plan = plan_student(read_config(folder), encoder_layers=2)
    trim_vocabulary(folder, CORPUS, output=tmp_path / "small", plan=plan)
    config = json.loads((tmp_path / "small" / "config.json").read_text())
    assert config["num_hidden_layers"] == 2 and config["vocab_size"] < 330


def test_the_command_trims_and_says_what_it_saved(teacher_with, tmp_path):
    folder = teacher_with("WordPiece", "bert")
    for name, texts in (("texts", CORPUS), ("other", OTHER)):
        (tmp_path / f"{name}.txt").write_text("\n".join(texts), encoding="utf-8")
    app = typer.Typer()
    app.command()(distill)
    flags = {"--trim-vocabulary": "texts.txt", "--held-out": "other.txt", "--output": "student"}
    arguments = [part for flag, name in flags.items() for part in (flag, str(tmp_path / name))]
    result = CliRunner().invoke(app, [str(folder), "--encoder-layers", "3", "--json", *arguments])
    report = json.loads(result.output)
    assert report["rows_after"] < report["rows_before"] == 330
    assert report["changed_share"] == 0.0
    config = read_config(tmp_path / "student")
    assert (config["num_hidden_layers"], config["vocab_size"]) == (3, report["rows_after"])
    assert report["parameters_after"] == count_parameters(config).total


def test_control_tokens_keep_their_names(teacher_with, tmp_path):
    folder = teacher_with("Unigram", "deberta-v2")
    trim_vocabulary(folder, CORPUS, output=tmp_path / "trimmed")
    before = Tokenizer.from_file(str(folder / "tokenizer.json"))
    after = Tokenizer.from_file(str(tmp_path / "trimmed" / "tokenizer.json"))
    text = "[LATE] the baker [MASK]"
    assert after.encode(text).tokens == before.encode(text).tokens
    assert after.token_to_id("[LATE]") == after.get_vocab_size() - 1


def test_byte_pair_vocabularies_are_refused(save_teacher, tmp_path):
    _, folder = save_teacher("bert")
    Tokenizer(models.BPE(vocab={"a": 0}, merges=[])).save(str(folder / "tokenizer.json"))
    with pytest.raises(CheckpointError, match="BPE"):
        trim_vocabulary(folder, CORPUS, output=tmp_path / "trimmed")


def test_a_tokenizer_larger_than_the_table_is_refused(save_teacher, tmp_path):
    _, folder = save_teacher("bert")
    write_tokenizer(folder, "WordPiece")
    with pytest.raises(CheckpointError, match="60 rows"):
        trim_vocabulary(folder, CORPUS, output=tmp_path / "trimmed")


def test_texts_are_the_lines_that_are_not_blank(tmp_path):
    (tmp_path / "texts.txt").write_text("one\n\n  \ntwo\n", encoding="utf-8")
    assert read_texts(tmp_path / "texts.txt") == ["one", "two"]
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(DataError, match="no text"):
        read_texts(tmp_path / "empty.txt")
