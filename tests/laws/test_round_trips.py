"""Law: what goes through another format and back is still there."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.backends.models import facts
from ccproxy.conversation.parts import Document, Image, Part, Text, ToolCall, ToolResult, Wire
from ccproxy.conversation.reply import replay
from ccproxy.conversation.request import Request, Tool
from ccproxy.formats.codec import Names
from ccproxy.formats.names import wire_id
from ccproxy.translation import CODECS
from tests.laws import streams
from tests.laws.conversations import MODELS, Conversation, body, conversations, odd_names
from tests.laws.pace import examples
from tests.laws.translations import collected, events_of, gist, hello, streamed, translated


def decoded(wire: Wire, value: dict[str, Any]) -> Request:
    return CODECS[wire].decode_request(value).request


def there_and_back(conversation: Conversation, client: Wire, upstream: Wire) -> tuple[Request, Request]:
    """What the client said, and what comes of it when the upstream, as a client, says it back."""
    said = decoded(client, body(client, conversation))
    there = CODECS[upstream].encode_request(said, facts(MODELS[upstream]))
    back = CODECS[client].encode_request(decoded(upstream, there.body), facts(MODELS[client]))
    heard = decoded(client, back.body)
    return said, _renamed(heard, dict(_originals(there.names, back.names)))


def _originals(there: Names, back: Names) -> Iterator[tuple[str, str]]:
    yield from there.original.items()
    yield from ((wire, there.original.get(name, name)) for wire, name in back.original.items())


def _renamed(request: Request, original: dict[str, str]) -> Request:
    def part(one: Part) -> Part:
        return replace(one, name=original.get(one.name, one.name)) if isinstance(one, ToolCall) else one

    return replace(
        request,
        turns=tuple(replace(turn, parts=tuple(map(part, turn.parts))) for turn in request.turns),
        tools=tuple(
            replace(tool, name=original.get(tool.name, tool.name)) if isinstance(tool, Tool) else tool
            for tool in request.tools
        ),
    )


def history(request: Request) -> list[Any]:
    """Everything that was said, in order; texts of one side in a row are one text."""
    said: list[Any] = []
    for turn in request.turns:
        for part in turn.parts:
            one = (turn.role, *_said(part))
            if one[1] == "text" and said and said[-1][:2] == one[:2]:
                said[-1] = (*one[:2], said[-1][2] + one[2])
            else:
                said.append(one)
    return said


def _said(part: Part) -> tuple[Any, ...]:
    match part:
        case Text():
            return ("text", part.text)
        case Image():
            return ("image", part.media)
        case Document():
            return ("document", part.media, part.title)
        case ToolCall():
            return ("call", wire_id(part.id), part.name, json.loads(part.arguments))
        case ToolResult():
            texts = "\n".join(inner.text for inner in part.parts if isinstance(inner, Text))
            return ("result", wire_id(part.call_id), texts, part.is_error)
    raise AssertionError(part)


def tools(request: Request) -> list[Any]:
    return [(t.name, t.description, t.schema) for t in request.tools if isinstance(t, Tool)]


def system(request: Request) -> str:
    return "\n\n".join(text.text for text in request.system)


@pytest.mark.parametrize(("client", "upstream"), streams.PAIRS)
@given(conversation=conversations())
@examples(20)
def test_a_request(client: Wire, upstream: Wire, conversation: Conversation) -> None:
    said, heard = there_and_back(conversation, client, upstream)
    assert history(heard) == history(said)
    assert tools(heard) == tools(said)
    assert system(heard) == system(said)
    assert heard.params.max_tokens == said.params.max_tokens


@pytest.mark.parametrize(("client", "upstream"), streams.PAIRS)
@given(conversation=conversations(names=odd_names()))
@examples(20)
def test_names_that_the_upstream_does_not_take(
    client: Wire, upstream: Wire, conversation: Conversation
) -> None:
    said, heard = there_and_back(conversation, client, upstream)
    assert tools(heard) == tools(said)
    assert history(heard) == history(said)


@pytest.mark.parametrize(("client", "upstream"), streams.PAIRS)
@given(conversation=conversations(names=odd_names()), data=st.data())
@examples(12)
def test_a_call_comes_back_under_the_clients_name(
    client: Wire, upstream: Wire, conversation: Conversation, data: st.DataObject
) -> None:
    """Whatever the tool is called on the wire, in an answer in one piece and in a stream."""
    translation = translated({**body(client, conversation), "stream": True}, client, upstream)
    declared = [_name(tool) for tool in json.loads(translation.body)["tools"]]
    assert len(set(declared)) == len(conversation.tools)
    reply, _ = data.draw(streams.tellings(upstream))
    at = data.draw(st.integers(0, len(declared) - 1))
    call = ToolCall("call_1", declared[at], '{"a":1}')
    asked = streams.asking(reply, call)
    said = streams.written(upstream, list(replay(asked)))
    client_stream = streamed(translation, [said])
    read = collected(events_of(client, streams.server_sent(client_stream)))
    assert gist(read)["calls"] == [("call_1", conversation.tools[at].name, False, {"a": 1})]


def _name(tool: dict[str, Any]) -> str:
    return str(tool.get("function", tool)["name"])


@pytest.mark.parametrize(("client", "upstream"), streams.PAIRS)
@given(data=st.data())
@examples(20)
def test_an_answer(client: Wire, upstream: Wire, data: st.DataObject) -> None:
    """The upstream's JSON, as the client's JSON, read again: text, calls, stop reason and usage."""
    reply = data.draw(streams.replies(upstream))
    raw = json.dumps(CODECS[upstream].encode_reply(reply, streams.upstream())).encode()
    translation = hello(client, upstream)
    from_upstream = translation.reply(raw)
    told = gist(reply)
    told["calls"] = [(_id(call[0], upstream), *call[1:]) for call in told["calls"]]
    assert gist(from_upstream) | {"seals": []} == told | {"seals": []}
    read = gist(CODECS[client].decode_reply(json.loads(translation.encode(reply)), Names()))
    said = gist(reply)
    said["text"], read["text"] = said["text"] + said.pop("refusal"), read["text"] + read.pop("refusal")
    said["calls"] = [(_id(call[0], client), *call[1:]) for call in said["calls"]]
    assert read | {"seals": []} == said | {"seals": []}


def _id(call_id: str, client: Wire) -> str:
    """Only Messages is strict about ids of calls."""
    return wire_id(call_id) if client == "anthropic" else call_id
