import json
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionChunk
from pydantic import BaseModel

from ccproxy.simulator.state import Simulator

LS: Any = {
    "type": "function",
    "function": {
        "name": "ls",
        "parameters": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
    },
}


class Answer(BaseModel):
    name: str
    numbers: list[int]


class ListFiles(BaseModel):
    path: str


def asks(text: str) -> Any:
    return [{"role": "user", "content": text}]


async def chunks(sdk: AsyncOpenAI, text: str, **more: Any) -> list[ChatCompletionChunk]:
    stream = await sdk.chat.completions.create(
        **{"model": "gpt-4o", "messages": asks(text), "stream": True} | more
    )
    found = [chunk async for chunk in stream]
    assert {chunk.id for chunk in found} == {found[0].id}
    assert {chunk.created for chunk in found} == {found[0].created}
    return found


async def test_an_answer_in_one_piece(sdk: AsyncOpenAI) -> None:
    answer = await sdk.chat.completions.create(model="gpt-4o", messages=asks("hello there"))

    assert answer.choices[0].message.content == "hello there"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.tool_calls is None
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


async def test_stream_and_answer_say_the_same(sdk: AsyncOpenAI) -> None:
    for text in ("hello", "sim:unicode", "sim:long 50", "sim:empty"):
        whole = await sdk.chat.completions.create(model="gpt-4o", messages=asks(text))
        found = await chunks(sdk, text, stream_options={"include_usage": True})
        streamed = "".join(c.choices[0].delta.content or "" for c in found if c.choices)

        assert streamed == whole.choices[0].message.content
        assert found[-1].usage == whole.usage


async def test_the_chunk_grammar(sdk: AsyncOpenAI) -> None:
    found = await chunks(sdk, "sim:long 20")
    first, *middle, last = found

    assert first.choices[0].delta.to_dict() == {"role": "assistant", "content": "", "refusal": None}
    assert [c.choices[0].finish_reason for c in found] == [None] * (len(found) - 1) + ["stop"]
    assert all(set(c.choices[0].delta.to_dict()) == {"content"} for c in middle)
    assert last.choices[0].delta.to_dict() == {}
    assert all("usage" not in c.to_dict() for c in found)
    assert all(c.obfuscation for c in found)


async def test_the_wire_ends_with_done(http: httpx.AsyncClient) -> None:
    body = {"model": "gpt-4o", "messages": asks("hi"), "stream": True}
    options = {"include_usage": True, "include_obfuscation": False}
    answer = await http.post("/chat/completions", json=body | {"stream_options": options})
    lines = [line for line in answer.text.split("\n") if line]

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    events = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert [event["usage"] for event in events[:-1]] == [None] * (len(events) - 1)
    assert events[-1]["choices"] == []
    assert not any("obfuscation" in event for event in events)


async def test_a_tool_call_comes_in_fragments(sdk: AsyncOpenAI) -> None:
    found = await chunks(sdk, 'sim:tool ls {"path": "/some/where/far away"}', tools=[LS])
    calls = [call for c in found for call in c.choices[0].delta.tool_calls or []]

    assert found[0].choices[0].delta.content is None
    assert calls[0].id is not None
    assert calls[0].function is not None
    assert (calls[0].index, calls[0].type, calls[0].function.name) == (0, "function", "ls")
    assert calls[0].function.arguments == ""
    assert all(call.id is None and call.type is None for call in calls[1:])
    arguments = "".join((call.function and call.function.arguments) or "" for call in calls)
    assert json.loads(arguments) == {"path": "/some/where/far away"}
    assert found[-1].choices[0].finish_reason == "tool_calls"


async def test_a_tool_loop_comes_to_an_end(sdk: AsyncOpenAI) -> None:
    messages = asks("sim:tools 2")
    first = await sdk.chat.completions.create(model="gpt-5", messages=messages, tools=[LS])
    calls = first.choices[0].message.tool_calls
    assert calls is not None
    assert len({call.id for call in calls}) == 2
    assert first.choices[0].finish_reason == "tool_calls"

    results: Any = [
        {"role": "tool", "tool_call_id": call.id, "content": f"result {call.id}"} for call in calls
    ]
    history: Any = [*messages, first.choices[0].message, *results]
    second = await sdk.chat.completions.create(model="gpt-5", messages=history, tools=[LS])
    assert second.choices[0].finish_reason == "stop"
    assert f"result {calls[1].id}" in (second.choices[0].message.content or "")


