"""A chat endpoint on this machine that answers as a test tells it to."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from labelwise.synthesis.retries import Clock


@dataclass
class Reply:
    """What the endpoint sends back."""

    content: str = ""
    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes | None = None
    finish_reason: str = "stop"
    usage: dict | None = field(default_factory=lambda: {"prompt_tokens": 100, "completion_tokens": 40})
    before: Callable[[], object] = lambda: None

    def data(self) -> bytes:
        if self.body is not None:
            return self.body
        if self.status != 200:
            return json.dumps({"error": {"message": self.content}}).encode()
        choice = {
            "message": {"role": "assistant", "content": self.content},
            "finish_reason": self.finish_reason,
        }
        return json.dumps({"choices": [choice], "usage": self.usage}).encode()


def good_bundle(prompt: str, name: str) -> dict:
    """A bundle as the prompt asks for it: label j is true of text j, false of the one before."""
    num_texts = int(re.search(r"Write (\d+) texts", prompt)[1])
    num_labels = int(re.search(r"pool of (\d+) candidate", prompt)[1])
    min_words = int(re.search(r"Length: (\d+) to", prompt)[1])
    labels = [f"label {number} of {name}" for number in range(num_labels)]
    texts = []
    for place in range(num_texts):
        text = " ".join([f"Text {place} of {name}:", *["word"] * min_words])
        true = [label for number, label in enumerate(labels) if number % num_texts == place]
        false = [label for number, label in enumerate(labels) if (number + 1) % num_texts == place]
        texts.append({"text": text, "true": true, "false": false})
    return {"labels": labels, "texts": texts}


class FakeEndpoint:
    """Answers ``answer(prompt, request number from 0)``: good bundles unless a test says otherwise."""

    def __init__(self) -> None:
        self.requests: list[dict] = []
        self.headers: list[dict] = []
        self.paths: list[str] = []
        self.answer: Callable[[str, int], Reply] = self.good
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def good(self, prompt: str, number: int) -> Reply:
        return Reply(json.dumps(good_bundle(prompt, f"request {number}")))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(fake) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler has the name self
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with fake._lock:
                    number = len(fake.requests)
                    fake.requests.append(request)
                    fake.headers.append(dict(self.headers))
                    fake.paths.append(self.path)
                reply = fake.answer(request["messages"][-1]["content"], number)
                reply.before()
                data = reply.data()
                try:
                    self.send_response(reply.status)
                    for name, value in {"Content-Length": str(len(data)), **reply.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    pass

            def log_message(self, *_args: object) -> None:
                pass

        return Handler


class FakeClock:
    """Waits without waiting, and remembers for how long."""

    def __init__(self) -> None:
        self.sleeps_s: list[float] = []
        self._now_s = 1000.0
        self.clock = Clock(sleep=self._sleep, now_s=lambda: self._now_s)

    def _sleep(self, seconds: float) -> None:
        self.sleeps_s.append(seconds)
        self._now_s += seconds


@pytest.fixture
def fake():
    endpoint = FakeEndpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture
def fake_clock():
    return FakeClock()


@pytest.fixture
def reply():
    return Reply


@pytest.fixture(name="good_bundle")
def good_bundle_fixture():
    return good_bundle
