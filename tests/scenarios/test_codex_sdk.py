"""The official SDKs on a ChatGPT plan: what its backend demands goes up, what the SDKs expect comes down."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pydantic
import pytest

from tests.support.chatgpt import ACCOUNT
from tests.support.clients import run_claude
from tests.support.processes import Proxy, Simulator

GPT = "gpt-5.5"
PARAMETERS = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
    "additionalProperties": False,
}
CALL = 'sim:tool add {"a": 2, "b": 3}'
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
DATA_URL = f"data:image/png;base64,{PNG}"

NOT_TAKEN = {"max_output_tokens", "max_tokens", "max_completion_tokens", "temperature", "top_p", "metadata"}
NOT_TAKEN |= {"user", "safety_identifier", "truncation", "previous_response_id", "stream_options", "messages"}


class Point(pydantic.BaseModel):
    x: int
    name: str


@pytest.fixture
def client(served: Proxy) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{served.url}/codex/v1", api_key="client") as made:
        yield made


@pytest.fixture
def claude(served: Proxy) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=f"{served.url}/codex", api_key="client", max_retries=0) as made:
        yield made


@pytest.fixture(autouse=True)
def nothing_sent_yet(simulator: Simulator) -> None:
    simulator.clear()


def sent(simulator: Simulator) -> list[dict[str, Any]]:
    """The bodies that reached the backend: each as it demands them, from the proxy's own account."""
    bodies: list[dict[str, Any]] = []
    for entry in simulator.requests():
        assert entry["path"] == "/backend-api/codex/responses"
        headers: dict[str, str] = {name.lower(): value for name, value in entry["headers"]}  # type: ignore[attr-defined]
        body: Any = entry["body_json"]
        assert (body["stream"], body["store"]) == (True, False)
        assert isinstance(body["instructions"], str)
        assert isinstance(body["input"], list)
        assert "reasoning.encrypted_content" in body["include"]
        assert body["prompt_cache_key"] == headers["session-id"]
        assert not NOT_TAKEN & set(body)
        assert headers["chatgpt-account-id"] == ACCOUNT
        assert headers["originator"] == "ccproxy"
        assert headers["user-agent"].startswith("ccproxy/")
        assert headers["authorization"] != "Bearer client"
        bodies.append(body)
    return bodies


def test_in_each_host(proxy: Proxy, simulator: Simulator) -> None:
    with openai.OpenAI(base_url=f"{proxy.url}/codex/v1", api_key="client", max_retries=0) as client:
        first = client.responses.create(model=GPT, input="sim:text one")
        with client.responses.stream(
            model=GPT, input="sim:text two", previous_response_id=first.id
        ) as stream:
            assert stream.get_final_response().output_text == "two"
        reply = client.chat.completions.create(model=GPT, messages=[{"role": "user", "content": "hello"}])
    assert reply.choices[0].message.content == "hello"
    _, second, _ = sent(simulator)
    assert len(second["input"]) == 3


# --- Responses


def test_responses(client: openai.OpenAI, simulator: Simulator) -> None:
    """A client that does not stream reads JSON with its whole output, although the backend only streams."""
    reply = client.responses.create(model=GPT, input="hello", instructions="Be kind.", temperature=0.5)
    assert (reply.status, reply.output_text, reply.model) == ("completed", "hello", GPT)
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens > 0
    [body] = sent(simulator)
    assert body["instructions"] == "Be kind."
    assert body["input"][0]["content"] == [{"type": "input_text", "text": "hello"}]


def test_what_is_left_out_is_told(client: openai.OpenAI, simulator: Simulator) -> None:
    answer = client.responses.with_raw_response.create(
        model=GPT, input="hello", temperature=0.5, max_output_tokens=5, user="me"
    )
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.headers["x-ccproxy-warnings"].split(",")) == {
        "temperature",
        "max_output_tokens",
        "user",
    }
    assert answer.parse().output_text == "hello"
    sent(simulator)


