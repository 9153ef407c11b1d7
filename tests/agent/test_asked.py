from typing import Any

import pytest

from ccproxy.agent.asked import ATTRIBUTION, FORMAT, OWN_SESSION, SESSION, read
from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject

HELLO = {"role": "user", "content": "hello"}


def body(**more: Any) -> JsonObject:
    return {"model": "claude-opus-4-8", "max_tokens": 10, "messages": [HELLO], **more}


def test_what_a_request_asks() -> None:
    asked = read(body(stream=True, output_config={"effort": "high"}, system="be brief"), {})
    assert (asked.model, asked.effort, asked.system) == ("claude-opus-4-8", "high", "be brief")
    assert asked.messages == (HELLO,)
    assert len(asked.prints) == 1
    assert asked.stream
    assert asked.session is None
    assert not asked.joined
    assert not asked.has_history


def test_a_request_with_a_history() -> None:
    assert read(body(messages=[HELLO, {"role": "assistant", "content": "hi"}, HELLO]), {}).has_history


def test_system_blocks_are_joined_without_claude_codes_own_attribution() -> None:
    blocks = [{"type": "text", "text": f"{ATTRIBUTION} x"}, {"type": "text", "text": "a"}, {"text": " "}]
    assert read(body(system=[*blocks, {"type": "text", "text": "b"}]), {}).system == "a\n\nb"


class TestSession:
    def test_the_path_comes_before_the_body_and_this_before_the_clients_header(self) -> None:
        given = body(metadata={"session_id": "of-the-body"})
        headers = {SESSION: "of-the-path", OWN_SESSION: "of-the-client"}
        assert read(given, headers).session == "of-the-path"
        assert read(given, {OWN_SESSION: "of-the-client"}).session == "of-the-body"
        assert read(body(), {OWN_SESSION: "of-the-client"}).session == "of-the-client"

    def test_claude_code_as_a_client_has_several_conversations_under_one_name(self) -> None:
        headers = {OWN_SESSION: "of-the-client", "user-agent": "claude-cli/2.1.330 (external, sdk-cli)"}
        assert read(body(), headers).session is None

    def test_a_name_that_is_none(self) -> None:
        with pytest.raises(RequestError) as problem:
            read(body(metadata={"session_id": "x" * 129}), {})
        assert problem.value.path == "metadata.session_id"

    @pytest.mark.parametrize("metadata", [None, "x", {"session_id": 3}, {"session_id": ""}, {"user_id": "x"}])
    def test_what_names_none(self, metadata: object) -> None:
        assert read(body(metadata=metadata), {}).session is None

    def test_other_formats_join_the_texts_of_an_answer(self) -> None:
        assert read(body(), {FORMAT: "chat"}).joined
        assert not read(body(), {FORMAT: "anthropic"}).joined


class TestTools:
    TOOL = {"name": "get_weather", "input_schema": {"type": "object"}}

    def test_those_of_the_client_and_not_those_of_the_provider(self) -> None:
        tools = [self.TOOL, {"type": "custom", "name": "b"}, {"type": "web_search_20250305", "name": "c"}]
        assert [tool["name"] for tool in read(body(tools=tools), {}).tools] == ["get_weather", "b"]

    def test_none_when_none_may_be_called(self) -> None:
        assert read(body(tools=[self.TOOL], tool_choice={"type": "none"}), {}).tools == ()

    def test_one_without_a_name_is_an_error(self) -> None:
        with pytest.raises(RequestError) as problem:
            read(body(tools=[{"input_schema": {}}]), {})
        assert problem.value.path == "tools.0.name"


@pytest.mark.parametrize(
    ("messages", "path"),
    [
        (None, "messages"),
        ([], "messages"),
        ("hello", "messages"),
        (["hello"], "messages.0"),
        ([{"role": "tool", "content": "x"}], "messages.0"),
        ([{"role": "user"}], "messages.0.content"),
        ([{"role": "user", "content": ["x"]}], "messages.0.content"),
        ([HELLO, {"role": "assistant", "content": "Once upon"}], "messages.1"),
    ],
)
def test_what_is_no_conversation(messages: object, path: str) -> None:
    with pytest.raises(RequestError) as problem:
        read(body(messages=messages), {})
    assert problem.value.path == path
    assert str(problem.value)
