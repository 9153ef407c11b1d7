"""Anthropic's Messages, as clients of the pass-through leg speak it (API reference, read 2026-11-22).

Answers come straight from the canned upstream, so they are looked at without parsing.
"""

from .canned import MODEL, REPLY_TEXT, StreamShape
from .client import Answer
from .dialect import demand, padded, question

HEADERS: dict[str, str] = {
    "content-type": "application/json",
    "accept": "application/json",
    "user-agent": "ccproxy-bench/1.0",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "fine-grained-tool-streaming-2025-05-14",
    "x-api-key": "dummy",
    "x-app": "cli",
    "x-stainless-lang": "js",
    "x-stainless-retry-count": "0",
    "x-stainless-timeout": "600",
}


def request_body(size: int, shape: StreamShape | None = None) -> bytes:
    filler: dict[str, object] = {"role": "user", "content": ""}
    request: dict[str, object] = {
        "model": MODEL,
        "max_tokens": 1024,
        "system": [{"type": "text", "text": "You are a terse assistant."}],
        "messages": [
            filler,
            {"role": "assistant", "content": "Understood."},
            {"role": "user", "content": [{"type": "text", "text": question(shape)}]},
        ],
        "metadata": {"user_id": "benchmark"},
    }
    if shape:
        request["stream"] = True
    return padded(request, filler, size)


def check_reply(answer: Answer) -> None:
    demand(answer.status == 200 and REPLY_TEXT.encode() in answer.body, "reply", answer)


def check_stream(answer: Answer, shape: StreamShape) -> None:
    deltas = answer.body.count(b"event: content_block_delta\n")
    demand(answer.status == 200 and deltas == shape.deltas, f"number of deltas ({deltas})", answer)
    demand(b"event: message_stop\n" in answer.body, "end", answer)
