import json

from ccproxy.conversation.usage import Usage
from ccproxy.formats.responses.usage import UsageReader, usage_object, usage_of
from ccproxy.formats.sse import ServerSentEvent

RESPONSE = (
    '{"model":"m","status":"%s","incomplete_details":%s,"usage":{"input_tokens":20,"output_tokens":6,'
    '"input_tokens_details":{"cached_tokens":8},"output_tokens_details":{"reasoning_tokens":4}}}'
)


def test_a_reply() -> None:
    reader = UsageReader()
    reader.reply((RESPONSE % ("completed", "null")).encode())
    assert reader.usage == Usage(input=20, output=6, cache_read=8, reasoning=4)
    assert (reader.model, reader.stop_reason) == ("m", "completed")


def test_a_stream() -> None:
    reader = UsageReader()
    incomplete = RESPONSE % ("incomplete", '{"reason":"max_output_tokens"}')
    for name, data in [
        ("response.created", '{"response":{"model":"m","status":"in_progress"}}'),
        ("response.output_text.delta", '{"delta":"x"}'),
        ("response.incomplete", f'{{"response":{incomplete}}}'),
    ]:
        reader.event(ServerSentEvent(name, data))
    assert reader.usage.output == 6
    assert reader.stop_reason == "max_output_tokens"


def test_errors() -> None:
    reader = UsageReader()
    reader.event(
        ServerSentEvent("response.failed", '{"response":{"status":"failed","error":{"code":"server_error"}}}')
    )
    assert reader.error == "server_error"
    reader.event(ServerSentEvent("error", '{"code":"rate_limit_exceeded"}'))
    assert reader.error == "rate_limit_exceeded"


def test_usage_of_a_response_and_back() -> None:
    figures = {
        "input_tokens": 1000,
        "input_tokens_details": {"cached_tokens": 900, "cache_write_tokens": 90},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 20},
        "total_tokens": 1050,
    }
    assert usage_of(figures) == Usage(1000, 50, 900, 90, 20)
    assert usage_object(usage_of(figures)) == figures


def test_figures_that_are_none() -> None:
    assert usage_of(None) == usage_of([]) == Usage()
    assert usage_of({"input_tokens": "7", "output_tokens": True, "input_tokens_details": 3}) == Usage()
    assert usage_object(Usage()) is None


def test_the_cost_where_the_upstream_says_it() -> None:
    written = usage_object(Usage(1, 2, 0, 0, 0, 0.25))
    assert written is not None
    assert written["total_cost_usd"] == 0.25
    assert usage_of(written) == Usage(1, 2, 0, 0, 0, 0.25)
    reader = UsageReader()
    reader.reply(b'{"status":"completed","usage":{"input_tokens":3,"output_tokens":7,"total_cost_usd":0.25}}')
    assert reader.usage == Usage(3, 7, cost=0.25)


def test_the_tier_that_served_it() -> None:
    for named, tier in (("flex", "flex"), ("default", None), (None, None), (7, None)):
        reader = UsageReader()
        reader.reply(json.dumps({"service_tier": named, "usage": {"input_tokens": 1}}).encode())
        assert reader.usage == Usage(input=1, tier=tier)
