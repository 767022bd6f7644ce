import socket
import subprocess
import sys
from pathlib import Path

import pytest

from labelwise.checkpoints import resolve as resolve_module
from labelwise.checkpoints.resolve import resolve
from labelwise.errors import CheckpointError, InputError


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_an_existing_folder_is_itself(tmp_path, monkeypatch):
    assert resolve(tmp_path) == tmp_path
    assert resolve(str(tmp_path)) == tmp_path
    (tmp_path / "owner" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert resolve("owner/name") == Path("owner/name")


def test_bundled_is_the_folder_inside_the_package(tmp_path, monkeypatch):
    package = Path(resolve_module.__file__).parent
    if (package / "bundled" / "config.json").is_file():
        assert resolve("bundled") == package / "bundled"
    monkeypatch.setattr(resolve_module, "__file__", str(tmp_path / "resolve.py"))
    with pytest.raises(CheckpointError, match="reinstall"):
        resolve("bundled")


@pytest.mark.parametrize(
    "ref",
    [
        "", " ", "../../nowhere", "file:///etc", "http://169.254.169.254/latest", "https://huggingface.co/a/b",
        "s3://bucket/model", "hf://a/b", "\\\\host\\share", "//host/share", "a/b\0c", "a/b\nc", "x" * 4096,
        f"owner/{'x' * 200}", "a/b/c", "no-owner", "owner/na me", "-owner/name", "owner/name.git",
        "own..er/name", "owner/", "/nowhere/at/all", "~nobody-of-this-name/x", "C:\\models\\x",
        "{0.__class__}/x", Path("nowhere/x"), Path("x\0y"),
    ],
    ids=lambda ref: repr(ref)[:30],
)  # fmt: skip
def test_bad_names_are_refused_in_one_line_without_a_network_call(ref):
    with pytest.raises(CheckpointError) as caught:
        resolve(ref)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "model.zip").write_bytes(b"PK")
    with pytest.raises(CheckpointError, match="archives are not read"):
        resolve(tmp_path / "model.zip")


def test_a_revision_goes_with_hub_ids_only(tmp_path):
    with pytest.raises(InputError, match="local folder"):
        resolve(tmp_path, revision="main")


@pytest.mark.parametrize("revision", ["", "../../x", "a b", "x" * 300, "\0"])
def test_a_revision_that_is_no_name_is_refused_without_a_network_call(revision):
    with pytest.raises(CheckpointError, match="revision"):
        resolve("owner/name", revision=revision)


def test_opening_a_folder_does_not_import_huggingface_hub(make_folder):
    code = (
        "import sys; from labelwise.checkpoints import open_checkpoint; open_checkpoint(sys.argv[1]); "
        "heavy = ('huggingface_hub', 'onnx', 'onnxruntime', 'torch', 'transformers'); "
        "print([module for module in heavy if module in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(make_folder())], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
