from ccproxy.conversation.events import BlockStarted
from ccproxy.conversation.parts import JsonObject, Seal
from ccproxy.formats import carrier
from ccproxy.formats.responses.encode_output import CallItem, MessageItem, ReasoningItem


def kinds(events: list[JsonObject]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def test_a_message_of_a_text_and_a_refusal() -> None:
    item = MessageItem("msg_1", 3)
    events = [*item.begin("text"), *item.add("a"), *item.add("b"), *item.end_block()]
    events += [*item.begin_part("refusal"), *item.add("no"), *item.end_block(), *item.end("incomplete")]
    assert kinds(events) == [
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "content_part.added",
        "refusal.delta",
        "refusal.done",
        "content_part.done",
        "output_item.done",
    ]
    assert events[0]["item"]["content"] == []
    assert [event["content_index"] for event in events[1:-1]] == [0] * 5 + [1] * 4
    assert {event["item_id"] for event in events[1:-1]} == {"msg_1"}
    assert {event["output_index"] for event in events} == {3}
    assert item.value["status"] == "incomplete"
    assert item.value["content"] == [
        {"type": "output_text", "text": "ab", "annotations": [], "logprobs": []},
        {"type": "refusal", "refusal": "no"},
    ]


def test_reasoning_travels_with_its_seal() -> None:
    item = ReasoningItem("rs_1", 0)
    seal = Seal("anthropic", "signature")
    events = [*item.begin("reasoning"), *item.add("a"), *item.add("b")]
    item.seal(seal)
    events += [*item.end_block(), *item.end("completed")]
    assert kinds(events) == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    assert events[0]["item"] == {"id": "rs_1", "type": "reasoning", "summary": []}
    assert item.value["summary"] == [{"type": "summary_text", "text": "ab"}]
    assert carrier.unpack(item.value["encrypted_content"]) == (seal, "ab")


def test_redacted_reasoning_has_no_summary() -> None:
    item = ReasoningItem("rs_1", 0)
    item.seal(Seal("anthropic", "data", redacted=True))
    assert kinds([*item.begin("reasoning"), *item.end_block(), *item.end("completed")]) == [
        "output_item.added",
        "output_item.done",
    ]
    assert item.value["summary"] == []
    assert item.value["encrypted_content"].startswith(carrier.ANTHROPIC)


def test_openais_own_seal_stays_as_it_is() -> None:
    item = ReasoningItem("rs_1", 0)
    item.seal(Seal("openai", "gAAA", id="rs_0"))
    item.end("completed")
    assert item.value["encrypted_content"] == "gAAA"


def test_a_call() -> None:
    item = CallItem("ab_2", 2, BlockStarted("tool_call", "toolu_1", "look"), {"name": "look"})
    events = [*item.begin("tool_call"), *item.add('{"a"'), *item.add(":1}"), *item.end_block()]
    events += item.end("completed")
    assert kinds(events) == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    assert events[0]["item"]["arguments"] == ""
    assert item.value == {
        "id": "fc_ab_2",
        "type": "function_call",
        "status": "completed",
        "call_id": "toolu_1",
        "name": "look",
        "arguments": '{"a":1}',
    }


def test_case_05_a_call_without_arguments_has_an_empty_object() -> None:
    item = CallItem("ab_0", 0, BlockStarted("tool_call", "t", "now"), {"name": "now"})
    events = item.end_block()
    assert [event.get("delta") or event.get("arguments") for event in events] == ["{}", "{}"]


def test_a_custom_call_in_a_namespace() -> None:
    named = {"name": "exec", "namespace": "functions"}
    item = CallItem("ab_0", 0, BlockStarted("tool_call", "t", "functions__exec", True), named)
    events = [*item.add("x = 1"), *item.end_block(), *item.end("completed")]
    assert kinds(events) == [
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
    ]
    assert events[1]["input"] == item.value["input"] == "x = 1"
    assert item.value["id"] == "ctc_ab_0"
    assert (item.value["name"], item.value["namespace"]) == ("exec", "functions")
