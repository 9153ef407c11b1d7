"""Translated answers: a stream callable for streams, and whole bodies for the rest."""

import contextlib
import math
import time
from dataclasses import replace
from typing import Protocol

import msgspec
from mitmproxy import http

from ccproxy import failures
from ccproxy.addons.exchanges import lower
from ccproxy.codex.answer import collect
from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.conversation.reply import Reply
from ccproxy.exchange import Exchange
from ccproxy.failures import Failure
from ccproxy.formats import responses
from ccproxy.formats.decompress import Decode, UnknownEncodingError, decoder
from ccproxy.reasoning import ReasoningStore
from ccproxy.tap import Tap
from ccproxy.translation import CODECS, StreamTranslator, Translation

PASSED_ON = ("retry-after", "retry-after-ms", "x-should-retry", "x-request-id", "request-id")
"""Headers of an upstream's error that mean the same in every format, besides its rate limits."""

USED_UP = ("usage_limit_reached", "usage_not_included", "subscription_sharing_usage_limit_exceeded")
"""Codes of errors that asking again does not end."""


NOT_UNPACKED = "The upstream's stream cannot be decompressed."


class Editor(Protocol):
    """Changes events of a stream, each as soon as it is whole; `cut` says whether an end now is too early."""

    def feed(self, chunk: bytes) -> list[bytes]: ...

    def cut(self) -> bool: ...


class EditedStream:
    """The same format with changes: another name of the model, no events that only one client knows.

    The editor reads the stream, so it is the editor that shows the tap its events.
    """

    def __init__(self, editor: Editor, tap: Tap, encoding: str = "", request_id: str = "") -> None:
        self.editor = editor
        self.tap = tap
        self.request_id = request_id
        self.decode = decode_or_not(encoding)
        self.broken = False

    def __call__(self, data: bytes) -> list[bytes]:
        if data:
            self.tap.count(data)
        if self.broken:
            return []
        pieces = self.edit(data) if data else self.end()
        return [b"".join(pieces)] if pieces else []

    def end(self) -> list[bytes]:
        """What follows when the upstream has ended its stream."""
        cut = failures.upstream_cut("The upstream")
        return self.closing(cut, self.request_id) if self.editor.cut() else []

    def edit(self, data: bytes) -> list[bytes]:
        try:
            return self.editor.feed(self.decode(data))
        except ValueError:
            self.broken = True
            return self.closing(Failure("upstream_cut", 502, "api_error", NOT_UNPACKED), self.request_id)

    def closing(self, failure: Failure, request_id: str) -> list[bytes]:
        """Whole events have gone out, so an event of ours may always follow."""
        return self.tap.error_event(failure, request_id)


class TranslatedStream:
    """The upstream's bytes in, the client's out. It never raises and never gives an empty piece.

    `editor` sees the upstream's stream first.
    """

    def __init__(
        self, translator: StreamTranslator, tap: Tap, encoding: str, editor: Editor | None = None
    ) -> None:
        self.translator = translator
        self.editor = editor
        self.tap = tap
        self.spoke = time.monotonic()
        self.decode = decode_or_not(encoding)

    def __call__(self, data: bytes) -> list[bytes]:
        if data:
            self.tap.count(data)
        pieces = self.translate(data)
        if pieces:
            # an upstream may talk at length of what this client does not get to see
            self.spoke = time.monotonic()
        return [b"".join(pieces)] if pieces else []

    def translate(self, data: bytes) -> list[bytes]:
        if not data:
            return self.translator.end()
        try:
            text = self.decode(data)
        except ValueError:
            return self.translator.fail(Failed("api_error", NOT_UNPACKED))
        if self.editor:
            text = b"".join(self.editor.feed(text))
        return self.translator.feed(text)

    def closing(self, failure: Failure, request_id: str) -> list[bytes]:
        """What ends the client's stream with an error of ours."""
        return self.translator.fail(Failed(failure.type, failure.message, failure.status, failure.code))

    def ping(self) -> list[bytes]:
        """A sign of life while there is nothing to say."""
        self.spoke = time.monotonic()
        return self.translator.ping()


