import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.simulator import tokens
from ccproxy.simulator.scenarios import SCENARIOS, choose
from ccproxy.simulator.script import (
    Cut,
    Drop,
    HttpError,
    Message,
    Prompt,
    Script,
    Silence,
    StreamError,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    pieces,
)

ADD = Tool("add", {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})
ECHO = Tool("say", {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]})
PATCH = Tool("apply_patch", None)


def ask(text: str, *more: Message, tools: tuple[Tool, ...] = (ADD, ECHO)) -> Prompt:
    return Prompt("some-model", (Message("user", (text,)), *more), tools)


def text_of(script: Script) -> str:
    return "".join(part.text for part in script.parts if isinstance(part, Text))


def calls_of(script: Script) -> list[ToolCall]:
    return [part for part in script.parts if isinstance(part, ToolCall)]


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_prompt_gives_the_same_script(name: str) -> None:
    assert choose(ask(f"sim:{name}")) == choose(ask(f"sim:{name}"))


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_pieces_join_to_the_text(text: str, length: int) -> None:
    assert "".join(pieces(text, length)) == text
    assert all(pieces(text, length))


class TestMarker:
    def test_without_one_the_text_is_repeated(self) -> None:
        assert text_of(choose(ask("  hello there "))) == "hello there"

    def test_the_newest_one_decides(self) -> None:
        prompt = ask("sim:text old", Message("assistant", ("old",)), Message("user", ("sim:text new",)))
        assert text_of(choose(prompt)) == "new"

    def test_an_older_one_still_counts_when_newer_texts_have_none(self) -> None:
        reminder = Message("user", ("<system-reminder>sunny</system-reminder>",))
        assert text_of(choose(ask("sim:text hi", reminder))) == "hi"

    def test_the_last_line_of_a_transcript_decides(self) -> None:
        assert text_of(choose(ask("Human: sim:text one\nAssistant: one\nHuman: sim:text two\n"))) == "two"

    def test_arguments_end_with_the_line(self) -> None:
        assert text_of(choose(ask("please sim:text just this\r\nand not that"))) == "just this"

    def test_only_users_are_heard(self) -> None:
        prompt = Prompt("m", (Message("system", ("sim:error 500",)), Message("user", ("hello",))))
        assert choose(prompt).fault is None

    def test_tool_results_are_not_read(self) -> None:
        result = Message("user", (), (ToolResult("c1", "sim:error 500"),))
        assert choose(ask("hello", Message("assistant"), result)).fault is None

    def test_a_longer_word_is_no_marker(self) -> None:
        assert text_of(choose(ask("dosim:text x"))) == "dosim:text x"

    def test_an_unknown_name_says_what_is_known(self) -> None:
        answer = text_of(choose(ask("sim:nonsense")))
        assert "nonsense" in answer
        assert "echo" in answer

    def test_flags_come_before_the_name(self) -> None:
        script = choose(ask("sim:gzip once error 500"))
        assert script.gzip
        assert script.once
        assert script.fault == HttpError(500)

    def test_gzip_alone_is_an_echo(self) -> None:
        script = choose(ask("sim:gzip"))
        assert script.gzip
        assert script.parts


