"""What is written on a flow."""

import io

import pytest
from mitmproxy import flow as mitmproxy_flow
from mitmproxy import http
from mitmproxy.io import FlowReader, FlowWriter
from mitmproxy.test import taddons, tflow

from ccproxy.addons.client_sides import RECORDING, ClientSides, client_side_of
from ccproxy.addons.exchanges import begin
from ccproxy.addons.notes import PACE, TIMES, Notes
from ccproxy.client_side import ClientSide
from ccproxy.conversation.usage import Usage
from ccproxy.credentials.credential import Secret
from ccproxy.exchange import Exchange
from ccproxy.inspector.translation import CHANGES, HEARD, SAID


def flow_with(exchange: Exchange, **parts: bool) -> http.HTTPFlow:
    flow = tflow.tflow(**parts)  # type: ignore[arg-type]
    begin(flow, exchange)
    return flow


def exchange() -> Exchange:
    made = Exchange("reverse", "POST", "/api/v1/messages", policy="attach", model_requested="m", status=200)
    made.attached = [("x-api-key", "hush")]
    made.secret = Secret((("x-api-key", "hush"),))
    made.sent, made.first_byte = made.started + 0.01, made.started + 0.2
    return made


async def test_a_flow_file_keeps_them_and_no_secret() -> None:
    flow = flow_with(exchange(), resp=True)
    with taddons.context():
        await Notes().response(flow)
    file = io.BytesIO()
    FlowWriter(file).add(flow)
    assert b"hush" not in file.getvalue()
    file.seek(0)
    (again,) = FlowReader(file).stream()
    assert again.comment == "m, first byte 0.20 s"
    assert again.marked == ""
    assert round(again.metadata[TIMES]["first_byte"], 3) == 0.2


async def test_what_a_user_wrote_stays() -> None:
    flow = flow_with(exchange(), resp=True)
    flow.comment, flow.marked = "mine", ":star:"
    with taddons.context():
        await Notes().response(flow)
    assert (flow.comment, flow.marked) == ("mine", ":star:")


async def test_an_error_is_marked() -> None:
    made = exchange()
    made.error = "client_disconnected"
    flow = flow_with(made, err=True)
    with taddons.context():
        await Notes().error(flow)
    assert flow.marked == ":x:"
    assert flow.comment.endswith("client_disconnected")


async def test_what_is_not_our_business_stays_as_it_is() -> None:
    flow = flow_with(Exchange("tunnel", "GET", "/", policy="relay", status=500), resp=True)
    stranger = tflow.tflow(resp=True)
    with taddons.context():
        await Notes().response(flow)
        await Notes().response(stranger)
    for one in (flow, stranger):
        assert (one.comment, one.marked, one.metadata) == ("", "", {})


async def test_a_connection_counts_for_the_request_that_it_was_made_for() -> None:
    made = exchange()
    flow = flow_with(made, resp=True)
    server = flow.server_conn
    server.timestamp_start = made.started_at + 0.1
    server.timestamp_tcp_setup = made.started_at + 0.2
    server.timestamp_tls_setup = made.started_at + 0.5
    with taddons.context():
        await Notes().response(flow)
        times = flow.metadata[TIMES]
        assert (round(times["connect"], 3), round(times["tls"], 3)) == (0.1, 0.3)
        server.timestamp_start = made.started_at - 5
        await Notes().response(flow)
    assert "connect" not in flow.metadata[TIMES]


async def test_a_socket_tells_of_its_last_turn() -> None:
    flow = tflow.twebsocketflow()
    begin(flow, exchange())
    assert flow.websocket
    message = flow.websocket.messages[0]
    message.from_client = False
    message.content = b'{"type":"response.completed","response":{"model":"m"}}'
    flow.websocket.messages = [message]
    notes = Notes()
    with taddons.context():
        await notes.websocket_message(flow)
        assert flow.comment == "turn 1, m"
        await notes.websocket_message(flow)
        assert flow.comment == "turn 2, m"
        flow.comment = "mine"
        await notes.websocket_message(flow)
    assert flow.comment == "mine"


async def test_a_turn_that_failed_is_marked() -> None:
    flow = tflow.twebsocketflow()
    begin(flow, exchange())
    assert flow.websocket
    message = flow.websocket.messages[0]
    message.from_client, message.content = False, b'{"type":"error","code":"busy"}'
    flow.websocket.messages = [message]
    with taddons.context():
        await Notes().websocket_message(flow)
    assert (flow.comment, flow.marked) == ("turn 1, busy", ":x:")


