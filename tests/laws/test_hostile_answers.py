"""Law: whatever an upstream answers, it is a reply or a failure, and every client can be told of it."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import Wire
from ccproxy.translation import CODECS, Translation
from tests.laws import hostile, streams
from tests.laws.grammar import check_client_stream
from tests.laws.pace import examples
from tests.laws.streams import PAIRS, WIRES
from tests.laws.translations import hello


def told(translation: Translation, raw: bytes) -> None:
    reply = translation.reply(raw)
    if isinstance(reply, Failed):
        assert isinstance(msgspec.json.decode(translation.encode_failure(reply, "req_1")), dict)
        return
    assert isinstance(msgspec.json.decode(translation.encode(reply)), dict)
    check_client_stream(translation.client, translation.encode_as_stream(reply))


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@given(data=st.data())
@examples(30)
def test_junk_in_an_answer(client: Wire, upstream: Wire, data: st.DataObject) -> None:
    reply = data.draw(streams.replies(upstream))
    whole = CODECS[upstream].encode_reply(reply, streams.upstream())
    told(hello(client, upstream), encoded(data.draw(hostile.spoilt(whole))))


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@given(
    value=st.dictionaries(
        st.sampled_from(("choices", "content", "output", "error", "status")), hostile.junk()
    )
)
@examples(15)
def test_nothing_but_junk(client: Wire, upstream: Wire, value: Any) -> None:
    told(hello(client, upstream), encoded(value))


@pytest.mark.parametrize("wire", WIRES)
@given(
    value=hostile.junk(), status=st.integers(400, 599), retry=st.sampled_from(("5", "soon", "1e999", "-1"))
)
@examples(30)
def test_an_error_that_is_none(wire: Wire, value: Any, status: int, retry: str) -> None:
    for raw in (encoded(value), encoded({"error": value}), encoded({"detail": value}), b"\xff<html>"):
        failed = CODECS[wire].decode_error(status, {"retry-after": retry}, raw)
        assert failed.type
        assert 400 <= failed.status < 600
        for client in WIRES:
            assert isinstance(msgspec.json.decode(CODECS[client].encode_error(failed, "req_1")), dict)


def encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
