"""An answer is stopped before its client sees it, and a request before its upstream does: real mitmweb."""

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import httpx
import pytest
from mitmproxy.utils.emoji import emoji

from ccproxy.inspector.notes import FAILED
from tests.conftest import upstream_settings
from tests.scenarios.test_inspector import HEADERS, SCRIPT, Tool, tool
from tests.support.canaries import AUTH_TOKEN
from tests.support.processes import BIN, Simulator, free_port
from tests.support.tmux import terminal

CALL = 'sim:tool Bash {"command": "rm -r build"}'
FILTER = ("--set", "ccproxy_filters=intercept=~tool Bash")
BASH = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
ASKED = {"max_tokens": 99, "stream": True, "messages": [{"role": "user", "content": CALL}]}
MESSAGES = {**ASKED, "tools": [{"name": "Bash", "input_schema": BASH}]}
ROUTES: dict[str, dict[str, Any]] = {
    "/api/v1/messages": {**MESSAGES, "model": "claude-opus-4-8"},
    "/openai/v1/messages": {**MESSAGES, "model": "gpt-5.5"},
}


@pytest.fixture(scope="module")
def mitmweb(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Iterator[Tool]:
    with tool(tmp_path_factory.mktemp("mitmweb"), simulator, "mitmweb", *FILTER) as web:
        # what the page does against requests of other pages
        web.web.cookies.set("_mitmproxy_xsrf", "00")
        web.web.headers["x-xsrftoken"] = "00"
        yield web


@contextmanager
def asking(web: Tool, path: str, body: dict[str, Any]) -> Iterator["Future[httpx.Response]"]:
    """A request whose answer somebody holds up."""
    with ThreadPoolExecutor(1) as pool, httpx.Client(base_url=web.url, trust_env=False, timeout=30) as client:
        yield pool.submit(client.post, path, json=body, headers=HEADERS)


def stopped(web: Tool) -> dict[str, Any]:
    """The flow that waits for a person."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if found := [flow for flow in web.flows() if flow["intercepted"]]:
            return found[0]
        time.sleep(0.05)
    raise AssertionError(web.process.output)


@pytest.mark.parametrize("path", ROUTES)
def test_a_tool_call_is_seen_edited_and_let_through(mitmweb: Tool, path: str) -> None:
    with asking(mitmweb, path, ROUTES[path]) as answer:
        flow = stopped(mitmweb)
        assert not answer.done()
        assert "  Tool call Bash (" in mitmweb.view(flow, "response")["text"]
        body = mitmweb.web.get(f"/flows/{flow['id']}/response/content.data").content
        assert b"event: content_block_start" in body
        # the arguments come in pieces of any size: this changes a part that is in one
        edited = body.replace(b"build", b"dist!") if b"build" in body else body.replace(b"Bash", b"Zsh1")
        assert edited != body
        mitmweb.web.post(
            f"/flows/{flow['id']}/response/content.data", files={"file": edited}
        ).raise_for_status()
        mitmweb.web.post(f"/flows/{flow['id']}/resume").raise_for_status()
        seen = answer.result(10)
    assert seen.status_code == 200
    assert seen.headers["content-type"].startswith("text/event-stream")
    assert seen.content == edited


def test_what_is_killed_is_an_error_that_nobody_tries_again(mitmweb: Tool, simulator: Simulator) -> None:
    simulator.clear()
    client = anthropic.Anthropic(api_key=AUTH_TOKEN, base_url=f"{mitmweb.url}/api", max_retries=3)
    with client, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(lambda: client.messages.create(**ROUTES["/api/v1/messages"]))
        flow = stopped(mitmweb)
        mitmweb.web.post(f"/flows/{flow['id']}/kill").raise_for_status()
        with pytest.raises(anthropic.PermissionDeniedError, match="has ended the request"):
            answer.result(10)
    assert len(simulator.requests()) == 1
    (killed,) = [one for one in mitmweb.flows() if one["id"] == flow["id"]]
    assert killed["response"]["status_code"] == 403
    assert (killed["marked"], killed["comment"].rpartition(", ")[2]) == (emoji[FAILED], "killed")
    told = httpx.get(f"{mitmweb.url}/usage", headers=HEADERS, trust_env=False).json()
    assert told["failed"] == 1
    assert "POST /api/v1/messages -> 403 killed " in mitmweb.web.get("/events").text


def test_other_answers_go_on_by_themselves(mitmweb: Tool) -> None:
    body = {**ROUTES["/openai/v1/messages"], "messages": [{"role": "user", "content": "sim:text Bash it is"}]}
    with asking(mitmweb, "/openai/v1/messages", body) as answer:
        seen = answer.result(10)
    assert seen.headers["content-type"].startswith("text/event-stream")
    assert seen.content.endswith(b'data: {"type":"message_stop"}\n\n')


def test_a_request_is_edited_before_its_upstream_sees_it(mitmweb: Tool, simulator: Simulator) -> None:
    """mitmweb edits the body itself; credentials and length are put on afterwards."""
    simulator.clear()
    mitmweb.web.put("/options", json={"intercept": "~q & ~m POST"}).raise_for_status()
    try:
        with asking(mitmweb, "/api/v1/messages", {**ROUTES["/api/v1/messages"], "tools": []}) as answer:
            flow = stopped(mitmweb)
            assert (
                f"=== messages.0.content (user) ===\n{CALL}\n"
                in mitmweb.view(flow, "request", "Prompt")["text"]
            )
            body = mitmweb.web.get(f"/flows/{flow['id']}/request/content.data").content
            edited = body.replace(json.dumps(CALL).encode(), b'"sim:text a longer text than that one was"')
            mitmweb.web.post(f"/flows/{flow['id']}/request/content.data", files={"file": edited})
            mitmweb.web.post(f"/flows/{flow['id']}/resume").raise_for_status()
            assert answer.result(10).status_code == 200
        assert base64.b64decode(str(simulator.requests()[0]["body"])) == edited
    finally:
        mitmweb.web.put("/options", json={"intercept": "~tool Bash"}).raise_for_status()


def test_a_command_of_the_page_exports_a_flow(mitmweb: Tool) -> None:
    with asking(mitmweb, "/api/v1/messages", ROUTES["/api/v1/messages"]) as asked:
        mitmweb.web.post(f"/flows/{stopped(mitmweb)['id']}/resume").raise_for_status()
        asked.result(10).raise_for_status()
    arguments = ["curl", "~tool Bash", str(mitmweb.process.home / "again.sh")]
    answer = mitmweb.web.post("/commands/ccproxy.export", json={"arguments": arguments}).raise_for_status()
    assert "error" not in answer.json(), answer.text
    written = (mitmweb.process.home / "again.sh").read_text()
    assert "/v1/messages" in written
    assert "[sealed]" not in written


def test_the_console_edits_a_prompt(home: Path, simulator: Simulator) -> None:
    """The view Prompt, an editor, and the request goes on with what was written there."""
    port = free_port()
    changes = "s/sim:text old/sim:text new/; s/^max_tokens: 99/max_tokens: 77/"
    (home / "edit").write_text(f"#!/bin/sh\nsed -i '{changes}' \"$1\"\ntouch '{home}/edited'\n")
    (home / "edit").chmod(0o755)
    settings = {**upstream_settings(simulator), "SERVER__PORT": str(port), "SERVER__PROXY_PORT": "0"}
    body = {
        "model": "claude-opus-4-8",
        "max_tokens": 99,
        "messages": [{"role": "user", "content": "sim:text old"}],
    }
    console = [
        str(BIN / "mitmproxy"),
        "--listen-port",
        "0",
        "-s",
        SCRIPT,
        "--intercept",
        "~q & ~m POST",
        "--view-filter",
        "~m POST",
    ]
    with terminal(home, 120, 40) as window, ThreadPoolExecutor(1) as pool:
        window.command(console, {**settings, "MITMPROXY_EDITOR": str(home / "edit")})
        window.wait_for(r"Flows")
        wait_for_port(port)
        url = f"http://127.0.0.1:{port}/api/v1/messages"
        simulator.clear()
        answer = pool.submit(httpx.post, url, json=body, headers=HEADERS, trust_env=False, timeout=30)
        window.wait_for(r"POST .*/v1/messages")
        window.keys("Enter")
        window.type(":console.flowview.mode.set prompt")
        window.keys("Enter")
        window.wait_for(r"=== messages\.0\.content \(user\) ===")
        window.type(":console.edit.focus 'request-body (Prompt)'")
        window.keys("Enter")
        # the console shows it only when something else has happened
        deadline = time.monotonic() + 15
        while not answer.done() and time.monotonic() < deadline:
            if (home / "edited").exists():
                window.keys("a")
            time.sleep(0.1)
        assert answer.result(15).json()["content"][0]["text"] == "new"
    sent = json.loads(base64.b64decode(str(simulator.requests()[-1]["body"])))
    assert sent == {**body, "max_tokens": 77, "messages": [{"role": "user", "content": "sim:text new"}]}


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            httpx.head(f"http://127.0.0.1:{port}/", trust_env=False, timeout=5).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nobody listens")
