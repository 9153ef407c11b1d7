from ccproxy.conversation.events import BlockEnded, BlockStarted, Delta, Event, Sealed
from ccproxy.conversation.parts import JsonObject, Seal
from ccproxy.formats.codec import Names
from ccproxy.formats.responses.stream_items import Call, Message, Silent, Thought, item_of

NAMES = Names({"short": "a_name_that_is_long"}, frozenset({"patch"}))


def call(kind: str = "function_call", **item: object) -> Call:
    found = item_of(kind, dict(item), 4, NAMES)
    assert isinstance(found, Call)
    return found


def text(value: str) -> JsonObject:
    return {"type": "output_text", "text": value}


def whole(value: str) -> list[Event]:
    return [BlockStarted("text"), Delta(value), BlockEnded()]


def test_a_message_that_comes_in_deltas_is_not_said_again() -> None:
    item = Message()
    events = item.take("output_text.delta", {"content_index": 0, "delta": "a"})
    events += item.take("output_text.done", {"content_index": 0, "text": "a"})
    events += item.take("content_part.done", {"content_index": 0, "part": text("a")})
    events += item.finish({"content": [text("a")]})
    assert events == whole("a")
    assert item.done


def test_a_message_that_comes_whole() -> None:
    assert Message().finish({"content": [text("a"), text("")]}) == whole("a")
    assert Message().take("content_part.done", {"content_index": 0, "part": text("a")}) == whole("a")
    assert Message().finish({"content": None}) == []


def test_a_part_that_was_never_closed_is_closed_before_the_next() -> None:
    item = Message()
    events = item.take("output_text.delta", {"content_index": 0, "delta": "a"})
    events += item.take("refusal.delta", {"content_index": 1, "delta": "no"})
    events += item.finish({})
    assert events == [*whole("a"), BlockStarted("refusal"), Delta("no"), BlockEnded()]
    assert item.refused


def test_a_thought_with_parts_and_a_seal() -> None:
    item = Thought()
    events = item.take("reasoning_summary_text.delta", {"summary_index": 0, "delta": "a"})
    events += item.take("reasoning_summary_text.done", {"summary_index": 1, "text": "b"})
    events += item.finish({"id": "rs_1", "encrypted_content": "e", "summary": [{"text": "a"}, {"text": "b"}]})
    seal = Sealed(Seal("openai", "e", id="rs_1"))
    assert events == [BlockStarted("reasoning"), Delta("a"), Delta("\n\nb"), seal, BlockEnded()]


def test_a_thought_is_told_once_though_it_comes_twice() -> None:
    item = Thought()
    events = item.take("reasoning_text.delta", {"content_index": 0, "delta": "raw"})
    events += item.take("reasoning_summary_text.delta", {"summary_index": 0, "delta": "sum"})
    events += item.finish({"summary": [{"text": "sum"}], "content": [{"text": "raw"}]})
    assert events == [BlockStarted("reasoning"), Delta("raw"), BlockEnded()]


def test_a_thought_of_nothing_is_no_block() -> None:
    assert Thought().finish({"summary": []}) == []
    assert [type(event) for event in Thought().finish({"encrypted_content": "e"})] == [
        BlockStarted,
        Sealed,
        BlockEnded,
    ]


def test_a_call_under_the_clients_name() -> None:
    item = call(call_id="c", name="short")
    assert item.start() == [BlockStarted("tool_call", "c", "a_name_that_is_long")]


def test_a_call_in_a_namespace() -> None:
    item = call("custom_tool_call", call_id="c", name="exec", namespace="functions")
    assert item.start() == [BlockStarted("tool_call", "c", "functions__exec", custom=True)]


def test_a_call_whose_name_comes_late() -> None:
    item = call()
    assert item.start() == []
    assert item.take("function_call_arguments.delta", {"delta": '{"a"'}) == []
    assert item.take("function_call_arguments.delta", {"delta": ":1}"}) == []
    assert item.finish({"call_id": "c", "name": "look", "arguments": '{"a":1}'}) == [
        BlockStarted("tool_call", "c", "look"),
        Delta('{"a":1}'),
        BlockEnded(),
    ]


def test_a_call_without_a_name_is_none() -> None:
    assert call(call_id="c").finish({}) == []


def test_a_call_without_an_id_gets_the_items() -> None:
    assert call(id="fc_1", name="look").start() == [BlockStarted("tool_call", "fc_1", "look")]
    assert call(name="look").start() == [BlockStarted("tool_call", "call_4", "look")]


def test_case_11_a_custom_tool_that_went_as_a_function_is_unwrapped() -> None:
    item = call(call_id="c", name="patch")
    events = item.start()
    events += item.take("function_call_arguments.delta", {"delta": '{"input":'})
    events += item.take("function_call_arguments.delta", {"delta": '"***"}'})
    events += item.finish({})
    assert events == [BlockStarted("tool_call", "c", "patch", custom=True), Delta("***"), BlockEnded()]


def test_other_items_say_nothing() -> None:
    item = item_of("web_search_call", {}, 0, NAMES)
    assert isinstance(item, Silent)
    assert item.take("x", {}) == item.finish({}) == []
    assert item.done
