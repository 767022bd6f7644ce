"""One request to an OpenAI-compatible chat endpoint, and what can come of it."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import IO, Any, Final
from urllib.parse import urlsplit

from labelwise.errors import InputError, LabelwiseError
from labelwise.synthesis.invalid import RefusedError
from labelwise.synthesis.prompts import Message

__all__ = ["ApiKey", "ChatEndpoint", "Completion", "EndpointError", "NoAnswerError"]

_MAX_BODY_BYTES: Final = 16 * 2**20
_READ_BYTES: Final = 2**16
_SHOWN_CHARACTERS: Final = 200
# Keys this short are place-holders of local servers ("EMPTY", "none"), and also words that a text may hold.
_MIN_SECRET_CHARACTERS: Final = 8
_HIDDEN: Final = "***"

# Worth another try: the server is busy, restarting or too slow. 529 is "overloaded" at some providers.
_PASSING_STATUSES: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
# Wrong for this one request only, such as a prompt that is too long for the model.
_REQUEST_STATUSES: Final = frozenset({400, 413, 422})
_LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class EndpointError(LabelwiseError):
    """The endpoint cannot be used, or gave nothing usable for too long."""


class NoAnswerError(Exception):
    """A request brought no answer.

    Attributes:
        kind: what happened, in few words ("timeout", "HTTP 429", ...).
        may_pass: whether the same request may succeed later.
        retry_after_s: how long the server asked to wait, or None.
    """

    def __init__(
        self, kind: str, detail: str = "", *, may_pass: bool, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.may_pass = may_pass
        self.retry_after_s = retry_after_s


class ApiKey:
    """A key that shows itself to nobody: not in a repr, not in a traceback with local variables."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value.strip()

    def __repr__(self) -> str:
        return f"ApiKey({_HIDDEN!r})"

    __str__ = __repr__

    @property
    def is_sendable(self) -> bool:
        """Whether the key fits into a header."""
        return bool(self._value) and self._value.isascii() and self._value.isprintable()

    def header(self) -> str:
        """Return the value of the Authorization header."""
        return f"Bearer {self._value}"

    def hidden_in(self, text: str, *, even_short: bool = False) -> str:
        """Blot the key out of a text; short place-holders only on request, since they are words too."""
        if len(self._value) < _MIN_SECRET_CHARACTERS and not (even_short and self._value):
            return text
        return text.replace(self._value, _HIDDEN)


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer of the model.

    Attributes:
        was_cut_off: whether it ran into the token limit.
        is_refusal: whether the model or a content filter says that it declined.
        prompt_tokens: tokens read, where the endpoint says so.
        completion_tokens: tokens written, where the endpoint says so.
    """

    text: str
    was_cut_off: bool = False
    is_refusal: bool = False
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ChatEndpoint:
    """Where and how to ask.

    Attributes:
        base_url: what comes before ``/chat/completions``, such as ``http://localhost:8000/v1``.
        api_key: sent as a bearer token; None sends none.
        temperature: None leaves it to the endpoint, as top_p and max_tokens do.
        json_mode: also ask for ``response_format`` JSON, which not every endpoint knows.
        timeout_s: for the whole of one request.

    Raises:
        InputError: the URL, the key or a number cannot be used. The key is never shown.
    """

    base_url: str
    model: str
    api_key: ApiKey | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    json_mode: bool = False
    timeout_s: float = 120.0
    _opener: urllib.request.OpenerDirector = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require_base_url(self.base_url)
        if not self.model.strip():
            raise InputError("the model name is blank: give the name that the endpoint knows")
        if self.api_key is not None and not self.api_key.is_sendable:
            raise InputError("the API key is empty or holds characters that no header can carry: check it")
        if not 0 < self.timeout_s < float("inf"):
            raise InputError(f"timeout_s is {self.timeout_s}: give a number of seconds above 0")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise InputError(f"max_tokens is {self.max_tokens}: give at least 1")
        for name in ("temperature", "top_p"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < float("inf"):
                raise InputError(f"{name} is {value}: give a number from 0 on, or leave it out")
        object.__setattr__(self, "_opener", _opener(self.base_url))

    def complete(self, messages: Sequence[Message]) -> Completion:
        """Ask once.

        Raises:
            NoAnswerError: no answer came; another try may help.
            RefusedError: a content filter in front of the model declined.
            EndpointError: this endpoint, key or model will not do.
        """
        deadline_s = time.monotonic() + self.timeout_s
        try:
            with self._opener.open(self._request(messages), timeout=self.timeout_s) as response:
                body = _read(response, deadline_s)
        except urllib.error.HTTPError as error:
            raise self._status_error(error, deadline_s) from None
        except (OSError, http.client.HTTPException) as error:
            raise _connection_error(error, self.timeout_s) from None
        return self._completion(body)

    def _request(self, messages: Sequence[Message]) -> urllib.request.Request:
        fields: dict[str, Any] = {"model": self.model, "messages": list(messages)}
        optional = {"temperature": self.temperature, "top_p": self.top_p, "max_tokens": self.max_tokens}
        fields.update((name, value) for name, value in optional.items() if value is not None)
        if self.json_mode:
            fields["response_format"] = {"type": "json_object"}
        headers = {"Content-Type": "application/json", "User-Agent": "labelwise"}
        if self.api_key is not None:
            headers["Authorization"] = self.api_key.header()
        url = f"{self.base_url.rstrip('/')}/chat/completions"
        return urllib.request.Request(url, json.dumps(fields).encode(), headers, method="POST")

    def _completion(self, body: bytes) -> Completion:
        try:
            fields = json.loads(body)
            choice = fields["choices"][0]
            message = choice["message"]
            text = _content(message.get("content"))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise NoAnswerError("not a chat completion", may_pass=True) from None
        usage, finish_reason = fields.get("usage"), choice.get("finish_reason")
        return Completion(
            self._hidden(text, even_short=False),
            was_cut_off=finish_reason == "length",
            is_refusal=finish_reason == "content_filter" or bool(message.get("refusal")),
            prompt_tokens=_count(usage, "prompt_tokens"),
            completion_tokens=_count(usage, "completion_tokens"),
        )

    def _status_error(self, error: urllib.error.HTTPError, deadline_s: float) -> Exception:
        kind = f"HTTP {error.code}"
        code, said = _error_body(error, deadline_s)
        detail = _one_line(self._hidden(said, even_short=True))[:_SHOWN_CHARACTERS]
        if code in {"content_filter", "content_policy_violation"}:
            return RefusedError()
        if error.code in _PASSING_STATUSES:
            retry_after_s = _retry_after_s(error.headers.get("Retry-After"))
            return NoAnswerError(kind, detail, may_pass=True, retry_after_s=retry_after_s)
        if error.code in _REQUEST_STATUSES:
            return NoAnswerError(kind, detail, may_pass=False)
        said_so = f" ({detail})" if detail else ""
        asked = f"{self.base_url} answered {kind} for model {self.model!r}"
        return EndpointError(f"{asked}{said_so}: check the base URL, the key and the model")

    def _hidden(self, text: str, *, even_short: bool) -> str:
        return text if self.api_key is None else self.api_key.hidden_in(text, even_short=even_short)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key and the texts to another place than the user named."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        return None


def _opener(base_url: str) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
    if urlsplit(base_url).hostname in _LOOPBACK_HOSTS:
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)


def _require_base_url(base_url: str) -> None:
    advice = "give one such as http://localhost:8000/v1"
    # A key may hide in either place, so the URL is not repeated.
    if any(mark in base_url for mark in "@?#"):
        raise InputError(f"the base URL holds more than an address: {advice}, and the key by OPENAI_API_KEY")
    try:
        parts = urlsplit(base_url)
        host = (parts.hostname or "").encode("idna")
        is_usable = parts.scheme in {"http", "https"} and bool(host) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or not base_url.isprintable() or not base_url.isascii() or " " in base_url:
        raise InputError(f"base URL {base_url!r:.120} cannot be used: {advice}")


def _read(response: http.client.HTTPResponse | urllib.error.HTTPError, deadline_s: float) -> bytes:
    # The socket's own timeout starts anew with every byte, so a slow drip would never end.
    body = bytearray()
    while part := response.read1(_READ_BYTES):
        body += part
        if len(body) > _MAX_BODY_BYTES:
            raise NoAnswerError("answer too large", f"more than {_MAX_BODY_BYTES} bytes", may_pass=True)
        if time.monotonic() > deadline_s:
            raise TimeoutError
    return bytes(body)


def _error_body(error: urllib.error.HTTPError, deadline_s: float) -> tuple[str, str]:
    """Return the code and the message of an error answer, as far as they can be read."""
    try:
        fields = json.loads(_read(error, deadline_s))["error"]
        if isinstance(fields, str):
            return "", fields
        return str(fields.get("code") or ""), str(fields.get("message") or "")
    except (OSError, http.client.HTTPException, NoAnswerError):
        return "", ""
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return "", ""
    finally:
        error.close()


def _one_line(text: str) -> str:
    # What a server says ends on a terminal: no line breaks, no escape sequences.
    return "".join(char for char in " ".join(text.split()) if char.isprintable())


def _connection_error(error: Exception, timeout_s: float) -> NoAnswerError:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return NoAnswerError("timeout", f"no full answer within {timeout_s:g} s", may_pass=True)
    # No more than that: messages of the network layers may quote what was sent.
    detail = (cause.strerror if isinstance(cause, OSError) else None) or type(cause).__name__
    return NoAnswerError("connection failed", detail, may_pass=True)


def _content(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "".join(part.get("text") or "" for part in value)
    if not isinstance(value, str):
        raise TypeError
    return value


def _count(usage: object, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, Mapping) else None
    return value if isinstance(value, int) and value >= 0 else None


def _retry_after_s(value: str | None) -> float | None:
    """Read seconds or an HTTP date; what is neither counts as not given."""
    if value is None:
        return None
    with contextlib.suppress(ValueError):
        return max(0.0, float(value))
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())
