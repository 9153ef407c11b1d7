"""Any client format in front of any backend: the official SDKs, over sockets."""

import json
from typing import Any

import anthropic
import openai
import pydantic
import pytest

from tests.conftest import Proxies
from tests.support.processes import Proxy, Simulator

CLAUDE, GPT = "claude-opus-4-8", "gpt-5.5"
PARAMETERS = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
    "additionalProperties": False,
}
CALL = 'sim:tool add {"a": 2, "b": 3}'


class Point(pydantic.BaseModel):
    x: int
    name: str


@pytest.fixture
def chat(proxy: Proxy) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{proxy.url}/api/v1", api_key="client", max_retries=0)


@pytest.fixture
def claude(proxy: Proxy) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=f"{proxy.url}/openai", api_key="client", max_retries=0)


def last_body(simulator: Simulator) -> dict[str, Any]:
    body = simulator.requests()[-1]["body_json"]
    assert isinstance(body, dict)
    return body


def test_chat_on_claude(chat: openai.OpenAI, simulator: Simulator) -> None:
    with chat:
        reply = chat.chat.completions.create(
            model=CLAUDE,
            messages=[{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello"}],
        )
        assert reply.choices[0].message.content == "hello"
        assert reply.choices[0].finish_reason == "stop"
        assert (reply.model, reply.object) == (CLAUDE, "chat.completion")
        assert reply.usage is not None
        assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens > 0
        body = last_body(simulator)
        assert body["system"] == [{"type": "text", "text": "Be kind."}]
        assert body["max_tokens"] > 1000
        chunks = list(
            chat.chat.completions.create(
                model=CLAUDE,
                messages=[{"role": "user", "content": "sim:unicode"}],
                stream=True,
                stream_options={"include_usage": True},
            )
        )
    assert {chunk.model for chunk in chunks} == {CLAUDE}
    assert chunks[-1].usage is not None
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert "👩" in "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def test_a_tool_loop_of_a_chat_client_on_claude(chat: openai.OpenAI, simulator: Simulator) -> None:
    tools: Any = [{"type": "function", "function": {"name": "add", "parameters": PARAMETERS}}]
    messages: list[Any] = [{"role": "user", "content": CALL}]
    with chat:
        with chat.chat.completions.stream(model=CLAUDE, messages=messages, tools=tools) as stream:
            call = stream.get_final_completion().choices[0].message
        assert call.tool_calls
        assert json.loads(call.tool_calls[0].function.arguments) == {"a": 2, "b": 3}
        messages += [
            {"role": "assistant", "tool_calls": [c.model_dump() for c in call.tool_calls]},
            {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "5"},
        ]
        final = chat.chat.completions.create(model=CLAUDE, messages=messages, tools=tools)
    assert "5" in str(final.choices[0].message.content)
    assert final.choices[0].finish_reason == "stop"


def test_thinking_survives_a_chat_client_that_cannot_carry_it(
    chat: openai.OpenAI, simulator: Simulator
) -> None:
    """The simulator, like Claude, wants its signed thinking back in front of the call."""
    tools: Any = [{"type": "function", "function": {"name": "add", "parameters": PARAMETERS}}]
    messages: list[Any] = [{"role": "user", "content": 'sim:thinking tool add {"a": 1, "b": 1}'}]
    more: Any = {"model": CLAUDE, "tools": tools, "reasoning_effort": "high"}
    for stream in (False, True):
        with chat.with_options():
            if stream:
                with chat.chat.completions.stream(messages=messages, **more) as events:
                    call = events.get_final_completion().choices[0].message
            else:
                call = chat.chat.completions.create(messages=messages, **more).choices[0].message
            plain = [
                {"id": c.id, "type": "function", "function": c.function.model_dump()}
                for c in call.tool_calls or []
            ]
            answered = [
                *messages,
                {"role": "assistant", "tool_calls": plain},
                {"role": "tool", "tool_call_id": plain[0]["id"], "content": "2"},
            ]
            chat = openai.OpenAI(base_url=chat.base_url, api_key="client", max_retries=0)
            chat.chat.completions.create(messages=answered, **more)
            chat.close()
            chat = openai.OpenAI(base_url=chat.base_url, api_key="client", max_retries=0)
        kinds = [part["type"] for part in last_body(simulator)["messages"][1]["content"]]
        assert kinds[0] == "thinking"
        assert "tool_use" in kinds
    chat.close()


def test_responses_on_claude(chat: openai.OpenAI, simulator: Simulator) -> None:
    with chat:
        reply = chat.responses.create(model=CLAUDE, input="hello", instructions="Be kind.")
        assert reply.output_text == "hello"
        assert (reply.status, reply.model) == ("completed", CLAUDE)
        tools: Any = [{"type": "function", "name": "add", "parameters": PARAMETERS, "strict": False}]
        history: list[Any] = [{"role": "user", "content": CALL}]
        with chat.responses.stream(model=CLAUDE, input=history, tools=tools) as stream:
            numbers = [event.sequence_number for event in stream]
            call: Any = stream.get_final_response()
        assert numbers == list(range(len(numbers)))
        history += [item.model_dump(exclude_none=True) for item in call.output]
        history.append({"type": "function_call_output", "call_id": call.output[-1].call_id, "output": "5"})
        final = chat.responses.create(model=CLAUDE, input=history, tools=tools)
    assert "5" in final.output_text


def test_structured_output_on_claude(chat: openai.OpenAI) -> None:
    with chat:
        parsed = chat.chat.completions.parse(
            model=CLAUDE, messages=[{"role": "user", "content": "a point"}], response_format=Point
        )
        assert isinstance(parsed.choices[0].message.parsed, Point)
        again = chat.responses.parse(model=CLAUDE, input="a point", text_format=Point)
    assert isinstance(again.output_parsed, Point)


def test_messages_on_openai(claude: anthropic.Anthropic, simulator: Simulator) -> None:
    tools: Any = [{"name": "add", "input_schema": PARAMETERS}]
    prompt: dict[str, Any] = {"model": GPT, "max_tokens": 500, "tools": tools}
    messages: list[Any] = [{"role": "user", "content": CALL}]
    with claude:
        reply = claude.messages.create(
            model=GPT, max_tokens=500, messages=[{"role": "user", "content": "hello"}]
        )
        assert reply.content[0].model_dump()["text"] == "hello"
        assert (reply.stop_reason, reply.model) == ("end_turn", GPT)
        assert reply.usage.input_tokens > 0
        with claude.messages.stream(messages=messages, **prompt) as stream:
            call = stream.get_final_message()
        assert call.stop_reason == "tool_use"
        use = call.content[-1].model_dump()
        assert use["input"] == {"a": 2, "b": 3}
        messages += [
            {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in call.content]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use["id"], "content": "5"}]},
        ]
        final = claude.messages.create(messages=messages, **prompt)
    assert "5" in str(final.content[0].model_dump()["text"])
    body = last_body(simulator)
    assert (body["store"], body["model"]) == (False, GPT)