class TestTools:
    def test_the_first_tool_with_a_sample_input(self) -> None:
        script = choose(ask("sim:tool"))
        assert calls_of(script) == [ToolCall("add", {"a": 1})]
        assert script.stop == "tool_use"

    def test_a_named_tool_with_a_given_input(self) -> None:
        script = choose(ask('sim:tool say {"text": "sim:error 500 ü"} </prompt>'))
        assert calls_of(script) == [ToolCall("say", {"text": "sim:error 500 ü"})]

    def test_an_input_alone_goes_to_the_first_tool(self) -> None:
        assert calls_of(choose(ask('sim:tool {"a": 7}'))) == [ToolCall("add", {"a": 7})]

    def test_free_text_for_a_tool_without_a_schema(self) -> None:
        script = choose(ask("sim:tool apply_patch *** Begin Patch", tools=(PATCH,)))
        assert calls_of(script) == [ToolCall("apply_patch", "*** Begin Patch")]

    def test_a_tool_that_was_not_offered(self) -> None:
        script = choose(ask("sim:tool Bash"))
        assert not calls_of(script)
        assert "Bash" in text_of(script)

    def test_no_tools_at_all(self) -> None:
        for name in ("tool", "tools"):
            script = choose(ask(f"sim:{name}", tools=()))
            assert (calls_of(script), script.stop) == ([], "end")

    def test_several_calls_follow_a_text(self) -> None:
        script = choose(ask("sim:tools 3"))
        assert isinstance(script.parts[0], Text)
        assert [call.name for call in calls_of(script)] == ["add", "say", "add"]

    def test_one_call_when_parallel_calls_are_off(self) -> None:
        script = choose(replace(ask("sim:tools 3"), parallel=False))
        assert [call.name for call in calls_of(script)] == ["add"]

    @pytest.mark.parametrize("scenario", ["tool", "tools 2", "thinking tool", "tool say"])
    def test_the_results_end_the_loop(self, scenario: str) -> None:
        results = (ToolResult("c1", "42"), ToolResult("c2", "broken", is_error=True))
        reminder = Message("user", ("<system-reminder>x</system-reminder>",))
        script = choose(ask(f"sim:{scenario}", Message("assistant"), Message("user", (), results), reminder))
        assert script.stop == "end"
        assert text_of(script) == "Tool result: 42\nTool error: broken"

    def test_a_new_marker_after_the_results_starts_again(self) -> None:
        results = Message("user", (), (ToolResult("c1", "42"),))
        again = Message("user", ("sim:tool say",))
        script = choose(ask("sim:tool", Message("assistant"), results, Message("assistant", ("42",)), again))
        assert [call.name for call in calls_of(script)] == ["say"]

    def test_results_without_any_marker_are_quoted(self) -> None:
        script = choose(ask("add it up", Message("assistant"), Message("user", (), (ToolResult("c", "3"),))))
        assert text_of(script) == "Tool result: 3"

    def test_a_forced_tool_is_called_whatever_the_text_says(self) -> None:
        script = choose(replace(ask("hello"), forced="say"))
        assert calls_of(script) == [ToolCall("say", {"text": "example"})]
        assert script.stop == "tool_use"


class TestThinking:
    def test_comes_first(self) -> None:
        script = choose(ask("sim:thinking"))
        assert [type(part) for part in script.parts] == [Thinking, Text]
        assert 0 < script.thinking_tokens < script.output_tokens

    def test_before_a_tool_call(self) -> None:
        script = choose(ask('sim:thinking tool say {"text": "x"}'))
        assert [type(part) for part in script.parts] == [Thinking, ToolCall]
        assert calls_of(script) == [ToolCall("say", {"text": "x"})]

    def test_is_left_out_when_it_is_off(self) -> None:
        script = choose(replace(ask("sim:thinking"), thinking=False))
        assert [type(part) for part in script.parts] == [Text]

    def test_begins_every_answer_when_it_must(self) -> None:
        script = choose(replace(ask("sim:tool"), must_think=True))
        assert [type(part) for part in script.parts] == [Thinking, ToolCall]


class TestText:
    def test_long_and_slow(self) -> None:
        assert len(text_of(choose(ask("sim:long 50"))).split()) == 50
        script = choose(ask("sim:slow 3 0.5"))
        assert script.pause == 0.5
        assert [len(part.pieces) for part in script.parts if isinstance(part, Text)] == [3]

    def test_unicode_has_every_kind_of_trouble(self) -> None:
        answer = text_of(choose(ask("sim:unicode")))
        assert "\r\n" in answer
        assert "\u2028" in answer
        assert any(ord(char) > 0xFFFF for char in answer)

    def test_empty(self) -> None:
        assert choose(ask("sim:empty")).parts == ()

    def test_structured_output_fits_the_schema(self) -> None:
        script = choose(replace(ask("hello"), json_schema=ADD.schema))
        assert json.loads(text_of(script)) == {"a": 1}

    def test_a_long_text_is_shortened(self) -> None:
        assert len(text_of(choose(ask("x" * 1000)))) < 300


