"""Cases 1 to 12: tool calls, their results, names and ids."""

import json
import re
from typing import Any

import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.formats.arguments import compact
from tests.conformance import samples
from tests.conformance.translating import (
    CLAUDE,
    PAIRS,
    WIRES,
    asking,
    call_delta,
    call_item,
    choice_of,
    chunk,
    chunks,
    completed,
    created,
    hello,
    labels,
    message_end,
    message_of,
    message_start,
    sent,
    sse,
    text_block,
    told,
    tool,
    translated,
    use_block,
    whole,
)

LEGAL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def calls_of(client: Wire, upstream: Wire, raw: bytes, **more: Any) -> list[tuple[str, str, str]]:
    """The calls that the client of a stream puts together: id, name, arguments."""
    events = told(asking(client, upstream, stream=True, **more), raw)
    match client:
        case "anthropic":
            content = message_of(events)["content"]
            return [
                (one["id"], one["name"], compact(one["input"]))
                for one in content
                if one["type"] == "tool_use"
            ]
        case "chat":
            return [(one["id"], one["name"], one["arguments"]) for one in choice_of(events)["tool_calls"]]
    output = events[-1]["response"]["output"]
    return [
        (one["call_id"], one["name"], one["arguments"]) for one in output if one["type"] == "function_call"
    ]


INTERLEAVED: dict[Wire, bytes] = {
    "chat": chunks(
        chunk(role="assistant", content="Both."),
        chunk(tool_calls=[call_delta(0, "", "call_a", "weather"), call_delta(1, "", "call_b", "weather")]),
        chunk(tool_calls=[call_delta(0, '{"city":')]),
        chunk(tool_calls=[call_delta(1, '{"city":')]),
        chunk(tool_calls=[call_delta(1, '"b"}'), call_delta(0, '"a"}')]),
        chunk("tool_calls"),
        "[DONE]",
    ),
    "responses": sse(
        created(),
        *(
            event
            for pair in zip(
                call_item(0, "call_a", "weather", '{"city":"a"}', '{"city":', '"a"}'),
                call_item(1, "call_b", "weather", '{"city":"b"}', '{"city":', '"b"}'),
                strict=True,
            )
            for event in pair
        ),
        completed(),
    ),
    "anthropic": sse(
        message_start(),
        *(
            event
            for pair in zip(
                use_block(0, "call_a", "weather", '{"city":', '"a"}'),
                use_block(1, "call_b", "weather", '{"city":', '"b"}'),
                strict=True,
            )
            for event in pair
        ),
        *message_end("tool_use"),
    ),
}


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_case_01_interleaved_calls_stay_apart(client: Wire, upstream: Wire) -> None:
    """Fragments of two calls that come mixed each end in their own call, and no block is opened twice."""
    assert calls_of(client, upstream, INTERLEAVED[upstream]) == [
        ("call_a", "weather", '{"city":"a"}'),
        ("call_b", "weather", '{"city":"b"}'),
    ]


@pytest.mark.parametrize("upstream", ["anthropic", "responses"])
def test_case_02_tool_index_counts_calls_only(upstream: Wire) -> None:
    """A call after a text is number 0 of the calls, whatever the place of its block."""
    events = told(asking("chat", upstream, stream=True), samples.TWO_CALLS[upstream])
    entries = [
        (entry["index"], entry.get("id"))
        for event in events
        if isinstance(event, dict)
        for choice in event["choices"]
        for entry in choice["delta"].get("tool_calls", ())
    ]
    assert [entry for entry in entries if entry[1]] == [(0, "call_a"), (1, "call_b")]
    assert {index for index, _ in entries} == {0, 1}


IN_ONE_PIECE: dict[Wire, bytes] = {
    "anthropic": sse(
        message_start(),
        *use_block(0, "call_a", "weather", samples.ARGUMENTS),
        *message_end("tool_use"),
    ),
    "chat": chunks(
        chunk(role="assistant", tool_calls=[call_delta(0, samples.ARGUMENTS, "call_a", "weather")]),
        chunk("tool_calls"),
        "[DONE]",
    ),
    # not even a fragment: the whole call stands in the last event of its item
    "responses": sse(created(), *call_item(0, "call_a", "weather", samples.ARGUMENTS), completed()),
}


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_case_03_a_call_in_one_chunk_keeps_its_arguments(client: Wire, upstream: Wire) -> None:
    """Arguments that come together with id and name reach the client as a fragment, not as `{}`."""
    assert calls_of(client, upstream, IN_ONE_PIECE[upstream]) == [("call_a", "weather", samples.ARGUMENTS)]


