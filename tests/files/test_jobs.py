from __future__ import annotations

import errno
import gzip
import io
import json
import os
from dataclasses import replace

import pytest

from labelwise.errors import DataError, InputError
from labelwise.files.jobs import run_job
from labelwise.files.manifest import input_fingerprint
from labelwise.files.outputs import RowTarget
from labelwise.files.partial import PartialFile
from labelwise.files.rows import RowSource, read_rows

OUTPUTS = ["out.csv", "out.tsv", "out.jsonl", "out.csv.gz", "out.jsonl.gz", "out.parquet"]


def lengths(rows):
    return [{"length": len(row.values["text"]), "label": f"l{row.number % 3}"} for row in rows]


def failing_at(number, error):
    def work(rows):
        if any(row.number >= number for row in rows):
            raise error
        return lengths(rows)

    return work


@pytest.fixture
def source_path(tmp_path):
    path = tmp_path / "in.csv"
    rows = "".join(f'{n},"text {n}, é\nline"\n' for n in range(1, 41))
    path.write_text("id,text\n" + rows, encoding="utf-8")
    return path


def job(source_path, output, *, work=lengths, overwrite=False, on_bad_row="stop", **options):
    target = {name: options.pop(name) for name in ("raw_csv", "clash_prefix", "format") if name in options}
    return run_job(
        RowSource.at(source_path, text_columns=["text"], on_bad_row=on_bad_row),
        work,
        target=RowTarget.at(output, overwrite=overwrite, **target),
        **{"chunk_rows": 7, **options},
    )


