"""The lines of Claude Code as an answer: every rule by itself, and laws for whatever it may say."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.agent.answer import Answer
from ccproxy.agent.modes import ModeName
from ccproxy.conversation.events import Failed, Finished
from ccproxy.conversation.parts import JsonObject
from tests.agent.said import (
    MODEL,
    answered,
    begun,
    broken,
    call,
    came_of,
    check,
    collected,
    event,
    events_of,
    failed,
    init,
    line,
    message,
    over,
    result,
    sse,
    streamed,
    system,
    text,
    thinking,
    told,
    whole,
)
from tests.formats.anthropic.judges import events_of as decoded
from tests.formats.anthropic.judges import read_by_sdk
from tests.laws.conversations import json_values
from tests.laws.grammar import check_events
from tests.support.clients import run_claude
from tests.support.processes import Simulator

BASH = call("toolu_1", "Bash", command="ls")
WEATHER = call("toolu_5", "mcp__client__get_weather", city="Paris")


def words(content: list[JsonObject]) -> list[str]:
    return [block.get("text") or block.get("thinking") or block["type"] for block in content]


def test_a_plain_turn() -> None:
    found = answered([init(), *streamed("msg_1", thinking("Hm."), text("Hello")), result()])
    assert found["id"] == "msg_1"
    assert found["model"] == MODEL
    assert found["content"] == [thinking("Hm."), text("Hello")]
    assert found["stop_reason"] == "end_turn"
    assert found["usage"]["output_tokens"] == 7
    assert found["usage"]["total_cost_usd"] == 0.25


class TestSubAgents:
    """They work out of sight, but nobody else than the client can run its tools."""

    CALLED: JsonObject = {
        **line("assistant", message=message("msg_9", [text("Out of sight."), WEATHER])),
        "parent_tool_use_id": "toolu_1",
    }
    AGENT = call("toolu_1", "Agent", prompt="Ask for the weather.")

    def test_the_client_is_given_the_call(self) -> None:
        answer = Answer("ignore", False, ("get_weather",))
        lines = [init(), *streamed("msg_1", self.AGENT, stop="tool_use", output=5), self.CALLED]
        found = collected([event for each in lines for event in answer.take(each)])
        assert answer.ended
        assert found["content"] == [{**WEATHER, "name": "get_weather"}]
        assert found["stop_reason"] == "tool_use"

    def test_and_the_next_one_is_an_answer_by_itself(self) -> None:
        answer = Answer("ignore", False, ("get_weather",))
        found = collected(answer.take(self.CALLED))
        assert [block["id"] for block in answer.calls] == ["toolu_5"]
        assert (found["model"], found["stop_reason"]) == (MODEL, "tool_use")

    def test_it_waits_for_the_end_of_what_the_model_says(self) -> None:
        answer = Answer("ignore", False, ("get_weather",))
        first, *others = streamed("msg_1", text("Hello"), stop="tool_use", output=5)
        events = [*answer.take(first), *answer.take(self.CALLED)]
        assert not answer.ended
        events += [event for each in others for event in answer.take(each)]
        assert words(collected(events)["content"]) == ["Hello", "tool_use"]

    def test_its_other_tools_are_its_own_affair(self) -> None:
        answer = Answer("forward", False, ("get_weather",))
        said = {**line("assistant", message=message("msg_9", [BASH])), "parent_tool_use_id": "toolu_1"}
        assert answer.take(said) == []


def test_each_piece_is_given_as_it_comes() -> None:
    answer = Answer("ignore", False, ())
    said = [
        [one["delta"]["text"] for one in answer.take(each) if one["type"] == "content_block_delta"]
        for each in streamed("msg_1", text("Hello"))
    ]
    assert [pieces for pieces in said if pieces] == [["He"], ["llo"]]


def test_the_messages_of_a_turn_are_one() -> None:
    lines = [
        init(),
        *streamed("msg_1", text("Let me look."), BASH, stop="tool_use", output=5),
        came_of("toolu_1", "a.txt"),
        *streamed("msg_2", text("One file."), output=4),
        result(num_turns=2),
    ]
    assert words(answered(lines)["content"]) == ["Let me look.", "One file."]
    found = answered(lines, "forward")
    assert words(found["content"]) == ["Let me look.", "mcp_tool_use", "mcp_tool_result", "One file."]
    assert found["usage"]["output_tokens"] == 9
    assert found["usage"]["input_tokens"] == 6
    assert found["claude_code"]["num_turns"] == 2
    assert answered(lines, separate=True)["content"][1] == text("\n\nOne file.")


def test_what_the_length_cut_goes_on_without_a_blank_line() -> None:
    lines = [*streamed("msg_1", text("mid-"), stop="max_tokens"), *streamed("msg_2", text("word")), result()]
    assert words(answered(lines, separate=True)["content"]) == ["mid-", "word"]


def test_sub_agents_work_out_of_sight() -> None:
    hidden = [{**one, "parent_tool_use_id": "toolu_1"} for one in streamed("msg_s", text("no"), BASH)]
    found = answered([*streamed("msg_1", text("yes")), *hidden, result()], "forward")
    assert words(found["content"]) == ["yes"]


def test_a_call_of_the_clients_tool_ends_the_answer() -> None:
    answer = Answer("forward", True, {"get_weather"})
    events = events_of(answer, [init(), *streamed("msg_1", text("One moment."), WEATHER, stop="tool_use")])
    check(answer, events)
    assert answer.ended
    assert answer.calls == (call("toolu_5", "get_weather", city="Paris"),)
    found = collected(events)
    assert found["content"] == [text("One moment."), *answer.calls]
    assert found["stop_reason"] == "tool_use"
    assert "total_cost_usd" not in found["usage"]
    assert answer.take(result()) == []


def test_the_answer_after_it_shows_nothing_that_the_client_said() -> None:
    lines = [came_of("toolu_5", "Sunny"), *streamed("msg_2", text("Sunny.")), result()]
    found = answered(lines, "forward", answered={"toolu_5"})
    assert found["content"] == [text("Sunny.")]
    assert found["id"] == "msg_2"
    assert found["usage"]["output_tokens"] == 7


def test_calls_at_once_are_handed_over_together() -> None:
    other = call("toolu_6", "mcp__client__get_weather", city="Rome")
    answer = Answer("ignore", True, {"get_weather"})
    events_of(answer, streamed("msg_1", WEATHER, other, stop="tool_use"))
    assert [one["input"]["city"] for one in answer.calls] == ["Paris", "Rome"]


def test_a_result_of_an_own_call_may_come_after_the_handover() -> None:
    [block, *_] = answered(
        [came_of("toolu_1", "a.txt"), came_of("toolu_5", "Sunny"), *streamed("msg_2", text("x")), result()],
        "forward",
        answered={"toolu_5"},
    )["content"]
    assert block["tool_use_id"] == "toolu_1"


def test_names_are_given_back_as_the_client_wrote_them() -> None:
    answer = Answer("ignore", True, {"weather.now"})
    events_of(answer, streamed("msg_1", call("c", "mcp__client__weather_now"), stop="tool_use"))
    assert answer.calls[0]["name"] == "weather.now"


def test_a_tool_that_the_client_does_not_have_is_claude_codes_own_matter() -> None:
    lines = [
        *streamed("msg_1", call("c", "mcp__client__other"), stop="tool_use"),
        came_of("c", "No such tool", is_error=True),
        *streamed("msg_2", text("Sorry.")),
        result(),
    ]
    kinds = [block["type"] for block in answered(lines, "forward")["content"]]
    assert kinds == ["mcp_tool_use", "mcp_tool_result", "text"]


def test_a_call_that_was_answered_without_the_client_is_not_handed_over() -> None:
    """A rule of the user's denies it, say."""
    lines = [begun("msg_1"), *told("msg_1", 0, WEATHER), came_of("toolu_5", "Denied.", is_error=True)]
    lines += [*over("msg_1", "tool_use"), *streamed("msg_2", text("Sorry.")), result()]
    assert answered(lines, "forward")["content"] == [text("Sorry.")]