@pytest.mark.parametrize("client", ["anthropic", "responses"])
def test_case_04_later_chunks_without_an_id(client: Wire) -> None:
    """Chunks whose id is null belong to the call with their index."""
    raw = chunks(
        chunk(role="assistant", tool_calls=[call_delta(0, "", "call_a", "weather")]),
        chunk(tool_calls=[{"index": 0, "id": None, "function": {"name": None, "arguments": '{"city":'}}]),
        chunk(tool_calls=[{"index": 0, "id": None, "type": None, "function": {"arguments": '"x"}'}}]),
        chunk("tool_calls"),
        "[DONE]",
    )
    assert calls_of(client, "chat", raw) == [("call_a", "weather", '{"city":"x"}')]


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_case_05_a_call_without_arguments_has_an_empty_object(client: Wire, upstream: Wire) -> None:
    """A tool without parameters is called with `{}`, streamed and whole, and once only."""
    assert calls_of(client, upstream, samples.TWO_CALLS[upstream])[1] == ("call_b", "clock", "{}")
    answer = whole(asking(client, upstream), samples.TWO_CALLS[upstream])
    match client:
        case "anthropic":
            assert answer["content"][-1]["input"] == {}
        case "chat":
            assert answer["choices"][0]["message"]["tool_calls"][1]["function"]["arguments"] == "{}"
        case "responses":
            assert answer["output"][-1]["arguments"] == "{}"


@pytest.mark.parametrize("upstream", ["chat", "responses"])
def test_case_06_a_tool_use_begins_with_an_empty_input(upstream: Wire) -> None:
    """`content_block_start` of a tool_use always has `input`, and it is an empty object."""
    events = told(asking("anthropic", upstream, stream=True), samples.TWO_CALLS[upstream])
    starts = [event["content_block"] for event in events if event["type"] == "content_block_start"]
    assert [start["input"] for start in starts if start["type"] == "tool_use"] == [{}, {}]


@pytest.mark.parametrize("name", samples.ALL)
@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_case_07_stream_and_buffered_agree(client: Wire, upstream: Wire, name: str) -> None:
    """What a client puts together from the stream is what it would have got as a whole answer."""
    raw = samples.ALL[name][upstream]
    buffered = whole(asking(client, upstream), raw)
    events = told(asking(client, upstream, stream=True), raw)
    match client:
        case "anthropic":
            put_together = message_of(events)
            for one in buffered["content"]:
                one.pop("citations", None)
            assert put_together["content"] == buffered["content"]
            assert put_together["stop_reason"] == buffered["stop_reason"]
            assert put_together["usage"] == buffered["usage"]
        case "chat":
            choice = buffered["choices"][0]
            put_together = choice_of(events)
            calls = [{"id": c["id"], **c["function"]} for c in choice["message"].get("tool_calls", ())]
            assert put_together["tool_calls"] == calls
            assert put_together["content"] == (choice["message"]["content"] or "")
            assert put_together["finish_reason"] == choice["finish_reason"]
        case "responses":
            assert events[-1]["response"] == buffered


@pytest.mark.parametrize("upstream", WIRES)
@pytest.mark.parametrize("bad", ["call:1", "functions.weather:0", "x" * 90, "ruf 1", "ä", ""])
def test_case_08_illegal_ids_are_replaced_in_pairs(upstream: Wire, bad: str) -> None:
    """An id that a provider refuses is replaced by the same legal one in the call and in its result."""
    client: Wire = "responses" if upstream == "chat" else "chat"
    body = history(client, bad)
    first = sent(body, client, upstream)
    call, result = ids_of(first, upstream)
    assert call == result
    assert LEGAL_ID.fullmatch(call)
    assert sent(body, client, upstream) == first


