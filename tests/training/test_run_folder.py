from __future__ import annotations

from pathlib import Path

import pytest

from labelwise.errors import DataError
from labelwise.training.run_folder import claim, is_first_process, newest_checkpoint, num_processes


def checkpoint(run: Path, step: int, state: str | None = "{}") -> Path:
    folder = run / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    if state is not None:
        (folder / "trainer_state.json").write_text(state)
    return folder


def test_a_new_folder_is_made_and_has_nothing_to_go_on_from(tmp_path):
    run = tmp_path / "runs" / "one"
    assert claim(run, resume=False) is None
    assert run.is_dir()
    assert claim(run, resume=True) is None


def test_the_newest_checkpoint_is_the_one_of_the_largest_step(tmp_path):
    checkpoint(tmp_path, 900)
    newest = checkpoint(tmp_path, 1000)
    assert claim(tmp_path, resume=True) == newest


@pytest.mark.parametrize("state", [None, "", '{"global_step": 10', "[1]"])
def test_a_checkpoint_that_was_cut_off_while_it_was_written_is_passed_over(tmp_path, state):
    complete = checkpoint(tmp_path, 10)
    checkpoint(tmp_path, 20, state)
    assert newest_checkpoint(tmp_path) == complete


def test_a_folder_of_another_name_is_no_checkpoint(tmp_path):
    checkpoint(tmp_path, 10).rename(tmp_path / "checkpoint-best")
    assert newest_checkpoint(tmp_path) is None


def test_a_folder_with_a_run_is_refused_unless_it_goes_on(tmp_path):
    checkpoint(tmp_path / "cut", 5)
    (tmp_path / "finished").mkdir()
    (tmp_path / "finished" / "metrics.json").write_text("{}")
    for name in ("cut", "finished"):
        with pytest.raises(DataError, match="--resume or another --output"):
            claim(tmp_path / name, resume=False)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot make the run folder"):
        claim(tmp_path / "file" / "run", resume=False)


def test_only_the_first_process_writes(tmp_path, monkeypatch):
    assert (is_first_process(), num_processes()) == (True, 1)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert (is_first_process(), num_processes()) == (False, 2)
    assert claim(tmp_path / "run", resume=False) is None
    assert not (tmp_path / "run").exists()
