"""`ccproxy run` with real clients, unmodified: each finishes a conversation with a tool, in both ways."""

import re
import ssl
import sys
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme

from tests.conftest import Proxies, upstream_settings
from tests.support.chatgpt import write_login
from tests.support.clients import (
    ADDING,
    CLIENT_ACCOUNT,
    CODEX_ENVIRONMENT,
    QUIET,
    codex_command,
    codex_login,
    program,
    run_client,
)
from tests.support.processes import BIN, Simulator, free_port

pytestmark = pytest.mark.slow

CLAUDE_CALLS = 'sim:tool Bash {"command": "echo hello-from-tool", "description": "Say hello"}'
CODEX_SAYS = "hello from the simulator"
WAYS: dict[str, list[str]] = {"proxy": [], "policy": ["--policy", "credentials"], "base URL": ["--base-url"]}
"""The options of each way to the proxy; through the first the client's own credential arrives."""

PROGRAM = ADDING + "print(first.stop_reason, last.stop_reason)\n"


def run(
    home: Path,
    simulator: Simulator,
    options: list[str],
    command: list[str],
    environment: Mapping[str, str],
) -> str:
    """A client with a proxy of its own in front of the simulator; returns all that was printed."""
    ports = {"SERVER__PORT": str(free_port()), "SERVER__PROXY_PORT": str(free_port())}
    line = [str(BIN / "ccproxy"), "run", *options, "--", *command]
    both = ["sh", "-c", 'exec "$@" 2>&1', "sh", *line]
    return run_client(both, home, {**upstream_settings(simulator), **ports, **environment})


def received(simulator: Simulator, path: str) -> list[dict[str, Any]]:
    return [request for request in simulator.requests() if str(request["path"]).startswith(path)]


def check_summary(printed: str, requests: int) -> None:
    """One line at the end, with tokens both ways."""
    found = re.search(r"^ccproxy: (\d+) requests, ([\d,]+) tokens in.*, ([\d,]+) out$", printed, re.MULTILINE)
    assert found, printed
    assert int(found[1]) == requests
    assert found[2] != "0"
    assert found[3] != "0"


def check_turns(simulator: Simulator, way: str, mine: str) -> None:
    """Two streamed requests, with the credential that this way is to have."""
    turns = received(simulator, "/v1/messages")
    assert [(turn["status"], turn["body_json"]["stream"]) for turn in turns] == [(200, True)] * 2
    assert "tool_result" in str(turns[1]["body_json"]["messages"])
    for turn in turns:
        assert (mine in str(turn["headers"])) == (way == "proxy")
        assert ("of-the-proxy" in str(turn["headers"])) == (way != "proxy")


@pytest.mark.parametrize("way", WAYS)
def test_claude(way: str, simulator: Simulator, home: Path) -> None:
    simulator.clear()
    command = [program("claude"), "-p", CLAUDE_CALLS, "--allowedTools", "Bash"]
    environment = {**QUIET, "ANTHROPIC_API_KEY": "sk-ant-api03-of-the-client"}
    printed = run(home, simulator, WAYS[way], command, environment)
    assert "hello-from-tool" in printed
    check_turns(simulator, way, "of-the-client")
    check_summary(printed, 2)


@pytest.mark.parametrize("way", ["proxy", "base URL"])
def test_codex(way: str, simulator: Simulator, proxies: Proxies, home: Path) -> None:
    """Through the proxy by a WebSocket with its own login, by base URL over HTTP with the proxy's."""
    simulator.clear()
    write_login(codex_login(home), CLIENT_ACCOUNT)
    environment = {**CODEX_ENVIRONMENT, "CODEX__AUTH_PATH": str(proxies.login)}
    printed = run(home, simulator, WAYS[way], codex_command("codex", "sim:tool"), environment)
    assert CODEX_SAYS in printed
    asked: list[dict[str, Any]] = [r for r in simulator.requests() if str(r["path"]).endswith("/responses")]
    accounts = {dict(request["headers"])["chatgpt-account-id"] for request in asked}
    assert (accounts == {CLIENT_ACCOUNT}) == (way == "proxy")
    assert [request["status"] for request in asked] == ([101] if way == "proxy" else [200, 200])
    check_summary(printed, 3 if way == "proxy" else 2)


@pytest.mark.parametrize("way", ["proxy", "base URL"])
def test_a_python_program(way: str, simulator: Simulator, home: Path) -> None:
    simulator.clear()
    (home / "program.py").write_text(PROGRAM)
    command = [sys.executable, str(home / "program.py")]
    printed = run(home, simulator, WAYS[way], command, {"ANTHROPIC_API_KEY": "sk-of-the-client"})
    assert "tool_use end_turn" in printed
    check_turns(simulator, way, "of-the-client")
    check_summary(printed, 2)


@pytest.mark.parametrize("way", ["proxy", "policy"])
def test_curl(way: str, simulator: Simulator, home: Path) -> None:
    simulator.clear()
    headers = ["-H", "anthropic-version: 2023-06-01", "-H", "x-api-key: of-the-client"]
    command = ["curl", "-sS", "https://api.anthropic.com/v1/models", *headers]
    assert '"data"' in run(home, simulator, WAYS[way], command, {})
    (request,) = received(simulator, "/v1/models")
    assert dict(request["headers"])["x-api-key"].endswith("of-the-client") == (way == "proxy")


@pytest.fixture
def site(home: Path) -> Iterator[tuple[str, Path]]:
    """Somebody's own TLS server, and the CA that it is to be trusted by."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"the site itself")

        def log_message(self, *_: object) -> None:
            pass

    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(home / "site.pem")
    with HTTPServer(("127.0.0.1", 0), Site) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"https://localhost:{server.server_port}/", home / "site.pem"
        server.shutdown()
        thread.join(5)


def test_other_hosts_show_their_own_certificate(
    site: tuple[str, Path], simulator: Simulator, home: Path
) -> None:
    """Through the proxy, too; and a CA that the user has named stays trusted beside ours."""
    url, ca = site
    command = ["curl", "-sSv", "--noproxy", "", url]
    printed = run(home, simulator, [], command, {"SSL_CERT_FILE": str(ca)})
    assert "the site itself" in printed
    assert "CONNECT localhost:" in printed
    assert "issuer: O=trustme" in printed
    assert "ccproxy: 0 requests, 0 tokens in, 0 out" in printed
