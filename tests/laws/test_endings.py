"""Laws: whatever an upstream does, its stream has one end, and a client never reads two blocks at once."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.conversation.events import BlockEnded, BlockStarted, Delta, Failed
from ccproxy.conversation.parts import Wire
from ccproxy.formats.sse import ServerSentEvent
from tests.laws import hostile, streams
from tests.laws.grammar import check_client_stream, check_events
from tests.laws.pace import examples
from tests.laws.translations import events_of, hello, streamed


@st.composite
def sloppy_streams(draw: st.DrawFn, wire: Wire) -> list[ServerSentEvent]:
    _, stream = draw(streams.tellings(wire))
    return draw(hostile.disorder(streams.server_sent(stream)))


@pytest.mark.parametrize("wire", streams.WIRES)
@given(data=st.data())
@examples(120)
def test_one_end_and_the_grammar(wire: Wire, data: st.DataObject) -> None:
    check_events(events_of(wire, data.draw(sloppy_streams(wire))))


@pytest.mark.parametrize(("client", "upstream"), streams.PAIRS)
@given(data=st.data())
@examples(30)
def test_one_end_for_the_client(client: Wire, upstream: Wire, data: st.DataObject) -> None:
    stream = streams.as_bytes(data.draw(sloppy_streams(upstream)))
    check_client_stream(client, streamed(hello(client, upstream), [stream]))


@pytest.mark.parametrize("wire", streams.WIRES)
@given(data=st.data())
@examples(30)
def test_any_number_of_streams_is_one(wire: Wire, data: st.DataObject) -> None:
    said = [event for _ in range(2) for event in data.draw(sloppy_streams(wire))]
    check_events(events_of(wire, said))


@pytest.mark.parametrize("wire", streams.WIRES)
@given(data=st.data())
@examples(30)
def test_a_stream_without_its_end_has_failed(wire: Wire, data: st.DataObject) -> None:
    _, stream = data.draw(streams.tellings(wire))
    said = [event for event in streams.server_sent(stream) if not is_end(event)]
    cut = said[: data.draw(st.integers(0, len(said)))]
    end = check_events(events_of(wire, cut))
    assert isinstance(end, Failed)
    assert end.type == "api_error"
    assert "early" in end.message


@pytest.mark.parametrize(("client", "upstream"), streams.PAIRS)
@given(data=st.data())
@examples(15)
def test_what_was_cut_short_does_not_look_whole(client: Wire, upstream: Wire, data: st.DataObject) -> None:
    """Clients run a call as soon as it is whole: what a cut stream ends, the whole stream had as well."""
    _, stream = data.draw(streams.tellings(upstream))
    cut = stream[: data.draw(st.integers(0, len(stream)))]
    translation = hello(client, upstream)
    parts, whole = (ended(client, streamed(translation, [one])) for one in (cut, stream))
    assert parts == whole[: len(parts)]


@pytest.mark.parametrize(("client", "upstream"), streams.PAIRS)
@given(data=st.data())
@examples(15)
def test_a_stream_that_we_end_has_one_end(client: Wire, upstream: Wire, data: st.DataObject) -> None:
    _, stream = data.draw(streams.tellings(upstream))
    at = data.draw(st.integers(0, len(stream)))
    translator = hello(client, upstream).stream()
    pieces = translator.feed(stream[:at])
    pieces += translator.fail(Failed("timeout_error", "No answer in time.", 504))
    assert translator.feed(stream[at:]) == translator.end() == translator.ping() == []
    check_client_stream(client, b"".join(pieces))


def ended(client: Wire, stream: bytes) -> list[str]:
    """The blocks that a client reads to their end, in words."""
    found: list[str] = []
    block = ""
    for event in events_of(client, streams.server_sent(stream)):
        match event:
            case BlockStarted():
                block = f"{event.kind} {event.id} {event.name} "
            case Delta():
                block += event.text
            case BlockEnded():
                found.append(block)
    return found


def is_end(event: ServerSentEvent) -> bool:
    """Any of them is enough for a regular end."""
    if event.data == "[DONE]" or event.name in ("message_stop", "response.completed", "response.incomplete"):
        return True
    return any(choice.get("finish_reason") for choice in json.loads(event.data).get("choices", ()))
