"""Time, over sockets: a connection that idles, whatever it carries, is none of the clock's business.

And what one read brought goes on in one piece.
"""

import base64
import os
import socket
import time
from collections.abc import Iterator

import pytest
from mitmproxy.connection import Client, Server
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.http._events import ResponseData, ResponseEndOfMessage

from ccproxy.addons.layer import LARGEST_JOIN, Joined, join_writes, joined
from tests.conftest import Proxies
from tests.support import upstreams
from tests.support.processes import Simulator
from tests.support.sockets import port_of, receive_until
from tests.support.upstreams import upstream

QUICK = {"RETRIES__IDLE_TIMEOUT_SECONDS": "0.4", "RETRIES__KEEPALIVE_SECONDS": "0.4"}


def test_an_idle_tunnel_outlives_many_ticks(host: str, proxies: Proxies, simulator: Simulator) -> None:
    proxy = proxies.get(host, QUICK)
    target = simulator.url.removeprefix("http://")
    with socket.create_connection(("127.0.0.1", port_of(proxy.proxy_url))) as tunnel:
        tunnel.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert b" 200 " in receive_until(tunnel, b"\r\n\r\n")
        time.sleep(1.2)
        tunnel.sendall(f"GET /_simulator/health HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert b"pass" in receive_until(tunnel, b"pass")
    assert "crashed" not in proxy.process.output


def echo_websocket(connection: socket.socket) -> None:
    upstreams.read_request(connection)
    head = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    connection.sendall(head + b"sec-websocket-accept: x\r\n\r\n")
    connection.recv(100)
    connection.sendall(b"\x81\x02hi")
    connection.recv(100)


def test_an_idle_websocket_outlives_many_ticks(host: str, proxies: Proxies) -> None:
    """A plain one through the regular listener, to a host that is not our business."""
    proxy = proxies.get(host, QUICK)
    with upstream(echo_websocket) as server:
        with socket.create_connection(("127.0.0.1", port_of(proxy.proxy_url))) as client:
            key = base64.b64encode(os.urandom(16)).decode()
            head = f"GET http://127.0.0.1:{server.port}/ HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            head += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            client.sendall(f"{head}Sec-WebSocket-Key: {key}\r\n\r\n".encode())
            assert b" 101 " in receive_until(client, b"\r\n\r\n")
            time.sleep(1.0)
            client.sendall(b"\x81\x82\0\0\0\0yo")
            assert b"hi" in receive_until(client, b"hi")
    assert "crashed" not in proxy.process.output


@pytest.mark.parametrize("path", ["/api/v1/messages", "/nowhere"])
def test_an_upload_that_stops(host: str, proxies: Proxies, path: str) -> None:
    proxy = proxies.get(host, QUICK)
    with socket.create_connection(("127.0.0.1", port_of(proxy.url))) as client:
        client.sendall(f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 50\r\n\r\n".encode())
        answer = receive_until(client, b"}")
    assert (b" 408 " in answer) or (b" 404 " in answer)
    assert b"x-ccproxy-error" in answer


UPSTREAM, CLIENT = Server(address=("h", 1)), Client(peername=("p", 1), sockname=("s", 1), timestamp_start=0)


def piece(stream_id: int, data: bytes) -> ReceiveHttp:
    return ReceiveHttp(ResponseData(stream_id, data))


class Connection:
    """A connection layer that got all of this in one read."""

    def __init__(self, *given: commands.Command) -> None:
        self.given = given

    def handle_event(self, event: events.Event) -> Iterator[commands.Command]:
        yield from self.given


def test_what_one_read_brought_of_a_body_is_one_piece() -> None:
    end = ReceiveHttp(ResponseEndOfMessage(1))
    given = (piece(1, b"a"), piece(1, b"b"), piece(3, b"x"), piece(1, b"c"), end)
    made = list(Joined(Connection(*given)).handle_event(events.Start()))  # type: ignore[arg-type]
    bodies = [(c.event.stream_id, getattr(c.event, "data", None)) for c in made if isinstance(c, ReceiveHttp)]
    assert bodies == [(1, b"ab"), (3, b"x"), (1, b"c"), (1, None)]


def test_head_and_body_go_in_one_write_but_large_ones_are_not_copied() -> None:
    large = b"x" * LARGEST_JOIN
    wait = commands.OpenConnection(UPSTREAM)
    given = [
        commands.SendData(CLIENT, b"head"),
        commands.SendData(CLIENT, b"body"),
        commands.SendData(UPSTREAM, b"other"),
        wait,
        commands.SendData(UPSTREAM, b"later"),
        commands.SendData(UPSTREAM, large),
    ]
    made = list(joined(given, join_writes))
    written = [command.data if isinstance(command, commands.SendData) else None for command in made]
    assert written == [b"headbody", b"other", None, b"later", large]
