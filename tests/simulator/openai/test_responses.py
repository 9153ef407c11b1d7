import json
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from ccproxy.simulator.state import Simulator

LS: Any = {
    "type": "function",
    "name": "ls",
    "parameters": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
    "strict": False,
}


class Answer(BaseModel):
    name: str
    numbers: list[int]


class ListFiles(BaseModel):
    path: str


async def test_an_answer_in_one_piece(sdk: AsyncOpenAI) -> None:
    answer = await sdk.responses.create(
        model="gpt-5", input="hello", instructions="be kind", metadata={"a": "b"}
    )

    assert answer.output_text == "hello"
    assert answer.status == "completed"
    assert (answer.instructions, answer.metadata) == ("be kind", {"a": "b"})
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert answer.model_dump(warnings="error")


@pytest.mark.parametrize("text", ["hello", "sim:unicode", "sim:empty", "sim:thinking tool", "sim:tools 2"])
async def test_stream_and_answer_say_the_same(sdk: AsyncOpenAI, text: str) -> None:
    more: Any = {"model": "gpt-6.1-sol", "input": text, "tools": [LS], "reasoning": {"summary": "auto"}}
    whole = await sdk.responses.create(**more)
    async with sdk.responses.stream(**more) as stream:
        numbers = [event.sequence_number async for event in stream]
        streamed = await stream.get_final_response()

    assert numbers == list(range(len(numbers)))
    assert said(streamed.to_dict()["output"]) == said(whole.to_dict()["output"])
    assert streamed.usage == whole.usage


def said(value: Any) -> Any:
    """An output without its ids, which differ between two requests, and without what the SDK adds."""
    if isinstance(value, list):
        return [said(item) for item in value]
    if not isinstance(value, dict):
        return value
    left_out = ("id", "call_id", "parsed", "parsed_arguments")
    return {name: said(inner) for name, inner in value.items() if name not in left_out}


async def test_previous_responses_are_remembered(sdk: AsyncOpenAI) -> None:
    first = await sdk.responses.create(model="gpt-5", input="sim:tool", tools=[LS])
    call = first.output[0]
    assert call.type == "function_call"
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "a b c"}
    second = await sdk.responses.create(
        model="gpt-5", previous_response_id=first.id, input=[result], tools=[LS]
    )

    assert second.output_text == "Tool result: a b c"
    assert second.previous_response_id == first.id
    with pytest.raises(openai.BadRequestError, match="No tool output found"):
        await sdk.responses.create(model="gpt-5", previous_response_id=first.id, input="and?")


async def test_what_was_not_stored_is_not_remembered(sdk: AsyncOpenAI) -> None:
    first = await sdk.responses.create(model="gpt-5", input="hello", store=False)
    with pytest.raises(openai.BadRequestError) as raised:
        await sdk.responses.create(model="gpt-5", input="and?", previous_response_id=first.id)

    assert raised.value.code == "previous_response_not_found"
    with pytest.raises(openai.NotFoundError):
        await sdk.responses.retrieve(first.id)


async def test_history_can_be_sent_back_as_it_came(sdk: AsyncOpenAI) -> None:
    more: Any = {"model": "gpt-6.1-sol", "tools": [LS], "store": False}
    history: Any = [{"role": "user", "content": "sim:thinking tool"}]
    first = await sdk.responses.create(input=history, include=["reasoning.encrypted_content"], **more)
    thought, call = first.output
    assert (thought.type, call.type) == ("reasoning", "function_call")
    assert call.type == "function_call"
    history += [item.to_dict() for item in first.output]
    history += [{"type": "function_call_output", "call_id": call.call_id, "output": "a b c"}]

    assert (await sdk.responses.create(input=history, **more)).output_text == "Tool result: a b c"
    history[1]["encrypted_content"] += "x"
    with pytest.raises(openai.BadRequestError) as raised:
        await sdk.responses.create(input=history, **more)
    assert raised.value.code == "invalid_encrypted_content"


async def test_stored_items_can_be_referred_to(sdk: AsyncOpenAI) -> None:
    first = await sdk.responses.create(model="gpt-6.1-sol", input="sim:thinking tool", tools=[LS])
    thought, call = first.output
    assert call.type == "function_call"
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "a b c"}
    both: Any = [{"type": "item_reference", "id": item.id} for item in (thought, call)]

    second = await sdk.responses.create(model="gpt-6.1-sol", input=[*both, result], tools=[LS])
    assert second.output_text == "Tool result: a b c"
    alone: Any = [call.to_dict(), result]
    with pytest.raises(openai.BadRequestError, match="without its required 'reasoning' item"):
        await sdk.responses.create(model="gpt-6.1-sol", input=alone, tools=[LS])


