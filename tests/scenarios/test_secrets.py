"""No credential gets into a log, a flow file, mitmweb or an error, in whichever program we run."""

import json
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.conftest import Proxies, upstream_settings
from tests.scenarios.test_intercept import through
from tests.support.processes import (
    BIN,
    ROOT,
    Proxy,
    Simulator,
    free_port,
    started,
    wait_until_ready,
)
from tests.support.sockets import port_of

SECRETS = ("hush-of-the-client", "sk-ant-api03-of-the-proxy", "hush-cookie", "hush-refresh")
BODY = {"model": "claude-opus-4-8", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
HEADERS = {
    "anthropic-version": "2023-06-01",
    "x-api-key": "sk-ant-hush-of-the-client",
    "cookie": "a=hush-cookie",
}


def send_everywhere(proxy: Proxy) -> None:
    """Requests that carry secrets, by every door, good and bad."""
    for path in ("/api/v1/messages", "/nowhere"):
        httpx.post(f"{proxy.url}{path}", json=BODY, headers=HEADERS, trust_env=False)
    with through(proxy) as client:
        client.post("https://api.anthropic.com/v1/messages", json=BODY, headers=HEADERS).raise_for_status()
    tokens = {"grant_type": "refresh_token", "refresh_token": "hush-refresh", "client_id": "c"}
    with through(proxy) as client:
        client.post("https://api.anthropic.com/v1/oauth/token", json=tokens, headers=HEADERS)
    httpx.post(f"{proxy.url}/api/v1/oauth/token", json=tokens, headers=HEADERS, trust_env=False)
    with socket.create_connection(("127.0.0.1", port_of(proxy.url))) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nx-api-key: sk-ant-hush-of-the-client\r\n")
    time.sleep(0.3)


def assert_none_in(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text


def test_serve_at_debug_level(proxies: Proxies) -> None:
    proxy = proxies.get("serve", {"SERVER__LOG_LEVEL": "debug"})
    send_everywhere(proxy)
    assert "POST /api/v1/messages" in proxy.process.output
    assert_none_in(proxy.process.output)


@pytest.mark.parametrize("program", ["mitmdump", "mitmweb"])
def test_flow_files_details_and_views(home: Path, simulator: Simulator, program: str) -> None:
    """The stock tools with everything switched on that shows or stores a flow."""
    port, proxy_port, web_port = free_port(), free_port(), free_port()
    flows, hars = home / "flows", home / "flows.har"
    arguments = [str(BIN / program), "--listen-port", "0", "-s", str(ROOT / "addons" / "ccproxy.py")]
    arguments += ["--set", f"save_stream_file={flows}", "--set", f"hardump={hars}", "-v"]
    arguments += ["--set", "store_streamed_bodies=true"]
    if program == "mitmdump":
        arguments += ["--set", "flow_detail=4"]
    else:
        arguments += ["--set", "web_open_browser=false", "--set", f"web_port={web_port}"]
        arguments += ["--set", "web_password=pw"]
    settings = {
        **upstream_settings(simulator),
        "SERVER__PORT": str(port),
        "SERVER__PROXY_PORT": str(proxy_port),
    }
    with started(arguments, home, settings) as process:
        wait_until_ready(process, port)
        send_everywhere(Proxy(process, port, proxy_port))
        if program == "mitmweb":
            assert_none_in(seen_in_mitmweb(web_port))
        assert_none_in(process.output)
        process.stop()
    assert b"/v1/messages" in flows.read_bytes()
    assert_none_in(flows.read_bytes().decode("latin-1"))
    assert json.loads(hars.read_text())["log"]["entries"]
    assert_none_in(hars.read_text())


def seen_in_mitmweb(web_port: int) -> str:
    """All that the page can ask for: the flows, and the bodies of each."""
    with httpx.Client(
        base_url=f"http://127.0.0.1:{web_port}", headers={"authorization": "Bearer pw"}, trust_env=False
    ) as web:
        flows = web.get("/flows").raise_for_status()
        texts = [flows.text]
        assert "[sealed]" in flows.text
        assert "/oauth/token" in flows.text
        for flow in flows.json():
            for part in ("request", "response"):
                body = web.get(f"/flows/{flow['id']}/{part}/content.data")
                texts.append(body.text)
    # bodies are there to be read, those of streams too
    assert any('"type":"message"' in text for text in texts)
    return "\n".join(texts)


def test_errors_show_nothing(proxy: Proxy) -> None:
    for body, path in ((b"{", "/api/v1/messages"), (b"{}", "/api/v1/messages"), (b"", "/nowhere")):
        answer = httpx.post(f"{proxy.url}{path}", content=body, headers=HEADERS, trust_env=False)
        assert answer.status_code >= 400
        assert_none_in(answer.text + str(answer.headers))