@pytest.mark.parametrize(
    ("choice", "finish"),
    [
        ("required", "tool_calls"),
        ({"type": "function", "function": {"name": "ls"}}, "stop"),
        ("none", "stop"),
    ],
)
async def test_tool_choice(sdk: AsyncOpenAI, choice: Any, finish: str) -> None:
    answer = await sdk.chat.completions.create(
        model="gpt-4o", messages=asks("hello"), tools=[LS], tool_choice=choice
    )

    assert bool(answer.choices[0].message.tool_calls) == (choice != "none")
    assert answer.choices[0].finish_reason == finish


async def test_parallel_calls_can_be_switched_off(sdk: AsyncOpenAI) -> None:
    answer = await sdk.chat.completions.create(
        model="gpt-4o", messages=asks("sim:tools 3"), tools=[LS], parallel_tool_calls=False
    )

    assert len(answer.choices[0].message.tool_calls or []) == 1


async def test_a_custom_tool(sdk: AsyncOpenAI) -> None:
    tools: Any = [{"type": "custom", "custom": {"name": "run"}}]
    answer = await sdk.chat.completions.create(
        model="gpt-5", messages=asks("sim:tool run print(1)"), tools=tools
    )
    calls = answer.choices[0].message.tool_calls or []
    fragments = await chunks(sdk, "sim:tool run print(1)", model="gpt-5", tools=tools)
    deltas = [call.to_dict() for c in fragments for call in c.choices[0].delta.tool_calls or []]

    assert calls[0].to_dict() == {
        "id": calls[0].id,
        "type": "custom",
        "custom": {"name": "run", "input": "print(1)"},
    }
    assert "".join(str(delta["custom"]["input"]) for delta in deltas) == "print(1)"  # type: ignore[index]


async def test_the_old_functions(sdk: AsyncOpenAI) -> None:
    functions: Any = [LS["function"]]
    answer = await sdk.chat.completions.create(model="gpt-4o", messages=asks("sim:tool"), functions=functions)

    assert answer.choices[0].finish_reason == "function_call"
    assert answer.choices[0].message.function_call is not None
    assert answer.choices[0].message.function_call.name == "ls"


