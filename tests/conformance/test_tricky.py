"""Thirty requests and answers on which translations differ: what each has to become."""

import json
from typing import Any

import pytest

from ccproxy.conversation.events import Failed
from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, Seal, Wire
from ccproxy.formats.carrier import pack
from ccproxy.formats.opening import Opening, Refusal
from tests.conformance import samples
from tests.conformance.translating import (
    CLAUDE,
    PAIRS,
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
    message_item,
    message_of,
    message_start,
    sent,
    sse,
    streamed,
    told,
    tool,
    translated,
    use_block,
    whole,
)

OLD = "claude-opus-4-1"
"""A model that takes sampling and budgets, and continues a text of its own."""


def user(content: Any) -> JsonObject:
    return {"role": "user", "content": content}


def called(*ids: str, content: Any = None, name: str = "weather") -> JsonObject:
    """An assistant of Chat Completions that calls a tool once for each id."""
    function = {"name": name, "arguments": "{}"}
    calls = [{"id": call_id, "type": "function", "function": function} for call_id in ids]
    return {"role": "assistant", "content": content, "tool_calls": calls}


def result(call_id: str, content: Any = "rain") -> JsonObject:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def uses(*ids: str) -> JsonObject:
    """The same in Messages."""
    blocks = [{"type": "tool_use", "id": call_id, "name": "weather", "input": {}} for call_id in ids]
    return {"role": "assistant", "content": blocks}


def tool_result(call_id: str, content: Any = "rain", **more: Any) -> JsonObject:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def to_claude(*messages: JsonObject, model: str = CLAUDE, **more: Any) -> Any:
    return sent({"messages": list(messages), **more}, "chat", "anthropic", model)


def to_openai(upstream: Wire, *messages: JsonObject, **more: Any) -> Any:
    return sent({"messages": list(messages), **more}, "anthropic", upstream)


TOOLS = [tool("chat")]


def test_tricky_01_results_and_a_text_are_one_turn() -> None:
    """Two tool messages and what the user says next are one user turn: result, result, text."""
    body = to_claude(user("?"), called("a", "b"), result("a"), result("b"), user("And?"), tools=TOOLS)
    last = body["messages"][-1]["content"]
    assert [(block["type"], block.get("tool_use_id")) for block in last] == [
        ("tool_result", "a"),
        ("tool_result", "b"),
        ("text", None),
    ]


def test_tricky_02_results_in_another_order() -> None:
    """Results follow the order of their calls."""
    body = to_claude(user("?"), called("a", "b"), result("b", "2"), result("a", "1"), tools=TOOLS)
    assert [block["content"] for block in body["messages"][-1]["content"]] == ["1", "2"]


def test_tricky_03_a_text_before_the_results() -> None:
    """Results come first for every provider, and the text after them."""
    turn = user([{"type": "text", "text": "Here:"}, tool_result("a")])
    tools = [tool("anthropic")]
    chat = to_openai("chat", user("?"), uses("a"), turn, tools=tools)["messages"]
    assert [message["role"] for message in chat[-2:]] == ["tool", "user"]
    items = to_openai("responses", user("?"), uses("a"), turn, tools=tools)["input"]
    assert [item["type"] for item in items[-2:]] == ["function_call_output", "message"]
    chat_turns = [user("?"), called("a"), user("Here:"), result("a")]
    blocks = to_claude(*chat_turns, tools=TOOLS)["messages"][-1]["content"]
    assert [block["type"] for block in blocks] == ["tool_result", "text"]


def test_tricky_04_an_empty_text_beside_calls() -> None:
    """`content: ""` beside tool calls is no text block."""
    body = to_claude(user("?"), called("a", content=""), result("a"), tools=TOOLS)
    assert [block["type"] for block in body["messages"][1]["content"]] == ["tool_use"]


def test_tricky_05_a_message_that_says_nothing() -> None:
    """An assistant message with neither content nor calls is left out."""
    body = to_claude(user("one"), {"role": "assistant", "content": None}, user("two"))
    assert [block["text"] for block in body["messages"][0]["content"]] == ["one", "two"]
    assert len(body["messages"]) == 1


