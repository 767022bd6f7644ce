"""The command line of ``labelwise synthesize``."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from labelwise.cli.synthesize import synthesize
from labelwise.errors import InputError
from labelwise.synthesis import EndpointError

KEY = "sk-very-secret-0123456789"


@pytest.fixture
def call(fake, tmp_path, monkeypatch):
    """Call the command with these words; the endpoint and the key come by the environment."""
    monkeypatch.setenv("OPENAI_BASE_URL", fake.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(synthesize)

    def call(*words, bundles=2):
        common = [
            "--model",
            "some-model",
            "--output",
            str(tmp_path / "rows.jsonl"),
            "--bundles",
            str(bundles),
        ]
        return CliRunner().invoke(app, [*common, *words])

    return call


def test_rows_are_written_and_the_report_goes_to_stderr(call, fake, tmp_path):
    result = call("--length", "line", "--genre", "memo", "--reading-level", "A2", "--temperature", "0.8")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "10 rows written" in result.stderr
    assert "200 tokens read" in result.stderr
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len(rows) == 10
    assert {(row["genre"], row["length"], row["reading_level"]) for row in rows} == {("memo", "line", "A2")}
    assert fake.requests[0]["temperature"] == 0.8
    assert fake.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_json_prints_the_report_for_machines(call):
    report = json.loads(call("--json").stdout)
    assert (report["rows_written"], report["requests"], report["refusals"]) == (10, 2, 0)


def test_quiet_says_nothing(call):
    result = call("--quiet")
    assert (result.exit_code, result.output) == (0, "")


def test_a_run_is_resumed_with_more_bundles(call):
    call()
    assert isinstance(call().exception, InputError)
    assert "5 rows written, 15 are in" in call("--resume", bundles=3).stderr


def test_topics_and_passages_come_from_files(call, fake, tmp_path):
    (tmp_path / "topics.txt").write_text("sundials\n")
    (tmp_path / "p.jsonl").write_text('{"text": "The gnomon casts the shadow."}\n')
    call("--topics", str(tmp_path / "topics.txt"), "--passages", str(tmp_path / "p.jsonl"), bundles=1)
    prompt = fake.requests[0]["messages"][-1]["content"]
    assert "sundials" in prompt
    assert "The gnomon casts the shadow." in prompt


def test_without_an_endpoint_the_command_says_what_to_give(call, monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL")
    error = call().exception
    assert isinstance(error, InputError)
    assert "--base-url" in str(error)


@pytest.mark.parametrize("status", [400, 401, 429, 500])
@pytest.mark.parametrize("key_words", [[], ["--api-key", KEY]])
def test_the_key_is_never_shown_whatever_fails(call, fake, reply, status, key_words):
    fake.answer = lambda _prompt, _number: reply(f"Bad key {KEY}", status=status)
    result = call("--max-failures", "1", "--retries", "0", *key_words)
    assert isinstance(result.exception, EndpointError)
    assert f"HTTP {status}" in str(result.exception)
    assert KEY not in result.output + str(result.exception)


def test_a_key_that_no_header_can_carry_is_not_shown_by_the_refusal(call):
    result = call("--api-key", "bad\nsecret-key")
    assert isinstance(result.exception, InputError)
    assert "secret" not in result.output + str(result.exception)


def test_the_help_shows_no_key(call):
    result = call("--help")
    assert result.exit_code == 0
    assert KEY not in result.output
