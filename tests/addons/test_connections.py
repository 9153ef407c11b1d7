import asyncio
from types import SimpleNamespace

import pytest
from mitmproxy import ctx
from mitmproxy.connection import Client

from ccproxy.addons.connections import CLIENT_BUFFER, is_ours, waits_for_reader


@pytest.fixture
def proxyserver(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What of mitmproxy's is asked: its listeners and its connections."""
    server = SimpleNamespace(connections={}, listen_addrs=lambda: [("127.0.0.1", 8000), ("::1", 8080, 0, 0)])
    master = SimpleNamespace(addons={"proxyserver": server})
    monkeypatch.setattr(ctx, "master", master, raising=False)
    return server


@pytest.mark.parametrize(
    ("host", "port", "ours"),
    [
        ("localhost", 8000, True),
        ("127.0.0.1", 8080, True),
        ("127.0.0.1", 8001, False),
        ("a.example", 8000, False),
    ],
)
def test_our_own_listeners(proxyserver: SimpleNamespace, host: str, port: int, ours: bool) -> None:
    assert is_ours(host, port) is ours


async def test_a_client_that_does_not_read(proxyserver: SimpleNamespace) -> None:
    reading, writers = asyncio.Event(), list[asyncio.StreamWriter]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.transport.set_write_buffer_limits(100 * CLIENT_BUFFER)
        await reading.wait()
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        # a client that takes little: the kernel's buffers are soon full
        reader, client = await asyncio.open_connection(*server.sockets[0].getsockname()[:2], limit=1024)
        while not writers:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        connection = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2))
        handler = SimpleNamespace(transports={connection: SimpleNamespace(writer=writers[0])})
        proxyserver.connections[connection.id] = handler
        assert not waits_for_reader(connection.id)
        assert not waits_for_reader("somebody else")
        writers[0].write(b"x" * 50 * 2**20)
        assert waits_for_reader(connection.id)
        reading.set()
        while await reader.read(2**20):
            pass
        assert not waits_for_reader(connection.id)
        client.close()