def history(client: Wire, call_id: str, name: str = "weather") -> JsonObject:
    """A question, a call and its result."""
    if client == "responses":
        items: list[JsonObject] = [
            {"role": "user", "content": "Weather?"},
            {"type": "function_call", "call_id": call_id, "name": name, "arguments": "{}"},
            {"type": "function_call_output", "call_id": call_id, "output": "rain"},
        ]
        return {"input": items, "tools": [tool("responses", name)]}
    function = {"name": name, "arguments": "{}"}
    messages: list[JsonObject] = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "tool_calls": [{"id": call_id, "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": call_id, "content": "rain"},
    ]
    return {"messages": messages, "tools": [tool("chat", name)]}


def ids_of(body: Any, upstream: Wire) -> tuple[str, str]:
    """The id of the one call and that of the one result."""
    match upstream:
        case "anthropic":
            messages = body["messages"]
            return messages[1]["content"][0]["id"], messages[2]["content"][0]["tool_use_id"]
        case "chat":
            return body["messages"][1]["tool_calls"][0]["id"], body["messages"][2]["tool_call_id"]
        case "responses":
            return body["input"][1]["call_id"], body["input"][2]["call_id"]


@pytest.mark.parametrize(
    ("client", "upstream", "length", "limit"),
    [
        ("anthropic", "chat", 100, 64),
        ("anthropic", "responses", 100, 64),
        ("responses", "anthropic", 200, 128),
    ],
)
def test_case_09_long_tool_names_come_back(client: Wire, upstream: Wire, length: int, limit: int) -> None:
    """A name that is too long goes shortened, the same in every turn, and the answer has the client's."""
    name = "mcp__" + "n" * (length - 5)
    request = translated({**hello(client), "tools": [tool(client, name)]}, client, upstream)
    [offered] = json.loads(request.body)["tools"]
    short = offered.get("function", offered)["name"]
    assert len(short) <= limit
    raw = {
        "anthropic": sse(message_start(), *use_block(0, "call_a", short, "{}"), *message_end("tool_use")),
        "chat": chunks(
            chunk(tool_calls=[call_delta(0, "{}", "call_a", short)]), chunk("tool_calls"), "[DONE]"
        ),
        "responses": sse(created(), *call_item(0, "call_a", short, "{}", "{}"), completed()),
    }[upstream]
    more = {"tools": [tool(client, name)]}
    assert [call[1] for call in calls_of(client, upstream, raw, **more)] == [name]
    if client == "responses":
        again = sent(history(client, "call_a", name), client, upstream)
        assert again["tools"][0]["name"] == again["messages"][1]["content"][0]["name"] == short


@pytest.mark.parametrize("upstream", WIRES)
def test_case_10_a_call_that_was_never_answered(upstream: Wire) -> None:
    """An interrupted turn is completed with an error result, and results come first in one user turn."""
    uses = [
        {"type": "tool_use", "id": "call_a", "name": "weather", "input": {}},
        {"type": "tool_use", "id": "call_b", "name": "weather", "input": {}},
    ]
    items: list[JsonObject] = [
        {"role": "user", "content": "Weather?"},
        {"type": "function_call", "call_id": "call_a", "name": "weather", "arguments": "{}"},
        {"type": "function_call", "call_id": "call_b", "name": "weather", "arguments": "{}"},
        {"role": "user", "content": "Never mind."},
        {"type": "function_call_output", "call_id": "call_b", "output": "rain"},
    ]
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": uses},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Never mind."},
                {"type": "tool_result", "tool_use_id": "call_b", "content": "rain"},
            ],
        },
    ]
    if upstream == "anthropic":
        request = translated({"input": items, "tools": [tool("responses")]}, "responses", upstream)
    else:
        request = translated({"messages": messages, "tools": [tool("anthropic")]}, "anthropic", upstream)
    assert any("repaired" in label for label in labels(request))
    body = json.loads(request.body)
    match upstream:
        case "anthropic":
            last = body["messages"][-1]
            assert [block.get("tool_use_id") for block in last["content"]] == ["call_a", "call_b", None]
            assert last["content"][0]["is_error"]
            assert last["content"][2]["text"] == "Never mind."
        case "chat":
            kinds = [(m["role"], m.get("tool_call_id")) for m in body["messages"][-3:]]
            assert kinds == [("tool", "call_a"), ("tool", "call_b"), ("user", None)]
        case "responses":
            kinds = [(m["type"], m.get("call_id")) for m in body["input"][-3:]]
            assert kinds == [
                ("function_call_output", "call_a"),
                ("function_call_output", "call_b"),
                ("message", None),
            ]


