"""What the tests of this folder share."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

MODEL = "claude-sonnet-4-5"
HEADERS = {"x-api-key": "some-key", "anthropic-version": "2023-06-01"}

type Ask = Callable[..., Awaitable[httpx.Response]]


def message_of(answer: httpx.Response) -> str:
    """The message of a 400."""
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    return str(error["message"])


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content[0] if isinstance(content[0], str) else list(content)}


def assistant(*content: Any) -> dict[str, Any]:
    return {**user(*content), "role": "assistant"}


def system(*content: Any) -> dict[str, Any]:
    return {**user(*content), "role": "system"}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def call(name: str = "toolu_1") -> dict[str, Any]:
    return {"type": "tool_use", "id": name, "name": "add", "input": {"a": 1}}


def result(name: str = "toolu_1", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": name, "content": "4", **more}


def events_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """The payloads of a stream, after a check of its form: `event:`, one `data:`, a blank line."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    *blocks, rest = answer.text.split("\n\n")
    assert rest == ""
    found = []
    for block in blocks:
        first, second = block.split("\n")
        payload = json.loads(second.removeprefix("data: "))
        assert first == f"event: {payload['type']}"
        found.append(payload)
    return found
