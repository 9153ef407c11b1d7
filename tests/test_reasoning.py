from ccproxy.conversation.parts import Reasoning, Seal, Text, ToolCall, ToolResult
from ccproxy.conversation.reply import Reply
from ccproxy.conversation.request import Request, Turn
from ccproxy.reasoning import ReasoningStore

THOUGHT = Reasoning("hm", Seal("anthropic", "signature"))
CALL, OTHER = ToolCall("call_1", "add", "{}"), ToolCall("call_2", "add", "{}")


def reply(*parts: Reasoning | ToolCall | Text) -> Reply:
    return Reply("id", "m", parts, "tool_calls")


def history(*parts: Reasoning | ToolCall | Text) -> Request:
    result = Turn("user", (ToolResult("call_1", (Text("5"),)),))
    return Request("chat", "m", (Turn("user", (Text("q"),)), Turn("assistant", parts), result))


def test_it_comes_back_in_front_of_its_calls() -> None:
    store = ReasoningStore()
    store.remember(reply(THOUGHT, Text("let me"), CALL, OTHER))
    assert store.restore(history(Text("let me"), CALL)).turns[1].parts == (THOUGHT, Text("let me"), CALL)
    assert store.restore(history(OTHER)).turns[1].parts == (THOUGHT, OTHER)


def test_unsealed_reasoning_of_the_client_gives_way() -> None:
    store = ReasoningStore()
    store.remember(reply(THOUGHT, CALL))
    assert store.restore(history(Reasoning("hm"), CALL)).turns[1].parts == (THOUGHT, CALL)


def test_a_client_that_carries_it_itself_is_left_alone() -> None:
    store = ReasoningStore()
    store.remember(reply(THOUGHT, CALL))
    own = history(Reasoning("own", Seal("anthropic", "s")), CALL)
    assert store.restore(own) is own


def test_nothing_is_kept_without_a_seal_or_a_call() -> None:
    store = ReasoningStore()
    store.remember(reply(Reasoning("hm"), CALL))
    store.remember(reply(THOUGHT, Text("done")))
    assert len(store) == 0
    assert store.restore(history(CALL)) == history(CALL)


def test_it_is_bounded_by_count_and_by_bytes() -> None:
    store = ReasoningStore(most_calls=2)
    for number in range(4):
        store.remember(reply(THOUGHT, ToolCall(f"call_{number}", "add", "{}")))
    assert len(store) == 2
    store = ReasoningStore(most_bytes=25)
    for number in range(4):
        store.remember(reply(THOUGHT, ToolCall(f"call_{number}", "add", "{}")))
    assert len(store) == 2
