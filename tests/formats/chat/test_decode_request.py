from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import Text
from ccproxy.conversation.request import Request, Turn
from ccproxy.formats.chat import decode_request

MESSAGES = [{"role": "user", "content": "hi"}]

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)

WHOLE: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": [{"type": "text", "text": "a"}]},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "file", "file": {"file_id": "file-1"}},
                {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            "reasoning_details": [{"type": "ccproxy.reasoning", "data": "cc1a.x", "index": 0}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "r"},
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "r"},
    ],
    "tools": [
        {"type": "function", "function": {"name": "f", "parameters": {}}},
        {
            "type": "custom",
            "custom": {"name": "g", "format": {"type": "grammar", "grammar": {"syntax": "lark"}}},
        },
    ],
    "tool_choice": {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]},
    },
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
    "stream_options": {"include_usage": True},
}


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, item in items for deeper in paths(item, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    key, *rest = path
    copy = value.copy()
    copy[key] = replaced(value[key], tuple(rest), new)
    return copy


def test_a_plain_request() -> None:
    decoded = decode_request({"model": "m", "messages": MESSAGES, "seed": 4})
    assert decoded.request == Request(
        "chat", "m", (Turn("user", (Text("hi"),), "messages.0"),), others={"seed": 4}
    )
    assert decoded.losses == ()


@pytest.mark.parametrize("model", [None, 5, []])
def test_the_model_is_needed(model: object) -> None:
    with pytest.raises(RequestError) as caught:
        decode_request({"model": model, "messages": MESSAGES})
    assert caught.value.path == "model"


@settings(max_examples=300)
@given(st.sampled_from([path for path in paths(WHOLE) if path]), VALUES)
def test_hostile_input_is_decoded_or_refused(path: tuple[Any, ...], value: Any) -> None:
    try:
        decode_request(replaced(WHOLE, path, value))
    except RequestError as error:
        assert error.path  # noqa: PT017
