"""Law: how the network cuts an upstream's stream, and how the upstream writes it, changes nothing."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.conversation.parts import Wire
from tests.laws import streams
from tests.laws.pace import examples
from tests.laws.translations import hello, streamed


def chunks(stream: bytes, cuts: set[int]) -> list[bytes]:
    at = [0, *sorted(cuts), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(at)]


@pytest.mark.parametrize(("client", "upstream"), streams.PAIRS)
@given(data=st.data())
@examples(15)
def test_cut_anywhere(client: Wire, upstream: Wire, data: st.DataObject) -> None:
    _, stream = data.draw(streams.tellings(upstream))
    raw = data.draw(streams.dressed(stream))
    cuts = data.draw(st.sets(st.integers(0, len(raw)), max_size=12))
    translation = hello(client, upstream)
    expected = streamed(translation, [stream])
    assert streamed(translation, chunks(raw, cuts)) == expected
    assert translation.collect(raw) == translation.collect(stream)


@pytest.mark.parametrize(("client", "upstream"), streams.PAIRS)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@given(data=st.data())
@examples(2)
def test_byte_by_byte(client: Wire, upstream: Wire, newline: str, data: st.DataObject) -> None:
    _, stream = data.draw(streams.tellings(upstream))
    raw = b"\xef\xbb\xbf" + streams.as_bytes(
        [streams.in_lines(one) for one in streams.server_sent(stream)], newline
    )
    translation = hello(client, upstream)
    assert streamed(translation, (raw[at : at + 1] for at in range(len(raw)))) == streamed(
        translation, [stream]
    )