def test_a_call_that_was_never_streamed_is_handed_over() -> None:
    answer = Answer("ignore", True, {"get_weather"})
    events = events_of(answer, whole("msg_1", text("One moment."), WEATHER, stop="tool_use"))
    check(answer, events)
    assert answer.ended
    assert words(collected(events)["content"]) == ["One moment.", "tool_use"]


def test_a_call_in_a_stream_that_broke_is_not_run() -> None:
    found = answered([*broken("msg_1", WEATHER, text("and")), *whole("msg_2", text("No need.")), result()])
    assert words(found["content"]) == ["and", "No need."]


def test_a_broken_stream_is_continued_where_it_can_be() -> None:
    lines = [init(), *broken("msg_1", text("Half of the ans")), *whole("msg_2", text("Half of the answer."))]
    assert answered([*lines, result()])["content"] == [text("Half of the answer.")]
    other = [init(), *broken("msg_1", text("Half of the ans")), *whole("msg_2", text("Another one."))]
    assert words(answered([*other, result()])["content"]) == ["Half of the ans", "Another one."]


def test_a_stream_that_just_stops_is_a_broken_one() -> None:
    cut = [begun("msg_1"), *told("msg_1", 0, text("Half of"))[:3]]
    assert answered([*cut, *whole("msg_2", text("Half of it.")), result()])["content"] == [
        text("Half of it.")
    ]
    assert answered([*cut, *streamed("msg_2", text("Half of it.")), result()])["content"] == [
        text("Half of it.")
    ]


