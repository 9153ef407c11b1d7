"""OpenAI's Chat Completions, answered by Claude (API reference, read 2026-11-22)."""

from .canned import MODEL, REPLY_TEXT, REPLY_TOKENS, StreamShape
from .client import Answer
from .dialect import demand, json_body, padded, question, stream_data

HEADERS: dict[str, str] = {
    "content-type": "application/json",
    "accept": "application/json",
    "user-agent": "ccproxy-bench/1.0",
    "authorization": "Bearer dummy",
    "x-stainless-lang": "python",
    "x-stainless-retry-count": "0",
}


def request_body(size: int, shape: StreamShape | None = None) -> bytes:
    filler: dict[str, object] = {"role": "user", "content": ""}
    request: dict[str, object] = {
        "model": MODEL,
        "max_completion_tokens": 1024,
        "messages": [
            {"role": "system", "content": "You are a terse assistant."},
            filler,
            {"role": "assistant", "content": "Understood."},
            {"role": "user", "content": [{"type": "text", "text": question(shape)}]},
        ],
    }
    if shape:
        request |= {"stream": True, "stream_options": {"include_usage": True}}
    return padded(request, filler, size)


def check_reply(answer: Answer) -> None:
    match json_body(answer):
        case {
            "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            "usage": {"completion_tokens": tokens},
        }:
            demand((text, tokens) == (REPLY_TEXT, REPLY_TOKENS), "text or usage", answer)
        case _:
            demand(False, "reply", answer)


def check_stream(answer: Answer, shape: StreamShape) -> None:
    """The text whole however it is cut, one reason to finish, the usage, and `[DONE]` at the end."""
    chunks, is_done = stream_data(answer)
    choices = [choice for chunk in chunks for choice in chunk.get("choices") or []]
    text = "".join((choice.get("delta") or {}).get("content") or "" for choice in choices)
    finished = [reason for choice in choices if (reason := choice.get("finish_reason"))]
    tokens = [usage.get("completion_tokens") for chunk in chunks if (usage := chunk.get("usage"))]
    demand(text == shape.text, "text", answer)
    demand(finished == ["stop"], "reason to finish", answer)
    demand(tokens[-1:] == [shape.deltas], "usage", answer)
    demand(is_done, "end", answer)
