"""Whose sides are kept, and where."""

import gzip
from pathlib import Path

import pytest
from mitmproxy import http
from mitmproxy.addons import dumper, save, view
from mitmproxy.test import taddons, tflow

from ccproxy.addons.client_sides import (
    RECORDING,
    ClientSides,
    client_side_of,
    forget_client_side,
    somebody_looks,
    wanted,
)
from ccproxy.addons.exchanges import begin
from ccproxy.exchange import Exchange
from ccproxy.routes import Operation


class Recording:
    name = RECORDING


def flow_of(operation: Operation = "messages", body: bytes = b"{}") -> http.HTTPFlow:
    flow = tflow.tflow()
    flow.request.content = body
    begin(flow, Exchange("reverse", "POST", "/api/v1/messages?beta=true", operation=operation))
    return flow


def kept(flow: http.HTTPFlow, limit: int = 1000) -> bool:
    ClientSides(limit).request(flow)
    return client_side_of(flow) is not None


def test_what_the_client_said_before_anybody_changes_it() -> None:
    flow = flow_of(body=b'{"model":"m"}')
    flow.request.encode("gzip")
    with taddons.context(view.View()):
        assert kept(flow)
    flow.request.content = b"changed"
    side = client_side_of(flow)
    assert side
    assert (side.said, side.path) == (b'{"model":"m"}', "/api/v1/messages?beta=true")
    forget_client_side(flow)
    forget_client_side(flow)
    assert client_side_of(flow) is None


def test_not_what_is_no_conversation_or_must_not_be_kept() -> None:
    with taddons.context(view.View()):
        assert kept(flow_of())
        assert not kept(flow_of("models"))
        assert not kept(tflow.tflow())
        streamed, secret, packed = flow_of(), flow_of(), flow_of()
        streamed.request.raw_content = None
        assert not kept(streamed)
        begin(secret, Exchange("reverse", "POST", "/", operation="messages", confidential=True))
        assert not kept(secret)
        packed.request.headers["content-encoding"] = "gzip"
        packed.request.raw_content = b"no gzip"
        assert not kept(packed)
        packed.request.raw_content = gzip.compress(b"x" * 2000)
        assert not kept(packed)


def test_a_program_without_eyes_keeps_none() -> None:
    with taddons.context():
        assert not wanted()
        assert not kept(flow_of())


def test_a_program_that_shows_flows_or_writes_them(tmp_path: Path) -> None:
    with taddons.context(view.View()):
        assert somebody_looks()
    with taddons.context(Recording()):
        assert wanted()
        assert not somebody_looks()
    with taddons.context(save.Save()) as context:
        assert not somebody_looks()
        context.options.update(save_stream_file=str(tmp_path / "flows"))
        assert somebody_looks()
        context.options.update(save_stream_file=None)


@pytest.mark.parametrize(("detail", "looks"), [(0, False), (2, False), (3, True)])
def test_mitmdump_as_far_as_it_prints_bodies(detail: int, looks: bool) -> None:
    with taddons.context(dumper.Dumper()) as context:
        context.options.update(flow_detail=detail)
        assert somebody_looks() is looks
