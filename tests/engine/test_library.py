import pytest

from labelwise.engine import compiling
from labelwise.engine.library import has_library, instruction_set, load_library
from labelwise.errors import InputError


def test_the_library_can_be_switched_off(engine, monkeypatch):
    assert has_library()
    monkeypatch.setenv("LABELWISE_NO_ENGINE", "1")
    assert not has_library()


def test_a_missing_or_foreign_file_is_no_library(tmp_path, monkeypatch):
    monkeypatch.setenv("LABELWISE_ENGINE_LIBRARY", str(tmp_path / "none.so"))
    assert not has_library()
    (tmp_path / "text.so").write_text("no library")
    monkeypatch.setenv("LABELWISE_ENGINE_LIBRARY", str(tmp_path / "text.so"))
    assert not has_library()


def test_an_unknown_instruction_set_is_refused(engine, monkeypatch):
    monkeypatch.setenv("LABELWISE_ENGINE_ISA", "mmx")
    with pytest.raises(InputError, match="'mmx'"):
        instruction_set(load_library())


def test_the_one_asked_for_is_taken(each_set):
    assert instruction_set(load_library()) == each_set


def test_without_a_compiler_there_is_no_library(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert compiling.compile_library(tmp_path) is None
    assert compiling.compile_library(tmp_path, compiler="no-such-compiler") is None


def test_a_compiler_that_fails_leaves_nothing(tmp_path):
    assert compiling.compile_library(tmp_path, compiler="false") is None
    assert not list(tmp_path.iterdir())


def test_macos_builds_for_the_architecture_that_is_asked_for():
    assert compiling._machine(["c++", "-arch", "arm64"]) == "arm64"