def test_a_responses_stream(client: openai.OpenAI, simulator: Simulator) -> None:
    """Events that only Codex knows are left out, and the last one has the output."""
    with client.responses.stream(model=GPT, input="sim:unicode") as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert not [event.type for event in events if event.type.startswith("codex.")]
    numbers = [event.sequence_number for event in events]
    assert numbers == sorted(set(numbers))
    assert "👩" in final.output_text
    plain = list(client.responses.create(model=GPT, input="hello", stream=True))
    last = plain[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == "hello"
    sent(simulator)


@pytest.mark.parametrize("stream", [False, True])
def test_a_compressed_answer(client: openai.OpenAI, *, stream: bool) -> None:
    """We ask for none, and read it all the same."""
    answer = client.responses.create(model=GPT, input="sim:gzip text packed", stream=stream)
    if isinstance(answer, openai.Stream):
        last = list(answer)[-1]
        assert last.type == "response.completed"
        answer = last.response
    assert answer.output_text == "packed"


@pytest.mark.parametrize("stream", [False, True])
def test_responses_tools_over_two_turns(client: openai.OpenAI, simulator: Simulator, *, stream: bool) -> None:
    tools: Any = [{"type": "function", "name": "add", "parameters": PARAMETERS, "strict": False}]
    history: list[Any] = [{"role": "user", "content": CALL}]

    def ask() -> Any:
        asked: Any = {"model": GPT, "input": history, "tools": tools, "store": False}
        if not stream:
            return client.responses.create(**asked)
        with client.responses.stream(**asked) as events:
            return events.get_final_response()

    called = ask()
    call = called.output[-1]
    assert (call.type, json.loads(call.arguments)) == ("function_call", {"a": 2, "b": 3})
    history += [item.model_dump(exclude_none=True) for item in called.output]
    history.append({"type": "function_call_output", "call_id": call.call_id, "output": "5"})
    assert "5" in ask().output_text
    first, second = sent(simulator)
    assert second["input"][: len(first["input"])] == first["input"]
    assert second["tools"] == first["tools"]


def test_responses_reasoning(client: openai.OpenAI, simulator: Simulator) -> None:
    """It comes encrypted, which is how the client can send it back, and is taken back."""
    asked: Any = {"model": GPT, "reasoning": {"effort": "high", "summary": "auto"}, "store": False}
    first = client.responses.create(input="sim:thinking", **asked)
    thought = first.output[0]
    assert thought.type == "reasoning"
    assert thought.encrypted_content
    history: list[Any] = [{"role": "user", "content": "sim:thinking"}]
    history += [item.model_dump(exclude_none=True) for item in first.output]
    history.append({"role": "user", "content": "sim:text and then?"})
    assert client.responses.create(input=history, **asked).output_text == "and then?"
    _, body = sent(simulator)
    assert body["reasoning"] == {"effort": "high", "summary": "auto"}
    assert body["input"][1]["encrypted_content"] == thought.encrypted_content
    assert "id" not in body["input"][1]


@pytest.mark.parametrize("wire", ["responses", "chat"])
def test_structured_output(client: openai.OpenAI, simulator: Simulator, wire: str) -> None:
    parsed: Point | None
    if wire == "responses":
        parsed = client.responses.parse(model=GPT, input="a point", text_format=Point).output_parsed
    else:
        reply = client.chat.completions.parse(
            model=GPT, messages=[{"role": "user", "content": "a point"}], response_format=Point
        )
        parsed = reply.choices[0].message.parsed
    assert isinstance(parsed, Point)
    [body] = sent(simulator)
    assert body["text"]["format"]["type"] == "json_schema"
    assert body["text"]["format"]["schema"]["required"] == ["x", "name"]


def test_images(client: openai.OpenAI, claude: anthropic.Anthropic, simulator: Simulator) -> None:
    """Each client's way to say it arrives as the one that the backend knows."""
    part: Any = [
        {"type": "input_text", "text": "sim:text seen"},
        {"type": "input_image", "image_url": DATA_URL},
    ]
    assert client.responses.create(model=GPT, input=[{"role": "user", "content": part}]).output_text == "seen"
    said: Any = [
        {"type": "text", "text": "sim:text seen"},
        {"type": "image_url", "image_url": {"url": DATA_URL}},
    ]
    client.chat.completions.create(model=GPT, messages=[{"role": "user", "content": said}])
    shown: Any = [
        {"type": "text", "text": "sim:text seen"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
    ]
    claude.messages.create(model=GPT, max_tokens=99, messages=[{"role": "user", "content": shown}])
    for body in sent(simulator):
        image = body["input"][0]["content"][1]
        assert (image["type"], image["image_url"]) == ("input_image", DATA_URL)


# --- Chat Completions


def test_chat(client: openai.OpenAI, simulator: Simulator) -> None:
    reply = client.chat.completions.create(
        model=GPT,
        messages=[{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello"}],
        max_completion_tokens=99,
    )
    assert (reply.object, reply.model) == ("chat.completion", GPT)
    assert reply.choices[0].message.content == "hello"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage is not None
    assert reply.usage.total_tokens > 0
    [body] = sent(simulator)
    assert body["instructions"] == "Be kind."


def test_a_chat_stream(client: openai.OpenAI, simulator: Simulator) -> None:
    chunks = list(
        client.chat.completions.create(
            model=GPT,
            messages=[{"role": "user", "content": "sim:unicode"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert "👩" in "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
    assert [one.choices[0].finish_reason for one in chunks if one.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    sent(simulator)


@pytest.mark.parametrize("stream", [False, True])
def test_chat_tools_over_two_turns(client: openai.OpenAI, simulator: Simulator, *, stream: bool) -> None:
    tools: Any = [{"type": "function", "function": {"name": "add", "parameters": PARAMETERS}}]
    messages: list[Any] = [{"role": "user", "content": CALL}]

    def ask() -> Any:
        if not stream:
            return client.chat.completions.create(model=GPT, messages=messages, tools=tools)
        with client.chat.completions.stream(model=GPT, messages=messages, tools=tools) as events:
            return events.get_final_completion()

    choice = ask().choices[0]
    assert choice.finish_reason == "tool_calls"
    [call] = choice.message.tool_calls
    assert json.loads(call.function.arguments) == {"a": 2, "b": 3}
    function = {"name": call.function.name, "arguments": call.function.arguments}
    messages += [
        {"role": "assistant", "tool_calls": [{"id": call.id, "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": call.id, "content": "5"},
    ]
    assert "5" in ask().choices[0].message.content
    _, second = sent(simulator)
    assert second["input"][-1] == {"type": "function_call_output", "call_id": call.id, "output": "5"}


def test_chat_reasoning(client: openai.OpenAI, simulator: Simulator) -> None:
    reply = client.chat.completions.create(
        model=GPT, messages=[{"role": "user", "content": "sim:thinking"}], reasoning_effort="low"
    )
    assert reply.choices[0].message.content == "I have thought about it."
    [body] = sent(simulator)
    assert body["reasoning"]["effort"] == "low"


# --- Messages


def test_messages(claude: anthropic.Anthropic, simulator: Simulator) -> None:
    reply = claude.messages.create(
        model=GPT, max_tokens=99, system="Be kind.", messages=[{"role": "user", "content": "hello"}]
    )
    assert (reply.content[0].type, reply.stop_reason, reply.model) == ("text", "end_turn", GPT)
    assert reply.usage.input_tokens > 0
    with claude.messages.stream(
        model=GPT, max_tokens=99, messages=[{"role": "user", "content": "sim:unicode"}]
    ) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert "👩" in text
    assert final.usage.output_tokens > 0
    first, _ = sent(simulator)
    assert first["instructions"] == "Be kind."


@pytest.mark.parametrize("stream", [False, True])
def test_messages_tools_over_two_turns(
    claude: anthropic.Anthropic, simulator: Simulator, *, stream: bool
) -> None:
    tools: Any = [{"name": "add", "input_schema": PARAMETERS}]
    messages: list[Any] = [{"role": "user", "content": CALL}]

    def ask() -> Any:
        asked: Any = {"model": GPT, "max_tokens": 999, "messages": messages, "tools": tools}
        if not stream:
            return claude.messages.create(**asked)
        with claude.messages.stream(**asked) as events:
            return events.get_final_message()

    called = ask()
    assert called.stop_reason == "tool_use"
    assert called.content[-1].input == {"a": 2, "b": 3}
    result = {"type": "tool_result", "tool_use_id": called.content[-1].id, "content": "5"}
    messages += [
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in called.content]},
        {"role": "user", "content": [result]},
    ]
    assert "5" in ask().content[0].text
    first, second = sent(simulator)
    assert second["input"][: len(first["input"])] == first["input"]


def test_messages_thinking(claude: anthropic.Anthropic, simulator: Simulator) -> None:
    """What the model thought goes back to it in the second turn, encrypted as it came."""
    thinking: Any = {"type": "enabled", "budget_tokens": 2000}
    messages: list[Any] = [{"role": "user", "content": "sim:thinking"}]
    asked: Any = {"model": GPT, "max_tokens": 4000, "thinking": thinking}
    reply = claude.messages.create(messages=messages, **asked)
    assert [block.type for block in reply.content] == ["thinking", "text"]
    messages += [
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in reply.content]},
        {"role": "user", "content": "sim:text and then?"},
    ]
    claude.messages.create(messages=messages, **asked)
    _, second = sent(simulator)
    assert [item["type"] for item in second["input"]][1] == "reasoning"
    assert second["input"][1]["encrypted_content"]


def test_tokens_cannot_be_counted(claude: anthropic.Anthropic, simulator: Simulator) -> None:
    """The plan's backend does not count, and a guess would be worse than none."""
    with pytest.raises(anthropic.APIStatusError) as caught:
        claude.messages.count_tokens(model=GPT, messages=[{"role": "user", "content": "hello"}])
    assert caught.value.status_code in (404, 501)
    assert caught.value.type in ("not_found_error", "invalid_request_error")
    assert "count_tokens" in caught.value.message
    assert simulator.requests() == []


# --- Claude Code


@pytest.mark.slow
def test_claude_code(served: Proxy, simulator: Simulator, home: Path) -> None:
    """A turn with a tool: two streamed requests under one cache key, which is its own session's."""
    prompt = 'sim:tool Bash {"command": "echo hello-from-tool", "description": "Say hello"}'
    environment = {"ANTHROPIC_BASE_URL": f"{served.url}/codex", "ANTHROPIC_API_KEY": "sk-ant-api03-client"}
    printed = run_claude(home, prompt, environment, "--model", GPT, "--allowedTools", "Bash")
    assert "hello-from-tool" in printed
    first, second = sent(simulator)
    assert {entry["outcome"] for entry in simulator.requests()} == {"completed"}
    assert "hello-from-tool" in str(second["input"][-2:])
    assert second["input"][: len(first["input"])] == first["input"]
    for same in ("instructions", "tools", "prompt_cache_key"):
        assert second[same] == first[same]
    assert "x-anthropic-billing-header" not in json.dumps(first)


# --- models


def test_models(client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    """In the shape that each client reads, as a list and one by one."""
    models = list(client.models.list())
    assert GPT in [model.id for model in models]
    assert all((model.object, model.owned_by) == ("model", "openai") for model in models)
    assert client.models.retrieve(GPT).id == GPT
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("nobody")
    assert "nobody" in caught.value.message
    assert GPT in [model.id for model in claude.models.list(limit=1000)]
    assert claude.models.retrieve(GPT).id == GPT


# --- ends and errors


def test_a_limit_is_told_as_such(
    client: openai.OpenAI, claude: anthropic.Anthropic, simulator: Simulator
) -> None:
    text = "sim:stop max_tokens"
    reply = client.responses.create(model=GPT, input=text)
    assert reply.status == "incomplete"
    assert reply.incomplete_details is not None
    assert reply.incomplete_details.reason == "max_output_tokens"
    chat = client.chat.completions.create(model=GPT, messages=[{"role": "user", "content": text}])
    assert chat.choices[0].finish_reason == "length"
    message = claude.messages.create(model=GPT, max_tokens=99, messages=[{"role": "user", "content": text}])
    assert message.stop_reason == "max_tokens"
    sent(simulator)


def ask(served: Proxy, wire: str, text: str, *, stream: bool) -> httpx.Response:
    """One request in a client's format."""
    said = [{"role": "user", "content": text}]
    shapes: dict[str, tuple[str, dict[str, Any]]] = {
        "responses": ("/codex/v1/responses", {"input": text}),
        "chat": ("/codex/v1/chat/completions", {"messages": said}),
        "anthropic": ("/codex/v1/messages", {"messages": said, "max_tokens": 99}),
    }
    path, more = shapes[wire]
    body: dict[str, Any] = {"model": GPT, "stream": stream, **more}
    return httpx.post(served.url + path, json=body, trust_env=False, timeout=20)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("wire", ["responses", "chat", "anthropic"])
def test_a_plan_that_is_used_up(served: Proxy, simulator: Simulator, wire: str, *, stream: bool) -> None:
    """When it is over is said in a header, and that trying again is of no use before."""
    answer = ask(served, wire, "sim:error 429 usage_limit 120", stream=stream)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "120"
    assert answer.headers["x-should-retry"] == "false"
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert "usage limit" in error["message"]
    assert error["code" if wire != "anthropic" else "type"] == (
        "rate_limit_error" if wire == "anthropic" else "usage_limit_reached"
    )
    assert len(simulator.requests()) == 1


def test_sdks_do_not_try_again_on_a_plan_that_is_used_up(
    client: openai.OpenAI, served: Proxy, simulator: Simulator
) -> None:
    text = "sim:error 429 usage_limit 0.1"
    begun = time.monotonic()
    with pytest.raises(openai.RateLimitError) as caught:
        client.responses.create(model=GPT, input=text)
    assert caught.value.code == "usage_limit_reached"
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model=GPT, messages=[{"role": "user", "content": text}], stream=True)
    with anthropic.Anthropic(base_url=f"{served.url}/codex", api_key="client") as claude:
        with pytest.raises(anthropic.RateLimitError):
            claude.messages.create(model=GPT, max_tokens=9, messages=[{"role": "user", "content": text}])
    assert len(simulator.requests()) == 3
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("sim:error 429 usage_not_included", 429),
        ("sim:error 503 capacity", 503),
        ("sim:error 403 blocked", 403),
        ("sim:error 400", 400),
    ],
)
@pytest.mark.parametrize("wire", ["responses", "chat", "anthropic"])
def test_other_errors_of_the_backend(served: Proxy, asked: str, status: int, wire: str) -> None:
    """Each in the client's shape, never a page of HTML and never the backend's bare `detail`."""
    answer = ask(served, wire, asked, stream=False)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]["message"]
    assert "<" not in answer.text


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("wire", ["responses", "chat", "anthropic"])
@pytest.mark.parametrize("events", [0, 1, 2])
def test_an_error_at_the_start_of_the_stream_is_a_status(
    served: Proxy, wire: str, events: int, *, stream: bool
) -> None:
    answer = ask(served, wire, f"sim:error200 {events}", stream=stream)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("wire", ["responses", "chat", "anthropic"])
def test_an_error_later_on_is_the_streams_end(served: Proxy, wire: str) -> None:
    answer = ask(served, wire, "sim:error200 8", stream=True)
    assert answer.status_code == 200
    assert "error" in answer.text.strip().splitlines()[-1]
    assert "response.completed" not in answer.text
    assert "message_stop" not in answer.text
    assert "[DONE]" not in answer.text


@pytest.mark.parametrize("wire", ["responses", "chat", "anthropic"])
def test_a_client_that_wants_json_hears_of_a_late_error_too(served: Proxy, wire: str) -> None:
    answer = ask(served, wire, "sim:error200 8", stream=False)
    assert answer.status_code == 500
    assert answer.json()["error"]["message"]
