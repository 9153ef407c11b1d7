"""What is written on a flow."""

import io

from mitmproxy import flow as mitmproxy_flow
from mitmproxy import http
from mitmproxy.io import FlowReader, FlowWriter
from mitmproxy.test import taddons, tflow

from ccproxy.addons.exchanges import begin
from ccproxy.addons.notes import TIMES, Notes
from ccproxy.credentials.credential import Secret
from ccproxy.exchange import Exchange


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


async def test_whoever_shows_flows_is_told() -> None:
    class View:
        seen: list[mitmproxy_flow.Flow] = []

        def update(self, flows: list[mitmproxy_flow.Flow]) -> None:
            self.seen += flows

    flow = flow_with(exchange(), resp=True)
    with taddons.context(View()):
        await Notes().response(flow)
    assert View.seen == [flow]
