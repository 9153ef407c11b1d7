from typing import Any

import pytest

from ccproxy.simulator.codex.caller import Caller
from ccproxy.simulator.codex.errors import Detail
from ccproxy.simulator.codex.rules import HTTP_ONLY, LITE_ON_SOCKET, UNSUPPORTED, check_create

CALLER = Caller("account", "pro", lite=False)
LITE = Caller("account", "pro", lite=True)


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


def refusal(body: dict[str, Any], *, websocket: bool = False) -> str:
    with pytest.raises(Detail) as raised:
        check_create(body, CALLER, websocket=websocket)
    assert raised.value.status == 400
    assert raised.value.body == b'{"detail": "%s"}' % raised.value.message.encode()
    return raised.value.message


@pytest.mark.parametrize("name", [*UNSUPPORTED, *HTTP_ONLY])
def test_unsupported_parameters(body: dict[str, Any], name: str) -> None:
    assert refusal(body | {name: None}) == f"Unsupported parameter: {name}"


def test_a_socket_may_go_on_from_a_response(body: dict[str, Any]) -> None:
    more = {"previous_response_id": "resp_1", "generate": False}

    assert check_create(body | more, CALLER, websocket=True) == body | more
    assert refusal(body | {"user": "x"}, websocket=True) == "Unsupported parameter: user"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stream": False}, "Stream must be set to true"),
        ({"stream": None}, "Stream must be set to true"),
        ({"store": True}, "Store must be set to false"),
        ({"store": None}, "Store must be set to false"),
        ({"instructions": None}, "Instructions are required"),
        ({"input": "hello"}, "Input must be a list"),
        ({"input": ["hello"]}, "Input must be a list of items"),
        ({"input": [{"role": "system", "content": "x"}]}, "System messages are not allowed"),
        ({"service_tier": "flex"}, "Unsupported service_tier: flex"),
        ({"stream_options": {"include_usage": True}}, "Unsupported parameter: stream_options"),
        ({"tools": [{"type": "web_search_preview"}]}, "Unsupported tool type: web_search_preview"),
        ({"tools": [{"type": "mcp"}]}, "Unsupported tool type: mcp"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text", "prompt_cache_breakpoint": {}}]}]},
            "Unsupported parameter: prompt_cache_breakpoint",
        ),
    ],
)
def test_refused_values(body: dict[str, Any], change: dict[str, Any], message: str) -> None:
    assert refusal(body | change) == message


@pytest.mark.parametrize("name", ["stream", "store", "instructions", "input"])
def test_what_has_to_be_said(body: dict[str, Any], name: str) -> None:
    assert refusal(without(body, name))


def test_instructions_can_be_in_the_input(body: dict[str, Any]) -> None:
    bare = without(body, "instructions")
    prompt = {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "be kind"}]}

    check_create(bare, LITE)
    check_create(bare | {"client_metadata": {LITE_ON_SOCKET: "true"}}, CALLER, websocket=True)
    check_create(bare | {"input": [prompt, *body["input"]]}, CALLER)


def test_what_only_the_client_sends_is_left_out(body: dict[str, Any]) -> None:
    marked = {**body["input"][0], "internal_chat_message_metadata_passthrough": {"turn": "1"}}

    assert check_create(body | {"input": [marked], "stream_options": {"own": 1}}, CALLER) == body
