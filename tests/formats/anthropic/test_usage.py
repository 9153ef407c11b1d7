from ccproxy.conversation.usage import Usage
from ccproxy.formats.anthropic.usage import UsageReader, to_wire
from ccproxy.formats.sse import ServerSentEvent


def test_a_reply() -> None:
    reader = UsageReader()
    reader.reply(
        b'{"model":"m","stop_reason":"end_turn","usage":{"input_tokens":3,"cache_read_input_tokens":40,'
        b'"cache_creation_input_tokens":5,"output_tokens":7,"output_tokens_details":{"thinking_tokens":2}}}'
    )
    assert reader.usage == Usage(input=48, output=7, cache_read=40, cache_write=5, reasoning=2)
    assert (reader.model, reader.stop_reason, reader.error) == ("m", "end_turn", None)


def test_a_stream_is_cumulative() -> None:
    reader = UsageReader()
    for name, data in [
        ("message_start", '{"message":{"model":"m","usage":{"input_tokens":9,"output_tokens":1}}}'),
        ("content_block_delta", '{"delta":{"stop_reason":"never read"}}'),
        ("message_delta", '{"delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":14}}'),
        ("message_stop", "{}"),
    ]:
        reader.event(ServerSentEvent(name, data))
    assert reader.usage == Usage(input=9, output=14)
    assert (reader.model, reader.stop_reason) == ("m", "tool_use")


def test_token_count_and_errors() -> None:
    reader = UsageReader()
    reader.reply(b'{"input_tokens":12}')
    assert reader.usage == Usage(input=12)
    reader.event(ServerSentEvent("error", '{"error":{"type":"overloaded_error"}}'))
    assert reader.error == "overloaded_error"


def test_what_it_does_not_understand_is_passed_over() -> None:
    reader = UsageReader()
    reader.reply(b'{"usage":[1]}')
    reader.reply(b"not json")
    reader.event(ServerSentEvent("message_start", "[]"))
    assert reader.usage == Usage()


def test_a_usage_object_alone() -> None:
    reader = UsageReader()
    said: list[object] = [{"input_tokens": 3, "output_tokens": 1}, None, [], {"output_tokens": "x"}]
    for usage in (*said, {"output_tokens": 7}):
        reader.take(usage)
    assert reader.usage == Usage(input=3, output=7)


def test_the_cost_where_the_upstream_says_it() -> None:
    reader = UsageReader()
    reader.reply(b'{"usage":{"input_tokens":3,"output_tokens":7,"total_cost_usd":0.25}}')
    assert reader.usage == Usage(input=3, output=7, cost=0.25)
    assert to_wire(reader.usage)["total_cost_usd"] == 0.25
    reader = UsageReader()
    reader.event(ServerSentEvent("message_delta", '{"usage":{"output_tokens":7,"total_cost_usd":"much"}}'))
    assert reader.usage == Usage(output=7)
    assert "total_cost_usd" not in to_wire(reader.usage)


def test_case_42_to_wire_takes_the_cache_out_of_the_input() -> None:
    assert to_wire(Usage(input=1000, output=50, cache_read=900, cache_write=90, reasoning=7)) == {
        "input_tokens": 10,
        "cache_creation_input_tokens": 90,
        "cache_read_input_tokens": 900,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 7},
    }
    assert to_wire(Usage(input=5, cache_read=9))["input_tokens"] == 0
    assert set(to_wire(Usage()).values()) == {0}


def test_cache_writes_by_duration_and_tier() -> None:
    reader = UsageReader()
    usage = {"input_tokens": 1, "cache_creation_input_tokens": 30, "service_tier": "standard"}
    usage |= {"cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}}
    reader.take(usage)
    assert (reader.usage.cache_write_5m, reader.usage.cache_write_1h, reader.usage.tier) == (10, 20, None)
    assert to_wire(reader.usage)["cache_creation"] == usage["cache_creation"]
    reader.take({"service_tier": "priority"})
    assert reader.usage.tier == "priority"
    reader.take({"speed": "fast"})
    assert reader.usage.tier == "fast"


def test_cache_writes_of_a_kind_that_nobody_knows_cost_no_other_figure() -> None:
    reader = UsageReader()
    for strange in (7, "many", {"ephemeral_5m_input_tokens": "many"}, {"ephemeral_1h_input_tokens": -1}):
        reader.take({"input_tokens": 1, "output_tokens": 2, "cache_creation": strange, "service_tier": 3})
        assert reader.usage == Usage(input=1, output=2)
