"""Upstreams that misbehave in ways no decent server can: raw sockets, one behaviour each."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, StreamEnded

SSE_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
JSON_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"
EVENT = b'event: ping\ndata: {"type": "ping"}\n\n'

Behaviour = Callable[[socket.socket], None]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def read_request(connection: socket.socket) -> bytes:
    """A whole request with a content-length."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < length:
        if not (more := connection.recv(65536)):
            break
        body += more
    return head + b"\r\n\r\n" + body


def close_at_once(connection: socket.socket) -> None:
    connection.close()


def reset(connection: socket.socket) -> None:
    read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def close_without_answer(connection: socket.socket) -> None:
    read_request(connection)


def garbage(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


def cut_json(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(JSON_HEAD + b'{"id": "msg_1", "type": "mess')


def cut_between_events(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(SSE_HEAD + chunk(EVENT) * 2)


def cut_inside_event(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(SSE_HEAD + chunk(EVENT) + chunk(EVENT[:20]))


def silent(connection: socket.socket) -> None:
    read_request(connection)
    connection.recv(1)


def silent_after_events(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(SSE_HEAD + chunk(EVENT) * 2)
    connection.recv(1)


def silent_inside_json(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(JSON_HEAD + b'{"id":')
    connection.recv(1)


def reply(status: int, body: object, **headers: str) -> bytes:
    """An answer in JSON; bytes stay as they are, and names of headers are written with underscores."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += ["content-type: application/json", f"content-length: {len(content)}"]
    return "\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode() + content


class InTurn:
    """Answers requests one after another, whichever connection they come over; the last answer for ever.

    An empty answer, or one that ends with `CUT`, is followed by the end of its connection.
    """

    CUT = b"<cut>"

    def __init__(self, *answers: bytes) -> None:
        self.answers = answers
        self.requests: list[bytes] = []
        self.connections = 0

    def __call__(self, connection: socket.socket) -> None:
        self.connections += 1
        while request := read_request(connection):
            answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
            self.requests.append(request)
            connection.sendall(answer.removesuffix(self.CUT))
            if not answer or answer.endswith(self.CUT):
                return


class Http2:
    """The same over HTTP/2: statuses with headers, and an empty object. Status 0 resets the stream."""

    def __init__(self, answers: list[tuple[int, dict[str, str]]]) -> None:
        self.answers = answers
        self.bodies: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        wire = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        wire.initiate_connection()
        connection.sendall(wire.data_to_send())
        coming: dict[int, bytes] = {}
        while data := connection.recv(65536):
            for event in wire.receive_data(data):
                if isinstance(event, RequestReceived):
                    coming[event.stream_id] = b""
                elif isinstance(event, DataReceived):
                    coming[event.stream_id] += event.data
                elif isinstance(event, StreamEnded):
                    self.answer(wire, event.stream_id, coming.pop(event.stream_id))
            connection.sendall(wire.data_to_send())

    def answer(self, wire: H2Connection, stream_id: int, body: bytes) -> None:
        status, headers = self.answers[min(len(self.bodies), len(self.answers) - 1)]
        self.bodies.append(body)
        if not status:
            wire.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        fields = {":status": str(status), "content-type": "application/json", **headers}
        wire.send_headers(stream_id, list(fields.items()))
        wire.send_data(stream_id, b"{}", end_stream=True)


class Upstream:
    """A listening socket; `closed` is set once a client has closed the connection that it had."""

    def __init__(self, behaviour: Behaviour, context: ssl.SSLContext | None, port: int = 0) -> None:
        self.become(behaviour)
        self.context = context
        self.server = socket.create_server(("127.0.0.1", port))
        self.thread = threading.Thread(target=self.run, daemon=True)

    def become(self, behaviour: Behaviour) -> None:
        """From now on behave like this; connections that there are already count no longer."""
        self.behaviour = behaviour
        self.accepted = 0
        self.closed = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server.getsockname()[1])

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            self.accepted += 1
            arguments = (connection, self.behaviour, self.closed)
            threading.Thread(target=self.answer, args=arguments, daemon=True).start()

    def answer(self, connection: socket.socket, behaviour: Behaviour, closed: threading.Event) -> None:
        with connection:
            try:
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
                behaviour(connection)
            except OSError:
                pass
            finally:
                connection.close()
        closed.set()


@contextmanager
def upstream(
    behaviour: Behaviour, context: ssl.SSLContext | None = None, port: int = 0
) -> Iterator[Upstream]:
    """An upstream with one behaviour for the length of the block."""
    made = Upstream(behaviour, context, port)
    made.thread.start()
    try:
        yield made
    finally:
        made.server.shutdown(socket.SHUT_RDWR)
        made.server.close()
        made.thread.join(5)


def tls_context(name: str, folder: Path) -> tuple[ssl.SSLContext, Path]:
    """TLS for a server of this name, signed by a CA of its own; the CA's certificate is in the file."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    return context, folder / "authority.pem"
