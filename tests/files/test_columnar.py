from __future__ import annotations

import datetime

import pytest

from labelwise.errors import DataError, InputError
from labelwise.files.columnar import ChunkSpool
from labelwise.files.jobs import run_job
from labelwise.files.outputs import RowTarget
from labelwise.files.rows import RowSource, read_rows

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def write(path, columns, **options):
    parquet.write_table(pa.table(columns), path, **options)
    return path


def test_parquet_rows_are_numbered_across_batches(tmp_path):
    path = write(tmp_path / "a.parquet", {"text": [f"t{n}" for n in range(3000)]}, row_group_size=700)
    rows = list(read_rows(path))
    assert [row.number for row in rows] == list(range(1, 3001))
    assert rows[-1].values == {"text": "t2999"}
    assert RowSource.at(path).count_rows() == 3000
    assert RowSource.at(path).column_names() == ("text",)


def test_bytes_that_are_not_utf8_make_only_their_row_bad(tmp_path):
    bad = pa.Array.from_buffers(
        pa.string(), 3, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"a\xffc")]
    )
    path = write(tmp_path / "a.parquet", {"text": bad})
    with pytest.raises(DataError, match="row 2: is not UTF-8"):
        list(read_rows(path))
    assert [row.values["text"] for row in read_rows(path, on_bad_row="skip")] == ["a", "c"]


def test_what_is_no_parquet_is_refused(tmp_path):
    for data in (b"", b"PAR1", b"text\nx\n"):
        (tmp_path / "a.parquet").write_bytes(data)
        with pytest.raises(DataError, match="is not a Parquet file"):
            list(read_rows(tmp_path / "a.parquet"))


def test_damage_inside_is_one_plain_error(tmp_path):
    path = write(tmp_path / "a.parquet", {"text": [f"text {n}" for n in range(5000)]})
    data = bytearray(path.read_bytes())
    data[20:20_000] = b"\xaa" * 19_980
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"a\.parquet"):
        list(read_rows(path))


def test_a_missing_column_lists_those_that_exist(tmp_path):
    path = write(tmp_path / "a.parquet", {"id": [1], "body": ["x"]})
    with pytest.raises(InputError, match="no column 'text': it has 'id', 'body'"):
        list(read_rows(path, text_columns=["text"]))


def test_null_text_is_a_bad_row(tmp_path):
    path = write(tmp_path / "a.parquet", {"text": ["x", None]})
    with pytest.raises(DataError, match="row 2: column 'text' is empty"):
        list(read_rows(path, text_columns=["text"]))


def test_parquet_to_parquet_keeps_the_types_of_the_input(tmp_path):
    table = pa.table(
        {
            "text": pa.array(["a", "b", "c"]),
            "day": pa.array([datetime.date(2026, 1, 1)] * 3),
            "small": pa.array([1, None, 3], pa.int8()),
            "blob": pa.array([b"\xff", b"", None]),
            "tags": pa.array([["x"], [], None]),
        }
    )
    parquet.write_table(table, tmp_path / "in.parquet")
    run_job(
        RowSource.at(tmp_path / "in.parquet"),
        lambda rows: [{"score": 0.5} for _ in rows],
        target=RowTarget.at(tmp_path / "out.parquet"),
        chunk_rows=2,
    )
    out = parquet.read_table(tmp_path / "out.parquet")
    assert out.select(table.column_names).equals(table)
    assert out["score"].to_pylist() == [0.5] * 3


def test_row_groups_do_not_depend_on_the_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr("labelwise.files.columnar._ROW_GROUP_ROWS", 10)
    (tmp_path / "in.txt").write_text("word\n" * 47)
    for chunk_rows in (3, 25):
        run_job(
            RowSource.at(tmp_path / "in.txt"),
            lambda rows: [{"n": row.number} for row in rows],
            target=RowTarget.at(tmp_path / f"{chunk_rows}.parquet"),
            chunk_rows=chunk_rows,
        )
    file = parquet.ParquetFile(tmp_path / "3.parquet")
    groups = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
    assert groups == [10, 10, 10, 10, 7]
    assert (tmp_path / "3.parquet").read_bytes() == (tmp_path / "25.parquet").read_bytes()


def test_types_widen_over_chunks(tmp_path):
    spool = ChunkSpool(["n", "t"], types={})
    spool.encode([{"n": None}])
    spool.encode([{"n": 1, "t": "x"}])
    spool.encode([{"n": 1.5}])
    assert spool.schema == pa.schema([("n", pa.float64()), ("t", pa.string())])


@pytest.mark.parametrize("late", ["text", {"a": 1}, [1], {}])
def test_a_column_of_two_kinds_is_refused_when_it_is_met(late):
    spool = ChunkSpool(["n"], types={})
    spool.encode([{"n": 1}])
    with pytest.raises(DataError, match=r"column 'n'.*write \.jsonl"):
        spool.encode([{"n": late}])


def test_an_object_without_keys_is_refused_at_once():
    with pytest.raises(DataError, match="column 'n'"):
        ChunkSpool(["n"], types={}).encode([{"n": {}}])


def test_nested_results_survive(tmp_path):
    (tmp_path / "in.txt").write_text("a\nb\n")
    results = [{"labels": [{"label": "x", "score": 0.75}]}, {"labels": []}]
    run_job(
        RowSource.at(tmp_path / "in.txt"),
        lambda rows: [results[row.number - 1] for row in rows],
        target=RowTarget.at(tmp_path / "out.parquet"),
        chunk_rows=1,
    )
    assert parquet.read_table(tmp_path / "out.parquet")["labels"].to_pylist() == [
        r["labels"] for r in results
    ]
