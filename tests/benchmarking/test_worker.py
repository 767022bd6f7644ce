"""Requests and answers as lines of JSON."""

import io
import json

from labelwise.benchmarking import worker


class EvenScores:
    def score(self, texts, labels):
        import numpy as np

        if texts == ["broken"]:
            raise RuntimeError("what a library says\nat length")
        return np.full((len(texts), len(labels)), 1 / len(labels))


def ask(*lines):
    replies = io.StringIO()
    worker.answer_requests(io.StringIO("".join(json.dumps(line) + "\n" for line in lines)), replies)
    return [json.loads(line) for line in replies.getvalue().splitlines()]


def opening(system="labelwise", model="bundled"):
    return {"system": system, "settings": {"model": model}}


def test_every_request_gets_its_scores_and_the_peak_memory(monkeypatch):
    monkeypatch.setattr(worker, "open_system", lambda spec, settings: EvenScores())
    opened, one, two = ask(
        opening(), {"texts": ["x"], "labels": ["a", "b"]}, {"texts": ["x", "y"], "labels": ["a"]}
    )
    assert opened == {"opened": True}
    assert one["scores"] == [[0.5, 0.5]]
    assert two["scores"] == [[1.0], [1.0]]
    assert one["peak_memory_mb"] is None or one["peak_memory_mb"] > 1


def test_a_request_that_fails_is_answered_and_the_next_goes_on(monkeypatch):
    monkeypatch.setattr(worker, "open_system", lambda spec, settings: EvenScores())
    _, failed, fine = ask(
        opening(), {"texts": ["broken"], "labels": ["a"]}, {"texts": ["x"], "labels": ["a"]}
    )
    assert failed == {"error": "what a library says at length"}
    assert fine["scores"] == [[1.0]]


def test_a_system_that_does_not_open_is_the_only_answer():
    (reply,) = ask(opening(model="/no/such/folder"), {"texts": ["x"], "labels": ["a"]})
    assert "there is no folder" in reply["error"]
