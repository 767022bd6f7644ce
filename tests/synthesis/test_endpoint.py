from __future__ import annotations

import json
import socket
import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from labelwise.errors import InputError
from labelwise.synthesis.endpoint import ApiKey, ChatEndpoint, EndpointError, NoAnswerError
from labelwise.synthesis.invalid import RefusedError

KEY = "sk-very-secret-0123456789"
MESSAGES = [{"role": "user", "content": "Hello?"}]


def endpoint_of(fake, **settings) -> ChatEndpoint:
    return ChatEndpoint(fake.base_url, "some-model", **{"timeout_s": 5.0, **settings})


def failure_of(endpoint: ChatEndpoint) -> NoAnswerError:
    with pytest.raises(NoAnswerError) as caught:
        endpoint.complete(MESSAGES)
    return caught.value


def test_a_request_carries_model_messages_key_and_only_the_settings_that_were_given(fake, reply):
    fake.answer = lambda _prompt, _number: reply("Hi.")
    endpoint = endpoint_of(fake, api_key=ApiKey(KEY), temperature=0.7, json_mode=True)
    completion = endpoint.complete(MESSAGES)
    assert (completion.text, completion.prompt_tokens, completion.completion_tokens) == ("Hi.", 100, 40)
    assert fake.paths == ["/v1/chat/completions"]
    assert fake.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert fake.requests == [
        {
            "model": "some-model",
            "messages": MESSAGES,
            "temperature": 0.7,
            "response_format": {"type": "json_object"},
        }
    ]


def test_without_a_key_no_authorization_is_sent(fake, reply):
    fake.answer = lambda _prompt, _number: reply("Hi.")
    endpoint_of(fake).complete(MESSAGES)
    assert "Authorization" not in fake.headers[0]


def test_a_trailing_slash_of_the_base_url_does_not_double(fake, reply):
    fake.answer = lambda _prompt, _number: reply("Hi.")
    ChatEndpoint(fake.base_url + "/", "m").complete(MESSAGES)
    assert fake.paths == ["/v1/chat/completions"]


def test_usage_may_be_missing_and_content_may_come_in_parts(fake, reply):
    content = [{"type": "text", "text": "Hi "}, {"type": "text", "text": "there."}]
    body = json.dumps({"choices": [{"message": {"content": content}}], "usage": None}).encode()
    fake.answer = lambda _prompt, _number: reply(body=body)
    completion = endpoint_of(fake).complete(MESSAGES)
    assert (completion.text, completion.prompt_tokens) == ("Hi there.", None)


@pytest.mark.parametrize(
    "choice",
    [
        {"message": {"content": "Hm"}, "finish_reason": "content_filter"},
        {"message": {"content": None, "refusal": "No."}, "finish_reason": "stop"},
    ],
)
def test_a_refusal_in_the_answer_is_seen(fake, reply, choice):
    fake.answer = lambda _prompt, _number: reply(body=json.dumps({"choices": [choice]}).encode())
    assert endpoint_of(fake).complete(MESSAGES).is_refusal


def test_a_filter_in_front_of_the_model_counts_as_a_refusal(fake, reply):
    body = json.dumps({"error": {"code": "content_filter", "message": "policy"}}).encode()
    fake.answer = lambda _prompt, _number: reply(status=400, body=body)
    with pytest.raises(RefusedError):
        endpoint_of(fake).complete(MESSAGES)


def test_an_answer_at_the_token_limit_is_marked(fake, reply):
    fake.answer = lambda _prompt, _number: reply("{", finish_reason="length")
    assert endpoint_of(fake).complete(MESSAGES).was_cut_off


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_a_busy_server_may_answer_later(fake, reply, status):
    fake.answer = lambda _prompt, _number: reply("busy", status=status)
    error = failure_of(endpoint_of(fake))
    assert (error.kind, error.may_pass, error.retry_after_s) == (f"HTTP {status}", True, None)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_request_that_does_not_suit_is_not_repeated(fake, reply, status):
    fake.answer = lambda _prompt, _number: reply("too long", status=status)
    assert not failure_of(endpoint_of(fake)).may_pass


@pytest.mark.parametrize("status", [301, 302, 307, 308, 401, 402, 403, 404, 405])
def test_what_no_repetition_mends_stops_the_run_and_redirects_are_not_followed(fake, reply, status):
    headers = {"Location": f"{fake.base_url}/elsewhere"}
    fake.answer = lambda _prompt, _number: reply("no", status=status, headers=headers)
    with pytest.raises(EndpointError, match=f"HTTP {status}"):
        endpoint_of(fake, api_key=ApiKey(KEY)).complete(MESSAGES)
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [("7", 7), ("1.5", 1.5), ("-3", 0), ("0", 0), ("nan", 0), ("soon", None), ("", None)],
)
def test_retry_after_is_read_in_seconds(fake, reply, value, wait_s):
    fake.answer = lambda _prompt, _number: reply("slow down", status=429, headers={"Retry-After": value})
    assert failure_of(endpoint_of(fake)).retry_after_s == wait_s


