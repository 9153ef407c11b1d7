"""Bare sockets, for what no HTTP client would send."""

import socket
import time


def receive_until(connection: socket.socket, wanted: bytes, seconds: float = 5) -> bytes:
    """What comes in up to and with `wanted`; whatever there is when time or the connection ends."""
    deadline = time.monotonic() + seconds
    data = b""
    while wanted not in data and (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)
        try:
            more = connection.recv(65536)
        except TimeoutError:
            break
        if not more:
            break
        data += more
    return data


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])
