"""``labelwise answer`` with a small reader of its own: the words are random, the shapes are real."""

import json

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

CONTEXT = "the contract was signed by ada in march. " * 3
WORDS = [
    "[PAD]",
    "[CLS]",
    "[SEP]",
    "[UNK]",
    "[MASK]",
    *sorted(set(CONTEXT.replace(".", " . ").split())),
    "who",
    "?",
]


@pytest.fixture
def reader(save_tiny):
    folder = save_tiny("bert", head="QuestionAnswering")
    tokenizer = Tokenizer(
        models.WordPiece({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**names, "mask_token": "[MASK]"}))
    return folder


def test_an_answer_is_a_piece_of_the_context(labelwise, reader):
    found = labelwise("answer", "who?", "--context", CONTEXT, "--model", reader, "--always-answer", "--json")
    assert found.status == 0, found.err
    answer = json.loads(found.out)
    assert CONTEXT[answer["start"] : answer["end"]] == answer["text"] != ""


def test_the_context_may_come_from_a_file(labelwise, reader, tmp_path):
    (tmp_path / "contract.txt").write_text(CONTEXT)
    from_file = labelwise(
        "answer", "who?", "--context-file", tmp_path / "contract.txt", "--model", reader, "--json"
    )
    direct = labelwise("answer", "who?", "--context", CONTEXT, "--model", reader, "--json")
    assert from_file.out == direct.out


def test_several_answers_are_printed_best_first(labelwise, reader):
    found = labelwise("answer", "who?", "--context", CONTEXT, "--model", reader, "--top-k", "3", "--json")
    scores = [json.loads(line)["score"] for line in found.out.splitlines()]
    assert len(scores) == 3


def test_questions_come_from_a_file(labelwise, reader, tmp_path):
    source = tmp_path / "questions.csv"
    source.write_text(f"id,question,context\n7,who?,{CONTEXT}\n8,who signed?,{CONTEXT}\n")
    found = labelwise("answer", "--input", source, "--model", reader, "--always-answer", "--quiet")
    assert found.status == 0, found.err
    rows = [json.loads(line) for line in found.out.splitlines()]
    assert [row["id"] for row in rows] == ["7", "8"]
    assert all(row["context"][row["start"] : row["end"]] == row["answer"] for row in rows)


def test_the_models_own_null_threshold_decides_unless_another_is_asked_for(labelwise, reader, tmp_path):
    (reader / "labelwise.json").write_text('{"null_threshold": -100}')
    arguments = ["answer", "who?", "--context", CONTEXT, "--model", reader, "--json"]
    assert json.loads(labelwise(*arguments).out)["text"] == ""
    assert json.loads(labelwise(*arguments, "--null-threshold", "100").out)["text"] != ""
    (tmp_path / "questions.csv").write_text(f"question,context\nwho?,{CONTEXT}\n")
    job = ["answer", "--input", tmp_path / "questions.csv", "--model", reader, "--quiet"]
    assert json.loads(labelwise(*job).out)["answer"] == ""


def test_for_people_no_answer_is_said(labelwise, reader):
    arguments = ["answer", "who?", "--context", CONTEXT, "--model", reader]
    assert "(no answer)" in labelwise(*arguments, "--null-threshold", "-1000").out
