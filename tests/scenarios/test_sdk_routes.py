"""The way to Claude Code and back, with a stand-in for what is at its end."""

import gzip
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest
from websockets.sync.client import connect

from ccproxy.routes import LOGS_STREAM, WAITING
from tests.conftest import upstream_settings
from tests.scenarios.test_bridged_sockets import turn
from tests.scenarios.test_intercept import through
from tests.support import agent_stand_in
from tests.support.agent_stand_in import COST
from tests.support.processes import Proxy, Simulator, free_port, started, wait_until_ready

CLAUDE = "claude-opus-4-8"
IDLE = 0.6
LONGER = 3 * IDLE
PATHS = {
    "/sdk/v1/messages": "anthropic",
    "/claude/sdk/v1/messages": "anthropic",
    "/sdk/v1/chat/completions": "chat",
    "/sdk/v1/responses": "responses",
}
BY_MODEL = "to-the-agent"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Iterator[Proxy]:
    """With attempts, little patience, and two further ways to Claude Code than its own routes."""
    home, port, proxy_port = tmp_path_factory.mktemp("sdk"), free_port(), free_port()
    rule = {"match": BY_MODEL, "target": CLAUDE, "backend": "sdk"}
    settings = {
        **upstream_settings(simulator),
        "SERVER__PORT": str(port),
        "SERVER__PROXY_PORT": str(proxy_port),
        "RETRIES__ATTEMPTS": "2",
        "RETRIES__IDLE_TIMEOUT_SECONDS": str(IDLE),
        "RETRIES__KEEPALIVE_SECONDS": "0.2",
        "MODELS__RULES": json.dumps([rule]),
        "INTERCEPT__HOSTS": '{"api.openai.com": "sdk", "api.anthropic.com": "sdk"}',
    }
    with started([sys.executable, agent_stand_in.__file__], home, settings) as process:
        wait_until_ready(process, port)
        yield Proxy(process, port, proxy_port)


def asking(wire: str, text: str = "hello", model: str = CLAUDE, **more: Any) -> dict[str, Any]:
    if wire == "responses":
        return {"model": model, "input": text, **more}
    usual = {"max_tokens": 9} if wire == "anthropic" else {}
    return {"model": model, "messages": [{"role": "user", "content": text}], **usual, **more}


def post(proxy: Proxy, path: str, body: Any, **headers: str) -> httpx.Response:
    with httpx.Client(base_url=proxy.url, trust_env=False, timeout=20) as client:
        return client.post(path, json=body, headers=headers)


def text_in(answer: Any) -> str:
    """The text of an answer, in whichever format."""
    if "choices" in answer:
        return str(answer["choices"][0]["message"]["content"])
    blocks = answer.get("content") or answer["output"][-1]["content"]
    return str(blocks[-1]["text"])


def arrived(answer: Any) -> Any:
    """What Claude Code got: path, headers and body."""
    return json.loads(text_in(answer))


# --- the way there


@pytest.mark.parametrize(("path", "wire"), PATHS.items())
def test_every_format_gets_there(proxy: Proxy, path: str, wire: str) -> None:
    answer = post(proxy, path, asking(wire))
    assert answer.status_code == 200, answer.text
    got = arrived(answer.json())
    assert got["path"] == "/_agent/v1/messages"
    assert got["headers"]["x-ccproxy-format"] == wire
    assert json.loads(got["body"])["model"] == CLAUDE
    assert not {"x-ccproxy-session", "x-ccproxy-session-id"} & got["headers"].keys()


@pytest.mark.parametrize(("path", "wire"), PATHS.items())
def test_with_a_session(proxy: Proxy, path: str, wire: str) -> None:
    path = path.replace("/sdk/", "/sdk/my.own-1/")
    own = {"x-claude-code-session-id": "c-1", "x-claude-code-agent-id": "a-2"}
    headers = arrived(post(proxy, path, asking(wire), **own).json())["headers"]
    assert (headers["x-ccproxy-session"], headers["x-ccproxy-session-id"]) == ("my.own-1", "c-1:a-2")


def test_who_only_pretends_to_be_us(proxy: Proxy) -> None:
    """Neither what the app believes of the proxy, nor a credential, comes from the client."""
    lies = {"x-ccproxy-session": "theirs", "X-CCProxy-Session-Id": "theirs", "x-ccproxy-secret": "guessed"}
    secrets = {
        "authorization": "Bearer of-the-client",
        "x-api-key": "of-the-client",
        "cookie": "of-the-client",
    }
    for path, wire in PATHS.items():
        text = text_in(post(proxy, path, asking(wire), **lies, **secrets).json())
        assert "theirs" not in text
        assert "guessed" not in text
        assert "of-the-client" not in text
    body = post(proxy, "/mcp", {}, **lies).text
    assert "theirs" not in body
    assert "guessed" not in body


