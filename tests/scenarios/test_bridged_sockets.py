"""WebSockets of clients that are not Codex: each turn becomes a request over HTTP, in our own name."""

import base64
import json
from typing import Any

import openai
import pytest
from openai.resources.responses.responses import ResponsesConnection
from websockets.sync.client import ClientConnection, connect
from websockets.sync.connection import Connection

from ccproxy.local.socket import HEADERS_HEADER, URL_HEADER
from tests.conftest import Proxies
from tests.support.chatgpt import ACCOUNT
from tests.support.processes import Proxy, Simulator

CLAUDE, GPT = "claude-opus-4-8", "gpt-5.5"
UPSTREAMS = {
    "/codex": (GPT, "/backend-api/codex/responses"),
    "/api/v1": (CLAUDE, "/v1/messages"),
    "/openai/v1": (GPT, "/openai/v1/responses"),
}
TOKEN = "the-token-of-this-proxy"
OUTSIDE_SERVE = [("mitmdump", "/codex"), ("mitmweb", "/api/v1")]


def turn(connection: ResponsesConnection, model: str, text: str, previous: str | None = None) -> Any:
    """One turn; returns the response that ends it."""
    message: Any = {"type": "response.create", "model": model, "input": [asked(text)]}
    connection.send(message | ({"previous_response_id": previous} if previous else {}))
    for event in connection:
        assert event.type not in ("error", "response.failed"), event
        if event.type == "response.completed":
            return event.response
    raise AssertionError("the connection has ended")


def asked(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


@pytest.mark.parametrize(("host", "base"), [*(("serve", base) for base in UPSTREAMS), *OUTSIDE_SERVE])
def test_two_turns_of_the_openai_sdk(host: str, base: str, proxies: Proxies, simulator: Simulator) -> None:
    """The second names the first and sends only what is new; the upstream gets the whole conversation."""
    proxy = proxies.get(host)
    model, path = UPSTREAMS[base]
    simulator.clear()
    with (
        openai.OpenAI(api_key="sk-of-the-client", base_url=proxy.url + base) as client,
        client.responses.connect() as connection,
    ):
        first = turn(connection, model, "sim:text nice to meet you")
        second = turn(connection, model, "say it again", first.id)
    assert first.output_text == second.output_text == "nice to meet you"
    assert second.previous_response_id == first.id != second.id
    received: list[dict[str, Any]] = simulator.requests()
    assert [(one["method"], one["path"], one["status"]) for one in received] == [("POST", path, 200)] * 2
    said = json.dumps(received[1]["body_json"])
    positions = [said.index(text) for text in ("sim:text", '"nice to meet you"', "say it again")]
    assert positions == sorted(positions)
    assert "of-the-client" not in str([one["headers"] for one in received])
    if base == "/codex":
        assert {dict(one["headers"])["chatgpt-account-id"] for one in received} == {ACCOUNT}


def test_each_turn_is_in_the_log(served: Proxy) -> None:
    with (
        openai.OpenAI(api_key="sk-of-the-client", base_url=f"{served.url}/codex/in-the-log") as client,
        client.responses.connect() as connection,
    ):
        turn(connection, GPT, "hello")
    served.process.wait_for(f"POST /codex/in-the-log/responses -> 200 {GPT}", 5)
    assert served.process.output.count("GET /codex/in-the-log/responses -> 101") == 1


@pytest.mark.parametrize("door", ["authorization", "x-api-key"])
def test_where_the_proxy_has_a_token(door: str, proxies: Proxies, simulator: Simulator) -> None:
    """Whoever has shown it for the socket need not show it for each turn; without it there is no socket."""
    proxy = proxies.get("serve", {"SECURITY__AUTH_TOKEN": TOKEN})
    headers = {door: TOKEN if door == "x-api-key" else f"Bearer {TOKEN}"}
    simulator.clear()
    with plain_socket(proxy, headers) as socket:
        assert last_event(socket)["type"] == "response.completed"
    assert TOKEN not in json.dumps(simulator.requests())
    with pytest.raises(Exception, match="401"):
        plain_socket(proxy, {door: "wrong"})


def test_a_page_of_this_machine(served: Proxy) -> None:
    """A browser says where a page comes from; what holds for the socket holds for its turns."""
    with plain_socket(served, {"origin": served.url, "sec-fetch-site": "same-origin"}) as socket:
        assert last_event(socket)["type"] == "response.completed"
    with pytest.raises(Exception, match="403"):
        plain_socket(served, {"origin": "https://elsewhere.example"})


def test_a_client_cannot_say_where_its_turns_go(served: Proxy, simulator: Simulator) -> None:
    """The headers with which the proxy tells its own app are taken from nobody else."""
    elsewhere = f"{simulator.url}/elsewhere"
    simulator.clear()
    headers = {URL_HEADER: elsewhere, HEADERS_HEADER: base64.b64encode(b"[]").decode()}
    with plain_socket(served, headers) as socket:
        assert last_event(socket)["type"] == "response.completed"
    assert [request["path"] for request in simulator.requests()] == ["/backend-api/codex/responses"]


def plain_socket(proxy: Proxy, headers: dict[str, str]) -> ClientConnection:
    address = proxy.url.replace("http:", "ws:") + "/codex/v1/responses"
    return connect(address, additional_headers=headers, proxy=None, open_timeout=5)


def last_event(socket: Connection) -> dict[str, Any]:
    """Asks one question and returns the event that ends the turn."""
    socket.send(json.dumps({"type": "response.create", "model": GPT, "input": [asked("hello")]}))
    while True:
        event: dict[str, Any] = json.loads(socket.recv(timeout=5))
        if event["type"] in ("response.completed", "response.failed", "error"):
            return event
