import socket
from pathlib import Path

from mitmproxy.test import taddons, tflow

from ccproxy.addons.listeners import free_or_any, is_free, listener_modes, options
from ccproxy.settings import load


def test_both_listeners(tmp_path: Path) -> None:
    settings = load({"server.port": 1, "server.proxy_port": 2}, environ={}, cwd=tmp_path).settings
    modes, notice = listener_modes(settings, proxy_port_given=True)
    assert modes == ["Reverse:http://ccproxy.invalid@1", "regular@2"]
    assert notice == ""
    off = load({"server.port": 1, "server.proxy_port": 0}, environ={}, cwd=tmp_path).settings
    assert listener_modes(off, proxy_port_given=True) == (["Reverse:http://ccproxy.invalid@1"], "")


def test_a_taken_proxy_port_that_nobody_asked_for_is_left_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not is_free("127.0.0.1", port)
        settings = load({"server.port": 1, "server.proxy_port": port}, environ={}, cwd=tmp_path).settings
        modes, notice = listener_modes(settings, proxy_port_given=False)
    assert modes == ["Reverse:http://ccproxy.invalid@1"]
    assert f"Port {port} is in use" in notice


async def test_a_loaded_flow_keeps_its_upstream(tmp_path: Path) -> None:
    settings = load({"server.proxy_port": 0}, environ={}, cwd=tmp_path).settings
    modes, _ = listener_modes(settings, proxy_port_given=True)
    with taddons.context() as context:
        context.options.update(mode=modes)
        flow = tflow.tflow()
        before = flow.request.url
        await context.master.load_flow(flow)
        assert flow.request.url == before


def test_only_our_hosts_are_read(tmp_path: Path) -> None:
    given = {"intercept.hosts": {"gateway.example": "observe"}, "retries.idle_timeout_seconds": 900}
    chosen = options(load(given, environ={}, cwd=tmp_path).settings)
    assert r"^gateway\.example:" in list(chosen["allow_hosts"])  # type: ignore[call-overload]
    assert r"^api\.anthropic\.com:" in list(chosen["allow_hosts"])  # type: ignore[call-overload]
    assert chosen["connection_strategy"] == "lazy"
    assert chosen["tcp_timeout"] == 960


def test_a_taken_port_is_replaced() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_or_any(port) not in (0, port)
    assert free_or_any(0) > 0
