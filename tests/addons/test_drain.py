"""The graceful stop, over sockets and signals."""

import signal
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.conftest import upstream_settings
from tests.support.processes import Proxy, Simulator, running_proxy
from tests.support.sockets import port_of, receive_until

HEADERS = {"anthropic-version": "2023-06-01"}


def body(marker: str) -> dict[str, object]:
    messages = [{"role": "user", "content": marker}]
    return {"model": "claude-opus-4-8", "max_tokens": 999, "stream": True, "messages": messages}


class Reader(threading.Thread):
    """Reads a stream to its end on the side."""

    def __init__(self, proxy: Proxy, marker: str) -> None:
        super().__init__()
        self.request = httpx.Request(
            "POST", f"{proxy.url}/api/v1/messages", json=body(marker), headers=HEADERS
        )
        self.begun = threading.Event()
        self.text = ""
        self.failed = False

    def run(self) -> None:
        with httpx.Client(trust_env=False) as client:
            answer = client.send(self.request, stream=True)
            try:
                for text in answer.iter_text():
                    self.text += text
                    self.begun.set()
            except httpx.HTTPError:
                self.failed = True
            finally:
                answer.close()


def test_running_streams_finish_and_nothing_new_begins(home: Path, host: str, simulator: Simulator) -> None:
    settings = {**upstream_settings(simulator), "SERVER__DRAIN_SECONDS": "10"}
    with running_proxy(home, settings, host) as proxy:
        reader = Reader(proxy, "sim:slow 12 0.1")
        reader.start()
        assert reader.begun.wait(5)
        with socket.create_connection(("127.0.0.1", port_of(proxy.url))) as kept:
            kept.sendall(b"GET /health/live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            assert b" 200 " in receive_until(kept, b"pass")
            proxy.process.child.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            with pytest.raises(httpx.ConnectError):
                httpx.get(f"{proxy.url}/health/live", trust_env=False)
            kept.sendall(b"GET /health/live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            refused = receive_until(kept, b"no new requests")
            assert b" 503 " in refused
            assert b"retry-after: 1" in refused
        reader.join(10)
        assert "message_stop" in reader.text
        assert not reader.failed
        assert proxy.process.child.wait(5) == 0


def test_time_is_up(home: Path, simulator: Simulator) -> None:
    settings = {**upstream_settings(simulator), "SERVER__DRAIN_SECONDS": "0.5"}
    with running_proxy(home, settings) as proxy:
        reader = Reader(proxy, "sim:slow 100 0.2")
        reader.start()
        assert reader.begun.wait(5)
        stopped = time.monotonic()
        proxy.process.child.send_signal(signal.SIGTERM)
        assert proxy.process.child.wait(5) == 0
        assert 0.4 < time.monotonic() - stopped < 4
        reader.join(5)
        assert reader.failed
        assert "message_stop" not in reader.text


def test_a_second_signal_stops_at_once(home: Path, simulator: Simulator) -> None:
    settings = {**upstream_settings(simulator), "SERVER__DRAIN_SECONDS": "60"}
    with running_proxy(home, settings) as proxy:
        reader = Reader(proxy, "sim:slow 100 0.2")
        reader.start()
        assert reader.begun.wait(5)
        proxy.process.child.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert proxy.process.child.poll() is None
        proxy.process.child.send_signal(signal.SIGINT)
        assert proxy.process.child.wait(5) == 0
        reader.join(5)


def test_an_idle_proxy_stops_at_once(home: Path, host: str, simulator: Simulator) -> None:
    with running_proxy(home, upstream_settings(simulator), host) as proxy:
        started = time.monotonic()
        proxy.process.child.send_signal(signal.SIGTERM)
        assert proxy.process.child.wait(5) == 0
        assert time.monotonic() - started < 3
        assert "Traceback" not in proxy.process.output
