"""Results are kept by what they depend on, and a torn file is no result."""

import pytest

from labelwise.evaluation.labelled import LabelledText
from labelwise.evaluation.resuming import ResultStore, folder_hash, result_key, rows_hash
from labelwise.evaluation.squad_file import SquadQuestion


def test_a_result_comes_back_under_its_key_only(tmp_path):
    store = ResultStore.beside(tmp_path / "out.json")
    store.save("abc", {"accuracy": 0.5})
    assert store.load("abc") == {"accuracy": 0.5}
    assert store.load("abd") is None
    assert [path.name for path in (tmp_path / "out.json.state").iterdir()] == ["abc.json"]
    store.clear()
    assert store.load("abc") is None
    store.clear()


def test_a_torn_or_foreign_file_is_no_result(tmp_path):
    store = ResultStore(tmp_path)
    (tmp_path / "torn.json").write_text('{"accuracy": 0.')
    (tmp_path / "list.json").write_text("[1]")
    assert store.load("torn") is None
    assert store.load("list") is None


@pytest.mark.parametrize("change", [{"rows": "x"}, {"model": "x"}, {"settings": {"template": "{}!"}}])
def test_the_key_changes_with_everything_a_result_depends_on(change):
    asked = {"rows": "r", "model": "m", "settings": {"template": "{}"}}
    assert result_key(**asked) == result_key(**asked)
    assert result_key(**(asked | change)) != result_key(**asked)


def test_the_hash_of_rows_is_about_their_values():
    rows = [LabelledText("a", "x"), LabelledText("b", "y")]
    assert rows_hash(rows) == rows_hash(list(rows))
    assert rows_hash(rows) != rows_hash(rows[::-1])
    assert rows_hash(rows) != rows_hash([LabelledText("a", "x"), LabelledText("b", "z")])
    assert rows_hash([SquadQuestion("1", "q", "c", ("a",))]) != rows_hash([SquadQuestion("1", "q", "c", ())])


def test_a_changed_file_changes_the_hash_of_a_folder(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    before = folder_hash(tmp_path)
    assert folder_hash(tmp_path) == before
    (tmp_path / "config.json").write_text("[]")
    assert folder_hash(tmp_path) != before
