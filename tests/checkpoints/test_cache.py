import os
import time
from pathlib import Path

import pytest

from labelwise.checkpoints.cache import cache_folder, find_entry, read_note, store_entry, write_note


def fill(content="graph"):
    return lambda folder: (folder / "model.onnx").write_text(content)


def test_the_environment_chooses_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("LABELWISE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("LABELWISE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder().name in ("labelwise", "cache")


def test_what_is_stored_is_found():
    assert find_entry("k") is None
    folder = store_entry("k", fill())
    assert folder is not None
    assert find_entry("k") == folder
    assert (folder / "model.onnx").read_text() == "graph"


def test_nothing_half_made_is_left_when_filling_fails(own_cache):
    def broken(folder: Path) -> None:
        (folder / "model.onnx").write_text("half")
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        store_entry("k", broken)
    assert find_entry("k") is None
    assert list((own_cache / "graphs").iterdir()) == []


@pytest.mark.parametrize(
    "damage", [lambda f: f.write_text("grapH"), lambda f: f.unlink(), lambda f: f.write_text("")]
)
def test_a_damaged_entry_is_not_found_and_can_be_replaced(own_cache, damage):
    folder = store_entry("k", fill())
    damage(folder / "model.onnx")
    assert find_entry("k") is None
    assert store_entry("k", fill("new")) == folder
    assert find_entry("k") == folder
    assert (folder / "model.onnx").read_text() == "new"
    assert [path.name for path in (own_cache / "graphs").iterdir()] == ["k"]


def test_the_first_of_two_makers_wins():
    folder = store_entry("k", fill("first"))
    assert store_entry("k", fill("second")) == folder
    assert (folder / "model.onnx").read_text() == "first"


def test_a_cache_that_cannot_be_written_is_an_empty_one(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LABELWISE_CACHE", str(tmp_path / "file"))
    assert store_entry("k", fill()) is None
    assert find_entry("k") is None
    write_note("n.json", {"a": 1})
    assert read_note("n.json") == {}


def test_a_user_without_a_home_has_no_cache(monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    for name in ("LABELWISE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    assert store_entry("k", fill()) is None
    assert find_entry("k") is None
    write_note("n.json", {"a": 1})
    assert read_note("n.json") == {}


def test_a_full_disk_is_the_same_as_no_cache():
    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    assert store_entry("k", full) is None


def test_notes_are_kept_and_broken_ones_ignored(own_cache):
    write_note("n.json", {"a": 1})
    assert read_note("n.json") == {"a": 1}
    (own_cache / "notes" / "n.json").write_text("[")
    assert read_note("n.json") == {}


def test_what_a_killed_run_left_is_removed_after_a_day(own_cache):
    store_entry("k", fill())
    for name, age_s in ((".building-old", 100_000), (".building-new", 10)):
        (own_cache / "graphs" / name).mkdir()
        os.utime(own_cache / "graphs" / name, (time.time() - age_s,) * 2)
    store_entry("k2", fill())
    assert sorted(path.name for path in (own_cache / "graphs").iterdir()) == [".building-new", "k", "k2"]