async def test_several_choices_take_turns(sdk: AsyncOpenAI) -> None:
    found = await chunks(sdk, "sim:long 6", n=2)

    assert [c.choices[0].index for c in found] == [0, 1] * (len(found) // 2)
    texts = [
        "".join(c.choices[0].delta.content or "" for c in found if c.choices[0].index == i) for i in (0, 1)
    ]
    assert texts[0] == texts[1] != ""


@pytest.mark.parametrize(
    ("marker", "finish"), [("max_tokens", "length"), ("refusal", "stop"), ("pause_turn", "content_filter")]
)
async def test_finish_reasons(sdk: AsyncOpenAI, marker: str, finish: str) -> None:
    answer = await sdk.chat.completions.create(model="gpt-4o", messages=asks(f"sim:stop {marker}"))

    assert answer.choices[0].finish_reason == finish


async def test_a_refusal_is_not_content(sdk: AsyncOpenAI) -> None:
    answer = await sdk.chat.completions.create(model="gpt-4o", messages=asks("sim:stop refusal"))
    found = await chunks(sdk, "sim:stop refusal")

    assert answer.choices[0].message.content is None
    assert "".join(c.choices[0].delta.refusal or "" for c in found) == answer.choices[0].message.refusal
    assert not any(c.choices[0].delta.content for c in found)


async def test_limits_of_the_request_are_kept(sdk: AsyncOpenAI) -> None:
    short = await sdk.chat.completions.create(model="gpt-4o", messages=asks("sim:long 100"), max_tokens=5)
    stopped = await sdk.chat.completions.create(model="gpt-4o", messages=asks("one STOP two"), stop=["STOP"])

    assert short.choices[0].finish_reason == "length"
    assert short.usage is not None
    assert short.usage.completion_tokens <= 5
    assert stopped.choices[0].message.content == "one "


async def test_reasoning_counts_but_is_not_shown(sdk: AsyncOpenAI) -> None:
    answer = await sdk.chat.completions.create(model="gpt-5", messages=asks("sim:thinking done"))

    assert answer.choices[0].message.content == "done"
    assert answer.usage is not None
    assert answer.usage.completion_tokens_details is not None
    assert answer.usage.completion_tokens_details.reasoning_tokens
    assert answer.usage.completion_tokens > answer.usage.completion_tokens_details.reasoning_tokens


async def test_logprobs(sdk: AsyncOpenAI) -> None:
    found = await chunks(sdk, "hello", logprobs=True, top_logprobs=1)
    tokens = [t for c in found if c.choices[0].logprobs for t in c.choices[0].logprobs.content or []]

    assert "".join(token.token for token in tokens) == "hello"
    assert all(token.top_logprobs for token in tokens)


async def test_parsed_answers(sdk: AsyncOpenAI) -> None:
    parsed = await sdk.chat.completions.parse(model="gpt-4o", messages=asks("hello"), response_format=Answer)
    async with sdk.chat.completions.stream(
        model="gpt-4o", messages=asks("hello"), response_format=Answer
    ) as stream:
        streamed = await stream.get_final_completion()

    assert parsed.choices[0].message.parsed == Answer(name="example", numbers=[])
    assert streamed.choices[0].message.parsed == Answer(name="example", numbers=[])


async def test_parsed_tool_calls(sdk: AsyncOpenAI) -> None:
    tools = [openai.pydantic_function_tool(ListFiles)]
    async with sdk.chat.completions.stream(model="gpt-4o", messages=asks("sim:tool"), tools=tools) as stream:
        events = [event.type async for event in stream]
        final = await stream.get_final_completion()

    assert "tool_calls.function.arguments.done" in events
    calls = final.choices[0].message.tool_calls or []
    assert calls[0].function.parsed_arguments == ListFiles(path="example")


async def test_json_objects(sdk: AsyncOpenAI) -> None:
    answer = await sdk.chat.completions.create(
        model="gpt-4o", messages=asks("some JSON"), response_format={"type": "json_object"}
    )

    assert isinstance(json.loads(answer.choices[0].message.content or ""), dict)


async def test_a_second_turn_is_read_from_the_cache(sdk: AsyncOpenAI) -> None:
    messages = asks("a long beginning " * 500)
    first = await sdk.chat.completions.create(model="gpt-6.1-sol", messages=messages)
    messages += [{"role": "assistant", "content": "yes"}, {"role": "user", "content": "and now?"}]
    second = await sdk.chat.completions.create(model="gpt-6.1-sol", messages=messages)

    assert first.usage is not None
    assert second.usage is not None
    assert first.usage.prompt_tokens_details is not None
    assert second.usage.prompt_tokens_details is not None
    assert first.usage.prompt_tokens_details.cached_tokens == 0
    assert (
        second.usage.prompt_tokens_details.cached_tokens
        == first.usage.prompt_tokens_details.cache_write_tokens
    )


async def test_errors_that_were_asked_for(sdk: AsyncOpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as raised:
        await sdk.chat.completions.create(
            model="gpt-4o", messages=asks("sim:error 429 insufficient_quota 3"), stream=True
        )

    assert raised.value.code == "insufficient_quota"
    assert raised.value.response.headers["retry-after"] == "3"


async def test_an_error_inside_a_stream(sdk: AsyncOpenAI) -> None:
    stream = await sdk.chat.completions.create(model="gpt-4o", messages=asks("sim:error200 2"), stream=True)
    assert (await anext(stream)).choices
    assert (await anext(stream)).choices
    with pytest.raises(openai.APIError) as raised:
        await anext(stream)

    assert raised.value.code == "server_is_overloaded"
    with pytest.raises(openai.InternalServerError):
        await sdk.chat.completions.create(model="gpt-4o", messages=asks("sim:error200 2"))


async def test_a_cut_stream(sdk: AsyncOpenAI) -> None:
    stream = await sdk.chat.completions.create(model="gpt-4o", messages=asks("sim:cut 1"), stream=True)
    assert (await anext(stream)).choices
    with pytest.raises(openai.APIConnectionError):
        await anext(stream)


async def test_the_same_request_gets_the_same_bytes_after_a_reset(
    sim: Simulator, http: httpx.AsyncClient
) -> None:
    body = {"model": "gpt-5", "messages": asks("sim:thinking tool"), "tools": [LS], "stream": True}
    first = await http.post("/chat/completions", json=body)
    sim.reset()
    second = await http.post("/chat/completions", json=body)

    assert first.content == second.content
    assert first.headers["x-request-id"] == second.headers["x-request-id"]


async def test_intercepted_clients_use_the_bare_path(url: str) -> None:
    base = url.removesuffix("/openai/v1")
    async with httpx.AsyncClient(base_url=base, headers={"authorization": "Bearer sk-test"}) as client:
        chat = await client.post("/v1/chat/completions", json={"model": "gpt-4o", "messages": asks("hi")})
        nowhere = await client.get("/v1/chat/elsewhere")

    assert chat.json()["object"] == "chat.completion"
    assert (nowhere.status_code, nowhere.json()["error"]["type"]) == (404, "invalid_request_error")
