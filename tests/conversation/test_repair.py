from ccproxy.conversation.parts import Part, Text, ToolCall, ToolResult
from ccproxy.conversation.repair import repaired
from ccproxy.conversation.request import Turn


def call(call_id: str, custom: bool = False) -> ToolCall:
    return ToolCall(call_id, "look", "{}", custom)


def result(call_id: str, text: str = "seen", custom: bool = False) -> ToolResult:
    return ToolResult(call_id, (Text(text),), custom=custom)


def user(*parts: Part) -> Turn:
    return Turn("user", parts, "messages.0")


def assistant(*parts: Part) -> Turn:
    return Turn("assistant", parts, "messages.1")


def system(*parts: Part) -> Turn:
    return Turn("system", parts, "messages.2")


def test_a_whole_history_is_left_alone() -> None:
    turns = (
        user(Text("hi")),
        assistant(Text("I look"), call("a"), call("b")),
        user(result("a"), result("b"), Text("and?")),
        assistant(Text("done")),
    )
    assert repaired(turns) == (turns, ())


def test_an_empty_history() -> None:
    assert repaired(()) == ((), ())


def test_a_turn_that_was_empty_stays() -> None:
    assert repaired([user()]) == ((user(),), ())


def test_results_come_into_the_order_of_their_calls() -> None:
    turns, losses = repaired([assistant(call("a"), call("b")), user(result("b", "2"), result("a", "1"))])
    assert turns[1].parts == (result("a", "1"), result("b", "2"))
    assert losses == ()


def test_results_come_before_what_else_the_user_says() -> None:
    turns, _ = repaired([assistant(call("a")), user(Text("well"), result("a"))])
    assert turns[1].parts == (result("a"), Text("well"))


def test_results_in_several_turns_are_pulled_to_their_calls() -> None:
    turns, losses = repaired(
        [assistant(call("a"), call("b")), user(result("a")), system(Text("hm")), user(result("b"))]
    )
    assert [turn.parts for turn in turns] == [
        (call("a"), call("b")),
        (result("a"), result("b")),
        (Text("hm"),),
    ]
    assert losses == ()


def test_a_result_after_a_system_turn_goes_before_it() -> None:
    turns, _ = repaired([assistant(call("a")), system(Text("hm")), user(result("a"), Text("so"))])
    assert [turn.role for turn in turns] == ["assistant", "user", "system", "user"]
    assert turns[1].parts == (result("a"),)
    assert turns[3].parts == (Text("so"),)


def test_calls_of_assistant_turns_in_a_row_are_answered_together() -> None:
    turns, losses = repaired([assistant(call("a")), assistant(call("b")), user(result("a"), result("b"))])
    assert [turn.parts for turn in turns] == [(call("a"), call("b")), (result("a"), result("b"))]
    assert losses == ()


def test_assistant_turns_without_calls_stay_apart() -> None:
    turns = (assistant(Text("one")), assistant(Text("two")))
    assert repaired(turns) == (turns, ())


def test_a_call_without_a_result_gets_one() -> None:
    turns, losses = repaired([assistant(call("a", custom=True)), user(Text("stop"))])
    made_up = ToolResult("a", (Text("[no result]"),), is_error=True, custom=True)
    assert turns[1].parts == (made_up, Text("stop"))
    assert [loss.label for loss in losses] == ["messages.1(repaired)"]


def test_a_call_at_the_end_gets_a_result() -> None:
    turns, losses = repaired([user(Text("hi")), assistant(call("a"))])
    assert [turn.role for turn in turns] == ["user", "assistant", "user"]
    assert len(losses) == 1


def test_a_result_without_a_call_becomes_text() -> None:
    turns, losses = repaired([user(result("lost", "42"))])
    assert turns[0].parts == (Text("[result of the tool call lost]"), Text("42"))
    assert [loss.label for loss in losses] == ["messages.0(repaired)"]


def test_a_result_before_its_call_does_not_count() -> None:
    turns, losses = repaired([user(result("a", "early")), assistant(call("a"))])
    assert Text("early") in turns[0].parts
    assert turns[2].parts == (ToolResult("a", (Text("[no result]"),), is_error=True),)
    assert len(losses) == 2


def test_a_second_result_is_left_out() -> None:
    turns, losses = repaired([assistant(call("a")), user(result("a", "1")), user(result("a", "2"))])
    assert [turn.parts for turn in turns] == [(call("a"),), (result("a", "1"),)]
    assert len(losses) == 1


def test_a_call_id_used_again_is_made_unique_with_its_result() -> None:
    turns, losses = repaired(
        [assistant(call("a")), user(result("a", "1")), assistant(call("a")), user(result("a", "2"))]
    )
    assert [turn.parts for turn in turns] == [
        (call("a"),),
        (result("a", "1"),),
        (call("a_2"),),
        (result("a_2", "2"),),
    ]
    assert losses == ()


def test_an_open_call_is_given_up_when_its_id_comes_again() -> None:
    turns, losses = repaired(
        [assistant(call("a")), user(Text("no")), assistant(call("a")), user(result("a"))]
    )
    assert isinstance(turns[1].parts[0], ToolResult)
    assert turns[1].parts[0].is_error
    assert turns[3].parts == (result("a_2"),)
    assert len(losses) == 1


def test_two_calls_of_one_turn_with_the_same_id() -> None:
    turns, losses = repaired([assistant(call("a"), call("a")), user(result("a", "1"), result("a", "2"))])
    assert turns[1].parts == (result("a", "1"), result("a_2", "2"))
    assert losses == ()


def test_a_result_is_custom_when_its_call_is() -> None:
    turns, _ = repaired([assistant(call("a", custom=True)), user(result("a"))])
    assert turns[1].parts == (result("a", custom=True),)


def test_repairing_twice_changes_nothing_more() -> None:
    once, _ = repaired(
        [user(result("x")), assistant(call("a"), call("a")), system(Text("s")), user(result("a"))]
    )
    assert repaired(once) == (once, ())
