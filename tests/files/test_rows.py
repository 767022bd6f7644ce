from __future__ import annotations

import gzip
import io
import json
import tracemalloc

import pytest

from labelwise.errors import DataError, InputError
from labelwise.files.row import Row
from labelwise.files.rows import RowSource, read_rows


def write(path, data: bytes):
    path.write_bytes(data)
    return path


def rows_of(path, **options):
    return [(row.number, row.values) for row in read_rows(path, **options)]


def test_blank_lines_are_skipped_and_still_counted(tmp_path):
    path = write(tmp_path / "a.txt", b"one\n\n  \ntwo\r\nthree")
    assert rows_of(path) == [(1, {"text": "one"}), (4, {"text": "two"}), (5, {"text": "three"})]


def test_only_line_feeds_end_a_text(tmp_path):
    path = write(tmp_path / "a.txt", "a\u2028b\x0cc\x85d\n".encode())
    assert rows_of(path) == [(1, {"text": "a\u2028b\x0cc\x85d"})]


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.tsv", "a.jsonl", "a.ndjson", "a.txt.gz", "a.csv.gz"])
def test_an_empty_file_has_no_rows(tmp_path, name):
    data = gzip.compress(b"") if name.endswith("gz") else b""
    assert rows_of(write(tmp_path / name, data), text_columns=["text"]) == []


def test_a_byte_order_mark_is_not_text(tmp_path):
    assert rows_of(write(tmp_path / "a.txt", b"\xef\xbb\xbfx\n")) == [(1, {"text": "x"})]
    assert rows_of(write(tmp_path / "a.csv", b"\xef\xbb\xbftext\nx\n")) == [(1, {"text": "x"})]
    assert rows_of(write(tmp_path / "a.jsonl", b'\xef\xbb\xbf{"text": "x"}\n')) == [(1, {"text": "x"})]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl"])
def test_other_unicode_encodings_are_refused_with_the_command_that_converts(tmp_path, name, encoding):
    path = write(tmp_path / name, "text\nx\n".encode(encoding))
    with pytest.raises(DataError, match=f"{encoding.upper()}.*iconv"):
        rows_of(path)


def test_gzip_is_read_through(tmp_path):
    path = write(tmp_path / "a.csv.gz", gzip.compress(b"text,n\nx,1\n"))
    assert rows_of(path) == [(1, {"text": "x", "n": "1"})]


@pytest.mark.parametrize(
    "data",
    [b"not gzip at all", gzip.compress(b"text\n" + b"x\n" * 9999)[:-20]],
    ids=["no gzip", "cut short"],
)
def test_broken_gzip_is_one_plain_error(tmp_path, data):
    with pytest.raises(DataError, match="cannot read"):
        rows_of(write(tmp_path / "a.csv.gz", data))


def test_csv_fields_hold_quotes_commas_and_newlines(tmp_path):
    path = write(tmp_path / "a.csv", b'id,text\n1,"a, ""b""\nc"\n\n3,5" pipe\n')
    assert rows_of(path) == [(1, {"id": "1", "text": 'a, "b"\nc'}), (3, {"id": "3", "text": '5" pipe'})]


@pytest.mark.parametrize(
    ("name", "data", "bad_number", "reason"),
    [
        ("a.txt", b"x\n\xff\xfe\ny\n", 2, "not UTF-8"),
        ("a.csv", b"text\nx\nb\xe9b\ny\n", 2, "not UTF-8"),
        ("a.csv", b"text,n\nx,1\ny,2,3\nz,4\n", 2, "3 fields, the header has 2"),
        ("a.csv", b"text,n\nx,1\ny\nz,4\n", 2, "1 fields, the header has 2"),
        ("a.csv", b'text,n\nx,1\n"y"z,2\nz,4\n', 2, "closing quote"),
        ("a.csv", b"text,n\nx,1\ny\rz,2\nz,4\n", 2, "carriage return"),
        ("a.tsv", b"text\tn\nx\t1\ny\nz\t4\n", 2, "1 fields"),
        ("a.jsonl", b'{"text": "x"}\n["text"]\n{"text": "y"}\n', 2, "array"),
        ("a.jsonl", b'{"text": "x"}\n"text"\n{"text": "y"}\n', 2, "string"),
        ("a.jsonl", b'{"text": "x"}\nnull\n{"text": "y"}\n', 2, "null"),
        ("a.jsonl", b'{"text": "x"}\n{"text": \n{"text": "y"}\n', 2, "not JSON"),
        ("a.jsonl", b'{"text": "x"}\n{"text": "\xff"}\n{"text": "y"}\n', 2, "not UTF-8"),
        ("a.jsonl", b'{"text": "x"}\n{"text": "\\ud83d"}\n{"text": "y"}\n', 2, "surrogate"),
        ("a.jsonl", b'{"text": "x"}\n{"text": "y", "\\udc00": [1]}\n{"text": "y"}\n', 2, "surrogate"),
        ("a.jsonl", b'{"text": "x"}\n{"text": "y", "n": NaN}\n{"text": "y"}\n', 2, "NaN"),
        ("a.jsonl", b'{"text": "x"}\n{"text": "y", "n": -Infinity}\n{"text": "y"}\n', 2, "Infinity"),
        ("a.jsonl", b'{"text": "x"}\n{"text": "y", "n": 1e999}\n{"text": "y"}\n', 2, "out of range"),
        ("a.jsonl", b'{"text": "x"}\n{"n": ' + b"9" * 5000 + b'}\n{"text": "y"}\n', 2, "too long|no column"),
        ("a.jsonl", b'{"text": "x"}\n' + b"[" * 100_000 + b'\n{"text": "y"}\n', 2, "deeply"),
        ("a.jsonl", b'{"text": "x"}\n{"n": 1}\n{"text": "y"}\n', 2, "no column 'text'"),
        ("a.jsonl", b'{"text": "x"}\n{"text": 7}\n{"text": "y"}\n', 2, "int, not text"),
        ("a.jsonl", b'{"text": "x"}\n{"text": null}\n{"text": "y"}\n', 2, "empty"),
        ("a.csv", b'text\nx\n" "\ny\n', 2, "empty"),
    ],
)
def test_a_broken_row_is_named_and_the_others_go_on(tmp_path, name, data, bad_number, reason):
    path = write(tmp_path / name, data)
    with pytest.raises(DataError, match=rf"{name}, row {bad_number}: .*({reason})"):
        rows_of(path, text_columns=["text"])

    told = []
    rows = rows_of(path, text_columns=["text"], on_bad_row="skip", on_bad=told.append)

    assert [number for number, _ in rows] == [1, 3]
    assert [bad.number for bad in told] == [bad_number]