def test_what_was_never_streamed_is_told_from_the_whole_lines() -> None:
    redacted = {"type": "redacted_thinking", "data": "x"}
    found = answered([*whole("msg_1", redacted, thinking("Hm."), text("Hello")), result()])
    assert found["content"] == [redacted, thinking("Hm."), text("Hello")]


def test_a_result_waits_for_the_end_of_a_text() -> None:
    later = told("msg_1", 1, text("While it runs."))
    lines = [begun("msg_1"), *told("msg_1", 0, BASH), *later[:2], came_of("toolu_1", "a.txt"), *later[2:]]
    found = answered(
        [*lines, *over("msg_1", "tool_use"), *streamed("msg_2", text("Done.")), result()], "forward"
    )
    assert words(found["content"]) == ["mcp_tool_use", "While it runs.", "mcp_tool_result", "Done."]


def test_a_line_that_comes_twice_counts_once() -> None:
    lines = [*streamed("msg_1", BASH, stop="tool_use"), came_of("toolu_1", "x")]
    again = [*lines, *[one for one in lines if one["type"] in ("assistant", "user")], result()]
    kinds = [block["type"] for block in answered(again, "forward")["content"]]
    assert kinds == ["mcp_tool_use", "mcp_tool_result"]


def test_tools_of_the_providers_own_are_shown_like_the_others() -> None:
    lines = whole(
        "msg_1",
        {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{"url": "https://a.test"}]},
    )
    kinds = [block["type"] for block in answered([*lines, result()], "forward")["content"]]
    assert kinds == ["mcp_tool_use", "mcp_tool_result"]


def test_a_command_of_claude_codes_own_is_answered_with_what_it_says() -> None:
    assert answered([init(), result(result="Total cost: $0")])["content"] == [text("Total cost: $0")]
    made_up = message("u-9", [text("## Context")], model="<synthetic>")
    found = answered([init(), line("assistant", message=made_up), result(result="## Context")])
    assert found["content"] == [text("## Context")]
    assert found["model"] == MODEL


