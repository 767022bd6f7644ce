from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from labelwise.errors import DataError, InputError
from labelwise.synthesis import append_file
from labelwise.synthesis.append_file import AppendFile
from labelwise.synthesis.output import SynthesisOutput
from labelwise.synthesis.rows import SyntheticRow

PLAN = {"seed": "0", "lengths": "line"}


def row(text: str, *, bundle: int, true=("rain",), false=("tea",)) -> SyntheticRow:
    return SyntheticRow(text, tuple(true), tuple(false), "memo", "line", "A1", bundle, "m")


def opened(path: Path, *, plan=PLAN, resume=True, overwrite=False) -> SynthesisOutput:
    return SynthesisOutput(path, plan=plan, resume=resume, overwrite=overwrite)


def rows_in(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_all(path: Path) -> None:
    """Write what is missing of six bundles, two of which repeat a text of the first with other labels."""
    with closing(opened(path)) as output:
        for bundle in range(6):
            if output.has(bundle):
                continue
            if bundle == 2:
                output.add(bundle, "refused")
                continue
            shared = row("SHARED text", bundle=bundle, true=[f"label {bundle}"], false=["label 0", "label 9"])
            own = row(f"Own text {bundle} ünï", bundle=bundle)
            output.add(bundle, "written", [own, shared] if bundle in {0, 3, 5} else [own])
        output.apply_merges()


def is_complete(path: Path) -> bool:
    rows = rows_in(path)
    shared = [found for found in rows if found["text"] == "SHARED text"]
    own = {found["text"] for found in rows if found["text"].startswith("Own")}
    return (
        len(rows) == 6
        and own == {f"Own text {bundle} ünï" for bundle in (0, 1, 3, 4, 5)}
        and shared[0]["labels"] == ["label 0", "label 3", "label 5"]
        and shared[0]["not_labels"] == ["label 9"]
    )


def test_a_repeated_text_is_merged_into_its_first_row(tmp_path):
    path = tmp_path / "rows.jsonl"
    write_all(path)
    assert is_complete(path)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["rows.jsonl", "rows.jsonl.state"]


def test_a_text_is_never_in_the_output_twice_even_before_the_merge(tmp_path):
    path = tmp_path / "rows.jsonl"
    with closing(opened(path)) as output:
        output.add(0, "written", [row("One text.", bundle=0), row("Two.", bundle=0)])
        added = output.add(1, "written", [row("one  TEXT.", bundle=1, true=["bus"]), row("Three.", bundle=1)])
    assert (added.num_written, added.num_merged) == (1, 1)
    assert [found["text"] for found in rows_in(path)] == ["One text.", "Two.", "Three."]


def test_merges_of_a_run_that_was_killed_are_done_by_the_next(tmp_path):
    path = tmp_path / "rows.jsonl"
    with closing(opened(path)) as output:
        output.add(0, "written", [row("One.", bundle=0)])
        output.add(1, "written", [row("One.", bundle=1, true=["tea"], false=["bus"])])
    with closing(opened(path)) as output:
        output.apply_merges()
    assert rows_in(path)[0]["labels"] == ["rain", "tea"]
    assert rows_in(path)[0]["not_labels"] == ["bus"]


class KilledError(BaseException):
    """Stands for a kill: nothing catches it."""


class Killer:
    """Ends the run at one of its writes or renames, before it, in the midst of it or after it."""

    def __init__(self, at: int, share: float) -> None:
        self.at, self.share, self.step = at, share, 0

    def is_due(self) -> bool:
        self.step += 1
        return self.step - 1 == self.at


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("at", range(15))
def test_a_kill_at_any_write_loses_nothing_and_doubles_nothing(tmp_path, monkeypatch, at, share):
    path, killer = tmp_path / "rows.jsonl", Killer(at, share)
    append, replace = AppendFile.append, Path.replace

    def killing_append(self, data):
        if killer.is_due():
            append(self, data[: round(len(data) * share)])
            raise KilledError
        append(self, data)

    def killing_replace(self, target):
        if killer.is_due():
            if share == 1.0:
                replace(self, target)
            raise KilledError
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(AppendFile, "append", killing_append)
        patched.setattr(Path, "replace", killing_replace)
        with pytest.raises(KilledError):
            write_all(path)
    write_all(path)
    assert is_complete(path)


def test_the_kills_above_reach_every_write_and_the_rename(tmp_path, monkeypatch):
    killer = Killer(-1, 0)
    append, replace = AppendFile.append, Path.replace
    monkeypatch.setattr(AppendFile, "append", lambda self, data: killer.is_due() or append(self, data))
    monkeypatch.setattr(Path, "replace", lambda self, target: killer.is_due() or replace(self, target))
    write_all(tmp_path / "rows.jsonl")
    # A header, five bundles with rows (two writes each), one refused, a rewriting (two) and a rename.
    assert killer.step == 1 + 5 * 2 + 1 + 2 + 1 == 15


def test_a_finished_output_is_resumed_without_a_change(tmp_path):
    path = tmp_path / "rows.jsonl"
    write_all(path)
    before = path.read_bytes()
    write_all(path)
    assert path.read_bytes() == before


def test_an_output_that_exists_is_neither_resumed_nor_replaced_unasked(tmp_path):
    path = tmp_path / "rows.jsonl"
    write_all(path)
    with pytest.raises(InputError, match="exists already"):
        opened(path, resume=False)
    assert is_complete(path)


def test_overwriting_starts_anew_even_over_a_damaged_state(tmp_path):
    path = tmp_path / "rows.jsonl"
    write_all(path)
    (tmp_path / "rows.jsonl.state").write_text("damaged\n")
    with pytest.raises(DataError, match="state"):
        opened(path)
    with closing(opened(path, resume=False, overwrite=True)) as output:
        assert (output.num_rows, output.has(0)) == (0, False)
    assert path.read_bytes() == b""


def test_another_plan_is_not_resumed_and_the_difference_is_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    write_all(path)
    with pytest.raises(InputError, match="seed was '0', is '7'"):
        opened(path, plan={**PLAN, "seed": "7"})


def test_a_foreign_file_is_not_resumed_and_stays_as_it_is(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "mine"}\n')
    with pytest.raises(InputError, match="not written by this command"):
        opened(path)
    assert [found.name for found in tmp_path.iterdir()] == ["rows.jsonl"]
    assert path.read_text() == '{"text": "mine"}\n'


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"{}" + data[2:]])
def test_a_damaged_output_is_refused(tmp_path, damage):
    path = tmp_path / "rows.jsonl"
    write_all(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=r"rows\.jsonl"):
        opened(path)


def test_two_runs_do_not_write_one_output(tmp_path):
    path = tmp_path / "rows.jsonl"
    with closing(opened(path)), pytest.raises(InputError, match="another run"):
        opened(path)
    opened(path).close()


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl.gz", "missing/rows.jsonl"])
def test_an_output_that_cannot_be_is_refused(tmp_path, name):
    with pytest.raises(InputError):
        opened(tmp_path / name)


def test_resume_and_overwrite_exclude_each_other(tmp_path):
    with pytest.raises(InputError, match="exclude"):
        opened(tmp_path / "rows.jsonl", overwrite=True)


def test_a_full_disk_is_reported_and_what_was_written_is_resumed(tmp_path, monkeypatch):
    path = tmp_path / "rows.jsonl"
    with closing(opened(path)) as output:
        output.add(0, "written", [row("One.", bundle=0)])

        def fail(_descriptor):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(append_file.os, "fsync", fail)
            with pytest.raises(DataError, match="No space left"):
                output.add(1, "written", [row("Two.", bundle=1)])
    with closing(opened(path)) as output:
        assert (output.has(0), output.has(1), output.num_rows) == (True, False, 1)