@pytest.mark.parametrize(("model", "role"), [(CLAUDE, "system"), (OLD, "user")])
def test_tricky_06_system_messages_at_the_top_and_in_the_middle(model: str, role: str) -> None:
    """The first two are system text; the third stays where it is, in the form that the model takes."""
    system = [{"role": "system", "content": text} for text in ("one", "two", "three")]
    body = to_claude(
        *system[:2], user("a"), system[2], {"role": "assistant", "content": "b"}, user("c"), model=model
    )
    assert [block["text"] for block in body["system"]] == ["one", "two"]
    turns = [(m["role"], [block["text"] for block in m["content"]]) for m in body["messages"]]
    if role == "system":
        assert turns[:2] == [("user", ["a"]), ("system", ["three"])]
    else:
        reminder = "<system-reminder>\nthree\n</system-reminder>"
        assert turns[0] == ("user", ["a", reminder])
    assert turns[-2:] == [("assistant", ["b"]), ("user", ["c"])]


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_tricky_07_only_system_messages(client: Wire, upstream: Wire) -> None:
    """Nobody has asked anything: an error, and no question of our own invention."""
    system = [{"role": "system", "content": "Be kind."}]
    bodies: dict[Wire, JsonObject] = {
        "anthropic": {"system": "Be kind.", "messages": []},
        "chat": {"messages": system},
        "responses": {"input": system},
    }
    with pytest.raises(RequestError):
        sent(bodies[client], client, upstream)


def test_tricky_08_a_history_that_begins_with_a_greeting() -> None:
    """Claude wants the user first: the smallest possible turn is put in front, and the client is told."""
    request = translated(
        {"messages": [{"role": "assistant", "content": "Hi!"}, user("Hello")]}, "chat", "anthropic"
    )
    messages = json.loads(request.body)["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert messages[0]["content"] == [{"type": "text", "text": "."}]
    assert labels(request) == ["messages.0(prepended)"]


@pytest.mark.parametrize(("model", "last"), [(CLAUDE, "user"), (OLD, "assistant")])
def test_tricky_09_a_history_that_ends_with_the_assistant(model: str, last: str) -> None:
    """A model that can continues its own text, without blanks at its end; another is asked to."""
    messages = [user("Count."), {"role": "assistant", "content": "One, two, \n"}]
    request = translated({"messages": messages}, "chat", "anthropic", model)
    written = json.loads(request.body)["messages"]
    assert written[-1]["role"] == last
    assert written[-1]["content"][0]["text"] == ("Continue." if last == "user" else "One, two,")
    assert labels(request) == (["messages.1(continued)"] if last == "user" else [])


@pytest.mark.parametrize(("model", "most"), [(CLAUDE, 128_000), (OLD, 32_000), ("claude-3-haiku", 8192)])
def test_tricky_10_no_limit_given(model: str, most: int) -> None:
    """A client that sets no limit gets all that the model may write, and not a handful of tokens."""
    assert to_claude(user("x"), model=model)["max_tokens"] == most


def test_tricky_11_a_limit_below_the_thinking_budget() -> None:
    """The limit grows to leave room for the answer, as far as the model goes; then the budget shrinks."""
    body = to_claude(user("x"), model=OLD, max_tokens=2000, reasoning_effort="medium")
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 8192}
    assert body["max_tokens"] == 10_192
    body = to_claude(user("x"), model=OLD, max_tokens=30_000, reasoning_effort="max")
    assert 1024 <= body["thinking"]["budget_tokens"] < body["max_tokens"] <= 32_000


@pytest.mark.parametrize(
    ("model", "temperature", "label"), [(OLD, 1.0, "temperature(clamped)"), (CLAUDE, None, "temperature")]
)
def test_tricky_12_a_temperature_above_one(model: str, temperature: float | None, label: str) -> None:
    """Claude's scale ends at 1, and newer models have none: the client is told which it was."""
    request = translated({**hello("chat"), "temperature": 1.7}, "chat", "anthropic", model)
    assert json.loads(request.body).get("temperature") == temperature
    assert labels(request) == [label]


def test_tricky_13_a_stop_at_white_space() -> None:
    """Claude refuses a stop sequence that is white space: it is left out, the others stay."""
    request = translated({**hello("chat"), "stop": ["\n", "END"]}, "chat", "anthropic")
    assert json.loads(request.body)["stop_sequences"] == ["END"]
    assert labels(request) == ["stop(shortened)"]
    assert "stop_sequences" not in to_claude(user("x"), stop="\n")


