from __future__ import annotations

import pytest

from labelwise.errors import InputError
from labelwise.files.formats import FileFormat, input_format, output_format


@pytest.mark.parametrize(
    ("path", "kind", "is_gzipped"),
    [
        ("a.txt", "txt", False),
        ("a.b/c.CSV", "csv", False),
        ("a.tsv.gz", "tsv", True),
        ("a.ndjson", "jsonl", False),
        ("v1.2.jsonl.GZ", "jsonl", True),
        ("a.parquet", "parquet", False),
    ],
)
def test_the_ending_names_the_format(path, kind, is_gzipped):
    assert input_format(path) == FileFormat(kind, is_gzipped)


@pytest.mark.parametrize("path", ["a.xlsx", "a", "a.gz", "a.parquet.zip", "/dev/null"])
def test_an_unknown_ending_is_refused_with_the_known_ones(path):
    with pytest.raises(InputError, match=r"\.txt \.csv \.tsv \.jsonl \.ndjson.*\.parquet"):
        input_format(path)


def test_a_named_format_wins_over_the_ending():
    assert input_format("a.log", format="txt").kind == "txt"
    assert output_format("a.csv", format="jsonl.gz") == FileFormat("jsonl", is_gzipped=True)
    with pytest.raises(InputError, match="'xml'"):
        input_format("a.csv", format="xml")


def test_stdin_is_lines_and_stdout_is_jsonl_unless_told_otherwise():
    assert input_format("-").kind == "txt"
    assert output_format("-").kind == "jsonl"
    assert input_format("-", format="csv").kind == "csv"


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="stdin"):
        input_format("-", format="parquet")
    with pytest.raises(InputError, match="stdout"):
        output_format("-", format="parquet")
    with pytest.raises(InputError, match="plain text has none"):
        output_format("out.txt")
    with pytest.raises(InputError, match="Parquet is compressed"):
        input_format("a.parquet.gz")
