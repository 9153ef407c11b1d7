"""Tools that the client defines, offered to Claude Code and run by the client."""

import json
from typing import Any

import anthropic
import openai
import pytest

from tests.scenarios.test_codex_sdk import PNG
from tests.support.processes import Proxy, Simulator
from tests.support.sdk import MODEL, ask, processes_of, said, text_of, turns_upstream

pytestmark = pytest.mark.slow

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "get_weather", "description": "The weather of a city.", "input_schema": SCHEMA}
TIME = {"name": "get_time", "input_schema": SCHEMA}


def calling(name: str = "get_weather", city: str = "Rome") -> str:
    """A prompt on which the simulator calls the tool, as Claude Code has named it."""
    return f"sim:tool mcp__client__{name} {json.dumps({'city': city})}"


@pytest.fixture(autouse=True)
def nothing_sent_yet(simulator: Simulator) -> None:
    simulator.clear()


def results_upstream(simulator: Simulator) -> list[dict[str, Any]]:
    blocks = [block for turn in turns_upstream(simulator)[-1] for block in turn["content"]]
    return [block for block in blocks if isinstance(block, dict) and block.get("type") == "tool_result"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_program_on_chat_completions(sdk_openai: openai.OpenAI, sdk: Proxy, stream: bool) -> None:
    """The whole of a tool-using program, as people write it."""
    tools: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]
    messages: list[Any] = [{"role": "user", "content": calling(city=f"Rome {stream}")}]
    before = set(processes_of(sdk))
    asked = {"model": MODEL, "messages": messages, "tools": tools}
    if stream:
        with sdk_openai.chat.completions.stream(**asked) as events:
            reply: Any = events.get_final_completion()
    else:
        reply = sdk_openai.chat.completions.create(**asked)
    choice = reply.choices[0]
    assert choice.finish_reason == "tool_calls"
    [call] = choice.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == (
        "get_weather",
        {"city": f"Rome {stream}"},
    )

    messages += [
        choice.message.to_dict(),
        {"role": "tool", "tool_call_id": call.id, "content": "sunny, 25 C"},
    ]
    final = sdk_openai.chat.completions.create(model=MODEL, messages=messages, tools=tools)
    assert final.choices[0].message.content == "Tool result: sunny, 25 C"
    assert final.choices[0].finish_reason == "stop"
    # one more; it may have taken the place of another
    assert len(set(processes_of(sdk)) - before) == 1


def test_a_program_on_messages(sdk_claude: anthropic.Anthropic, simulator: Simulator) -> None:
    messages: list[Any] = [said(calling())]
    tools: Any = [WEATHER, TIME]
    reply = sdk_claude.messages.create(model=MODEL, max_tokens=100, messages=messages, tools=tools)
    assert reply.stop_reason == "tool_use"
    [call] = [block for block in reply.content if block.type == "tool_use"]
    assert (call.name, call.input) == ("get_weather", {"city": "Rome"})
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    content = [{"type": "text", "text": "no sun"}, image]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": content}
    messages += [{"role": "assistant", "content": reply.content}, {"role": "user", "content": [result]}]
    final = sdk_claude.messages.create(model=MODEL, max_tokens=100, messages=messages, tools=tools)
    assert "no sun" in "".join(block.text for block in final.content if block.type == "text")
    [upstream] = results_upstream(simulator)
    assert [block["type"] for block in upstream["content"]] == ["text", "image"]


def test_a_program_on_responses(sdk_openai: openai.OpenAI) -> None:
    tools: Any = [{"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": False}]
    items: list[Any] = [{"role": "user", "content": calling(city="Oslo")}]
    reply = sdk_openai.responses.create(model=MODEL, input=items, tools=tools)
    [call] = [item for item in reply.output if item.type == "function_call"]
    assert json.loads(call.arguments) == {"city": "Oslo"}
    items += [
        *(item.to_dict() for item in reply.output),
        {"type": "function_call_output", "call_id": call.call_id, "output": "rain"},
    ]
    final = sdk_openai.responses.create(model=MODEL, input=items, tools=tools)
    assert final.output_text == "Tool result: rain"