def test_a_quote_that_never_closes_says_what_it_takes_in(tmp_path):
    path = write(tmp_path / "a.csv", b'text,n\nx,1\n"y,2\nz,3\n')
    with pytest.raises(DataError, match=r"row 2: \(line 3\) a quote opens and does not close"):
        rows_of(path)


def test_an_endless_line_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("labelwise.files.text_rows.MAX_LINE_BYTES", 1000)
    for name in ("a.txt", "a.csv", "a.jsonl"):
        with pytest.raises(DataError, match="line 2 is longer than 1000 bytes"):
            rows_of(write(tmp_path / name, b"{}\n" + b"x" * 5000))


def test_a_doubled_header_is_refused(tmp_path):
    with pytest.raises(DataError, match="'a' appears more than once"):
        rows_of(write(tmp_path / "a.csv", b"a,b,a\n1,2,3\n"))


@pytest.mark.parametrize(
    ("name", "data"), [("a.csv", b"id,body\n1,x\n"), ("a.jsonl", b'{"id": 1, "body": "x"}\n')]
)
def test_a_missing_column_lists_those_that_exist(tmp_path, name, data):
    path = write(tmp_path / name, data)
    with pytest.raises(InputError, match="no column 'text': it has 'id', 'body'"):
        rows_of(path, text_columns=["text"], on_bad_row="skip")


def test_missing_files_and_folders_are_usage_errors(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        rows_of(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        rows_of(tmp_path / "folder.csv")
    with pytest.raises(InputError, match="on_bad_row is 'ignore'"):
        rows_of(write(tmp_path / "a.txt", b""), on_bad_row="ignore")


def test_stdin_is_read_once_and_left_open(monkeypatch):
    stdin = io.TextIOWrapper(io.BytesIO(b"one\ntwo\n"))
    monkeypatch.setattr("sys.stdin", stdin)
    assert rows_of("-") == [(1, {"text": "one"}), (2, {"text": "two"})]
    assert not stdin.closed


def test_rows_up_to_a_number_are_passed_over_broken_or_not(tmp_path):
    path = write(tmp_path / "a.jsonl", b'{"n": 1}\nbroken\n{"n": 3}\n{"n": 4}\n')
    with RowSource.at(path).open(start_after=3) as reader:
        assert list(reader) == [Row(4, {"n": 4})]
        assert (reader.rows_read, reader.rows_skipped) == (4, 1)
        assert [bad.number for bad in reader.first_bad_rows] == [2]


def test_counts_are_given_where_they_are_cheap(tmp_path):
    assert RowSource.at(write(tmp_path / "a.txt", b"x\n\ny")).count_rows() == 2
    assert RowSource.at(write(tmp_path / "a.jsonl", b"{}\n{}\n")).count_rows() == 2
    assert RowSource.at(write(tmp_path / "a.csv", b"x\n1\n")).count_rows() is None


def test_columns_are_listed_in_order_of_appearance(tmp_path):
    assert RowSource.at(write(tmp_path / "a.csv", b"b,a\n1,2\n")).column_names() == ("b", "a")
    data = b'{"b": 1}\nbroken\n{"a": 1, "b": 2}\n'
    assert RowSource.at(write(tmp_path / "a.jsonl", data), on_bad_row="skip").column_names() == ("b", "a")
    assert RowSource.at(write(tmp_path / "a.txt", b"x")).column_names() == ("text",)


def test_the_fraction_read_runs_from_zero_to_one(tmp_path):
    path = write(tmp_path / "a.csv", b"text\n" + b"some words\n" * 20_000)
    with RowSource.at(path).open() as reader:
        fractions = [reader.fraction_read for _ in reader]
    assert fractions[0] < 0.1
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl"])
def test_reading_200_thousand_rows_keeps_memory_flat(tmp_path, name):
    line = json.dumps({"text": "a row of a few words"}) if name == "a.jsonl" else "a row of a few words"
    path = write(tmp_path / name, b"text\n" * (name == "a.csv") + (line + "\n").encode() * 200_000)
    tracemalloc.start()
    count = sum(1 for _ in read_rows(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 200_000
    assert peak < 1_000_000
