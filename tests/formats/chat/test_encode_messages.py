from typing import Any

from ccproxy.conversation.parts import (
    Document,
    Image,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from ccproxy.conversation.request import Role, Turn
from ccproxy.formats.chat.encode_messages import MessageEncoder
from ccproxy.formats.names import Renamer

IMAGE = Image(Media("image/png", "iVBO"))
SHOWN = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}


def encode(role: Role, *parts: Part) -> list[dict[str, Any]]:
    return list(MessageEncoder("developer", Renamer(64)).turn(Turn(role, parts, "messages.1")))


def test_system_text_stays_in_its_place() -> None:
    assert encode("system", Text("a"), Text("b")) == [{"role": "developer", "content": "a\n\nb"}]


def test_a_call() -> None:
    calls = encode("assistant", Reasoning("hm"), Text("I "), Text("look"), ToolCall("call:1", "do it", ""))
    (message,) = calls
    assert message["content"] == "I look"
    (call,) = message["tool_calls"]
    assert call["function"] == {"name": "do_it", "arguments": "{}"}
    assert call["id"].startswith("call_")


def test_case_44_content_is_null_when_there_are_only_tools() -> None:
    (message,) = encode("assistant", ToolCall("c", "f", '{"a":1}'))
    assert message["content"] is None


def test_case_11_a_custom_call_goes_as_a_function() -> None:
    (message,) = encode("assistant", ToolCall("c", "patch", 'say "hi"', custom=True))
    assert message["tool_calls"][0]["function"] == {"name": "patch", "arguments": '{"input":"say \\"hi\\""}'}


def test_a_refusal() -> None:
    assert encode("assistant", Refusal("no")) == [{"role": "assistant", "content": None, "refusal": "no"}]


def test_a_turn_of_reasoning_alone_is_left_out() -> None:
    assert encode("assistant", Reasoning("hm")) == []


def test_what_an_assistants_provider_did_is_a_loss() -> None:
    encoder = MessageEncoder("system", Renamer(64))
    parts = (Text("found"), Opaque("anthropic", {"type": "server_tool_use"}))
    assert list(encoder.turn(Turn("assistant", parts, "messages.1"))) == [
        {"role": "assistant", "content": "found"}
    ]
    assert [loss.path for loss in encoder.losses] == ["messages.1.content"]


def test_results_come_before_what_the_user_says() -> None:
    messages = encode("user", ToolResult("a", (Text("x"), Text("y"))), ToolResult("b", ()), Text("go"))
    assert messages == [
        {"role": "tool", "tool_call_id": "a", "content": "x\ny"},
        {"role": "tool", "tool_call_id": "b", "content": ""},
        {"role": "user", "content": "go"},
    ]


def test_an_error_says_so() -> None:
    (message,) = encode("user", ToolResult("a", (Text("no such file"),), is_error=True))
    assert message["content"] == "[tool error] no such file"


def test_case_45_an_image_in_a_result_is_shown_after_the_last_one() -> None:
    messages = encode("user", ToolResult("a", (IMAGE,)), ToolResult("b", (Text("x"), IMAGE)), Text("go"))
    assert messages == [
        {"role": "tool", "tool_call_id": "a", "content": "[image attached below]"},
        {"role": "tool", "tool_call_id": "b", "content": "x"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "[from tool call a]"},
                SHOWN,
                {"type": "text", "text": "[from tool call b]"},
                SHOWN,
                {"type": "text", "text": "go"},
            ],
        },
    ]


def test_a_document_in_a_result() -> None:
    messages = encode("user", ToolResult("a", (Document(Media("application/pdf", "JVBERi0=")),)))
    assert messages[0]["content"] == "[document attached below]"
    assert messages[1]["content"][1]["type"] == "file"