class TestEnds:
    @pytest.mark.parametrize("reason", ["max_tokens", "refusal", "pause_turn"])
    def test_a_stop_reason(self, reason: str) -> None:
        assert choose(ask(f"sim:stop {reason}")).stop == reason

    def test_a_stop_sequence(self) -> None:
        script = choose(replace(ask("sim:stop stop_sequence"), stop_sequences=("END",)))
        assert (script.stop, script.stop_sequence) == ("stop_sequence", "END")

    def test_a_paused_turn_that_comes_back_is_finished(self) -> None:
        assert choose(ask("sim:stop pause_turn", Message("assistant", ("so far",)))).stop == "end"

    def test_a_stop_sequence_in_the_text_ends_it(self) -> None:
        script = choose(replace(ask("sim:text one two STOP three END"), stop_sequences=("END", "STOP")))
        assert (text_of(script), script.stop_sequence) == ("one two ", "STOP")

    @given(st.integers(min_value=0, max_value=30))
    def test_max_tokens_is_never_passed(self, limit: int) -> None:
        script = choose(replace(ask("sim:thinking tool"), max_tokens=limit))
        assert script.output_tokens <= limit
        full = choose(ask("sim:thinking tool"))
        assert script.stop == ("tool_use" if limit >= full.output_tokens else "max_tokens")

    def test_a_text_is_cut_at_max_tokens(self) -> None:
        script = choose(replace(ask("sim:text " + "a" * 100), max_tokens=5))
        assert (text_of(script), script.output_tokens, script.stop) == ("a" * 20, 5, "max_tokens")

    def test_what_is_left_of_a_text_keeps_its_pieces(self) -> None:
        (part,) = choose(replace(ask("sim:slow 100 0.1"), max_tokens=5)).parts
        assert isinstance(part, Text)
        assert part.pieces == ("piece 1 ", "piece 2 ", "piec")

    def test_no_tokens_at_all_only_warms_the_cache(self) -> None:
        script = choose(replace(ask("sim:empty"), max_tokens=0))
        assert (script.parts, script.stop) == ((), "max_tokens")


class TestFaults:
    @pytest.mark.parametrize(
        ("line", "fault"),
        [
            ("error 529", HttpError(529)),
            ("error 400 some_error", HttpError(400, "some_error")),
            ("error 429 rate_limit_error 0.5", HttpError(429, "rate_limit_error", 0.5)),
            ("error 429 7", HttpError(429, None, 7.0)),
            ("error200", StreamError(5)),
            ("error200 2", StreamError(2)),
            ("cut", Cut(5)),
            ("cut 0", Cut(0)),
            ("silence", Silence(5, None)),
            ("silence 0.5", Silence(5, 0.5)),
            ("mute", Silence(None, None)),
            ("mute 2", Silence(None, 2.0)),
            ("drop", Drop()),
        ],
    )
    def test_a_fault(self, line: str, fault: object) -> None:
        script = choose(ask(f"sim:{line}"))
        assert script.fault == fault
        assert script.parts

    def test_max_tokens_does_not_remove_it(self) -> None:
        assert choose(replace(ask("sim:cut"), max_tokens=1)).fault == Cut(5)


def test_output_tokens_count_every_part() -> None:
    script = choose(ask('sim:thinking tool say {"text": "ü"}'))
    thought = script.parts[0].text
    expected = tokens.estimate(thought) + tokens.estimate("say") + tokens.estimate('{"text":"ü"}')
    assert script.output_tokens == expected