def test_a_turn_that_says_nothing_is_an_empty_message() -> None:
    assert answered([init(), begun("msg_1"), *over("msg_1"), result()])["content"] == []


def test_what_went_on_in_the_turn_is_told_beside_the_message() -> None:
    lines = [
        init(),
        line("rate_limit_event", rate_limit_info={"status": "allowed_warning"}),
        system("compact_boundary", compact_metadata={"trigger": "auto"}),
        *streamed("msg_1", text("x")),
        result(permission_denials=[{"tool_name": "Bash"}]),
    ]
    about = answered(lines, "forward")["claude_code"]
    assert about["rate_limit"] == {"status": "allowed_warning"}
    assert about["compaction"] == {"trigger": "auto"}
    assert about["permission_denials"] == [{"tool_name": "Bash"}]
    assert about["session_id"] == init()["session_id"]
    assert "claude_code" not in answered(lines, "ignore")


def test_a_failure_before_anything_was_said_makes_no_events() -> None:
    answer = Answer("forward", True, ())
    events = events_of(answer, [init(), *failed("API Error: 529 Busy.", "overloaded", api_error_status=529)])
    assert events == []
    assert answer.ended
    assert answer.failure == Failed("overloaded_error", "Busy.", 529)


def test_a_failure_amid_the_turn_leaves_what_was_begun_open() -> None:
    answer = Answer("forward", True, ())
    cut = [begun("msg_1"), *told("msg_1", 0, text("Half"))[:3]]
    events = events_of(answer, [*cut, *failed("API Error: 529 Busy.", "overloaded", api_error_status=529)])
    check(answer, events)
    assert events[-1]["type"] == "content_block_delta"
    assert answer.failure


def test_the_words_of_an_error_are_never_an_answer() -> None:
    lines = [*streamed("msg_1", text("x"), stop="max_tokens")]
    found = answered([*lines, *failed("API Error: too long.", "max_output_tokens")])
    assert found["content"] == [text("x")]
    assert found["stop_reason"] == "max_tokens"


# --- laws

PIECES = st.text("ab<é \n", min_size=1, max_size=12)
BLOCKS = (
    st.builds(text, PIECES)
    | st.builds(thinking, PIECES)
    | st.builds(call, st.sampled_from(("t1", "t2", "t3")), st.sampled_from(("Bash", WEATHER["name"])))
)
TURNS = st.lists(st.lists(BLOCKS, max_size=4), max_size=4)
MODES: st.SearchStrategy[ModeName] = st.sampled_from(("forward", "formatted", "ignore"))


@st.composite
def turns(draw: st.DrawFn, kinds: Any = (streamed, whole, broken)) -> list[JsonObject]:
    """A turn as Claude Code may run it: streamed or not, broken off or not, with results between."""
    lines = [init()]
    for number, blocks in enumerate(draw(TURNS)):
        kind = draw(st.sampled_from(kinds)) if blocks else streamed
        lines += kind(f"msg_{number}", *blocks)
        lines += [came_of(one["id"], "x") for one in blocks if one["type"] == "tool_use"]
    return [*lines, result()]


def whatever() -> st.SearchStrategy[Any]:
    """Lines that look like Claude Code's, with anything in the place of anything."""
    odd: st.SearchStrategy[Any] = json_values() | st.sampled_from(("text", "tool_use", "x"))
    good = st.sampled_from(
        [
            *streamed("msg_1", thinking("a"), text("ab"), BASH, WEATHER, stop="tool_use"),
            *broken("msg_2", text("abc")),
            *whole("msg_3", text("abcd"), WEATHER),
            *failed("API Error: 529 x", "overloaded", api_error_status=529),
            came_of("toolu_1", [text("x")]),
            init(),
            result(),
            event("msg_1", "error"),
        ]
    )

    @st.composite
    def bent(draw: st.DrawFn) -> Any:
        value: Any = draw(good)
        path, at = [], value
        while isinstance(at, dict) and at and draw(st.booleans()):
            key = draw(st.sampled_from(sorted(at)))
            path.append(key)
            at = at[key]
        return _put(value, path, draw(odd)) if path else draw(st.just(value) | odd)

    return st.lists(good | bent(), max_size=30)