@pytest.mark.parametrize("upstream", ["anthropic", "responses"])
def test_tricky_14_two_answers(upstream: Wire) -> None:
    """A client that wants two answers must not get one."""
    with pytest.raises(RequestError) as refused:
        sent({**hello("chat"), "n": 2}, "chat", upstream)
    assert refused.value.path == "n"
    sent({**hello("chat"), "n": 1}, "chat", upstream)


def test_tricky_15_a_tool_without_parameters() -> None:
    """It is declared as taking an empty object, and a call without a fragment has one."""
    tools = [{"type": "function", "function": {"name": "now"}}]
    body = to_claude(user("?"), tools=tools)
    assert body["tools"][0]["input_schema"] == {"type": "object", "properties": {}}
    raw = sse(message_start(), *use_block(0, "a", "now"), *message_end("tool_use"))
    assert (
        choice_of(told(asking("chat", "anthropic", stream=True), raw))["tool_calls"][0]["arguments"] == "{}"
    )


CUT = '{"city": "Kö'


def test_tricky_16_arguments_cut_by_the_limit() -> None:
    """OpenAI's clients get the text as far as it came, a Messages client its fragments, and the reason."""
    raw = sse(message_start(), *use_block(0, "a", "weather", CUT), *message_end("max_tokens"))
    choice = whole(asking("chat", "anthropic"), raw)["choices"][0]
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == CUT
    assert choice["finish_reason"] == "length"
    response = whole(asking("responses", "anthropic"), raw)
    assert (response["output"][0]["arguments"], response["status"]) == (CUT, "incomplete")
    raw = chunks(chunk(tool_calls=[call_delta(0, CUT, "a", "weather")]), chunk("length"), "[DONE]")
    events = told(asking("anthropic", "chat", stream=True), raw)
    pieces = [e["delta"]["partial_json"] for e in events if e["type"] == "content_block_delta"]
    assert "".join(pieces) == CUT
    assert events[-2]["delta"]["stop_reason"] == "max_tokens"
    answer = whole(asking("anthropic", "chat"), raw)
    assert (answer["content"], answer["stop_reason"]) == ([], "max_tokens")


LONG = "mcp__a_very_long_server_name__and_a_tool_whose_name_does_not_end_"


def short_name(body: Any, index: int = 0) -> str:
    return str(body["tools"][index]["function"]["name"])


def test_tricky_17_a_long_name_comes_back_in_both_kinds_of_answer() -> None:
    """Shortened the same way every time, and the client sees its own name, streamed and whole."""
    body = {**hello("anthropic"), "tools": [tool("anthropic", LONG)]}
    request = translated(body, "anthropic", "chat")
    name = short_name(json.loads(request.body))
    assert name != LONG
    assert len(name) <= 64
    assert name == short_name(sent(body, "anthropic", "chat"))
    entry = call_delta(0, "{}", "a", name)
    raw = chunks(chunk(tool_calls=[entry]), chunk("tool_calls"), "[DONE]")
    assert whole(request, raw)["content"][0]["name"] == LONG
    assert message_of(told(request, raw))["content"][0]["name"] == LONG


def test_tricky_18_long_names_that_begin_alike() -> None:
    """Different names stay different, also from a short name that looks like a shortened one."""
    first, second = LONG + "one", LONG + "two"
    alone = sent({**hello("anthropic"), "tools": [tool("anthropic", first)]}, "anthropic", "chat")
    tools = [tool("anthropic", name) for name in (short_name(alone), first, second)]
    body = sent({**hello("anthropic"), "tools": tools}, "anthropic", "chat")
    names = [short_name(body, index) for index in range(3)]
    assert len(set(names)) == 3
    assert names[0] == short_name(alone)
    assert all(len(name) <= 64 for name in names)


def test_tricky_19_an_illegal_id_is_hashed_on_both_sides() -> None:
    """Call and result keep each other."""
    body = to_claude(user("?"), called("call:1"), result("call:1"), tools=TOOLS)
    call, answer = body["messages"][1]["content"][0], body["messages"][2]["content"][0]
    assert call["id"] == answer["tool_use_id"]
    assert call["id"].startswith("call_")
    assert len(call["id"]) == len("call_") + 24


