"""Law: an answer in one piece and the same answer as a stream say the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.conversation.parts import Wire
from ccproxy.conversation.reply import Reply
from ccproxy.formats.codec import Names
from ccproxy.translation import CODECS
from tests.laws import streams
from tests.laws.grammar import check_client_stream
from tests.laws.pace import examples
from tests.laws.translations import collected, events_of, gist, hello, streamed


@pytest.mark.parametrize("wire", streams.WIRES)
@given(data=st.data())
@examples(40)
def test_an_upstream_says_the_same_in_both_ways(wire: Wire, data: st.DataObject) -> None:
    reply, stream = data.draw(streams.tellings(wire))
    codec = CODECS[wire]
    whole = codec.decode_reply(codec.encode_reply(reply, streams.upstream()), Names())
    from_stream = collected(events_of(wire, streams.server_sent(stream)))
    assert isinstance(whole, Reply)
    assert isinstance(from_stream, Reply)
    assert [type(part) for part in whole.parts] == [type(part) for part in from_stream.parts]
    assert gist(whole) == gist(from_stream)
    assert (whole.id, whole.model, whole.stop) == (from_stream.id, from_stream.model, from_stream.stop)


@pytest.mark.parametrize(("client", "upstream"), streams.PAIRS)
@given(data=st.data())
@examples(40)
def test_a_client_reads_the_same_in_both_ways(client: Wire, upstream: Wire, data: st.DataObject) -> None:
    _, stream = data.draw(streams.tellings(upstream))
    translation, codec = hello(client, upstream), CODECS[client]
    reply = translation.collect(stream)
    assert isinstance(reply, Reply)
    whole = codec.decode_reply(json.loads(translation.encode(reply)), Names())
    for told in (streamed(translation, [stream]), translation.encode_as_stream(reply)):
        assert check_client_stream(client, told) == "end"
        assert gist(collected(events_of(client, streams.server_sent(told)))) == gist(whole)


@pytest.mark.parametrize(("client", "upstream"), streams.PAIRS)
@given(data=st.data())
@examples(40)
def test_the_client_reads_what_the_upstream_said(client: Wire, upstream: Wire, data: st.DataObject) -> None:
    reply, stream = data.draw(streams.tellings(upstream))
    told = streamed(hello(client, upstream), [stream])
    read, said = gist(collected(events_of(client, streams.server_sent(told)))), gist(reply)
    if "anthropic" in (client, upstream):
        # refusals of OpenAI's models are text in Messages
        read["text"], said["text"] = read["text"] + read.pop("refusal"), said["text"] + said.pop("refusal")
    # seals travel in carriers, which only requests unpack; ids change when the client would refuse them
    for one in (read, said):
        one.pop("seals")
        one["calls"] = [call[1:] for call in one["calls"]]
    assert read == said
