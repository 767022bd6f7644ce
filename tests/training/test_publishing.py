"""Against a hub on this machine that takes what is pushed."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from labelwise.errors import CheckpointError, InputError
from labelwise.training.publishing import check_hub_access, push_to_hub

TOKEN = "hf_secret"


class FakeHub:
    """Takes a commit of one user who owns ``owner/...``, and refuses all else with the hub's status codes."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, bytes]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                hub.calls.append((self.command, self.path, body))
                status, value = hub.respond(self.path, body, self.headers.get("Authorization"))
                sent = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_POST = answer  # noqa: N815

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def respond(self, path, body, token):
        if path == "/api/agent-harnesses":
            return 200, {}
        if token != f"Bearer {TOKEN}":
            return 401, {"error": "Invalid username or password."}
        if path == "/api/repos/create":
            asked = json.loads(body)
            if asked["organization"] != "owner":
                return 403, {"error": "You don't have the rights"}
            return 200, {"url": f"{self.url}/owner/{asked['name']}"}
        if path.startswith("/api/models/") and not path.startswith("/api/models/owner/"):
            return 404, {"error": "Repository not found"}
        if "/preupload/" in path:
            asked = json.loads(body)["files"]
            return 200, {
                "files": [
                    {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in asked
                ]
            }
        if "/commit/" in path:
            return 200, {"commitOid": "0" * 40, "commitUrl": f"{self.url}/owner/name/commit/{'0' * 40}"}
        return 200, {"name": "owner", "type": "user"}

    def committed(self) -> dict[str, bytes]:
        [lines] = [body for _, path, body in self.calls if "/commit/" in path]
        entries = [json.loads(line) for line in lines.splitlines()]
        return {
            entry["value"]["path"]: base64.b64decode(entry["value"]["content"])
            for entry in entries
            if entry["key"] == "file"
        }


@pytest.fixture
def hub(monkeypatch):
    from huggingface_hub import constants

    fake = FakeHub()
    monkeypatch.setattr(constants, "ENDPOINT", fake.url)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "README.md").write_text("# hello")
    return tmp_path


def refusal(action) -> str:
    with pytest.raises(CheckpointError) as caught:
        action()
    assert "\n" not in str(caught.value)
    assert TOKEN not in str(caught.value)
    return str(caught.value)


def test_all_files_arrive_in_one_commit(hub, model_dir):
    check_hub_access("owner/name")
    assert push_to_hub(model_dir, "owner/name") == f"{hub.url}/owner/name"
    assert hub.committed() == {"config.json": b"{}", "README.md": b"# hello"}


def test_a_private_repository_and_a_branch_are_made_as_asked(hub, model_dir):
    push_to_hub(model_dir, "owner/name", is_private=True, revision="v2")
    [created] = [json.loads(body) for _, path, body in hub.calls if path == "/api/repos/create"]
    assert created.get("private") is True or created.get("visibility") == "private"
    paths = [path for _, path, _ in hub.calls]
    assert "/api/models/owner/name/branch/v2" in paths
    assert "/api/models/owner/name/commit/v2" in paths


def test_a_missing_token_is_found_before_the_work(hub, monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    assert "no token; run 'hf auth login'" in refusal(lambda: check_hub_access("owner/name"))


def test_a_token_that_is_not_valid_is_explained(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_old")
    assert "missing or not valid" in refusal(lambda: check_hub_access("owner/name"))


def test_missing_rights_are_explained(hub, model_dir):
    assert "may not write there" in refusal(lambda: push_to_hub(model_dir, "someone/name"))


def test_a_hub_that_does_not_answer_is_explained(hub, model_dir, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "check the network" in refusal(lambda: push_to_hub(model_dir, "owner/name"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "unset HF_HUB_OFFLINE" in refusal(lambda: push_to_hub(model_dir, "owner/name"))


def test_a_folder_without_a_model_is_not_pushed(hub, tmp_path):
    assert "no config.json" in refusal(lambda: push_to_hub(tmp_path, "owner/name"))
    assert hub.calls == []


@pytest.mark.parametrize("name", ["name", "a/b/c", "../x", "owner/na me", "https://hub/x"])
def test_a_name_that_is_no_hub_id_is_refused(hub, name, model_dir):
    with pytest.raises(InputError, match="is not a hub id: use owner/name"):
        push_to_hub(model_dir, name)
    assert hub.calls == []