PATCH = '*** Begin Patch\n+ é "x"\n*** End Patch'


@pytest.mark.parametrize("upstream", ["anthropic", "chat"])
def test_case_11_a_tool_that_takes_text(upstream: Wire) -> None:
    """A custom tool goes as a function with one property, and comes back as the text that it takes."""
    apply_patch = {
        "type": "custom",
        "name": "apply_patch",
        "description": "Edits files.",
        "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"},
    }
    body = {
        "input": [
            {"role": "user", "content": "Fix it."},
            {"type": "custom_tool_call", "call_id": "call_0", "name": "apply_patch", "input": PATCH},
            {"type": "custom_tool_call_output", "call_id": "call_0", "output": "done"},
        ],
        "tools": [apply_patch],
    }
    request = translated(body, "responses", upstream)
    written = json.loads(request.body)
    wrapped = json.dumps({"input": PATCH}, ensure_ascii=False, separators=(",", ":"))
    if upstream == "anthropic":
        [offered] = written["tools"]
        assert offered["input_schema"]["properties"] == {"input": {"type": "string"}}
        assert written["messages"][1]["content"][0]["input"] == {"input": PATCH}
        raw = sse(
            message_start(),
            *use_block(0, "call_1", "apply_patch", wrapped[:20], wrapped[20:]),
            *message_end("tool_use"),
        )
    else:
        function = written["tools"][0]["function"]
        assert function["parameters"]["properties"] == {"input": {"type": "string"}}
        past = next(message for message in written["messages"] if message["role"] == "assistant")
        assert json.loads(past["tool_calls"][0]["function"]["arguments"]) == {"input": PATCH}
        raw = chunks(
            chunk(tool_calls=[call_delta(0, wrapped[:20], "call_1", "apply_patch")]),
            chunk(tool_calls=[call_delta(0, wrapped[20:])]),
            chunk("tool_calls"),
            "[DONE]",
        )
    [call] = whole(request, raw)["output"]
    assert (call["type"], call["name"], call["input"]) == ("custom_tool_call", "apply_patch", PATCH)
    deltas = [e["delta"] for e in told(request, raw) if e["type"] == "response.custom_tool_call_input.delta"]
    assert "".join(deltas) == PATCH


@pytest.mark.parametrize("client", ["chat", "responses"])
def test_case_12_a_forced_call_ends_thinking(client: Wire) -> None:
    """Claude refuses to think when it must call a tool: the thinking goes, and the client is told."""
    efforts: JsonObject = {
        "chat": {"reasoning_effort": "high"},
        "responses": {"reasoning": {"effort": "high"}},
    }
    body = {**hello(client), "tools": [tool(client)], **efforts[client]}
    for choice in ("required", "auto"):
        request = translated({**body, "tool_choice": choice}, client, "anthropic", CLAUDE)
        written = json.loads(request.body)
        assert ("thinking" in written) == (choice == "auto")
        assert any("reasoning" in label for label in labels(request)) == (choice == "required")


def test_case_12_a_forced_call_of_no_tool_is_refused() -> None:
    """A call cannot be forced when there is no tool."""
    with pytest.raises(RequestError):
        sent({**hello("chat"), "tool_choice": "required", "tools": []}, "chat", "anthropic")


def test_case_07_a_text_block_between_calls_keeps_its_place() -> None:
    """Blocks come in the model's order in both ways of answering."""
    raw = sse(
        message_start(),
        *use_block(0, "call_a", "weather", "{}"),
        *text_block(1, "and"),
        *use_block(2, "call_b", "weather", "{}"),
        *message_end("tool_use"),
    )
    translation = asking("responses", "anthropic")
    kinds = [item["type"] for item in whole(translation, raw)["output"]]
    assert kinds == ["function_call", "message", "function_call"]
    assert kinds == [item["type"] for item in told(translation, raw)[-1]["response"]["output"]]
