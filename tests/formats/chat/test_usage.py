import json

from ccproxy.conversation.usage import Usage
from ccproxy.formats.chat.usage import UsageReader
from ccproxy.formats.sse import ServerSentEvent

USAGE = (
    '"usage":{"prompt_tokens":20,"completion_tokens":6,"prompt_tokens_details":{"cached_tokens":8},'
    '"completion_tokens_details":{"reasoning_tokens":4}}'
)


def test_a_reply() -> None:
    reader = UsageReader()
    reader.reply(f'{{"model":"m","choices":[{{"finish_reason":"stop"}}],{USAGE}}}'.encode())
    assert reader.usage == Usage(input=20, output=6, cache_read=8, reasoning=4)
    assert (reader.model, reader.stop_reason) == ("m", "stop")


def test_a_stream() -> None:
    reader = UsageReader()
    for data in [
        '{"model":"m","choices":[{"delta":{},"finish_reason":null}],"usage":null}',
        '{"model":"m","choices":[{"delta":{"content":"x"},"finish_reason":null}],"usage":null}',
        '{"model":"m","choices":[{"delta":{},"finish_reason":"length"}],"usage":null}',
        f'{{"model":"m","choices":[],{USAGE}}}',
        "[DONE]",
    ]:
        reader.event(ServerSentEvent("", data))
    assert reader.usage == Usage(input=20, output=6, cache_read=8, reasoning=4)
    assert (reader.model, reader.stop_reason, reader.error) == ("m", "length", None)


def test_an_error_in_the_stream() -> None:
    reader = UsageReader()
    reader.event(ServerSentEvent("", '{"error":{"message":"x","type":"server_error","code":null}}'))
    assert reader.error == "server_error"


def test_the_cost_where_the_upstream_says_it() -> None:
    reader = UsageReader()
    reader.reply(b'{"usage":{"prompt_tokens":3,"completion_tokens":7,"total_cost_usd":0.25}}')
    assert reader.usage == Usage(input=3, output=7, cost=0.25)


def test_the_tier_that_served_it() -> None:
    for named, tier in (("priority", "priority"), ("default", None), (None, None), (7, None)):
        reader = UsageReader()
        reader.reply(json.dumps({"service_tier": named, "usage": {"prompt_tokens": 1}}).encode())
        assert reader.usage == Usage(input=1, tier=tier)
