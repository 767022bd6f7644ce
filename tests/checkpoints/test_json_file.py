import pytest

from labelwise.checkpoints.json_file import read_json_object
from labelwise.errors import CheckpointError


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[1]", b"null", b'{"a": ' * 100_000],
    ids=lambda content: str(content[:5]),
)
def test_what_is_no_json_object_is_refused_by_file_name(tmp_path, content):
    file = tmp_path / "config.json"
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        read_json_object(file)


def test_a_huge_file_is_not_read(tmp_path):
    file = tmp_path / "config.json"
    with file.open("wb") as stream:
        stream.truncate(10**9)
    with pytest.raises(CheckpointError, match="too large"):
        read_json_object(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"gone\.json"):
        read_json_object(tmp_path / "gone.json")
