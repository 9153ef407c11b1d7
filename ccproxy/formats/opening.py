"""How an upstream's stream begins: with an answer, or with the error that there is none.

Some upstreams answer 200 at once and find out only then that they cannot (seen with the backend of ChatGPT
plans, read 2026-11-22). Until the first event that says something, the status can still be chosen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.formats.anthropic.upstream_errors import failed as anthropic_failed
from ccproxy.formats.chat.upstream_errors import failed_in_stream as chat_failed
from ccproxy.formats.openai_errors import upstream_error_object
from ccproxy.formats.responses.upstream_errors import failure as responses_failed
from ccproxy.formats.sse import Reader, ServerSentEvent

MOST_HELD = 1 << 20
"""Bytes after which a stream goes on, whatever they say: a Responses stream repeats all instructions and
tools of the request, twice, before anything happens."""

_OVERLOADED = 529
_METADATA: dict[Wire, tuple[str, ...]] = {
    "anthropic": ("ping",),
    "chat": (),
    "responses": ("response.created", "response.in_progress", "response.queued", "codex."),
}
"""How the types of events begin that may stand before an error and are no answer yet."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The error answer that the stream should have been, in the upstream's own format.

    `retry_after` is in seconds, None when the upstream did not say.
    """

    status: int
    body: bytes
    retry_after: float | None = None


Verdict = Literal["wait", "go on"] | Refusal


class Opening:
    """Reads a stream's first events. Once `feed` has said anything but "wait" there is no more to ask."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._reader = Reader()
        self._left = MOST_HELD

    def feed(self, chunk: bytes) -> Verdict:
        """What the bytes up to now mean; where they are cut makes no difference."""
        for event in self._reader.feed(chunk[: self._left]):
            verdict = self._judge(event)
            if verdict != "wait":
                return verdict
        self._left -= len(chunk)
        return "wait" if self._left >= 0 else "go on"

    def _judge(self, event: ServerSentEvent) -> Verdict:
        try:
            return self._verdict(event.name, msgspec.json.decode(event.data))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            # whoever reads the stream has to say what becomes of this
            return "go on"

    def _verdict(self, name: str, data: object) -> Verdict:
        if not isinstance(data, dict):
            return "go on"
        named = data.get("type")
        # the chunks of Chat Completions have no type
        kind = named if isinstance(named, str) and self._wire != "chat" else name
        if kind.startswith(_METADATA[self._wire]):
            return "wait"
        return _REFUSALS[self._wire](kind, data) or "go on"


def _anthropic(kind: str, data: JsonObject) -> Refusal | None:
    if kind != "error":
        return None
    return _refusal(anthropic_failed(data), {**data, "type": "error"})


def _chat(kind: str, data: JsonObject) -> Refusal | None:
    error = data.get("error") or (data if kind == "error" else None)
    if not error:
        return None
    failed = chat_failed(error)
    return _openai_refusal(failed, error if isinstance(error, dict) else {})


def _responses(kind: str, data: JsonObject) -> Refusal | None:
    if kind == "response.failed":
        response = data.get("response")
        error = response.get("error") if isinstance(response, dict) else None
        error = error if isinstance(error, dict) else {}
        return _openai_refusal(responses_failed(error), error)
    if kind != "error":
        return None
    # the object stands in `error` on sockets, and in the event itself elsewhere
    status, error = data.get("status"), data.get("error")
    if not isinstance(error, dict) or not error:
        error = {name: value for name, value in data.items() if name not in _OF_THE_EVENT}
    known = isinstance(status, int) and 400 <= status < 600
    return _openai_refusal(responses_failed(error, status if known else None), error)


_OF_THE_EVENT = ("type", "sequence_number", "status", "error")
_REFUSALS: dict[Wire, Callable[[str, JsonObject], Refusal | None]] = {
    "anthropic": _anthropic,
    "chat": _chat,
    "responses": _responses,
}


def _openai_refusal(failed: Failed, error: JsonObject) -> Refusal:
    """All that the upstream said of its error, and in OpenAI's four fields what it left out."""
    said: dict[str, Any] = {name: value for name, value in error.items() if value is not None}
    for name, usual in upstream_error_object(failed).items():
        if not isinstance(said.get(name), str) or not said[name]:
            said[name] = usual
    # OpenAI says that a server is overloaded with a status of its own
    return _refusal(failed, {"error": said}, 503 if failed.status == _OVERLOADED else failed.status)


def _refusal(failed: Failed, body: JsonObject, status: int | None = None) -> Refusal:
    return Refusal(status or failed.status, msgspec.json.encode(body), failed.retry_after)