def test_a_body_arrives_as_it_was_and_plain(proxy: Proxy) -> None:
    body = b'{ "model": "claude-x","max_tokens":9, "messages":[{"role":"user","content":"\xc3\xa4"}] }'
    for content, headers in ((body, {}), (gzip.compress(body), {"content-encoding": "gzip"})):
        answer = httpx.post(f"{proxy.url}/sdk/v1/messages", content=content, headers=headers, trust_env=False)
        got = arrived(answer.json())
        assert got["body"].encode() == body
        assert "content-encoding" not in got["headers"]
    broken = httpx.post(
        f"{proxy.url}/sdk/v1/messages",
        content=b"no gzip",
        headers={"content-encoding": "gzip"},
        trust_env=False,
    )
    assert (broken.status_code, broken.headers["x-ccproxy-error"]) == (400, "broken_encoding")


def test_a_rule_leads_there(proxy: Proxy) -> None:
    for path, wire in (("/api/v1/messages", "anthropic"), ("/openai/v1/chat/completions", "chat")):
        answer = post(proxy, path, asking(wire, model=BY_MODEL))
        got = arrived(answer.json())
        assert got["path"] == "/_agent/v1/messages"
        assert json.loads(got["body"])["model"] == CLAUDE
        assert answer.json()["model"] == BY_MODEL


def test_an_intercepted_host_leads_there(proxy: Proxy) -> None:
    with through(proxy) as client:
        chat = client.post("https://api.openai.com/v1/chat/completions", json=asking("chat"))
        assert arrived(chat.json())["headers"]["x-ccproxy-format"] == "chat"
        native = client.post("https://api.anthropic.com/v1/messages?beta=true", json=asking("anthropic"))
        assert arrived(native.json())["path"] == "/_agent/v1/messages"
        count = client.post("https://api.anthropic.com/v1/messages/count_tokens", json=asking("anthropic"))
        assert (count.status_code, count.headers["x-ccproxy-error"]) == (404, "unknown_route")


def test_tokens_are_not_counted(proxy: Proxy) -> None:
    answer = post(proxy, "/sdk/v1/messages/count_tokens", asking("anthropic"))
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")


def test_losses_are_named(proxy: Proxy) -> None:
    for path, wire in PATHS.items():
        answer = post(proxy, path, asking(wire, temperature=0.5))
        assert answer.headers["x-ccproxy-warnings"].split(",").count("temperature") == 1


def test_a_socket(proxy: Proxy) -> None:
    with (
        openai.OpenAI(api_key="x", base_url=f"{proxy.url}/sdk/s-1/v1") as client,
        client.responses.connect() as connection,
    ):
        first = turn(connection, CLAUDE, "hello")
        turn(connection, CLAUDE, "and again", first.id)
    got = json.loads(first.output_text)
    assert (got["headers"]["x-ccproxy-session"], got["headers"]["x-ccproxy-format"]) == ("s-1", "responses")


# --- the way back


def test_the_sdks_read_the_cost(proxy: Proxy) -> None:
    with anthropic.Anthropic(base_url=f"{proxy.url}/sdk", api_key="x") as claude:
        asked: Any = asking("anthropic")
        message = claude.messages.create(**asked)
        assert message.usage.to_dict()["total_cost_usd"] == COST
        with claude.messages.stream(**asked) as stream:
            assert stream.get_final_message().usage.to_dict()["total_cost_usd"] == COST
    with openai.OpenAI(base_url=f"{proxy.url}/sdk/v1", api_key="x") as client:
        asked = asking("chat")
        completion = client.chat.completions.create(**asked)
        assert completion.usage
        assert completion.usage.to_dict()["total_cost_usd"] == COST
        chunks = list(
            client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
        )
        assert chunks[-1].usage.to_dict()["total_cost_usd"] == COST
        asked = asking("responses")
        assert client.responses.create(**asked).usage.to_dict()["total_cost_usd"] == COST
        with client.responses.stream(**asked) as events:
            assert events.get_final_response().usage.to_dict()["total_cost_usd"] == COST  # type: ignore[union-attr]
    proxy.process.wait_for(r"POST /sdk/v1/messages -> 200 claude-x 7 in, 5 out \$0\.0123 ")


@pytest.mark.parametrize(("path", "wire"), PATHS.items())
@pytest.mark.parametrize("text", ["status 529", "status 503", "status 401"])
def test_nothing_is_asked_twice(proxy: Proxy, path: str, wire: str, text: str) -> None:
    """A second request would be a second turn, whatever the answer to the first says about retrying."""
    before = asked_of(proxy).count(text)
    answer = post(proxy, path, asking(wire, text))
    assert asked_of(proxy).count(text) == before + 1
    assert answer.headers["x-ccproxy-error"] == "of_the_app"
    assert wire == "anthropic" or answer.json()["error"]["code"] == "of_the_app"


def test_a_stream_that_is_cut_is_not_asked_for_again(proxy: Proxy) -> None:
    before = asked_of(proxy).count("cut")
    for path, wire in PATHS.items():
        answer = post(proxy, path, asking(wire, "cut", stream=True))
        assert "broke off" in answer.text or "ended early" in answer.text
    assert asked_of(proxy).count("cut") == before + len(PATHS)


