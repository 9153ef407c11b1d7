from ccproxy.conversation.events import (
    BlockEnded,
    BlockStarted,
    Delta,
    Event,
    Failed,
    Finished,
    Ping,
    Sealed,
    Started,
    UsageSeen,
)
from ccproxy.conversation.parts import Reasoning, Refusal, Seal, Text, ToolCall
from ccproxy.conversation.reply import Collector, Reply, replay
from ccproxy.conversation.usage import Usage

SEAL = Seal("anthropic", "s")
REPLY = Reply(
    "id",
    "m",
    (
        Reasoning("hm", SEAL),
        Text("a"),
        Refusal("no"),
        ToolCall("c1", "add", '{"a":1}'),
        ToolCall("c2", "note", "free text", custom=True),
    ),
    "tool_calls",
    Usage(input=3, output=4),
    "###",
    "because",
)


def collected(*events: Event) -> Collector:
    collector = Collector()
    for event in events:
        collector.take(event)
    return collector


def test_what_is_replayed_is_collected_again() -> None:
    assert collected(*replay(REPLY)).reply == REPLY


def test_pieces_are_joined_and_the_last_usage_counts() -> None:
    reply = collected(
        Started("id", "m"),
        UsageSeen(Usage(input=1)),
        BlockStarted("text"),
        Delta("a"),
        Ping(),
        Delta("b"),
        BlockEnded(),
        BlockStarted("reasoning"),
        Sealed(SEAL),
        BlockEnded(),
        UsageSeen(Usage(input=1, output=2)),
        Finished("end"),
    ).reply
    assert reply is not None
    assert reply.parts == (Text("ab"), Reasoning("", SEAL))
    assert reply.usage == Usage(input=1, output=2)


def test_a_call_without_arguments_has_an_empty_object() -> None:
    events = (BlockStarted("tool_call", "c", "now"), BlockEnded(), Finished("tool_calls"))
    reply = collected(Started("id", "m"), *events).reply
    assert reply is not None
    assert reply.parts == (ToolCall("c", "now", "{}"),)


def test_a_failure_is_no_reply() -> None:
    failed = Failed("api_error", "x")
    collector = collected(Started("id", "m"), BlockStarted("text"), Delta("a"), failed)
    assert (collector.reply, collector.failure) == (None, failed)
