"""The official SDKs read every golden stream, and find in it what the upstream has said."""

import json
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest

from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import Part, Reasoning, Refusal, Text, ToolCall, Wire
from ccproxy.conversation.reply import Collector, Reply
from ccproxy.conversation.usage import Usage
from ccproxy.formats.codec import Names
from ccproxy.formats.sse import Reader
from ccproxy.translation import CODECS
from tests.formats.anthropic import judges as anthropic_judges
from tests.formats.chat import judges as chat_judges
from tests.formats.responses import judges as responses_judges
from tests.golden.cases import Case, stream_cases

READ: dict[Wire, Callable[[bytes], Any]] = {
    "anthropic": anthropic_judges.read_by_sdk,
    "chat": chat_judges.read_by_sdk,
    "responses": responses_judges.read_by_sdk,
}
UNREADABLE = {
    # arguments that are no JSON are given on as they came
    "chat-tool_arguments_broken-to-anthropic",
    # the SDK's stream helper knows no calls of custom tools
    "responses-custom_tool_call-to-chat",
}


def said(case: Case) -> Reply | Failed:
    """What the upstream's stream says."""
    collector, decoder, reader = Collector(), CODECS[case.source].stream_decoder(Names()), Reader()
    for server_sent in reader.feed(case.given.read_bytes()):
        for event in decoder.feed(server_sent):
            collector.take(event)
    for event in decoder.end():
        collector.take(event)
    outcome = collector.reply or collector.failure
    assert outcome is not None
    return outcome


def gist(parts: tuple[Part, ...], target: Wire) -> dict[str, Any]:
    """What has to be the same in every format: the words, and the calls with the values of their arguments.

    A refusal is text in the Messages API, and a custom tool's input is `{"input": …}` there.
    """
    words = {Text: "", Refusal: "", Reasoning: ""}
    calls: list[Any] = []
    for part in parts:
        match part:
            case Text() | Refusal() | Reasoning():
                kind = Text if target == "anthropic" and isinstance(part, Refusal) else type(part)
                # text of nothing but white space is no block of the Messages API
                words[kind] += "" if target == "anthropic" and not part.text.strip() else part.text
            case ToolCall():
                calls.append((part.id, part.name, arguments(part, target)))
    return {"calls": calls} | {kind.__name__: text for kind, text in words.items()}


def arguments(call: ToolCall, target: Wire) -> Any:
    if call.custom:
        return {"input": call.arguments} if target == "anthropic" else call.arguments
    try:
        return json.loads(call.arguments)
    except ValueError:
        return call.arguments


def tokens(usage: Usage) -> list[int]:
    return [
        count or 0
        for count in (usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning)
    ]


@pytest.mark.parametrize("case", stream_cases(), ids=lambda case: case.name)
def test_the_sdk_finds_what_the_upstream_said(case: Case) -> None:
    expected, stream = said(case), case.expected.read_bytes()
    if case.name in UNREADABLE:
        with pytest.raises((ValueError, AttributeError)):
            READ[case.target](stream)
        return
    if isinstance(expected, Failed):
        with pytest.raises((anthropic.APIError, openai.APIError, RuntimeError)) as caught:
            READ[case.target](stream)
        # the helper for responses says no more than that there was no regular end
        assert expected.message in str(caught.value) or b"event: response.failed" in stream
        return
    try:
        answer = READ[case.target](stream)
    except (openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError):
        assert case.target == "chat"
        assert expected.stop in ("length", "context", "refusal")
        return
    except RuntimeError:
        # the helper for responses waits for `response.completed` alone
        assert b"event: response.incomplete" in stream
        assert expected.stop in ("length", "context", "refusal")
        return
    found = CODECS[case.target].decode_reply(answer.model_dump(mode="json"), Names())
    assert isinstance(found, Reply)
    assert answer.model == "the-clients-name"
    have, want = gist(found.parts, case.target), gist(expected.parts, case.target)
    if expected.stop in ("length", "context"):
        # the SDK makes what it can of arguments that were cut short
        assert len(have.pop("calls")) == len(want.pop("calls"))
    assert have == want
    assert tokens(found.usage) == tokens(expected.usage)
