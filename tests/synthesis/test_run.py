from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from labelwise.errors import InputError
from labelwise.synthesis import (
    ApiKey,
    ChatEndpoint,
    EndpointError,
    Limits,
    RetryPolicy,
    SynthesisPlan,
    synthesize,
)

KEY = "sk-very-secret-0123456789"
PLAN = SynthesisPlan(seed=5, lengths=("line", "short"), texts_per_bundle=3, labels_per_bundle=6)
ONE_AT_A_TIME = Limits(workers=1)


@pytest.fixture
def output(tmp_path):
    return tmp_path / "rows.jsonl"


@pytest.fixture
def run(fake, fake_clock, output):
    """Run against the fake endpoint with a clock that does not wait."""

    def run(*, bundles=4, plan=PLAN, limits=ONE_AT_A_TIME, timeout_s=5.0, **settings):
        endpoint = ChatEndpoint(fake.base_url, "some-model", api_key=ApiKey(KEY), timeout_s=timeout_s)
        return synthesize(
            output,
            endpoint=endpoint,
            plan=plan,
            bundles=bundles,
            limits=limits,
            clock=fake_clock.clock,
            **settings,
        )

    return run


def rows_in(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def first_then_good(fake, *first):
    """Give these replies first, then good bundles."""
    return lambda prompt, number: first[number] if number < len(first) else fake.good(prompt, number)


def has_texts_once(rows) -> bool:
    return max(Counter(row["text"] for row in rows).values()) == 1


def keeps_the_promise(rows) -> bool:
    for bundle in {row["bundle"] for row in rows}:
        own = [row for row in rows if row["bundle"] == bundle]
        true = {label for row in own for label in row["labels"]}
        false = {label for row in own for label in row["not_labels"]}
        if true != false or any(set(row["labels"]) & set(row["not_labels"]) for row in own):
            return False
    return True


def test_good_bundles_become_rows_with_their_origin(run, output, fake):
    report = run(bundles=4)
    rows = rows_in(output)
    assert list(rows[0]) == [
        "text",
        "labels",
        "not_labels",
        "genre",
        "length",
        "reading_level",
        "bundle",
        "model",
    ]
    assert [row["bundle"] for row in rows] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert keeps_the_promise(rows)
    for row in rows:
        asked = PLAN.bundle(row["bundle"])
        assert (row["genre"], row["length"], row["reading_level"], row["model"]) == (
            asked.genre,
            asked.length.name,
            asked.reading_level,
            "some-model",
        )
    assert (report.rows_written, report.rows_total, report.bundles_done, report.requests) == (12, 12, 4, 4)
    assert (report.prompt_tokens, report.completion_tokens) == (400, 160)
    assert not (
        report.failed_requests or report.invalid_answers or report.refusals or report.has_spent_requests
    )


def test_many_workers_lose_and_double_nothing(run, output):
    report = run(bundles=40, limits=Limits(workers=8))
    rows = rows_in(output)
    assert Counter(row["bundle"] for row in rows) == dict.fromkeys(range(40), 3)
    assert has_texts_once(rows)
    assert keeps_the_promise(rows)
    assert report.requests == 40


def test_workers_ask_at_the_same_time(run, fake, reply):
    everybody_is_here = threading.Barrier(4)

    def answer(prompt, number):
        good = fake.good(prompt, number)
        good.before = lambda: everybody_is_here.wait(10)
        return good

    fake.answer = answer
    assert run(bundles=4, limits=Limits(workers=4)).rows_written == 12


def test_a_broken_answer_is_asked_for_again_with_the_reason(run, fake, reply, output):
    fake.answer = first_then_good(fake, reply('{"labels": ['), reply('{"labels": ["a label"], "texts": []}'))
    report = run(bundles=2)
    assert report.invalid_answers == {"no JSON": 1, "number of texts": 1}
    assert (report.rows_written, report.requests) == (6, 4)
    assert "0 texts in place of 3" in fake.requests[2]["messages"][-1]["content"]
    assert "could not be used" not in fake.requests[3]["messages"][-1]["content"]


def test_a_fenced_answer_is_read(run, fake, reply, good_bundle):
    fake.answer = lambda prompt, number: reply(
        f"Here you are:\n```json\n{json.dumps(good_bundle(prompt, str(number)), indent=2)}\n```\nEnjoy!"
    )
    assert run(bundles=2).rows_written == 6


def test_a_bundle_without_a_valid_answer_is_given_up_and_not_asked_for_again(run, fake, reply, output):
    fake.answer = first_then_good(fake, *[reply("Hm.")] * 2)
    report = run(bundles=2, limits=Limits(workers=1, answer_tries=2))
    assert (report.bundles_given_up, report.bundles_done, report.rows_written) == (1, 2, 3)
    assert run(bundles=2, resume=True).requests == 0


def test_an_answer_that_was_cut_off_is_not_used(run, fake, reply, good_bundle):
    def answer(prompt, number):
        whole = json.dumps(good_bundle(prompt, str(number)))
        return reply(whole, finish_reason="length" if number == 0 else "stop")

    fake.answer = answer
    assert run(bundles=1).invalid_answers == {"cut off": 1}


def test_refusals_are_counted_and_skipped(run, fake, reply, output):
    fake.answer = first_then_good(
        fake,
        reply("I'm sorry, I can't help with that."),
        reply("", finish_reason="content_filter"),
        reply(status=400, body=b'{"error": {"code": "content_filter", "message": "no"}}'),
    )
    report = run(bundles=5)
    assert (report.refusals, report.rows_written, report.requests, report.bundles_done) == (3, 6, 5, 5)
    assert {row["bundle"] for row in rows_in(output)} == {3, 4}
    assert run(bundles=5, resume=True).requests == 0


def test_a_busy_server_is_asked_again_later_and_later(run, fake, reply, fake_clock):
    fake.answer = first_then_good(
        fake, reply("a", status=500), reply("b", status=502), reply("c", status=503)
    )
    report = run(bundles=1)
    assert report.failed_requests == {"HTTP 500": 1, "HTTP 502": 1, "HTTP 503": 1}
    assert report.rows_written == 3
    for delay_s, doubled_s in zip(fake_clock.sleeps_s, [1, 2, 4], strict=True):
        assert doubled_s / 2 <= delay_s <= doubled_s


def test_a_rate_limit_is_waited_out_as_long_as_the_server_says(run, fake, reply, fake_clock):
    fake.answer = first_then_good(fake, reply("slow down", status=429, headers={"Retry-After": "37"}))
    report = run(bundles=1)
    assert report.failed_requests == {"HTTP 429": 1}
    assert report.rows_written == 3
    (delay_s,) = fake_clock.sleeps_s
    assert 37 <= delay_s <= 38


def test_a_rate_limit_that_lasts_too_long_stops_the_run(run, fake, reply, output):
    fake.answer = lambda prompt, number: (
        fake.good(prompt, number)
        if number == 0
        else reply("quota", status=429, headers={"Retry-After": "86400"})
    )
    with pytest.raises(EndpointError, match="86400 s"):
        run(bundles=3)
    assert len(rows_in(output)) == 3


def test_timeouts_are_counted_and_asked_again(run, fake, reply):
    is_over = threading.Event()
    fake.answer = first_then_good(fake, reply("late", before=lambda: is_over.wait(5)))
    report = run(bundles=1, timeout_s=0.3)
    is_over.set()
    assert report.failed_requests == {"timeout": 1}
    assert report.rows_written == 3


def test_a_bundle_without_an_answer_is_asked_for_by_the_next_run(run, fake, reply, output):
    fake.answer = first_then_good(fake, *[reply("down", status=500)] * 2)
    report = run(bundles=3, policy=RetryPolicy(retries=1))
    assert (report.bundles_unanswered, report.bundles_done, report.rows_written) == (1, 2, 6)
    report = run(bundles=3, resume=True)
    assert (report.requests, report.bundles_done, report.rows_total) == (1, 3, 9)


@pytest.mark.parametrize(
    ("content", "said"),
    [("I cannot do that.", "declined"), ("Hm.", "no complete, valid JSON"), ("", "no complete, valid JSON")],
)
def test_too_many_failures_in_a_row_stop_the_run_and_say_why(run, fake, reply, output, content, said):
    fake.answer = lambda prompt, number: fake.good(prompt, number) if number < 2 else reply(content)
    with pytest.raises(EndpointError, match=f"4 bundles in a row.*{said}.*6 rows are kept") as caught:
        run(bundles=100, limits=Limits(workers=1, max_failures_in_a_row=4))
    assert "\n" not in str(caught.value)
    assert len(rows_in(output)) == 6


def test_a_success_in_between_starts_the_count_of_failures_anew(run, fake, reply):
    fake.answer = lambda prompt, number: reply("I cannot.") if number % 3 else fake.good(prompt, number)
    report = run(bundles=12, limits=Limits(workers=1, max_failures_in_a_row=3))
    assert report.refusals == 8


def test_a_wrong_key_stops_the_run_at_once(run, fake, reply):
    fake.answer = lambda _prompt, _number: reply(f"Incorrect API key: {KEY}", status=401)
    with pytest.raises(EndpointError, match="HTTP 401") as caught:
        run(bundles=50)
    assert KEY not in str(caught.value)
    assert len(fake.requests) == 1


def test_the_limit_of_requests_counts_repeated_ones_and_the_next_run_goes_on(run, fake, reply, output):
    fake.answer = first_then_good(fake, reply("busy", status=503))
    report = run(bundles=5, limits=Limits(workers=1, max_requests=3))
    assert (report.requests, report.has_spent_requests, report.bundles_done) == (3, True, 2)
    assert len(fake.requests) == 3
    report = run(bundles=5, resume=True)
    assert (report.requests, report.rows_written, report.rows_total) == (3, 9, 15)
    assert Counter(row["bundle"] for row in rows_in(output)) == dict.fromkeys(range(5), 3)


def test_workers_never_send_more_than_the_limit_of_requests(run, fake):
    report = run(bundles=50, limits=Limits(workers=8, max_requests=10))
    assert len(fake.requests) == report.requests == 10
    assert report.bundles_done == 10


def test_a_finished_output_grows_by_more_bundles(run, output):
    run(bundles=2)
    first = output.read_bytes()
    report = run(bundles=3, resume=True)
    assert (report.requests, report.rows_total) == (1, 9)
    assert output.read_bytes().startswith(first)


def test_a_text_that_comes_again_is_merged_over_the_whole_output(run, fake, reply, good_bundle, output):
    def answer(prompt, number):
        bundle = good_bundle(prompt, f"request {number}")
        bundle["texts"][0]["text"] = "THE same  words again " + "and again " * 5
        bundle["labels"][0] = "shared label"
        bundle["texts"][0]["true"][0] = bundle["texts"][1]["false"][0] = "shared label"
        return reply(json.dumps(bundle))

    fake.answer = answer
    plan = SynthesisPlan(lengths=("line",), texts_per_bundle=3, labels_per_bundle=6)
    report = run(bundles=3, plan=plan)
    rows = rows_in(output)
    assert (report.rows_written, report.duplicates_merged, len(rows)) == (7, 2, 7)
    merged = [row for row in rows if row["text"].startswith("THE")]
    assert merged[0]["labels"] == [
        "shared label", "label 3 of request 0", "label 3 of request 1", "label 3 of request 2"
    ]  # fmt: skip
    assert has_texts_once(rows)


def test_progress_goes_up_to_the_end(run, fake_clock):
    seen = []
    run(bundles=3, on_progress=lambda progress: (seen.append(progress), fake_clock.clock.sleep(2)))
    assert [(one.bundles_done, one.bundles_total, one.rows_written) for one in seen] == [
        (1, 3, 3),
        (2, 3, 6),
        (3, 3, 9),
    ]
    assert (seen[0].bundles_per_s, seen[0].eta_s) == (0.0, None)
    assert (seen[1].bundles_per_s, seen[1].eta_s) == (1.0, 1.0)
    assert seen[2].eta_s == 0.0


def test_an_interruption_keeps_what_came_and_is_passed_on(run, output):
    def interrupt(progress):
        if progress.bundles_done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(bundles=9, on_progress=interrupt)
    assert Counter(row["bundle"] for row in rows_in(output)) == {0: 3, 1: 3}
    assert run(bundles=3, resume=True).rows_total == 9


def test_an_error_of_our_own_in_a_worker_is_not_swallowed(run, fake, monkeypatch):
    def fail(*_args):
        raise ZeroDivisionError

    monkeypatch.setattr("labelwise.synthesis.asking.parse_bundle", fail)
    with pytest.raises(ZeroDivisionError):
        run(bundles=2)


@pytest.mark.parametrize(
    "settings", [{"workers": 0}, {"max_requests": 0}, {"answer_tries": 0}, {"max_failures_in_a_row": 0}]
)
def test_a_limit_that_cannot_be_is_refused(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        Limits(**settings)


def test_no_bundles_at_all_are_refused(run):
    with pytest.raises(InputError, match="bundles is 0"):
        run(bundles=0)


def test_the_key_is_in_no_file_and_no_report(run, fake, reply, good_bundle, tmp_path):
    def answer(prompt, number):
        bundle = good_bundle(prompt, str(number))
        bundle["texts"][0]["text"] += f" {KEY}"
        return reply(json.dumps(bundle))

    fake.answer = answer
    report = run(bundles=2)
    assert report.rows_written == 6
    assert KEY not in repr(report)
    written = [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()]
    assert len(written) == 2
    assert not any(KEY in text for text in written)


RUN_SCRIPT = """
import sys
from pathlib import Path
from labelwise.synthesis import ChatEndpoint, Limits, SynthesisPlan, synthesize
plan = SynthesisPlan(seed=5, lengths=("line", "short"), texts_per_bundle=3, labels_per_bundle=6)
report = synthesize(
    Path(sys.argv[1]), endpoint=ChatEndpoint(sys.argv[2], "m"), plan=plan, bundles=40,
    limits=Limits(workers=3), resume=True,
)
print(report.requests)
"""


def test_runs_killed_again_and_again_end_with_every_bundle_once(fake, output):
    def answer(prompt, number):
        good = fake.good(prompt, number)
        good.before = lambda: time.sleep(0.01)
        return good

    fake.answer = answer
    command = [sys.executable, "-c", RUN_SCRIPT, str(output), fake.base_url]
    for kill_at in (4, 13, 23):
        process = subprocess.Popen(command)
        deadline_s = time.monotonic() + 30
        while len(fake.requests) < kill_at and time.monotonic() < deadline_s:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    last = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = rows_in(output)
    assert Counter(row["bundle"] for row in rows) == dict.fromkeys(range(40), 3)
    assert has_texts_once(rows)
    # Each kill costs at most the requests in flight: one per worker.
    assert len(fake.requests) <= 40 + 3 * 3
    assert int(re.search(r"\d+", last.stdout)[0]) < 40
