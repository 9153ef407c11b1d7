import socket
from pathlib import Path

import httpx

from tests.support.processes import BIN, started

SIMULATOR = [str(BIN / "ccproxy"), "simulator"]


def test_it_says_where_it_is_and_stops(home: Path) -> None:
    with started([*SIMULATOR, "--port", "0"], home) as process:
        url = process.wait_for(r"ANTHROPIC_BASE_URL=(\S+)")[1]
        assert httpx.get(f"{url}/_simulator/health", trust_env=False).json()["status"] == "pass"
        assert process.stop() == 0
        assert "Traceback" not in process.output


def test_a_taken_port(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with started([*SIMULATOR, "--port", port], home) as process:
            assert process.child.wait(20) == 1
            assert process.output == f"Port {port} is in use: choose another with --port\n"