@pytest.mark.parametrize(("by_client", "why"), [(True, "client_disconnected"), (False, "upstream_cut")])
async def test_a_socket_that_closes_in_the_middle_of_a_turn(by_client: bool, why: str) -> None:
    flow = tflow.twebsocketflow()
    begin(flow, exchange())
    assert flow.websocket
    message = flow.websocket.messages[0]
    flow.websocket.messages, flow.websocket.closed_by_client = [message], by_client
    with taddons.context():
        message.from_client, message.content = True, b'{"type":"response.processed"}'
        await Notes().websocket_end(flow)
        assert (flow.comment, flow.marked) == ("", "")
        message.content = b'{"type":"response.create"}'
        await Notes().websocket_end(flow)
    assert (flow.comment, flow.marked) == (f"turn 1, {why}", ":x:")


class Looking:
    """Stands for a tool that shows flows."""

    name = "view"


def sides(flow: http.HTTPFlow, body: bytes) -> ClientSide:
    """A request that came with this body."""
    flow.request.content = body
    ClientSides(1000).request(flow)
    side = client_side_of(flow)
    assert side
    return side


def conversation() -> Exchange:
    made = exchange()
    made.client_format, made.operation, made.upstream_format = "chat", "chat", "anthropic"
    made.usage = Usage(output=40)
    return made


async def test_what_was_changed_is_kept_in_a_flow_file_and_nowhere_else() -> None:
    made = conversation()
    flow = flow_with(made, resp=True)
    assert flow.response
    with taddons.context(Looking()):
        side = sides(flow, b'{"said": 1}')
        flow.request.content, flow.response.content = b'{"sent": 1}', b"upstream's"
        for at in (0.5, 2.5):
            side.heard.append((at, b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'))
        await Notes().response(flow)
    assert client_side_of(flow) is None
    file = io.BytesIO()
    FlowWriter(file).add(flow)
    file.seek(0)
    (again,) = FlowReader(file).stream()
    assert again.metadata == flow.metadata
    assert again.metadata[SAID] == b'{"said": 1}'
    assert again.metadata[HEARD] == side.answer
    assert again.metadata[PACE] == {"stalls": [[0.5, 2.0]], "speed": 20.0}


async def test_a_recording_finds_the_clients_side() -> None:
    class Recording:
        name = RECORDING

    flow = flow_with(conversation(), resp=True)
    with taddons.context(Recording()):
        side = sides(flow, b"{}")
        await Notes().response(flow)
    assert client_side_of(flow) is side


async def test_nothing_is_kept_where_nothing_was_changed() -> None:
    flow = flow_with(conversation(), resp=True)
    assert flow.response
    with taddons.context(Looking()):
        side = sides(flow, b"{}")
        flow.request.encode("gzip")
        flow.response.content = b"one"
        side.hear(b"one")
        await Notes().response(flow)
    assert flow.metadata.keys() == {TIMES}


@pytest.mark.parametrize("encoding", ["gzip", "br"])
async def test_a_client_that_left_and_an_answer_that_broke_off(encoding: str) -> None:
    """Nothing may have come, or the half of what was compressed."""
    silent, half = flow_with(conversation(), err=True), flow_with(conversation(), err=True, resp=True)
    assert half.response
    with taddons.context(Looking()):
        for flow in (silent, half):
            side = sides(flow, b'{"said": 1}')
            flow.request.content = b'{"sent": 1}'
        half.response.content = b"one two three" * 100
        half.response.encode(encoding)
        half.response.raw_content = (half.response.raw_content or b"")[:15]
        side.expect(encoding)
        side.hear(half.response.raw_content)
        for flow in (silent, half):
            await Notes().error(flow)
            assert flow.metadata[CHANGES]["differs"] == [SAID]
            assert client_side_of(flow) is None


async def test_an_error_after_the_answer_takes_nothing_back() -> None:
    flow = flow_with(conversation(), resp=True)
    with taddons.context(Looking()):
        sides(flow, b'{"said": 1}')
        flow.request.content = b"{}"
        await Notes().response(flow)
        await Notes().error(flow)
    assert SAID in flow.metadata


async def test_a_flow_that_is_sent_again_begins_anew() -> None:
    flow, stranger = flow_with(conversation()), tflow.tflow()
    for one in (flow, stranger):
        one.metadata.update({TIMES: {}, PACE: {}, SAID: b"x", "other": 1})
        Notes().requestheaders(one)
    assert flow.metadata == {"other": 1}
    assert SAID in stranger.metadata


async def test_whoever_shows_flows_is_told() -> None:
    class View:
        seen: list[mitmproxy_flow.Flow] = []

        def update(self, flows: list[mitmproxy_flow.Flow]) -> None:
            self.seen += flows

    flow = flow_with(exchange(), resp=True)
    with taddons.context(View()):
        await Notes().response(flow)
    assert View.seen == [flow]
