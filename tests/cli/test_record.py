"""`ccproxy record` as a server: what is on the cassette, and what is not."""

import json
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from ccproxy.records.cassette import Recorded, append, create, read
from tests.conftest import upstream_settings
from tests.support import canaries as planted
from tests.support.canaries import Canaries
from tests.support.processes import Proxy, Simulator
from tests.support.tapes import ccproxy, recording

HEADERS = {"anthropic-version": "2023-06-01", "x-api-key": "of-the-client", "x-unknown": "kept-nowhere"}
MESSAGE: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "max_tokens": 20,
    "messages": [{"role": "user", "content": "hello"}],
}


def ask(proxy: Proxy, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    """An answer; its bytes as they came."""
    return httpx.post(proxy.url + path, json=body, headers={**HEADERS, **headers}, trust_env=False)


def test_what_a_client_said_and_heard(home: Path, simulator: Simulator) -> None:
    """In its own format, whoever answered; whole, streamed and compressed."""
    cassette = home / "a.cassette"
    with recording(home, cassette, simulator) as proxy:
        answers = [
            ask(proxy, "/api/v1/messages?beta=true", {**MESSAGE, "metadata": {"user_id": "me"}}),
            ask(proxy, "/api/v1/messages", {**MESSAGE, "stream": True}),
            ask(proxy, "/openai/v1/messages", {**MESSAGE, "model": "gpt-5.5", "stream": True}),
            ask(proxy, "/api/v1/messages", {**MESSAGE, "max_tokens": -1}),
            httpx.get(f"{proxy.url}/api/v1/models", headers=HEADERS, trust_env=False),
            httpx.get(f"{proxy.url}/health", trust_env=False),
            ask(proxy, "/nowhere", MESSAGE),
        ]
        recorded = read(cassette)
    assert [(one.operation, one.path, one.status) for one in recorded] == [
        ("messages", "/api/v1/messages", 200),
        ("messages", "/api/v1/messages", 200),
        ("messages", "/openai/v1/messages", 200),
        ("messages", "/api/v1/messages", 400),
        ("models", "/api/v1/models", 200),
    ]
    assert [one.body.encode() for one in recorded] == [answer.content for answer in answers[:5]]
    assert recorded[0].request == MESSAGE
    assert recorded[0].headers["anthropic-version"] == "2023-06-01"
    assert recorded[1].answer_headers["content-type"].startswith("text/event-stream")
    assert len(recorded[1].answer) > 4
    assert "kept-nowhere" not in cassette.read_text()
    assert f"{cassette} holds 5 exchanges" in proxy.process.output


def test_no_secret_is_on_it(home: Path, simulator: Simulator) -> None:
    """Not from headers, not from settings, not from the body, and not from what somebody quotes."""
    canaries = Canaries(home)
    cassette = home / "secret.cassette"
    quoted = f"HTTPS_PROXY=http://ccproxy:{planted.AUTH_TOKEN}@127.0.0.1 {planted.CLIENT_KEY} stays"
    server = {
        "type": "url",
        "name": "s",
        "url": "https://mcp.example/",
        "authorization_token": planted.REFRESH,
    }
    body = {**MESSAGE, "messages": [{"role": "user", "content": f"sim:echo {quoted}"}], "stream": True}
    keys = {"CLAUDE__API_KEY": planted.CLAUDE_KEY, "SECURITY__AUTH_TOKEN": planted.AUTH_TOKEN}
    with recording(home, cassette, simulator, **keys) as proxy:
        own = {"authorization": f"Bearer {planted.AUTH_TOKEN}", "cookie": planted.COOKIE}
        key = {"x-api-key": planted.CLIENT_KEY}
        assert ask(proxy, "/api/v1/messages", body, **own, **key).status_code == 200
        beta = {"anthropic-beta": "mcp-client-2025-11-20"}
        tool = {"type": "mcp_toolset", "mcp_server_name": "s"}
        ask(proxy, "/api/v1/messages", {**MESSAGE, "mcp_servers": [server], "tools": [tool]}, **own, **beta)
    text = cassette.read_text()
    canaries.assert_not_in(text, "the cassette")
    assert len(read(cassette)) == 2
    assert "stays" in text
    assert '"authorization_token": "[hidden]"' in text


def test_a_cassette_that_is_there_is_only_gone_on_with(home: Path, simulator: Simulator) -> None:
    cassette = home / "b.cassette"
    create(cassette)
    append(cassette, Recorded("messages", "/api/v1/messages", 200, []))
    done = ccproxy(home, "record", str(cassette))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{cassette} is there already: delete it, or go on with it by --append.\n"
    for _ in range(2):
        with recording(home, cassette, simulator, "--append") as proxy:
            ask(proxy, "/api/v1/messages", MESSAGE)
    assert len(read(cassette)) == 3


def test_a_start_that_failed_is_not_in_the_way(home: Path) -> None:
    cassette = home / "e.cassette"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for _ in range(2):
            done = ccproxy(home, "record", str(cassette), "--port", str(taken.getsockname()[1]))
            assert done.returncode == 1
            assert "is in use" in done.stderr


def test_only_a_cassette_is_gone_on_with(home: Path) -> None:
    other = home / "other.json"
    other.write_text(json.dumps({"log": {}}))
    done = ccproxy(home, "record", str(other), "--append")
    assert done.returncode == 1
    assert "is no cassette" in done.stderr
    assert json.loads(other.read_text()) == {"log": {}}


def test_a_client_that_is_not_there(home: Path) -> None:
    done = ccproxy(home, "record", str(home / "c.cassette"), "--base-url", "--", "no-such-client")
    assert done.returncode == 127
    assert "no-such-client is not there" in done.stderr


def test_answers_that_broke_off_are_not_on_it(home: Path, simulator: Simulator) -> None:
    cassette = home / "d.cassette"
    cut = {**MESSAGE, "messages": [{"role": "user", "content": "sim:cut"}], "stream": True}
    with recording(home, cassette, simulator) as proxy:
        with suppress(httpx.RemoteProtocolError):
            ask(proxy, "/api/v1/messages", cut)
        ask(proxy, "/api/v1/messages", MESSAGE)
        found: list[Recorded] = read(cassette)
    assert [one.request for one in found] == [MESSAGE]


def test_a_cassette_that_is_deleted_meanwhile(home: Path, simulator: Simulator) -> None:
    """It is not made again, and the end says so; the path is shown without its detours."""
    cassette = home / "g.cassette"
    ask = f"rm {cassette}; curl -sS $ANTHROPIC_BASE_URL/v1/messages -d '{json.dumps(MESSAGE)}' >/dev/null"
    line = ["record", str(home / "x" / ".." / "g.cassette"), "--base-url", "--", "sh", "-c", ask]
    given = {**upstream_settings(simulator), "CLAUDE__API_KEY": "sk-ant-api03-of-the-proxy"}
    done = ccproxy(home, *line, environment=given)
    assert (done.returncode, done.stdout) == (0, "")
    assert f"ccproxy: {cassette} cannot be read: No such file or directory; 1 not recorded" in done.stderr
    assert "Not recorded: POST /api/v1/messages" in done.stderr
    assert "Traceback" not in done.stderr
    assert not cassette.exists()