def test_tricky_20_a_result_that_is_an_error() -> None:
    """OpenAI has no flag for it, so the text says it; our own words become the flag again."""
    messages = [user("?"), uses("a"), user([tool_result("a", "no such city", is_error=True)])]
    tools = [tool("anthropic")]
    assert to_openai("chat", *messages, tools=tools)["messages"][-1]["content"] == "[tool error] no such city"
    assert (
        to_openai("responses", *messages, tools=tools)["input"][-1]["output"] == "[tool error] no such city"
    )
    back = to_claude(user("?"), called("a"), result("a", "[tool error] no such city"), tools=TOOLS)
    assert back["messages"][-1]["content"] == [tool_result("a", "no such city", is_error=True)]


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}


def test_tricky_21_an_image_in_a_result_for_chat() -> None:
    """It is shown after the last tool message: between two of them nothing may stand."""
    results = user([tool_result("a", [IMAGE]), tool_result("b")])
    messages = to_openai("chat", user("?"), uses("a", "b"), results, tools=[tool("anthropic")])["messages"]
    assert [message["role"] for message in messages[-3:]] == ["tool", "tool", "user"]
    assert messages[-3]["content"] == "[image attached below]"
    assert [part["type"] for part in messages[-1]["content"]] == ["text", "image_url"]


def test_tricky_22_image_types() -> None:
    """`image/jpg` is JPEG under a wrong name; a type that Claude cannot see is refused."""

    def with_image(kind: str) -> Any:
        url = f"data:image/{kind};base64,/9j/4AAQ"
        return to_claude(user([{"type": "image_url", "image_url": {"url": url}}]))

    [image] = with_image("jpg")["messages"][0]["content"]
    assert image["source"] == {"type": "base64", "media_type": "image/jpeg", "data": "/9j/4AAQ"}
    with pytest.raises(RequestError, match="svg"):
        with_image("svg+xml")


def test_tricky_23_a_cached_prompt() -> None:
    """10 new, 90 written to the cache and 900 read from it are a prompt of 1000 tokens."""
    usage = {"input_tokens": 10, "cache_creation_input_tokens": 90, "cache_read_input_tokens": 900}
    raw = sse(message_start(**usage), *message_end("end_turn", output_tokens=50))
    assert whole(asking("chat", "anthropic"), raw)["usage"] == {
        "prompt_tokens": 1000,
        "completion_tokens": 50,
        "total_tokens": 1050,
        "prompt_tokens_details": {"cached_tokens": 900, "cache_write_tokens": 90},
    }


def test_tricky_24_usage_for_who_asked() -> None:
    """A chat client that did not ask for usage gets no chunk of it, though it is known."""
    silent = streamed(asking("chat", "anthropic", stream=True), samples.TEXT["anthropic"])
    assert b"usage" not in silent
    asked = asking("chat", "anthropic", stream=True, stream_options={"include_usage": True})
    assert b'"total_tokens":12' in streamed(asked, samples.TEXT["anthropic"])


@pytest.mark.parametrize("client", ["anthropic", "responses"])
def test_tricky_25_the_end_between_reason_and_done(client: Wire) -> None:
    """After the reason the answer is whole; before it, it is not."""
    kind = "message_stop" if client == "anthropic" else "response.completed"
    ended = told(asking(client, "chat", stream=True), chunks(chunk(content="x"), chunk("stop")))
    assert ended[-1]["type"] == kind
    cut = told(asking(client, "chat", stream=True), chunks(chunk(content="x")))
    assert cut[-1]["type"] in ("error", "response.failed")
    assert kind not in [event["type"] for event in cut]