def interrupted(source_path, output, **options):
    with pytest.raises(KeyboardInterrupt):
        job(source_path, output, work=failing_at(20, KeyboardInterrupt()), **options)


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("input_name", ["in.csv", "in.tsv.gz", "in.jsonl", "in.txt", "in.parquet"])
def test_every_format_goes_in_and_out(tmp_path, name, input_name):
    if "parquet" in name + input_name:
        pytest.importorskip("pyarrow")
    texts = ['a "b", c', "é\U0001f600", "\ttab", "x"]
    path = tmp_path / input_name
    job_in = tmp_path / "first.jsonl"
    job_in.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    if input_name == "in.txt":
        path.write_text("\n".join(texts))
    else:
        run_job(
            RowSource.at(job_in), lambda rows: [{} for _ in rows], target=RowTarget.at(path, raw_csv=True)
        )
    report = job(path, tmp_path / name, raw_csv=True)
    rows = [row.values for row in read_rows(tmp_path / name)]
    assert [row["text"] for row in rows] == texts
    assert [str(row["length"]) for row in rows] == [str(len(text)) for text in texts]
    assert list(rows[0]) == ["text", "length", "label"]
    assert (report.rows_read, report.rows_written, report.rows_skipped, report.rows_resumed) == (4, 4, 0, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({input_name, name, "first.jsonl"})


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_resumed_job_gives_the_same_bytes(tmp_path, source_path, name):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    whole, halves = tmp_path / f"whole.{name}", tmp_path / f"halves.{name}"
    job(source_path, whole)
    interrupted(source_path, halves)
    assert not halves.exists()
    partial = halves.with_name(halves.name + ".partial")
    with partial.open("ab") as stream:
        stream.write(b'{"torn": "li')

    report = job(source_path, halves, resume=True)

    assert halves.read_bytes() == whole.read_bytes()
    assert (report.rows_read, report.rows_written, report.rows_resumed) == (40, 40, 14)
    assert not partial.exists()
    assert not halves.with_name(halves.name + ".manifest.json").exists()


def test_only_the_rows_that_are_missing_are_worked_on(tmp_path, source_path):
    interrupted(source_path, tmp_path / "out.csv")
    worked = []

    def work(rows):
        worked.extend(row.number for row in rows)
        return lengths(rows)

    job(source_path, tmp_path / "out.csv", work=work, resume=True)
    assert worked == list(range(15, 41))


def test_a_changed_input_is_refused(tmp_path, source_path):
    interrupted(source_path, tmp_path / "out.csv")
    data = source_path.read_bytes()
    source_path.write_bytes(data + b"41,new\n")
    with pytest.raises(InputError, match=r"the input is not the same \(size was '\d+', is '\d+'; sha256"):
        job(source_path, tmp_path / "out.csv", resume=True)
    source_path.write_bytes(data.replace(b"text 7,", b"text 8,"))
    with pytest.raises(InputError, match=r"the input is not the same \(sha256 of both ends was"):
        job(source_path, tmp_path / "out.csv", resume=True)


def test_changed_settings_are_refused_by_name_and_value(tmp_path, source_path):
    output = tmp_path / "out.csv"
    old = {"model": "bundled", "labels": "a,b"}
    interrupted(source_path, output, fingerprint=old)
    changes = [
        ({"fingerprint": {**old, "labels": "a,c"}}, "labels was 'a,b', is 'a,c'"),
        ({"fingerprint": {"model": "bundled"}}, "labels was 'a,b', is not given"),
        ({"fingerprint": {**old, "template": "x" * 99}}, "template was not given, is 'xxx"),
        ({"fingerprint": old, "raw_csv": True}, "raw CSV was 'False', is 'True'"),
        ({"fingerprint": old, "format": "tsv"}, "output format was 'csv', is 'tsv'"),
    ]
    for options, message in changes:
        with pytest.raises(InputError, match=message):
            job(source_path, output, resume=True, **options)
    assert job(source_path, output, resume=True, fingerprint=old).rows_written == 40


def test_an_unfinished_run_is_not_thrown_away_unasked(tmp_path, source_path):
    output = tmp_path / "out.csv"
    interrupted(source_path, output)
    with pytest.raises(InputError, match="holds 14 rows of an unfinished run: resume it, or overwrite it"):
        job(source_path, output)
    assert job(source_path, output, overwrite=True).rows_resumed == 0


def test_an_overwriting_run_takes_the_old_state_away_before_its_first_row(tmp_path, source_path):
    output = tmp_path / "out.csv"
    interrupted(source_path, output)
    with pytest.raises(KeyboardInterrupt):
        job(source_path, output, work=failing_at(1, KeyboardInterrupt()), overwrite=True)
    assert job(source_path, output, resume=True).rows_resumed == 0


def test_a_change_at_the_end_of_a_big_input_is_noticed(tmp_path):
    path = tmp_path / "in.txt"
    path.write_bytes(b"a line of text\n" * 300_000)
    before = input_fingerprint(RowSource.at(path))
    with path.open("r+b") as stream:
        stream.seek(-5, 2)
        stream.write(b"T")
    assert input_fingerprint(RowSource.at(path)) != before


def test_resume_with_nothing_to_resume_starts(tmp_path, source_path):
    assert job(source_path, tmp_path / "out.csv", resume=True).rows_written == 40


def test_an_output_that_exists_is_not_replaced_unasked(tmp_path, source_path):
    output = tmp_path / "out.csv"
    output.write_text("precious")
    for resume in (False, True):
        with pytest.raises(InputError, match="exists already"):
            job(source_path, output, resume=resume)
    assert output.read_text() == "precious"
    interrupted(source_path, output, overwrite=True)
    assert output.read_text() == "precious"
    job(source_path, output, resume=True, overwrite=True)
    assert len(list(read_rows(output))) == 40


def test_the_input_is_never_the_output(tmp_path, source_path):
    link = tmp_path / "link.csv"
    link.symlink_to(source_path)
    hard = tmp_path / "hard.csv"
    hard.hardlink_to(source_path)
    before = source_path.read_bytes()
    for path in (source_path, link, hard, tmp_path / "x" / ".." / "in.csv"):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(InputError, match="would overwrite the input"):
            job(source_path, path, overwrite=True)
    assert source_path.read_bytes() == before


def test_a_linked_output_stays_a_link(tmp_path, source_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "out.csv").symlink_to(tmp_path / "real.csv")
    job(source_path, tmp_path / "out.csv", overwrite=True)
    assert (tmp_path / "out.csv").is_symlink()
    assert len(list(read_rows(tmp_path / "real.csv"))) == 40


def test_a_broken_row_stops_and_the_job_can_go_on_without_it(tmp_path, source_path):
    lines = source_path.read_text(encoding="utf-8").splitlines(keepends=True)
    source_path.write_text("".join([*lines[:41], "too,many,fields\n", *lines[41:]]), encoding="utf-8")
    with pytest.raises(DataError, match=r"in\.csv, row 21: .*3 fields"):
        job(source_path, tmp_path / "out.csv")
    told = []
    report = job(source_path, tmp_path / "out.csv", resume=True, on_bad_row="skip", on_bad=told.append)
    assert (report.rows_read, report.rows_written, report.rows_skipped) == (41, 40, 1)
    assert [bad.number for bad in told] == [bad.number for bad in report.first_bad_rows] == [21]
    job(source_path, tmp_path / "whole.csv", on_bad_row="skip")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_full_disk_is_one_line_and_can_be_resumed(tmp_path, source_path, monkeypatch):
    job(source_path, tmp_path / "whole.csv")
    real_append = PartialFile.append

    def append(self, data):
        if self.length > 300:
            os.write(self._file.fileno(), data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real_append(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(PartialFile, "append", append)
        with pytest.raises(DataError, match=r"^cannot write .*No space left on device; .* then resume$"):
            job(source_path, tmp_path / "out.csv")
    assert job(source_path, tmp_path / "out.csv", resume=True).rows_resumed > 0
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_disk_that_fills_at_any_sync_loses_nothing(tmp_path, source_path, monkeypatch, name):
    if name == "out.parquet":
        pytest.importorskip("pyarrow")
    job(source_path, tmp_path / f"whole.{name}")
    real_fsync, resumed = os.fsync, []
    for failing in range(30):
        calls = iter(range(10**6))

        def fsync(descriptor, calls=calls, failing=failing):
            if next(calls) == failing:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            real_fsync(descriptor)

        output = tmp_path / f"{failing}.{name}"
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            try:
                job(source_path, output)
            except DataError as error:
                assert "No space left" in str(error)
                resumed.append(failing)
        if failing in resumed:
            job(source_path, output, resume=True)
        assert output.read_bytes() == (tmp_path / f"whole.{name}").read_bytes()
    assert len(resumed) >= 15


def test_a_failure_before_the_first_chunk_leaves_nothing_behind(tmp_path, source_path):
    with pytest.raises(RuntimeError):
        job(source_path, tmp_path / "out.csv", work=failing_at(1, RuntimeError("model")))
    with pytest.raises(InputError, match="has no column 'body'"):
        run_job(
            RowSource.at(source_path, text_columns=["body"]), lengths, target=RowTarget.at(tmp_path / "o.csv")
        )
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_result_column_with_a_name_of_the_input_gets_the_prefix(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a"}\n{"text": "b", "label": "mine", "my_label": 1}\n')
    job(path, tmp_path / "out.jsonl", chunk_rows=1, clash_prefix="my_")
    assert [row.values for row in read_rows(tmp_path / "out.jsonl")] == [
        {"text": "a", "length": 1, "my_my_label": "l1"},
        {"text": "b", "label": "mine", "my_label": 1, "length": 1, "my_my_label": "l2"},
    ]
    with pytest.raises(InputError, match="clash_prefix is empty"):
        RowTarget.at(tmp_path / "x.csv", clash_prefix="")


def test_ragged_jsonl_becomes_one_table(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a"}\n{"n": 5, "text": "b"}\n')
    job(path, tmp_path / "out.csv", chunk_rows=1)
    assert (tmp_path / "out.csv").read_text() == "text,n,length,label\na,,1,l1\nb,5,1,l2\n"


def test_a_result_column_that_comes_late_is_refused_for_tables(tmp_path, source_path):
    def work(rows):
        return [{"x" if row.number < 10 else "y": 1} for row in rows]

    with pytest.raises(DataError, match=r"row 10: column 'y' is not in the first rows"):
        job(source_path, tmp_path / "out.csv", work=work)
    job(source_path, tmp_path / "out.jsonl", work=work)


def test_an_empty_input_gives_an_empty_output(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("id,text\n")
    for name in ("out.csv", "out.jsonl", "out.csv.gz", "out.parquet"):
        if name == "out.parquet":
            pytest.importorskip("pyarrow")
        assert job(path, tmp_path / name).rows_written == 0
        assert list(read_rows(tmp_path / name)) == []
    assert (tmp_path / "out.csv").read_text() == "id,text\n"
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()) == b"id,text\n"


def test_stdin_to_stdout(monkeypatch):
    stdout = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo\n")))
    monkeypatch.setattr("sys.stdout", stdout)
    report = job("-", "-")
    assert stdout.buffer.getvalue() == (
        b'{"text": "one", "length": 3, "label": "l1"}\n{"text": "two", "length": 3, "label": "l2"}\n'
    )
    assert report.rows_written == 2


def test_stdin_and_stdout_cannot_be_resumed(tmp_path, source_path):
    with pytest.raises(InputError, match="stdin can be read only once"):
        job("-", tmp_path / "out.csv", resume=True)
    with pytest.raises(InputError, match="stdout cannot be cut back"):
        job(source_path, "-", resume=True)


def test_outputs_that_cannot_be_are_usage_errors(tmp_path, source_path):
    (tmp_path / "folder.csv").mkdir()
    for output, message in [
        (tmp_path / "none" / "out.csv", "there is no folder"),
        (tmp_path / "folder.csv", "is not a file"),
        (tmp_path / "out.xlsx", "no known ending"),
    ]:
        with pytest.raises(InputError, match=message):
            job(source_path, output)
    with pytest.raises(InputError, match="chunk_rows is 0"):
        job(source_path, tmp_path / "out.csv", chunk_rows=0)
    with pytest.raises(InputError, match="work gave 1 results for 7 rows"):
        job(source_path, tmp_path / "out.csv", work=lambda rows: [{}])


def test_a_second_run_of_the_same_output_is_refused_while_the_first_writes(tmp_path, source_path):
    def work(rows):
        with pytest.raises(InputError, match=r"another run is writing .*out\.csv\.partial"):
            job(source_path, tmp_path / "out.csv", overwrite=True)
        return lengths(rows)

    assert job(source_path, tmp_path / "out.csv", work=work).rows_written == 40


def test_a_partial_file_that_was_touched_is_refused(tmp_path, source_path):
    interrupted(source_path, tmp_path / "out.csv")
    partial = tmp_path / "out.csv.partial"
    data = partial.read_bytes()
    for changed in (data[:-1], data.replace(b"text 3", b"text 4")):
        partial.write_bytes(changed)
        with pytest.raises(DataError, match="is missing or was changed"):
            job(source_path, tmp_path / "out.csv", resume=True)
    partial.unlink()
    with pytest.raises(DataError, match="is missing or was changed"):
        job(source_path, tmp_path / "out.csv", resume=True)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 9}', '{"version": 1, "x": 2}', "\xff"])
def test_a_damaged_manifest_is_one_plain_error(tmp_path, source_path, text):
    interrupted(source_path, tmp_path / "out.csv")
    (tmp_path / "out.csv.manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match=r"manifest\.json cannot be used"):
        job(source_path, tmp_path / "out.csv", resume=True)


def test_progress_tells_the_start_each_chunk_and_the_end(tmp_path, source_path):
    seen = []
    job(source_path, tmp_path / "out.csv", on_progress=seen.append)
    assert [progress.rows_done for progress in seen] == [0, 7, 14, 21, 28, 35, 40, 40]
    assert seen[-1].fraction == 1.0
    txt = tmp_path / "in.txt"
    txt.write_text("one\n\ntwo\nthree\n")
    seen.clear()
    job(txt, tmp_path / "out.jsonl", on_progress=seen.append, chunk_rows=2)
    assert [(p.rows_done, p.rows_total) for p in seen] == [(0, 3), (2, 3), (3, 3), (3, 3)]


def test_progress_of_a_resumed_job_counts_the_rows_before(tmp_path, source_path):
    interrupted(source_path, tmp_path / "out.csv")
    seen = []
    job(source_path, tmp_path / "out.csv", resume=True, on_progress=seen.append)
    assert [progress.rows_done for progress in seen] == [14, 21, 28, 35, 40, 40]


def test_a_target_checks_itself_again_when_changed(tmp_path):
    target = RowTarget.at(tmp_path / "out.csv")
    with pytest.raises(InputError, match="there is no folder"):
        replace(target, path=tmp_path / "none" / "out.csv")
