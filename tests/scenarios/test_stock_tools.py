"""What only the stock tools can do to us: load the script again, send a flow again, listen elsewhere."""

import os
import time
from pathlib import Path

import httpx

from tests.conftest import upstream_settings
from tests.support.processes import BIN, ROOT, Simulator, free_port, started, wait_until_ready

REPLAYER = """
from mitmproxy import ctx
class Replayer:
    def response(self, flow):
        if "replay-me" in flow.request.headers and not flow.is_replay:
            ctx.master.commands.call("replay.client", [flow])
addons = [Replayer()]
"""
BODY = {"model": "claude-opus-4-8", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
HEADERS = {"anthropic-version": "2023-06-01"}


def test_the_script_is_loaded_again(home: Path, simulator: Simulator) -> None:
    script = home / "ccproxy.py"
    script.write_text((ROOT / "addons" / "ccproxy.py").read_text())
    port = free_port()
    settings = {**upstream_settings(simulator), "SERVER__PORT": str(port), "SERVER__PROXY_PORT": "0"}
    arguments = [str(BIN / "mitmdump"), "--listen-port", "0", "-s", str(script)]
    with started(arguments, home, {**settings, "PYTHONUNBUFFERED": "1"}) as process:
        wait_until_ready(process, port)
        os.utime(script, (time.time() + 5, time.time() + 5))
        deadline = time.monotonic() + 10
        while process.output.count("Loading script") < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)
        health = httpx.get(f"http://127.0.0.1:{port}/health/live", trust_env=False, timeout=5)
        assert health.json() == {"status": "pass"}
        answer = httpx.post(
            f"http://127.0.0.1:{port}/api/v1/messages", json=BODY, headers=HEADERS, trust_env=False
        )
        assert answer.status_code == 200


def test_a_flow_is_not_sent_again_without_its_credential(home: Path, simulator: Simulator) -> None:
    (home / "replayer.py").write_text(REPLAYER)
    port = free_port()
    settings = {**upstream_settings(simulator), "SERVER__PORT": str(port), "SERVER__PROXY_PORT": "0"}
    arguments = [str(BIN / "mitmdump"), "--listen-port", "0", "-s", str(ROOT / "addons" / "ccproxy.py")]
    with started([*arguments, "-s", str(home / "replayer.py")], home, settings) as process:
        wait_until_ready(process, port)
        simulator.clear()
        url = f"http://127.0.0.1:{port}/api/v1/messages"
        httpx.post(url, json=BODY, headers={**HEADERS, "replay-me": "1"}, trust_env=False).raise_for_status()
        time.sleep(1)
    assert len(simulator.requests()) == 1


def test_a_reverse_listener_of_the_users_own_is_guarded_like_ours(home: Path, simulator: Simulator) -> None:
    port = free_port()
    settings = {**upstream_settings(simulator), "SECURITY__AUTH_TOKEN": "the-token"}
    mode = f"reverse:{simulator.url}@127.0.0.1:{port}"
    arguments = [str(BIN / "mitmdump"), "--mode", mode, "-s", str(ROOT / "addons" / "ccproxy.py")]
    with started(arguments, home, settings) as process:
        wait_until_ready(process, port)
        url = f"http://127.0.0.1:{port}/api/v1/messages"
        assert httpx.post(url, json=BODY, headers=HEADERS, trust_env=False).status_code == 401
        with_token = {**HEADERS, "x-api-key": "the-token"}
        assert httpx.post(url, json=BODY, headers=with_token, trust_env=False).status_code == 200


def test_a_mode_that_cannot_ask_for_the_token_is_refused(home: Path) -> None:
    arguments = [str(BIN / "mitmdump"), "--mode", f"socks5@127.0.0.1:{free_port()}"]
    script = str(ROOT / "addons" / "ccproxy.py")
    with started([*arguments, "-s", script], home, {"SECURITY__AUTH_TOKEN": "t"}) as process:
        assert process.child.wait(20) == 1
        assert "socks5" in process.output