def asked_of(proxy: Proxy) -> list[str]:
    found: list[str] = httpx.get(f"{proxy.url}/permissions", trust_env=False).json()["asked"]
    return found


def test_models(proxy: Proxy) -> None:
    with anthropic.Anthropic(base_url=f"{proxy.url}/sdk", api_key="x") as claude:
        assert [model.id for model in claude.models.list()] == ["claude-x"]
        assert claude.models.retrieve("claude-x").display_name == "X"
    with openai.OpenAI(base_url=f"{proxy.url}/sdk/v1", api_key="x") as client:
        assert [model.owned_by for model in client.models.list()] == ["anthropic"]
        assert client.models.retrieve("claude-x").id == "claude-x"
    assert httpx.get(f"{proxy.url}/sdk/models", trust_env=False).json()["object"] == "list"


def test_status_and_health(proxy: Proxy) -> None:
    status = httpx.get(f"{proxy.url}/sdk/status", trust_env=False).json()
    assert (status["backend"], status["upstream"]) == ("sdk", "Claude Code")
    assert status["ready"] == (status["reason"] is None)
    checks = httpx.get(f"{proxy.url}/health", trust_env=False).json()["checks"]
    (check,) = checks["claude:cli"]
    assert check["observedValue"] == ("found" if status["ready"] else "missing")
    assert "sdk:credential" not in checks
    routes = httpx.get(proxy.url, trust_env=False).json()["routes"]
    assert {"/sdk/v1/messages", "/permissions/{id}"} <= {route["path"] for route in routes}


# --- patience


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("path", "wire"), PATHS.items())
def test_a_person_may_think(proxy: Proxy, path: str, wire: str, stream: bool) -> None:
    """Longer than an upstream may be silent, and than mitmproxy keeps an idle connection."""
    begun = time.monotonic()
    answer = post(proxy, path, asking(wire, f"sleep {LONGER}", stream=stream))
    assert time.monotonic() - begun >= LONGER
    assert answer.status_code == 200
    assert "_agent/v1/messages" in answer.text


@pytest.mark.parametrize("path", sorted(WAITING - {LOGS_STREAM}))
def test_so_it_may_on_the_routes_for_permissions(proxy: Proxy, path: str) -> None:
    method = "GET" if path == "/permissions/stream" else "POST"
    for accept in ("text/event-stream", "application/json"):
        with httpx.Client(base_url=proxy.url, trust_env=False, timeout=20) as client:
            url = f"{path}?sleep={LONGER}"
            with client.stream(method, url, headers={"accept": accept}) as answer:
                answer.read()
        assert answer.status_code == 200
        assert f'"path": "{path}"' in answer.text.replace('":"', '": "')


def test_a_socket_that_waits(proxy: Proxy) -> None:
    with connect(f"{proxy.url.replace('http', 'ws')}/sdk/v1/responses") as socket:
        socket.send(json.dumps({"type": "response.create", **asking("responses", f"sleep {LONGER}")}))
        kinds = [json.loads(socket.recv(10))["type"] for _ in range(3)]
        while kinds[-1] != "response.completed":
            kinds.append(json.loads(socket.recv(10))["type"])
    assert "error" not in kinds


# --- permissions and the MCP server


def test_each_method_and_path_gets_there(proxy: Proxy) -> None:
    with httpx.Client(base_url=proxy.url, trust_env=False) as client:
        for method in ("GET", "POST", "DELETE"):
            got = client.request(method, "/mcp?x=1", headers={"mcp-session-id": "m-1"}).json()
            assert (got["method"], got["path"], got["headers"]["mcp-session-id"]) == (method, "/mcp", "m-1")
        assert client.get("/permissions/perm_1-a").json()["path"] == "/permissions/perm_1-a"
        answer = client.post("/permissions/perm_1-a/respond", json={"allowed": True}).json()
        assert (answer["path"], answer["body"]) == ("/permissions/perm_1-a/respond", '{"allowed":true}')
        assert client.put("/mcp").status_code == 404


def test_a_listener_holds_up_no_stop(tmp_path: Path, simulator: Simulator) -> None:
    port = free_port()
    settings = {
        **upstream_settings(simulator),
        "SERVER__PORT": str(port),
        "SERVER__PROXY_PORT": "0",
        "SERVER__DRAIN_SECONDS": "30",
    }
    with started([sys.executable, agent_stand_in.__file__], tmp_path, settings) as process:
        wait_until_ready(process, port)
        heard, ended = threading.Event(), threading.Event()

        def listen() -> None:
            url = f"http://127.0.0.1:{port}/permissions/stream?for_ever"
            with httpx.stream("GET", url, headers={"accept": "text/event-stream"}, trust_env=False) as answer:
                try:
                    for _ in answer.iter_raw():
                        heard.set()
                except httpx.HTTPError:
                    pass
            ended.set()

        thread = threading.Thread(target=listen)
        thread.start()
        assert heard.wait(5)
        process.child.send_signal(signal.SIGTERM)
        assert process.child.wait(5) == 0
        assert ended.wait(5)
        thread.join()