def _put(value: Any, path: list[str], new: Any) -> Any:
    return {**value, path[0]: _put(value[path[0]], path[1:], new)} if path else new


@given(turns(), MODES, st.booleans(), st.booleans())
def test_every_turn_keeps_the_grammar(
    lines: list[JsonObject], mode: Any, pretty: bool, separate: bool
) -> None:
    answer = Answer(mode, pretty, {"get_weather"}, separate)
    events = events_of(answer, lines)
    check(answer, events)
    assert answer.ended
    assert isinstance(check_events(decoded(sse(events))), Finished)


@given(turns(), MODES)
def test_collected_equals_streamed(lines: list[JsonObject], mode: Any) -> None:
    """Someone else puts the same message together."""
    events = events_of(Answer(mode, True, {"get_weather"}), lines)
    ours, theirs = collected(events), read_by_sdk(sse(events)).model_dump(mode="json", warnings=False)
    assert [[block[name] for name in block] for block in ours["content"]] == [
        [found[name] for name in block]
        for found, block in zip(theirs["content"], ours["content"], strict=True)
    ]
    assert ours["stop_reason"] == theirs["stop_reason"]
    assert ours["usage"]["output_tokens"] == theirs["usage"]["output_tokens"]


@given(turns((streamed, whole)))
def test_the_mode_changes_what_is_shown_and_not_what_is_said(lines: list[JsonObject]) -> None:
    shown, hidden = Answer("forward", True, {"get_weather"}), Answer("ignore", True, {"get_weather"})
    said = collected(events_of(shown, lines))["content"]
    without = [block for block in said if not block["type"].startswith("mcp_")]
    assert without == collected(events_of(hidden, lines))["content"]
    assert (shown.calls, shown.failure) == (hidden.calls, hidden.failure)


@given(whatever(), MODES, st.booleans())
def test_nothing_that_it_says_breaks_the_answer(lines: list[Any], mode: Any, separate: bool) -> None:
    answer = Answer(mode, False, {"get_weather"}, separate)
    events = events_of(answer, lines)
    check(answer, events)
    collected(events)


@pytest.mark.parametrize(
    "odd", [None, [], "text", 1, {}, {"type": None}, {"type": "stream_event", "event": 1}]
)
def test_what_is_no_line_is_passed_over(odd: Any) -> None:
    assert Answer("forward", True, ()).take(odd) == []


# --- the real one


@pytest.mark.slow
def test_the_lines_of_the_real_claude(simulator: Simulator, tmp_path: Path) -> None:
    """One turn with thinking, a tool of its own and a text, as the installed version writes it."""
    lines = run_claude(
        tmp_path,
        'sim:thinking tool Bash {"command":"echo hi","description":"d"}',
        {"ANTHROPIC_BASE_URL": simulator.url, "ANTHROPIC_API_KEY": "sk-ant-api03-x"},
        *("--output-format", "stream-json", "--verbose", "--include-partial-messages"),
        *("--model", MODEL, "--allowedTools", "Bash"),
    )
    found = answered([json.loads(one) for one in lines.splitlines()], "forward")
    kinds = [block["type"] for block in found["content"] if block["type"] != "thinking"]
    assert kinds == ["mcp_tool_use", "mcp_tool_result", "text"]
    assert found["content"][0]["type"] == "thinking"
    assert "hi" in found["content"][-1]["text"]
    assert found["claude_code"]["num_turns"] == 2
    assert found["usage"]["total_cost_usd"] > 0
