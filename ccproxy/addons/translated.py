"""Translated answers: a stream callable for streams, and whole bodies for the rest."""

import contextlib
import time

from mitmproxy import http

from ccproxy.conversation.events import Failed
from ccproxy.conversation.reply import Reply
from ccproxy.exchange import Exchange
from ccproxy.failures import Failure
from ccproxy.formats.decompress import UnknownEncodingError, decoder
from ccproxy.reasoning import ReasoningStore
from ccproxy.rename import StreamRenamer
from ccproxy.tap import Tap
from ccproxy.translation import StreamTranslator, Translation

PASSED_ON = ("retry-after", "retry-after-ms", "x-should-retry", "x-request-id", "request-id")
"""Headers of an upstream's error that mean the same in every format, besides its rate limits."""


class RenamedStream:
    """The same format under the client's name of the model."""

    def __init__(self, renamer: StreamRenamer, tap: Tap) -> None:
        self.renamer = renamer
        self.tap = tap

    def __call__(self, data: bytes) -> list[bytes]:
        self.tap(data)
        return self.renamer.feed(data) if data else []

    def closing(self, failure: Failure, request_id: str) -> list[bytes]:
        """Whole events have gone out, so an event of ours may always follow."""
        return self.tap.error_event(failure, request_id)


class TranslatedStream:
    """The upstream's bytes in, the client's out. It never raises and never gives an empty piece."""

    def __init__(self, translator: StreamTranslator, tap: Tap, encoding: str) -> None:
        self.translator = translator
        self.tap = tap
        self.spoke = time.monotonic()
        try:
            self.decode = decoder(encoding)
        except UnknownEncodingError:
            self.decode = decoder("")

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
            return self.translator.fail(Failed("api_error", "The upstream's stream cannot be decompressed."))
        return self.translator.feed(text)

    def closing(self, failure: Failure, request_id: str) -> list[bytes]:
        """What ends the client's stream with an error of ours."""
        return self.translator.fail(Failed(failure.type, failure.message, failure.status, failure.code))

    def ping(self) -> list[bytes]:
        """A sign of life while there is nothing to say."""
        self.spoke = time.monotonic()
        return self.translator.ping()


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
    body = b""
    with contextlib.suppress(ValueError):
        body = response.get_content() or b""
    is_stream = response.headers.get("content-type", "").startswith("text/event-stream")
    outcome: Reply | Failed
    if response.status_code >= 400:
        headers = {name.lower(): value for name, value in response.headers.items()}
        outcome = translation.failure(response.status_code, headers, body)
    else:
        outcome = translation.collect(body) if is_stream else translation.reply(body)
    if isinstance(outcome, Failed):
        set_failure(response, exchange, translation, outcome)
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


def set_failure(
    response: http.Response, exchange: Exchange, translation: Translation, failed: Failed
) -> None:
    """An upstream's error in the client's format, with what its headers say about retrying."""
    exchange.error = failed.code or failed.type
    status = failed.status
    if status == 529 and translation.client != "anthropic":
        status = 503
    kept = [
        (name, value)
        for name, value in response.headers.fields
        if (lower := name.decode("latin-1").lower()) in PASSED_ON
        or "ratelimit" in lower
        or lower.startswith("x-ccproxy-")
    ]
    response.headers = http.Headers(kept)
    response.headers["content-type"] = "application/json"
    if failed.retry_after is not None and "retry-after" not in response.headers:
        response.headers["retry-after"] = f"{failed.retry_after:g}"
    response.status_code = status
    response.reason = ""
    response.content = translation.encode_failure(failed, exchange.id)