def decode_or_not(encoding: str) -> Decode:
    """How to undo a compression; one that is unknown stays as it is, and then holds no event."""
    try:
        return decoder(encoding)
    except UnknownEncodingError:
        return decoder("")


def stream_headers(response: http.Response) -> None:
    """The headers of an event stream that we write ourselves."""
    for name in ("content-length", "content-encoding"):
        response.headers.pop(name, None)
    response.headers["content-type"] = "text/event-stream; charset=utf-8"
    response.headers["cache-control"] = "no-cache"
    response.headers["x-accel-buffering"] = "no"
    if response.is_http11:
        response.headers["transfer-encoding"] = "chunked"


def translate_whole(
    response: http.Response, exchange: Exchange, translation: Translation, store: ReasoningStore
) -> None:
    """Put a whole answer into the client's format: a reply, an error, or a stream in one piece."""
    body = unpacked(response)
    is_stream = response.headers.get("content-type", "").startswith("text/event-stream")
    outcome: Reply | Failed
    if response.status_code >= 400:
        outcome = translation.failure(response.status_code, lower(response.headers), body)
        if code := response.headers.get("x-ccproxy-error"):
            # an error of our own, from the local app
            outcome = replace(outcome, code=code)
    else:
        outcome = translation.collect(body) if is_stream else translation.reply(body)
        if exchange.said and isinstance(whole := collect(body), dict):
            exchange.said(whole)
    if isinstance(outcome, Failed):
        set_failure(response, exchange, translation.client, outcome)
        return
    if translation.client == "chat":
        store.remember(outcome)
    response.headers.pop("content-encoding", None)
    response.headers.pop("transfer-encoding", None)
    if exchange.stream:
        stream_headers(response)
        response.headers.pop("transfer-encoding", None)
        response.content = translation.encode_as_stream(outcome)
    else:
        response.headers["content-type"] = "application/json"
        response.content = translation.encode(outcome)


def unpacked(response: http.Response) -> bytes:
    """The body without its compression; nothing when that cannot be undone."""
    with contextlib.suppress(ValueError):
        return response.get_content() or b""
    return b""


def plain_whole(response: http.Response, exchange: Exchange) -> None:
    """A whole answer of a backend that only streams, for a client of the same format that reads JSON."""
    body = unpacked(response)
    outcome: JsonObject | Failed
    if response.status_code >= 400:
        outcome = responses.decode_error(response.status_code, lower(response.headers), body)
    else:
        outcome = collect(body)
    if isinstance(outcome, Failed):
        set_failure(response, exchange, "responses", outcome)
        return
    if exchange.said:
        exchange.said(outcome)
    if exchange.renamed:
        outcome = {**outcome, "model": exchange.model_requested}
    response.headers.pop("content-encoding", None)
    response.headers.pop("transfer-encoding", None)
    response.headers["content-type"] = "application/json"
    response.content = msgspec.json.encode(outcome)


def set_failure(response: http.Response, exchange: Exchange, client: Wire, failed: Failed) -> None:
    """An upstream's error in the client's format, with what its headers say about retrying."""
    exchange.error = failed.code or failed.type
    status = failed.status
    if status == 529 and client != "anthropic":
        status = 503
    kept = [
        (name, value)
        for name, value in response.headers.fields
        if (label := name.decode("latin-1").lower()) in PASSED_ON
        or "ratelimit" in label
        or label.startswith("x-ccproxy-")
    ]
    response.headers = http.Headers(kept)
    response.headers["content-type"] = "application/json"
    if failed.retry_after is not None and "retry-after" not in response.headers:
        response.headers["retry-after"] = str(math.ceil(failed.retry_after))
    if failed.code in USED_UP:
        response.headers["x-should-retry"] = "false"
    response.status_code = status
    response.reason = ""
    response.content = CODECS[client].encode_error(failed, exchange.id)
