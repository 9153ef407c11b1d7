import socket
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from ccproxy.addons.master import WEB_PORT
from ccproxy.cli.serve import credential_line, option_name
from ccproxy.credentials.credential import CredentialStatus
from tests.conftest import upstream_settings
from tests.support.processes import BIN, Simulator, free_port, started, wait_until_ready

SERVE = str(BIN / "ccproxy")


ENDS = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_it_says_where_it_is_and_what_it_found(home: Path, simulator: Simulator) -> None:
    port, proxy_port = free_port(), free_port()
    arguments = [SERVE, "--port", str(port), "--proxy-port", str(proxy_port)]
    with started(arguments, home, upstream_settings(simulator)) as process:
        process.wait_for("openai +api_key")
        assert f"ANTHROPIC_BASE_URL=http://127.0.0.1:{port}/api" in process.output
        assert f"HTTPS_PROXY=http://127.0.0.1:{proxy_port}" in process.output
        assert "api_key from claude.api_key" in process.output
        assert process.stop() == 0


def test_without_any_credential_it_says_what_to_do(home: Path) -> None:
    with started([SERVE, "--port", "0", "--proxy-port", "0"], home) as process:
        process.wait_for("OPENAI__API_KEY")
        assert "run 'claude' and use /login" in process.output
        assert str(home) not in process.output


def test_a_taken_port_is_an_error(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for option in ("--port", "--proxy-port"):
            arguments = [SERVE, "--port", "0", option, port]
            with started(arguments, home) as process:
                assert process.child.wait(20) == 1
                assert process.output == f"Port {port} is in use: choose another with {option}\n"


def test_a_taken_default_proxy_port_is_only_said(home: Path) -> None:
    with socket.socket() as taken:
        try:
            taken.bind(("127.0.0.1", 8080))
            taken.listen()
        except OSError:
            pass  # somebody else has it: all the same to this test
        port = free_port()
        with started([SERVE, "--port", str(port)], home) as process:
            wait_until_ready(process, port)
            process.wait_for("ANTHROPIC_BASE_URL")
            assert "Port 8080 is in use: no HTTPS_PROXY listener" in process.output
            assert "HTTPS_PROXY=http" not in process.output


@pytest.mark.parametrize(
    ("key", "option"),
    [
        ("server.proxy_port", "--proxy-port"),
        ("security.auth_token", "--auth-token"),
        ("claude.pool.enabled", "--sdk-enable-pool"),
        ("claude.options.cwd", "--claude-code-options-cwd"),
    ],
)
def test_option_name(key: str, option: str) -> None:
    assert option_name(key) == option


def test_a_mistake_names_its_source(home: Path) -> None:
    (home / ".ccproxy.toml").write_text("[server]\nprot = 1\n")
    with started([SERVE], home, {"SERVER__LOG_LEVEL": "loud"}) as process:
        assert process.child.wait(20) == 1
        assert "server.prot" in process.output
        assert "environment SERVER__LOG_LEVEL" in process.output
        assert "Traceback" not in process.output


def test_it_reads_a_file(home: Path, simulator: Simulator) -> None:
    port = free_port()
    file = home / "my.toml"
    file.write_text(f'[server]\nport = {port}\nproxy_port = 0\n[claude]\nbase_url = "{simulator.url}"\n')
    with started([SERVE, "--config", str(file)], home) as process:
        wait_until_ready(process, port)
        status = httpx.get(f"http://127.0.0.1:{port}/api/status", trust_env=False).json()
    assert (status["upstream"], status["ready"]) == (simulator.url, False)


def test_inside_mitmweb_on_another_port_than_usual(home: Path, simulator: Simulator) -> None:
    port = free_port()
    settings = upstream_settings(simulator)
    with ExitStack() as stack:
        with suppress(OSError):
            stack.enter_context(socket.create_server(("127.0.0.1", WEB_PORT)))
        process = stack.enter_context(
            started([SERVE, "--web", "--port", str(port), "--proxy-port", "0"], home, settings)
        )
        url = process.wait_for(r"inspector +(http://127\.0\.0\.1:\d+/\?token=\S+)")[1]
        httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).raise_for_status()
        with httpx.Client(trust_env=False, follow_redirects=True) as client:
            client.get(url).raise_for_status()
            flows = client.get(f"{url.partition('?')[0]}flows").json()
        assert [flow["request"]["path"] for flow in flows] == ["/health"]
        refused = httpx.get(url.replace("token=", "token=not-"), trust_env=False)
        assert refused.status_code == 403
        assert "not-" not in process.wait_for(r"WARNING 403 .*")[0]


def test_an_ipv6_address(home: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with started([SERVE, "--host", "::1", "--port", "0", "--proxy-port", "0"], home) as process:
        url = process.wait_for(r"ANTHROPIC_BASE_URL=(http://\[::1\]:\d+)/api")[1]
        assert httpx.get(f"{url}/health/live", trust_env=False).json() == {"status": "pass"}


def test_lines_for_people() -> None:
    assert "the client's own" in credential_line("api", CredentialStatus("client", "x", "client"))
    assert "do this" in credential_line("api", CredentialStatus("none", "x", "missing", hint="do this"))
    lines = {
        credential_line("api", CredentialStatus("none", "x", "missing", hint="do this")): "warning: do this",
        credential_line("api", CredentialStatus("none", "x", "off", hint="is off")): " is off",
        credential_line(
            "api", CredentialStatus("oauth", "here", "renewable")
        ): "renewed with the next request",
        credential_line("api", CredentialStatus("oauth", "here", "valid", hint="not saved")): "not saved",
        credential_line(
            "api", CredentialStatus("oauth", "here", "valid", ENDS)
        ): "until 2026-11-22 12:00 UTC",
    }
    for line, words in lines.items():
        assert words in line
    assert "warning" not in credential_line("api", CredentialStatus("none", "x", "off", hint="is off"))