def test_retry_after_is_read_as_a_date(fake, reply):
    moment = datetime.now(timezone.utc) + timedelta(seconds=100)
    headers = {"Retry-After": format_datetime(moment, usegmt=True)}
    fake.answer = lambda _prompt, _number: reply("slow down", status=503, headers=headers)
    assert 90 < failure_of(endpoint_of(fake)).retry_after_s <= 100


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>bad gateway</html>",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [7]}',
        b"\xff",
        b"[" * 99999,
    ],
)
def test_what_is_no_chat_completion_may_be_one_later(fake, reply, body):
    fake.answer = lambda _prompt, _number: reply(body=body)
    error = failure_of(endpoint_of(fake))
    assert (error.kind, error.may_pass) == ("not a chat completion", True)


def test_an_answer_that_breaks_off_may_come_whole_later(fake, reply):
    headers = {"Content-Length": "9999", "Connection": "close"}
    fake.answer = lambda _prompt, _number: reply(body=b'{"choices": [{"mess', headers=headers)
    assert failure_of(endpoint_of(fake)).may_pass


def test_a_silent_server_times_out(fake, reply):
    is_over = threading.Event()
    fake.answer = lambda _prompt, _number: reply("late", before=lambda: is_over.wait(5))
    started_s = time.monotonic()
    error = failure_of(endpoint_of(fake, timeout_s=0.2))
    is_over.set()
    assert (error.kind, error.may_pass) == ("timeout", True)
    assert time.monotonic() - started_s < 2


def test_a_dripping_server_times_out():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in range(100):
                    try:
                        connection.sendall(b" ")
                    except OSError:
                        return
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        endpoint = ChatEndpoint(f"http://127.0.0.1:{server.getsockname()[1]}", "m", timeout_s=0.3)
        assert failure_of(endpoint).kind == "timeout"


def test_nobody_at_the_port_is_a_failed_connection():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = failure_of(ChatEndpoint(f"http://127.0.0.1:{port}/v1", "m"))
    assert (error.kind, error.may_pass) == ("connection failed", True)


@pytest.mark.parametrize(
    "base_url",
    ["", "localhost:8000", "ftp://host/v1", "file:///etc/passwd", "http://", "http://a b/", "http://h:99999", "http://a..b/",
     "http://höst/", "http://h/\r\nX: y"],
)  # fmt: skip
def test_a_base_url_that_cannot_be_used_is_refused(base_url):
    with pytest.raises(InputError, match="base URL"):
        ChatEndpoint(base_url, "m")


@pytest.mark.parametrize(
    "base_url", [f"http://user:{KEY}@h/v1", f"https://h/v1?key={KEY}", f"https://h/#{KEY}"]
)
def test_a_base_url_with_a_key_in_it_is_refused_without_showing_it(base_url):
    with pytest.raises(InputError) as caught:
        ChatEndpoint(base_url, "m")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"timeout_s": 0},
        {"timeout_s": float("nan")},
        {"max_tokens": 0},
        {"temperature": float("nan")},
        {"top_p": -1.0},
    ],
)
def test_a_number_that_cannot_be_used_is_refused(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        ChatEndpoint("http://h/v1", "m", **settings)


@pytest.mark.parametrize("key", ["", "  ", "two\nlines-of-secret", "schlüssel-geheim"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key):
    with pytest.raises(InputError) as caught:
        ChatEndpoint("http://h/v1", "m", api_key=ApiKey(key))
    assert "secret" not in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_the_key_shows_in_no_representation():
    endpoint = ChatEndpoint("http://h/v1", "m", api_key=ApiKey(KEY))
    assert KEY not in f"{endpoint!r} {endpoint} {endpoint.api_key!r} {endpoint.api_key}"


@pytest.mark.parametrize("status", [400, 401, 429])
def test_a_server_that_repeats_the_key_does_not_make_it_show(fake, reply, status):
    fake.answer = lambda _prompt, _number: reply(f"Bad key:\n{KEY} \x1b[31m!", status=status)
    with pytest.raises((NoAnswerError, EndpointError)) as caught:
        endpoint_of(fake, api_key=ApiKey(KEY)).complete(MESSAGES)
    shown = str(caught.value)
    assert "***" in shown
    assert KEY not in shown
    assert shown.isprintable()
    assert caught.value.__suppress_context__


def test_a_model_that_repeats_the_key_does_not_make_it_show(fake, reply):
    fake.answer = lambda _prompt, _number: reply(f"Your key is {KEY}.")
    assert endpoint_of(fake, api_key=ApiKey(KEY)).complete(MESSAGES).text == "Your key is ***."


def test_a_placeholder_key_does_not_blot_out_words(fake, reply):
    fake.answer = lambda _prompt, _number: reply("The box is EMPTY.")
    assert endpoint_of(fake, api_key=ApiKey("EMPTY")).complete(MESSAGES).text == "The box is EMPTY."