def test_two_calls_at_once(sdk_claude: anthropic.Anthropic, simulator: Simulator) -> None:
    """One of them fails, and the results come in another order."""
    messages: list[Any] = [said("sim:tools 2 mcp__client__")]
    tools: Any = [WEATHER, TIME]
    with sdk_claude.messages.stream(model=MODEL, max_tokens=100, messages=messages, tools=tools) as stream:
        reply = stream.get_final_message()
    calls = [block for block in reply.content if block.type == "tool_use"]
    assert {call.name for call in calls} == {"get_weather", "get_time"}
    results = [
        {"type": "tool_result", "tool_use_id": calls[1].id, "content": "noon"},
        {"type": "tool_result", "tool_use_id": calls[0].id, "content": "no weather", "is_error": True},
    ]
    messages += [{"role": "assistant", "content": reply.content}, {"role": "user", "content": results}]
    final = sdk_claude.messages.create(model=MODEL, max_tokens=100, messages=messages, tools=tools)
    assert final.stop_reason == "end_turn"
    upstream = {block["tool_use_id"]: block for block in results_upstream(simulator)}
    assert upstream[calls[0].id]["is_error"] is True
    assert "noon" in str(upstream[calls[1].id]["content"])
    assert not upstream[calls[1].id].get("is_error")


def test_what_is_said_besides_a_result_goes_with_it(sdk: Proxy, simulator: Simulator) -> None:
    two = [{"type": "text", "text": calling(city="Rome")}]
    first = ask(sdk, {"role": "user", "content": two}, tools=[WEATHER])
    [call] = [block for block in first.json()["content"] if block["type"] == "tool_use"]
    more = {"type": "text", "text": "and be quick"}
    answer = {"type": "tool_result", "tool_use_id": call["id"], "content": "fine"}
    history = [{"role": "user", "content": two}, {"role": "assistant", "content": first.json()["content"]}]
    final = ask(sdk, *history, {"role": "user", "content": [answer, more]}, tools=[WEATHER])
    assert "fine" in text_of(final)
    assert "and be quick" in str(results_upstream(simulator))


def test_a_client_that_does_not_answer_its_call_begins_anew(sdk: Proxy, simulator: Simulator) -> None:
    first = ask(sdk, calling(city="Bern"), tools=[WEATHER])
    assert first.json()["stop_reason"] == "tool_use"
    history = [said(calling(city="Bern")), {"role": "assistant", "content": first.json()["content"]}]
    assert text_of(ask(sdk, *history, "sim:text never mind", tools=[WEATHER])) == "never mind"
    assert "Bern" in str(turns_upstream(simulator)[-1])


def test_a_result_for_a_process_that_has_died_is_told(sdk: Proxy) -> None:
    before = {process.pid for process in processes_of(sdk)}
    first = ask(sdk, calling(city="Kyiv"), tools=[WEATHER])
    [own] = [process for process in processes_of(sdk) if process.pid not in before]
    own.kill()
    [call] = [block for block in first.json()["content"] if block["type"] == "tool_use"]
    history = [said(calling(city="Kyiv")), {"role": "assistant", "content": first.json()["content"]}]
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": "snow"}
    final = ask(
        sdk, *history, {"role": "user", "content": [result, {"type": "text", "text": "sim:text well"}]}
    )
    assert text_of(final) == "well"


@pytest.mark.parametrize("name", ["näme with blanks", "x" * 128])
def test_names_that_claude_code_could_not_carry(sdk: Proxy, name: str) -> None:
    tool = {"name": name, "input_schema": SCHEMA}
    offered = ask(sdk, "sim:tool mcp__client__", tools=[tool])
    # the simulator says what it was not offered
    assert "was offered" in text_of(offered)


def test_no_tools_when_none_may_be_called(sdk: Proxy) -> None:
    answer = ask(sdk, calling(city="Nowhere"), tools=[WEATHER], tool_choice={"type": "none"})
    assert text_of(answer).startswith("No tool")


def test_a_forced_call_is_a_loss(sdk: Proxy) -> None:
    answer = ask(sdk, "sim:text ok", tools=[WEATHER], tool_choice={"type": "any"})
    assert "tool_choice" in answer.headers["x-ccproxy-warnings"]
