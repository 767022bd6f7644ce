from __future__ import annotations

import pytest

from labelwise.errors import DataError, InputError
from labelwise.synthesis.seeds import read_passages, read_topics


def test_topics_are_lines_without_blank_or_repeated_ones(tmp_path):
    path = tmp_path / "topics.txt"
    path.write_text("\ufefftea  and milk\n\nrain\nrain\n", encoding="utf-8")
    assert read_topics(path) == ("tea and milk", "rain")


def test_passages_are_lines_or_texts_of_json_lines(tmp_path):
    lines, rows = tmp_path / "p.txt", tmp_path / "p.jsonl"
    lines.write_text("One\u2028still one.\nTwo.\n", encoding="utf-8")
    rows.write_text('{"text": "One.\\nStill one.", "id": 1}\n\n{"text": "Two."}\n', encoding="utf-8")
    assert read_passages(lines) == ("One\u2028still one.", "Two.")
    assert read_passages(rows) == ("One.\nStill one.", "Two.")


@pytest.mark.parametrize("line", ["no JSON", "[]", '{"body": "x"}', '{"text": 7}'])
def test_a_broken_json_line_is_named(tmp_path, line):
    path = tmp_path / "p.jsonl"
    path.write_text('{"text": "fine"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2"):
        read_passages(path)


@pytest.mark.parametrize("read", [read_topics, read_passages])
@pytest.mark.parametrize("content", [None, b"", b"\n \n", b"\xff\xfe"])
def test_a_file_without_anything_to_read_is_refused(tmp_path, read, content):
    path = tmp_path / "seeds.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"seeds\.txt"):
        read(path)
