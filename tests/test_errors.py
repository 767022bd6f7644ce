"""Errors name what to do."""

import sys

import pytest

from labelwise.errors import MissingExtraError, require


def test_a_missing_module_names_its_extra():
    with pytest.raises(MissingExtraError, match=r"pip install 'labelwise\[torch\]'"):
        require("surely_not_installed", extra="torch")


def test_an_installed_module_is_returned():
    assert require("json", extra="io") is sys.modules["json"]


def test_a_broken_module_keeps_its_own_error(tmp_path, monkeypatch):
    (tmp_path / "broken_module.py").write_text("import surely_not_installed\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError) as caught:
        require("broken_module", extra="io")
    assert not isinstance(caught.value, MissingExtraError)