async def test_stored_responses(sdk: AsyncOpenAI, http: httpx.AsyncClient) -> None:
    first = await sdk.responses.create(model="gpt-5", input="one")
    second = await sdk.responses.create(model="gpt-5", input="two", previous_response_id=first.id)

    assert (await sdk.responses.retrieve(second.id)).output_text == "two"
    items = [item.to_dict() async for item in sdk.responses.input_items.list(second.id)]
    assert [item["content"] for item in items] == [[{"type": "input_text", "text": "two"}]]
    rest = await http.get(f"/responses/{second.id}", params={"stream": "true", "starting_after": 5})
    assert '"sequence_number":6' in rest.text
    assert '"sequence_number":5,' not in rest.text
    assert (await http.post(f"/responses/{second.id}/cancel")).status_code == 400
    await sdk.responses.delete(second.id)
    with pytest.raises(openai.NotFoundError):
        await sdk.responses.retrieve(second.id)


async def test_background(sdk: AsyncOpenAI) -> None:
    queued = await sdk.responses.create(model="gpt-5", input="hello", background=True)
    assert (queued.status, queued.output) == ("queued", [])

    assert (await sdk.responses.retrieve(queued.id)).output_text == "hello"
    assert (await sdk.responses.cancel(queued.id)).status == "completed"


async def test_counting_and_compacting(sdk: AsyncOpenAI) -> None:
    history: Any = [{"role": "user", "content": "remember the blue house"}]
    counted = await sdk.responses.input_tokens.count(model="gpt-5", input=history)
    compacted = await sdk.responses.compact(model="gpt-5", input=history)
    answer = await sdk.responses.create(model="gpt-5", input=history)

    assert answer.usage is not None
    assert counted.input_tokens == answer.usage.input_tokens == compacted.usage.input_tokens
    item = compacted.output[0]
    assert item.type == "compaction"
    onward: Any = [item.to_dict(), {"role": "user", "content": "go on"}]
    assert (await sdk.responses.create(model="gpt-5", input=onward)).output_text == "go on"


async def test_parsed_answers(sdk: AsyncOpenAI) -> None:
    parsed = await sdk.responses.parse(model="gpt-5", input="hello", text_format=Answer)
    async with sdk.responses.stream(model="gpt-6.1-sol", input="hello", text_format=Answer) as stream:
        streamed = await stream.get_final_response()

    assert parsed.output_parsed == Answer(name="example", numbers=[])
    assert streamed.output_parsed == Answer(name="example", numbers=[])


async def test_parsed_tool_calls(sdk: AsyncOpenAI) -> None:
    function = openai.pydantic_function_tool(ListFiles)["function"]
    tools: Any = [{"type": "function", **function}]
    async with sdk.responses.stream(model="gpt-5", input="sim:tool", tools=tools) as stream:
        final = await stream.get_final_response()

    call = final.output[0]
    assert call.type == "function_call"
    assert json.loads(call.arguments) == {"path": "example"}


@pytest.mark.parametrize(("given", "said"), [(None, True), (True, True), (False, False)])
async def test_strictness_is_tried_when_left_open(
    http: httpx.AsyncClient, given: bool | None, said: bool
) -> None:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    tool = {"type": "function", "name": "f", "parameters": schema}
    body = {"model": "gpt-5", "input": "hi", "tools": [tool if given is None else tool | {"strict": given}]}

    assert (await http.post("/responses", json=body)).json()["tools"][0]["strict"] is said


async def test_errors(sdk: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        await sdk.responses.create(model="gpt-99", input="hi")
    with pytest.raises(openai.InternalServerError):
        await sdk.responses.create(model="gpt-5", input="sim:error 503 slow_down")
    with pytest.raises(openai.InternalServerError):
        await sdk.responses.create(model="gpt-5", input="sim:error200")


async def test_an_error_inside_a_stream(sdk: AsyncOpenAI, http: httpx.AsyncClient) -> None:
    stream = await sdk.responses.create(model="gpt-5", input="sim:error200 2", stream=True)
    events = [event async for event in stream]
    assert [event.type for event in events] == ["response.created", "response.in_progress", "response.failed"]
    assert [event.sequence_number for event in events] == [0, 1, 2]

    body = {"model": "gpt-5", "input": "sim:error200 0", "stream": True}
    text = (await http.post("/responses", json=body)).text
    assert text.startswith("event: error\n")
    assert text.count("event: ") == 1


async def test_a_cut_stream_has_no_terminal_event(sdk: AsyncOpenAI) -> None:
    stream = await sdk.responses.create(model="gpt-5", input="sim:cut 2", stream=True)
    assert (await anext(stream)).type == "response.created"
    assert (await anext(stream)).type == "response.in_progress"
    with pytest.raises(openai.APIConnectionError):
        await anext(stream)


async def test_the_same_request_gets_the_same_bytes_after_a_reset(
    sim: Simulator, http: httpx.AsyncClient
) -> None:
    body = {"model": "gpt-5", "input": "sim:thinking tool", "tools": [LS], "stream": True}
    first = await http.post("/responses", json=body)
    sim.reset()
    second = await http.post("/responses", json=body)

    assert first.content == second.content
