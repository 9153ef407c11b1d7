import json
from typing import Any

import httpx
import pytest

LS = {"type": "function", "name": "ls", "parameters": {"type": "object", "properties": {}}}
RUN = {"type": "custom", "name": "run"}
SPACE = {"type": "namespace", "name": "functions", "description": "d", "tools": [RUN, LS]}


async def events(http: httpx.AsyncClient, text: str, **more: Any) -> list[dict[str, Any]]:
    """The events of a stream, each checked against its name and its number."""
    body = {"model": "gpt-6.1-sol", "input": text, "stream": True} | more
    answer = await http.post("/responses", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for number, block in enumerate(answer.text.strip().split("\n\n")):
        name, data = block.split("\n", 1)
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        assert event["sequence_number"] == number
        found.append(event)
    return found


def kinds(found: list[dict[str, Any]]) -> list[str]:
    """The types without repeated deltas."""
    names = [event["type"].removeprefix("response.") for event in found]
    return [name for at, name in enumerate(names) if at == 0 or name != names[at - 1]]


async def test_a_message(http: httpx.AsyncClient) -> None:
    found = await events(http, "sim:long 10")

    assert kinds(found) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    added, item, last = found[2]["item"], found[-2]["item"], found[-1]["response"]
    assert (added["status"], added["content"]) == ("in_progress", [])
    text = "".join(event["delta"] for event in found if event["type"].endswith("text.delta"))
    assert item["content"][0]["text"] == text
    assert last["output"] == [item]
    assert item["phase"] == "final_answer"
    assert {event["item_id"] for event in found[3:-2]} == {item["id"]}


async def test_reasoning_with_a_summary(http: httpx.AsyncClient) -> None:
    found = await events(http, "sim:thinking done", reasoning={"summary": "auto"})

    assert kinds(found)[2:8] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    thought, spoken = found[-1]["response"]["output"]
    assert thought["summary"][0]["text"].startswith("Let me think")
    assert spoken["content"][0]["text"] == "done"
    assert [event["output_index"] for event in found if event["type"].endswith("item.done")] == [0, 1]


async def test_reasoning_without_a_summary(http: httpx.AsyncClient) -> None:
    found = await events(http, "sim:thinking done")
    added, done = found[2]["item"], found[3]["item"]

    assert kinds(found)[2:4] == ["output_item.added", "output_item.done"]
    assert done["summary"] == []
    assert done["encrypted_content"].startswith(added["encrypted_content"])
    assert len(added["encrypted_content"]) < len(done["encrypted_content"])


async def test_calls(http: httpx.AsyncClient) -> None:
    found = await events(http, "sim:tools 2", tools=[LS, RUN])
    _, function, custom = [event["item"] for event in found if event["type"].endswith("item.done")]

    assert "function_call_arguments.delta" in kinds(found)
    assert "custom_tool_call_input.delta" in kinds(found)
    assert (function["type"], function["arguments"]) == ("function_call", "{}")
    assert (custom["type"], custom["input"]) == ("custom_tool_call", "example")
    assert function["call_id"] != custom["call_id"]
    assert function["id"].startswith("fc_")
    assert custom["id"].startswith("ctc_")
    assert found[2]["item"]["phase"] == "commentary"


async def test_a_call_of_a_namespace(http: httpx.AsyncClient) -> None:
    found = await events(http, "sim:tool ls", tools=[SPACE])

    assert found[-1]["response"]["output"][0]["namespace"] == "functions"


async def test_tools_of_the_input(http: httpx.AsyncClient) -> None:
    items = [
        {"type": "additional_tools", "role": "developer", "tools": [SPACE]},
        {"role": "user", "content": "sim:tool run x = 1"},
    ]
    found = await events(http, "", input=items)

    call = found[-1]["response"]["output"][0]
    assert (call["name"], call["namespace"], call["input"]) == ("run", "functions", "x = 1")


async def test_a_search(http: httpx.AsyncClient) -> None:
    found = await events(http, "sim:tool web_search", tools=[{"type": "web_search"}])

    assert kinds(found)[2:7] == [
        "output_item.added",
        "web_search_call.in_progress",
        "web_search_call.searching",
        "web_search_call.completed",
        "output_item.done",
    ]
    search, spoken = found[-1]["response"]["output"]
    part = spoken["content"][0]
    citation = part["annotations"][0]
    assert search["action"]["query"] == "example query"
    assert part["text"][citation["start_index"] : citation["end_index"]] == "example.com"


async def test_a_refusal(http: httpx.AsyncClient) -> None:
    found = await events(http, "sim:stop refusal")

    assert kinds(found)[3:7] == ["content_part.added", "refusal.delta", "refusal.done", "content_part.done"]
    assert found[-1]["type"] == "response.completed"


@pytest.mark.parametrize(
    ("text", "more", "reason"),
    [
        ("sim:stop max_tokens", {}, "max_output_tokens"),
        ("sim:long 100", {"max_output_tokens": 16}, "max_output_tokens"),
        ("sim:stop pause_turn", {}, "content_filter"),
    ],
)
async def test_incomplete(http: httpx.AsyncClient, text: str, more: dict[str, Any], reason: str) -> None:
    found = await events(http, text, **more)
    response = found[-1]["response"]

    assert (found[-1]["type"], response["status"]) == ("response.incomplete", "incomplete")
    assert response["incomplete_details"] == {"reason": reason}
    assert response["output"][-1]["status"] == found[-2]["item"]["status"] == "incomplete"


async def test_obfuscation_can_be_switched_off(http: httpx.AsyncClient) -> None:
    padded = await events(http, "hello")
    plain = await events(http, "hello", stream_options={"include_obfuscation": False})

    assert [e["type"] for e in padded if "obfuscation" in e] == ["response.output_text.delta"]
    assert not [e for e in plain if "obfuscation" in e]


async def test_logprobs(http: httpx.AsyncClient) -> None:
    found = await events(http, "hello", include=["message.output_text.logprobs"])
    delta = next(event for event in found if event["type"].endswith("text.delta"))

    assert [token["token"] for token in delta["logprobs"]] == [delta["delta"]]


async def test_nothing_at_all(http: httpx.AsyncClient) -> None:
    found = await events(http, "sim:empty")

    assert kinds(found) == ["created", "in_progress", "completed"]
    assert found[-1]["response"]["output"] == []
