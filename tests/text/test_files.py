"""Which file is read, what is refused, and with which words."""

from __future__ import annotations

import json

import pytest

from labelwise.errors import CheckpointError
from labelwise.text import TextTokenizer
from labelwise.text.files import read_published


def test_an_empty_folder_is_refused_with_the_names_looked_for(tmp_path):
    with pytest.raises(CheckpointError) as caught:
        TextTokenizer.from_folder(tmp_path)
    for name in (
        "tokenizer.json",
        "spm.model",
        "spiece.model",
        "sentencepiece.bpe.model",
        "vocab.txt",
        "merges.txt",
    ):
        assert name in str(caught.value)


def test_tokenizer_json_goes_before_every_other_file(folder_of, tmp_path):
    (tmp_path / "vocab.txt").write_text("[UNK]\n")
    (tmp_path / "tokenizer.json").write_bytes((folder_of("unigram") / "tokenizer.json").read_bytes())
    assert read_published(tmp_path).source.name == "tokenizer.json"


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        '{"model": {}}',
        '{"model": {"type": "WordPiece", "vocab": {}}}',
        '{"model": {"vocab": [1]}}',
        '{"model": {"vocab": [["a", 0]], "unk_id": 4}}',
        '{"model": {"vocab": {}, "merges": ["ab"]}}',
        '{"model": {"vocab": {}}, "added_tokens": [{}]}',
    ],
)
def test_a_damaged_tokenizer_json_is_refused(tmp_path, content):
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(CheckpointError, match="tokenizer"):
        TextTokenizer.from_folder(tmp_path)


@pytest.mark.parametrize("name", ["spm.model", "spiece.model", "sentencepiece.bpe.model"])
@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"not a model", b"\x0a\xff", b"\x0a\x03\x0a\x01a\x12\x02\x18\x02"]
)
def test_a_damaged_or_foreign_sentencepiece_file_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=name):
        TextTokenizer.from_folder(tmp_path)


@pytest.mark.parametrize(
    ("name", "family"),
    [("spm.model", "t5"), ("spiece.model", "albert"), ("sentencepiece.bpe.model", "camembert")],
)
def test_other_families_sentencepiece_files_are_refused_by_family(tmp_path, folder_of, name, family):
    (tmp_path / name).write_bytes((folder_of("spm") / "spm.model").read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({"model_type": family}))
    with pytest.raises(CheckpointError, match=family):
        TextTokenizer.from_folder(tmp_path)


@pytest.mark.parametrize("setting", ["do_lower_case", "split_by_punct"])
def test_deberta_settings_that_cannot_be_kept_are_refused(tmp_path, folder_of, setting):
    (tmp_path / "spm.model").write_bytes((folder_of("spm") / "spm.model").read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({setting: True}))
    with pytest.raises(CheckpointError, match=setting):
        TextTokenizer.from_folder(tmp_path)


def test_a_vocabulary_without_unknown_entry_is_refused(tmp_path):
    (tmp_path / "vocab.txt").write_text("a\nb\n")
    with pytest.raises(CheckpointError, match=r"\[UNK\]"):
        TextTokenizer.from_folder(tmp_path)


def test_bert_settings_are_kept(tmp_path):
    (tmp_path / "vocab.txt").write_text("[UNK]\nFox\nfox\né\ne\n中文\n", encoding="utf-8")
    settings = {"do_lower_case": False, "strip_accents": False, "tokenize_chinese_chars": False}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    assert TextTokenizer.from_folder(tmp_path).encode("Fox é 中文").ids.tolist() == [1, 3, 5]
    (tmp_path / "tokenizer_config.json").unlink()
    assert TextTokenizer.from_folder(tmp_path).encode("Fox é 中文").ids.tolist() == [2, 4, 0, 0]


def test_a_prefix_space_is_added_where_the_settings_ask_for_it(tmp_path, folder_of):
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((folder_of("byte-bpe-files") / name).read_bytes())
    without = TextTokenizer.from_folder(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"add_prefix_space": True}))
    assert (
        TextTokenizer.from_folder(tmp_path).encode("fox").ids.tolist() == without.encode(" fox").ids.tolist()
    )


def test_tokens_added_beside_a_vocabulary_get_their_declared_ids(tmp_path):
    (tmp_path / "vocab.txt").write_text("[UNK]\n[CLS]\nfox\n")
    (tmp_path / "added_tokens.json").write_text(json.dumps({"[LAB]": 4, "||": 3}))
    tokenizer = TextTokenizer.from_folder(tmp_path)
    assert tokenizer.control_id("[LAB]") == 4
    assert tokenizer.encode("fox||[LAB]").ids.tolist()[:2] == [2, 3]
    assert tokenizer.vocab_size == 5


def test_added_tokens_with_impossible_ids_are_refused(tmp_path):
    (tmp_path / "vocab.txt").write_text("[UNK]\n[CLS]\nfox\n")
    decoder = {"9": {"content": "[LAB]", "special": True}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": decoder}))
    with pytest.raises(CheckpointError, match=r"\[LAB\].*9.*3"):
        TextTokenizer.from_folder(tmp_path)
