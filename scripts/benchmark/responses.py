"""OpenAI's Responses, answered by Claude (API reference, read 2026-11-22)."""

from typing import Any

from .canned import MODEL, REPLY_TEXT, REPLY_TOKENS, StreamShape
from .chat import HEADERS as CHAT_HEADERS
from .client import Answer
from .dialect import demand, json_body, padded, question, stream_data

HEADERS: dict[str, str] = CHAT_HEADERS


def request_body(size: int, shape: StreamShape | None = None) -> bytes:
    filler: dict[str, object] = {"type": "message", "role": "user", "content": ""}
    turn = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": question(shape)}]}
    request: dict[str, object] = {
        "model": MODEL,
        "max_output_tokens": 1024,
        "instructions": "You are a terse assistant.",
        "input": [filler, {"type": "message", "role": "assistant", "content": "Understood."}, turn],
        "store": False,
    }
    if shape:
        request["stream"] = True
    return padded(request, filler, size)


def check_reply(answer: Answer) -> None:
    _check_response(json_body(answer), REPLY_TEXT, REPLY_TOKENS, answer)


def check_stream(answer: Answer, shape: StreamShape) -> None:
    """The text whole in its deltas and in the response at the end, which is completed and has the usage.

    A `[DONE]` may follow: OpenAI sends none here, all of the peers do.
    """
    events, _ = stream_data(answer)
    deltas = [event.get("delta", "") for event in events if event.get("type") == "response.output_text.delta"]
    demand("".join(deltas) == shape.text, "text", answer)
    match events[-1]:
        case {"type": "response.completed", "response": dict(response)}:
            _check_response(response, shape.text, shape.deltas, answer)
        case _:
            demand(False, "end", answer)


def _check_response(response: dict[str, Any], text: str, tokens: int, answer: Answer) -> None:
    match response:
        case {
            "status": "completed",
            "output": [{"type": "message", "content": [{"type": "output_text", "text": said}]}],
            "usage": {"output_tokens": counted},
        }:
            demand((said, counted) == (text, tokens), "text or usage", answer)
        case _:
            demand(False, "response", answer)