def test_losses_are_named(proxy: Proxy) -> None:
    more: Any = {"model": CLAUDE, "messages": [{"role": "user", "content": "hello"}], "seed": 7}
    with openai.OpenAI(base_url=f"{proxy.url}/api/v1", api_key="x", max_retries=0) as client:
        answer = client.chat.completions.with_raw_response.create(**more)
        assert "seed" in answer.headers["x-ccproxy-warnings"]
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(**more, n=2)
        assert refused.value.param == "n"


def test_losses_are_kept_quiet_or_refused(proxies: Proxies) -> None:
    more: Any = {"model": CLAUDE, "messages": [{"role": "user", "content": "hello"}], "seed": 7}
    silent = proxies.get(settings={"TRANSLATION__LOSSES": "silent"})
    with openai.OpenAI(base_url=f"{silent.url}/api/v1", api_key="x", max_retries=0) as client:
        answer = client.chat.completions.with_raw_response.create(**more)
        assert "x-ccproxy-warnings" not in answer.headers
    strict = proxies.get(settings={"TRANSLATION__LOSSES": "reject"})
    with openai.OpenAI(base_url=f"{strict.url}/api/v1", api_key="x", max_retries=0) as client:
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(**more)
    assert (refused.value.code, refused.value.param) == ("translation_loss", "seed")


@pytest.mark.parametrize(
    ("marker", "kind", "code"),
    [
        ("sim:error 429 rate_limit_error 7", openai.RateLimitError, "rate_limit_exceeded"),
        ("sim:error 529", openai.InternalServerError, "server_is_overloaded"),
        ("sim:error 401", openai.AuthenticationError, "invalid_api_key"),
    ],
)
def test_the_upstreams_errors(
    proxy: Proxy, marker: str, kind: type[openai.APIStatusError], code: str
) -> None:
    with openai.OpenAI(base_url=f"{proxy.url}/api/v1", api_key="x", max_retries=0) as client:
        for stream in (False, True):
            with pytest.raises(kind) as caught:
                client.chat.completions.create(
                    model=CLAUDE, messages=[{"role": "user", "content": marker}], stream=stream
                )
            assert caught.value.code == code
            if "7" in marker:
                assert caught.value.response.headers["retry-after"] == "7"


def test_an_error_in_the_middle(proxy: Proxy) -> None:
    with openai.OpenAI(base_url=f"{proxy.url}/api/v1", api_key="x", max_retries=0) as client:
        for marker in ("sim:error200", "sim:cut"):
            with pytest.raises(openai.APIError) as caught:
                list(
                    client.chat.completions.create(
                        model=CLAUDE, messages=[{"role": "user", "content": marker}], stream=True
                    )
                )
            assert caught.value.message


def test_a_model_rule(proxies: Proxies, simulator: Simulator) -> None:
    """Another model on another backend, and the client's own name in the answer."""
    rules = [
        {"match": "gpt-*", "target": CLAUDE, "backend": "api"},
        {"match": "claude-*", "target": "claude-sonnet-4-6(low)"},
    ]
    proxy = proxies.get(settings={"MODELS__RULES": json.dumps(rules)})
    with openai.OpenAI(base_url=f"{proxy.url}/openai/v1", api_key="x", max_retries=0) as client:
        answer = client.chat.completions.with_raw_response.create(
            model=GPT, messages=[{"role": "user", "content": "hello"}]
        )
        assert answer.parse().model == GPT
        assert answer.headers["x-ccproxy-upstream-model"] == CLAUDE
        assert last_body(simulator)["model"] == CLAUDE
    with anthropic.Anthropic(base_url=f"{proxy.url}/api", api_key="x", max_retries=0) as claude:
        prompt: Any = {"model": CLAUDE, "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}
        assert claude.messages.create(**prompt).model == CLAUDE
        assert last_body(simulator)["model"] == "claude-sonnet-4-6"
        assert last_body(simulator)["output_config"] == {"effort": "low"}
        with claude.messages.stream(**prompt) as stream:
            assert stream.get_final_message().model == CLAUDE