@pytest.mark.parametrize("client", ["anthropic", "chat"])
def test_tricky_26_the_last_event_has_no_output(client: Wire) -> None:
    """The answer is put together from the finished items; a text that came only there is not lost."""
    raw = sse(created(), message_item(0, "Only here.")[-1], *call_item(1, "a", "weather", "{}"), completed())
    request = asking(client, "responses", stream=True)
    answer = whole(request, raw)
    if client == "anthropic":
        assert [block["type"] for block in answer["content"]] == ["text", "tool_use"]
        assert message_of(told(request, raw))["content"][0]["text"] == "Only here."
    else:
        assert answer["choices"][0]["message"]["content"] == "Only here."
        assert choice_of(told(request, raw))["content"] == "Only here."


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("rate_limit_exceeded", 429, "rate_limit_error"),
        ("server_is_overloaded", 529, "overloaded_error"),
        ("context_length_exceeded", 400, "invalid_request_error"),
    ],
)
def test_tricky_27_an_error_at_the_start_of_a_stream(code: str, status: int, kind: str) -> None:
    """It has the status that it stands for, whether or not the client wants a stream.

    That a stream is held for this, and no longer, is tested in tests/scenarios/test_error_first.py.
    """
    error = {"code": code, "message": "Please try again in 3s."}
    raw = sse(created(), completed("failed", error=error))
    translation = asking("anthropic", "responses")
    refusal = Opening("responses").feed(raw)
    assert isinstance(refusal, Refusal)
    for outcome in (translation.collect(raw), translation.failure(refusal.status, {}, refusal.body)):
        assert isinstance(outcome, Failed)
        assert (outcome.status, outcome.type) == (status, kind)
        assert outcome.retry_after == 3
    last = told(asking("anthropic", "responses", stream=True), raw)[-1]
    assert (last["type"], last["error"]["type"]) == ("error", kind)


@pytest.mark.parametrize("upstream", ["chat", "responses"])
def test_tricky_28_what_claude_code_sends(upstream: Wire) -> None:
    """Its line about itself goes, its system turn stays in place, its hints for Claude go without a word."""
    billing = {"type": "text", "text": "x-anthropic-billing-header: cc_version=1"}
    body = {
        "system": [billing, {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        "messages": [user("a"), {"role": "system", "content": "Now."}, user("b")],
        "tools": [{**tool("anthropic"), "defer_loading": True, "cache_control": {"type": "ephemeral"}}],
        "thinking": {"type": "adaptive", "display": "summarized"},
        "context_management": {"edits": []},
        "metadata": {"user_id": "user_1_account_2"},
    }
    request = translated(body, "anthropic", upstream)
    assert labels(request) == []
    text = request.body.decode()
    for word in ("billing", "cache_control", "defer_loading", "context_management", "account", "display"):
        assert word not in text
    written = json.loads(text)
    if upstream == "chat":
        assert [message["role"] for message in written["messages"]] == [
            "developer",
            "user",
            "developer",
            "user",
        ]
    else:
        assert written["instructions"] == "Be kind."
        assert [item["role"] for item in written["input"]] == ["user", "developer", "user"]
        assert written["reasoning"] == {"summary": "auto"}


@pytest.mark.parametrize("seal", [Seal("anthropic", "c2lnbmVk"), Seal("openai", "ZW5j", id="rs_1")])
def test_tricky_29_thinking_and_a_change_of_the_model(seal: Seal) -> None:
    """The provider whose it is gets it back unchanged, the other gets none of it."""
    item = {"type": "reasoning", "summary": [], "encrypted_content": pack(seal, "Hmm.")}
    said = {"role": "assistant", "content": "Rain."}
    body = {"input": [user("?"), item, said, user("Why?")]}
    [first, *_] = sent(body, "responses", "anthropic")["messages"][1]["content"]
    if seal.provider == "anthropic":
        assert first == {"type": "thinking", "thinking": "Hmm.", "signature": "c2lnbmVk"}
    else:
        assert first == {"type": "text", "text": "Rain."}
    carried = "cc1a.broken" if seal.provider == "anthropic" else pack(seal, "")
    thinking = {"type": "thinking", "thinking": "", "signature": carried}
    assistant = {"role": "assistant", "content": [thinking, {"type": "text", "text": "Rain."}]}
    kinds = [one["type"] for one in to_openai("responses", user("?"), assistant, user("Why?"))["input"]]
    assert kinds.count("reasoning") == (seal.provider == "openai")


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "weather"}}])
def test_tricky_30_a_forced_call_and_thinking(choice: Any) -> None:
    """The call is what the client insists on; without a tool there is nothing to insist on."""
    body = {**hello("chat"), "tools": TOOLS, "tool_choice": choice, "reasoning_effort": "high"}
    request = translated(body, "chat", "anthropic")
    written = json.loads(request.body)
    assert written["tool_choice"]["type"] in ("any", "tool")
    assert "thinking" not in written
    assert "output_config" not in written
    assert labels(request) == ["reasoning_effort"]
    with pytest.raises(RequestError):
        sent({**body, "tools": []}, "chat", "anthropic")
