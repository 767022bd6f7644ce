"""Against a hub on this machine that speaks the few calls needed."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from labelwise.checkpoints import open_checkpoint
from labelwise.errors import CheckpointError

huggingface_hub = pytest.importorskip("huggingface_hub")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "owner/name"


class FakeHub:
    """Serves one repository's files; every other id gets the hub's own error codes."""

    def __init__(self, files):
        self.files = files
        self.fetched = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.answer()

            def do_HEAD(self):
                self.answer()

            def answer(self):
                status, headers, body = hub.respond(self.path.partition("?")[0], self.command)
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def respond(self, path, method):
        if path.startswith("/api/models/owner/gated") or path.startswith("/owner/gated/"):
            return 403, {"X-Error-Code": "GatedRepo"}, b"{}"
        if path.startswith("/api/models/owner/broken"):
            return 500, {}, b"{}"
        if path.startswith(f"/api/models/{REPO}"):
            rest = path.removeprefix(f"/api/models/{REPO}")
            if rest.startswith("/tree/"):
                tree = [
                    {"type": "file", "path": name, "size": len(data), "oid": f"{len(name):040x}"}
                    for name, data in self.files.items()
                ]
                return 200, {"Content-Type": "application/json"}, json.dumps(tree).encode()
            if rest in ("", "/revision/main", "/revision/v2", f"/revision/{COMMIT}"):
                info = {
                    "id": REPO,
                    "modelId": REPO,
                    "sha": COMMIT,
                    "siblings": [{"rfilename": name} for name in self.files],
                }
                return 200, {"Content-Type": "application/json"}, json.dumps(info).encode()
            return 404, {"X-Error-Code": "RevisionNotFound"}, b"{}"
        if path.startswith(f"/{REPO}/resolve/"):
            name = path.removeprefix(f"/{REPO}/resolve/").partition("/")[2]
            if name in self.files:
                if method == "GET":
                    self.fetched.append(name)
                return 200, {"ETag": f'"{len(name):040x}"', "X-Repo-Commit": COMMIT}, self.files[name]
            return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, b""
        return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"


@pytest.fixture
def hub(make_folder, tmp_path, monkeypatch):
    from huggingface_hub import constants

    folder = make_folder()
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    files |= {"README.md": b"# hello", "pytorch_model.bin": b"pickle", "onnx/model.onnx": b"onnx"}
    fake = FakeHub(files)
    monkeypatch.setattr(constants, "ENDPOINT", fake.url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", fake.url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


def go_offline(monkeypatch, hub):
    """Take the hub away: nothing listens on its port any more."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    )


def refusal(ref, **settings):
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(ref, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_hub_id_is_fetched_without_needless_files(hub):
    checkpoint = open_checkpoint(REPO)
    assert checkpoint.ref == REPO
    assert sorted(hub.fetched) == ["config.json", "model.safetensors"]
    assert [file.name for file in checkpoint.weight_files] == ["model.safetensors"]


def test_what_is_in_the_cache_needs_no_network(hub, monkeypatch):
    first = open_checkpoint(REPO)
    go_offline(monkeypatch, hub)
    assert open_checkpoint(REPO) == first


def test_offline_mode_reads_the_cache_or_says_what_to_do(hub, monkeypatch):
    from huggingface_hub import constants

    open_checkpoint(REPO)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.fetched.clear()
    assert open_checkpoint(REPO).family == "bert"
    assert hub.fetched == []
    assert "HF_HUB_OFFLINE" in refusal("owner/other")


def test_a_revision_is_honoured_and_a_missing_one_explained(hub):
    assert open_checkpoint(REPO, revision="v2").folder.name == COMMIT
    message = refusal(REPO, revision="gone")
    assert "no revision 'gone'" in message


def test_a_missing_repository_is_explained(hub):
    assert "neither a folder here nor a repository" in refusal("owner/missing")


def test_a_gated_repository_is_explained(hub):
    message = refusal("owner/gated")
    assert "gated" in message
    assert "hf auth login" in message


def test_a_hub_that_is_down_is_explained(hub, monkeypatch):
    go_offline(monkeypatch, hub)
    assert "check the network" in refusal(REPO)


def test_pickles_are_refused_before_anything_large_is_fetched(hub):
    del hub.files["model.safetensors"], hub.files["onnx/model.onnx"]
    message = refusal(REPO)
    assert "pytorch_model.bin" in message
    assert REPO in message
    assert hub.fetched in ([], ["config.json"])


def test_a_repository_without_a_config_is_refused(hub):
    del hub.files["config.json"]
    assert "config.json" in refusal(REPO)


def test_a_cache_without_the_weights_does_not_count(hub, monkeypatch):
    huggingface_hub.hf_hub_download(REPO, "config.json")
    go_offline(monkeypatch, hub)
    assert "check the network" in refusal(REPO)


def test_torch_gets_safetensors_where_onnx_would_do(hub):
    config = json.loads(hub.files["config.json"]) | {"model_type": "bart"}
    hub.files["config.json"] = json.dumps(config).encode()
    assert open_checkpoint(REPO).weight_files == ()
    assert [file.name for file in open_checkpoint(REPO, needs_safetensors=True).weight_files] == [
        "model.safetensors"
    ]
