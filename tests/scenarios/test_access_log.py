"""The access log of a proxy that does everything once: its figures are those of the upstream's ledger."""

import json
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from websockets.sync.client import connect

from tests.conftest import upstream_settings
from tests.records.rows import until
from tests.support.chatgpt import write_login
from tests.support.processes import Proxy, Simulator, running_proxy

CLAUDE, GPT = "claude-opus-4-8", "gpt-5.5"
SYSTEM = {"type": "text", "text": "word " * 3000, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
SECRET = "sk-of-the-client-which-nobody-may-keep"
SAID = "what-the-user-said"

BACKENDS = {"api": CLAUDE, "openai": GPT, "codex": GPT}
FORMATS = {"anthropic": "/v1/messages", "chat": "/v1/chat/completions", "responses": "/v1/responses"}


def body(client_format: str, model: str, text: str, *, stream: bool) -> dict[str, Any]:
    """A request that also writes to the cache or reads from it."""
    text = f"{SAID} {text}"
    said = {"role": "user", "content": text}
    match client_format:
        case "anthropic":
            asked = {"max_tokens": 400, "system": [SYSTEM], "messages": [said]}
        case "chat":
            asked = {"messages": [{"role": "system", "content": SYSTEM["text"]}, said]}
            asked |= {"stream_options": {"include_usage": True}} if stream else {}
        case _:
            asked = {"instructions": SYSTEM["text"], "input": [said], "store": False}
    return {"model": model, "stream": stream, **asked}


class Client:
    """Sends one after another, and knows what each was."""

    def __init__(self, proxy: Proxy) -> None:
        self.http = httpx.Client(
            base_url=proxy.url,
            trust_env=False,
            timeout=30,
            headers={
                "anthropic-version": "2023-06-01",
                "user-agent": "a-client/1.2 (test)",
                "x-api-key": SECRET,
            },
        )
        self.sent: list[dict[str, Any]] = []

    def post(self, path: str, asked: dict[str, Any], **known: Any) -> httpx.Response | None:
        """None when the answer broke off."""
        self.sent.append({"path": path, **known})
        try:
            return self.http.post(f"{path}?key={SECRET}", json=asked)
        except httpx.RemoteProtocolError:
            return None


Told = tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def told(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What was sent, the log's rows of it, and the ledger's entries with an answer; all in order."""
    home = tmp_path_factory.mktemp("logged")
    file = home / "data" / "ccproxy" / "access.duckdb"
    settings = upstream_settings(simulator) | {
        "OBSERVABILITY__LOGS": "true",
        "XDG_DATA_HOME": str(home / "data"),
        "RETRIES__ATTEMPTS": "1",
        "CODEX__AUTH_PATH": str(write_login(home / "auth.json")),
    }
    simulator.reset()
    with running_proxy(home, settings) as proxy:
        client = Client(proxy)
        with client.http:
            send_everything(client, proxy)
            asked_of_the_server(client)
        # what has not been written yet is written at the end
        assert proxy.process.stop() == 0
        assert "Traceback" not in proxy.process.output
        assert "nanobind" not in proxy.process.output
        entries = [one for one in simulator.requests() if one["status"] in (200, 101)]
    with duckdb.connect(file, read_only=True) as connection:
        found = connection.execute("SELECT * FROM access_log ORDER BY started_at, request_id")
        names = [column[0] for column in found.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert SECRET not in str(rows)
    content = file.read_bytes()
    assert SECRET.encode() not in content
    assert SAID.encode() not in content
    return client.sent, rows, entries


def send_everything(client: Client, proxy: Proxy) -> None:
    for backend, model in BACKENDS.items():
        for client_format, path in FORMATS.items():
            for stream in (False, True):
                asked = body(client_format, model, "sim:text a few words", stream=stream)
                known = {"backend": backend, "client_format": client_format, "stream": stream, "status": 200}
                answer = client.post(f"/{backend}{path}", asked, **known)
                assert answer is not None
                assert answer.status_code == 200, answer.text
    messages = "/api/v1/messages"
    for client_format, path in FORMATS.items():
        asked = body(client_format, CLAUDE, "sim:cut 4", stream=True)
        client.post(f"/api{path}", asked, backend="api", client_format=client_format, cut=True, status=200)
    asked = body("anthropic", CLAUDE, "sim:once error 529 overloaded_error", stream=False)
    client.post(messages, asked, backend="api", retries=1, status=200)
    asked = body("anthropic", CLAUDE, "sim:error 400 invalid_request_error", stream=False)
    client.post(messages, asked, backend="api", error="invalid_request_error", status=400)
    client.post("/nowhere", {}, error="unknown_route", status=404)
    asked = {"model": CLAUDE, "messages": [{"role": "user", "content": "x"}]}
    client.post("/api/v1/messages/count_tokens", asked, operation="count_tokens", status=200)
    client.http.get("/health").raise_for_status()
    for backend in BACKENDS:
        on_a_socket(client, proxy, backend)


def on_a_socket(client: Client, proxy: Proxy, backend: str) -> None:
    """A row for the opening and one for the turn, which becomes a request of its own unless Codex asks."""
    path, codex = f"/{backend}/v1/responses", backend == "codex"
    opening = {"path": path, "method": "GET", "status": 101}
    turn = {"method": "WS", "status": 101} if codex else {"method": "POST", "status": 200}
    client.sent += [opening, {"path": path, "backend": backend, "stream": True, **turn}]
    headers = {"user-agent": "a-client/1.2"} | ({"originator": "codex_cli_rs"} if codex else {})
    socket = proxy.url.replace("http", "ws") + path
    with connect(socket, proxy=None, additional_headers=headers) as connection:
        asked = body("responses", BACKENDS[backend], "sim:text on a socket", stream=True)
        connection.send(json.dumps({"type": "response.create", **asked}))
        while (event := json.loads(connection.recv()))["type"] != "response.completed":
            assert event["type"] not in ("error", "response.failed"), event


def asked_of_the_server(client: Client) -> None:
    """What has ended is in the answer within a moment, and who asks is not."""
    for _ in range(2):
        until(lambda: client.http.get("/logs/status").json()["written"] == len(client.sent))
        answer = client.http.get("/logs/query", params={"limit": "1000"}).json()
        assert answer["count"] == len(client.sent)
    figures = client.http.get("/logs/analytics", params={"by": "backend"}).json()
    assert figures["totals"]["requests"] == len(client.sent)


def figures_of(usage: dict[str, Any]) -> dict[str, Any]:
    """A `usage` object of any format in our terms."""
    if "cache_read_input_tokens" in usage:
        written, read = usage["cache_creation_input_tokens"], usage["cache_read_input_tokens"]
        return {
            "tokens_input": usage["input_tokens"] + written + read,
            "tokens_output": usage["output_tokens"],
            "cache_read_tokens": read,
            "cache_write_tokens": written,
            "cache_write_1h_tokens": usage["cache_creation"]["ephemeral_1h_input_tokens"],
            "cache_write_5m_tokens": usage["cache_creation"]["ephemeral_5m_input_tokens"],
        }
    chat = "prompt_tokens" in usage
    read_details = usage["prompt_tokens_details" if chat else "input_tokens_details"]
    written_details = usage["completion_tokens_details" if chat else "output_tokens_details"]
    return {
        "tokens_input": usage["prompt_tokens" if chat else "input_tokens"],
        "tokens_output": usage["completion_tokens" if chat else "output_tokens"],
        "cache_read_tokens": read_details["cached_tokens"],
        "reasoning_tokens": written_details["reasoning_tokens"],
    }


def test_one_row_for_each_that_was_sent(told: Told) -> None:
    sent, rows, _ = told
    for row, known in zip(rows, sent, strict=False):
        assert {name: row.get(name) for name in known if name != "cut"} == {
            name: value for name, value in known.items() if name != "cut"
        }
    assert len(rows) == len(sent)


def test_tokens_are_those_of_the_ledger(told: Told) -> None:
    sent, rows, entries = told
    counted = [(row, known) for row, known in zip(rows, sent, strict=True) if row["tokens_input"] is not None]
    used = [entry["usage"] for entry in entries if entry["usage"]]
    assert len(counted) == len(used) == len(sent) - 6
    for (row, known), usage in zip(counted, used, strict=True):
        expected = figures_of(usage)
        if known.get("cut"):
            # the final figure of the output never came
            assert 0 < row["tokens_output"] <= expected.pop("tokens_output")
        assert {name: row[name] for name in expected} == expected, known


def test_the_cache_was_part_of_it(told: Told) -> None:
    _, rows, _ = told
    assert any(row["cache_write_1h_tokens"] for row in rows)
    assert any(row["cache_read_tokens"] for row in rows)


def test_every_answer_of_a_model_has_its_price(told: Told) -> None:
    _, rows, _ = told
    for row in rows:
        assert (row["cost_usd"] is None) is (row["tokens_input"] is None)
        assert row["cost_usd"] is None or row["cost_usd"] > 0


def test_times_and_sizes(told: Told) -> None:
    _, rows, _ = told
    for row in rows:
        assert row["duration_ms"] > 0
        if row["status"] == 200:
            assert 0 < row["first_byte_ms"] <= row["duration_ms"]
            assert row["bytes_in"] > 0
            assert row["bytes_out"] > 0
        if row["client"]:
            assert (row["client"], row["client_version"]) == ("a-client", "1.2")


def test_who_broke_off(told: Told) -> None:
    sent, rows, _ = told
    cut = [row["error"] for row, known in zip(rows, sent, strict=True) if known.get("cut")]
    assert cut == ["upstream_cut"] * 3


def test_off_by_default(served: Proxy, home: Path) -> None:
    assert not list(served.process.home.rglob("*.duckdb"))


def test_the_routes_say_how_to_switch_it_on(served: Proxy) -> None:
    answer = httpx.get(f"{served.url}/logs/query", trust_env=False)
    assert answer.status_code == 404
    assert "observability.logs" in answer.json()["error"]["message"]
