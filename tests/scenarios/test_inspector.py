"""What people see of flows in mitmproxy's own tools, and later of flow files."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import indent
from typing import Any

import httpx
import openai
import pytest
from mitmproxy.io import FlowReader
from mitmproxy.utils.emoji import emoji

from ccproxy.addons.notes import TIMES
from ccproxy.inspector.timing import timing_text
from ccproxy.inspector.translation import UNCHANGED_ANSWER, UNCHANGED_REQUEST
from tests.conftest import upstream_settings
from tests.support import canaries as planted
from tests.support.canaries import Canaries, tokens_in
from tests.support.chatgpt import write_login
from tests.support.processes import (
    BIN,
    ROOT,
    Process,
    Simulator,
    clean_environment,
    free_port,
    started,
    wait_until_ready,
)
from tests.support.tmux import terminal

SCRIPT = str(ROOT / "addons" / "ccproxy.py")
CLAUDE, GPT = "claude-opus-4-8", "gpt-5.5"
SAID = "sim:text nice to meet you"
REQUESTS: dict[str, dict[str, Any]] = {
    "/api/v1/messages": {"model": CLAUDE, "max_tokens": 99, "messages": [{"role": "user", "content": SAID}]},
    "/openai/v1/chat/completions": {"model": GPT, "messages": [{"role": "user", "content": SAID}]},
    "/openai/v1/responses": {"model": GPT, "input": SAID},
    "/codex/v1/responses": {"model": GPT, "input": SAID},
    "/openai/v1/messages": {"model": GPT, "max_tokens": 99, "messages": [{"role": "user", "content": SAID}]},
    "/api/v1/chat/completions": {"model": CLAUDE, "messages": [{"role": "user", "content": SAID}]},
}
HEADERS = {
    "anthropic-version": "2023-06-01",
    "authorization": f"Bearer {planted.AUTH_TOKEN}",
    "x-api-key": planted.CLIENT_KEY,
}


class Tool:
    """A stock tool with our script; `url` is our listener, `web` the API of mitmweb's page."""

    def __init__(self, process: Process, port: int, web: httpx.Client) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.web = web

    def speak(self, simulator: Simulator) -> None:
        """Every request, whole and as a stream."""
        with httpx.Client(base_url=self.url, headers=HEADERS, trust_env=False, timeout=20) as client:
            for path, body in REQUESTS.items():
                for stream in (False, True):
                    client.post(path, json={**body, "stream": stream}).raise_for_status()

    def flows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.web.get("/flows").raise_for_status().json()
        return [flow for flow in found if flow["request"]["method"] != "HEAD"]

    def view(self, flow: dict[str, Any], part: str, name: str = "auto") -> dict[str, Any]:
        found: Any = self.web.get(f"/flows/{flow['id']}/{part}/content/{name}").raise_for_status().json()
        if not isinstance(found, dict):
            return {"frames": found}
        # in mitmweb an empty line has a blank, so that it has a height
        return {**found, "text": found["text"].replace("\n \n", "\n\n")}


@contextmanager
def tool(home: Path, simulator: Simulator, program: str, *options: str) -> Iterator[Tool]:
    port, web_port = free_port(), free_port()
    environment = {
        **upstream_settings(simulator),
        "CODEX__AUTH_PATH": str(write_login(home / "auth.json")),
        "SERVER__PORT": str(port),
        "SERVER__PROXY_PORT": "0",
        "SECURITY__AUTH_TOKEN": planted.AUTH_TOKEN,
        "CLAUDE__API_KEY": planted.CLAUDE_KEY,
        "OPENAI__API_KEY": planted.OPENAI_KEY,
    }
    arguments = [str(BIN / program), "--listen-port", "0", "-s", SCRIPT, *options]
    if program == "mitmweb":
        arguments += ["--set", "web_open_browser=false", "--set", f"web_port={web_port}"]
        arguments += ["--set", "web_password=pw"]
    login = {"authorization": "Bearer pw"}
    address = f"http://127.0.0.1:{web_port}"
    with (
        started(arguments, home, environment) as process,
        httpx.Client(base_url=address, headers=login, trust_env=False, timeout=20) as web,
    ):
        wait_until_ready(process, port)
        yield Tool(process, port, web)


def assert_conversations(tool: Tool) -> str:
    """Each flow is shown as one, without being asked to; returns all that was shown."""
    texts = []
    flows = tool.flows()
    assert len(flows) == 2 * len(REQUESTS)
    for flow in flows:
        asked, answered = tool.view(flow, "request"), tool.view(flow, "response")
        assert (asked["view_name"], answered["view_name"]) == ("Conversation", "Conversation"), flow
        assert f"\n  {SAID}" in asked["text"]
        assert "\nAssistant\n  nice to meet you\n\nEnded: " in answered["text"]
        assert "data:" not in answered["text"]
        texts += [asked["text"], answered["text"], tool.view(flow, "response", "Timing")["text"]]
    return "\n".join(texts)


def test_mitmweb_shows_conversations(home: Path, simulator: Simulator) -> None:
    with tool(home, simulator, "mitmweb") as mitmweb:
        mitmweb.speak(simulator)
        shown = assert_conversations(mitmweb)
        canaries = Canaries(home)
        login = json.loads((home / "auth.json").read_text())
        # a short one may stand anywhere by chance
        canaries.known.update(token for token in tokens_in(login) if len(token) > 20)
        assert len(canaries.known) > len(planted.FIXED)
        canaries.assert_not_in(shown, "the views")
        canaries.assert_not_in(mitmweb.web.get("/flows").content, "the list")


def test_the_list_of_flows_says_what_they_were(home: Path, simulator: Simulator) -> None:
    """A whole answer, a failure, and a loss; also in a flow file."""
    with tool(home, simulator, "mitmweb", "-w", str(home / "flows")) as mitmweb:
        body = REQUESTS["/api/v1/messages"]
        lossy = {**REQUESTS["/api/v1/chat/completions"], "logit_bias": {"1": 1}, "stream": True}
        with httpx.Client(base_url=mitmweb.url, headers=HEADERS, trust_env=False, timeout=20) as client:
            client.post("/api/v1/messages", json=body).raise_for_status()
            client.post("/api/v1/messages", json={**body, "model": "claude-none"})
            client.post("/api/v1/chat/completions", json=lossy).raise_for_status()
        well, failed, lost = mitmweb.flows()
        assert re.fullmatch(rf"{CLAUDE}, \d+ in, \d+ out, first byte [\d.]+ m?s", well["comment"])
        assert well["marked"] == ""
        assert failed["comment"].startswith("claude-none, ")
        assert failed["comment"].endswith(", not_found_error")
        assert failed["marked"] == emoji[":x:"]
        assert lost["comment"].endswith(", lost: logit_bias")
        assert lost["marked"] == emoji[":warning:"]
        timing = mitmweb.view(lost, "response", "Timing")["text"]
        moments = [line.partition(" at ")[0].strip() for line in timing.splitlines() if " at " in line]
        assert moments == ["Sent", "First byte", "First text", "Last byte", "Ended"]
        seen = [(flow["comment"], flow["marked"]) for flow in (well, failed, lost)]
    with (home / "flows").open("rb") as file:
        kept = [flow for flow in FlowReader(file).stream() if flow.request.method == "POST"]  # type: ignore[attr-defined]
    assert [(flow.comment, emoji.get(flow.marked, "")) for flow in kept] == seen
    assert timing_text(kept[2].metadata[TIMES]) == timing
    Canaries(home).assert_not_in((home / "flows").read_bytes(), "the flow file")


LOSSY: dict[str, tuple[dict[str, Any], str, str]] = {
    "/api/v1/chat/completions": (
        {"logit_bias": {"1": 1}},
        f"Client sent   Chat Completions request to {CLAUDE}\nUpstream got  Messages request to {CLAUDE}",
        '\n-   logit_bias: {"1": 1}\n',
    ),
    "/codex/v1/messages": (
        {"top_k": 3, "model": GPT, "max_tokens": 99},
        f"Client sent   Messages request to {GPT}\nUpstream got  Responses request to {GPT}",
        "\n-   top_k: 3\n",
    ),
}
LOST = (
    '\n\nLost\n  logit_bias, left out: {"1": 1}\n    Claude has nothing like it.',
    "\n\nLost\n  top_k, left out: 3\n    OpenAI has no top_k.\n  max_tokens, left out: 99\n    ",
)


def test_what_became_of_requests(home: Path, simulator: Simulator) -> None:
    """Translated ones, whole and as streams, and one that passed; the same later, out of a flow file."""
    same = {**REQUESTS["/api/v1/messages"], "stream": True}
    bodies = [
        (path, {**REQUESTS["/api/v1/chat/completions"], **more, "stream": stream})
        for path, (more, *_) in LOSSY.items()
        for stream in (False, True)
    ]

    def speak(url: str) -> None:
        with httpx.Client(base_url=url, headers=HEADERS, trust_env=False, timeout=20) as client:
            for path, body in [*bodies, ("/api/v1/messages", same)]:
                client.post(path, json=body).raise_for_status()

    with tool(home, simulator, "mitmweb", "-w", str(home / "flows")) as mitmweb:
        speak(mitmweb.url)
        flows = mitmweb.flows()
        shown = [
            [mitmweb.view(flow, part, "Translation")["text"] for part in ("request", "response")]
            for flow in flows
        ]
    for (path, _), (asked, answered) in zip(bodies, shown, strict=False):
        assert asked.startswith(LOSSY[path][1])
        assert LOSSY[path][2] in asked
        assert any(lost in asked for lost in LOST)
        client, upstream = ("Chat", "Messages") if "chat" in path else ("Messages", "Responses")
        assert re.match(rf"Upstream answered  {upstream} .*\nClient got         {client} ", answered)
        assert "\n    nice to meet you\n" in answered
        assert re.search(r"\n- Ended: .*\n(- Tokens: .*\n)?\+ Ended: ", answered)
    assert shown[4] == [UNCHANGED_REQUEST, UNCHANGED_ANSWER]

    chosen = ["-s", SCRIPT, "--set", "flow_detail=4", "--set", "dumper_default_contentview=Translation"]
    later = subprocess.run(
        [str(BIN / "mitmdump"), "-n", "-r", str(home / "flows"), *chosen],
        env=clean_environment(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    with tool(home, simulator, "mitmdump", *chosen[2:]) as mitmdump:
        speak(mitmdump.url)
        mitmdump.process.stop()
    for text in (text for pair in shown for text in pair):
        # mitmdump indents what it prints
        assert indent(text, "    ", lambda line: True) in later.stdout
        assert text.splitlines()[-1] in mitmdump.process.output
    Canaries(home).assert_not_in(later.stdout + mitmdump.process.output, "the output")


def test_mitmweb_shows_the_turns_of_a_socket(home: Path, simulator: Simulator) -> None:
    with tool(home, simulator, "mitmweb") as mitmweb:
        client = openai.OpenAI(api_key=planted.AUTH_TOKEN, base_url=f"{mitmweb.url}/codex")
        with client, client.responses.connect() as connection:
            for said in (SAID, "sim:error"):
                connection.send({"type": "response.create", "model": GPT, "input": said})
                for event in connection:
                    if event.type in ("response.completed", "error"):
                        break
        flow = next(flow for flow in mitmweb.flows() if flow.get("websocket"))
        frames = mitmweb.view(flow, "messages")["frames"]
        assert {frame["view_name"] for frame in frames} == {"Conversation"}
        assert f"\n  {SAID}" in frames[0]["text"]
        assert any("\nAssistant\n  nice to meet you\n" in frame["text"] for frame in frames)
        assert (flow["comment"], flow["marked"]) == ("turn 2, error", emoji[":x:"])
        whole = mitmweb.view(flow, "response")["text"]
        first, second = whole.split("\nTurn 2\n")
        assert f"\n    {SAID}\n" in first
        assert "\n  Assistant\n    nice to meet you\n" in first
        assert "\n    sim:error\n" in second
        assert "\n  Error server_error" in second
        timing = mitmweb.view(flow, "response", "Timing")["text"].splitlines()
        assert re.fullmatch(
            r"Turn 1 +at .*, first event .*, first text .*, ended .*, longest gap .*", timing[0]
        )
        assert re.fullmatch(r"Turn 2 +at .*, first event .*, ended .*", timing[1])


@pytest.mark.parametrize("detail", [3, 4])
def test_mitmdump_prints_conversations(home: Path, simulator: Simulator, detail: int) -> None:
    with tool(home, simulator, "mitmdump", "--set", f"flow_detail={detail}") as mitmdump:
        mitmdump.speak(simulator)
        mitmdump.process.stop()
        printed = mitmdump.process.output
        assert printed.count(" Assistant\n") == 2 * len(REQUESTS)
        assert printed.count("nice to meet you\n") == 4 * len(REQUESTS)
        Canaries(home).assert_not_in(printed, "the output")


def test_a_flow_file_is_opened_later(home: Path, simulator: Simulator) -> None:
    """By another process, which has not seen the requests, in mitmweb and in mitmdump."""
    flows = home / "flows"
    with tool(home, simulator, "mitmdump", "-w", str(flows)) as mitmdump:
        mitmdump.speak(simulator)
    Canaries(home).assert_not_in(flows.read_bytes(), "the flow file")
    with tool(home, simulator, "mitmweb", "--rfile", str(flows)) as mitmweb:
        deadline = time.monotonic() + 10
        while len(mitmweb.flows()) < 2 * len(REQUESTS) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert_conversations(mitmweb)
    done = subprocess.run(
        [str(BIN / "mitmdump"), "-n", "-r", str(flows), "-s", SCRIPT, "--set", "flow_detail=4"],
        env=clean_environment(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.count(" Assistant\n") == 2 * len(REQUESTS)


def test_the_console_shows_conversations(home: Path, simulator: Simulator) -> None:
    """mitmproxy in a terminal, with a flow file."""
    flows = home / "flows"
    with tool(home, simulator, "mitmdump", "-w", str(flows)) as mitmdump:
        body = {**REQUESTS["/api/v1/messages"], "stream": True}
        url = f"{mitmdump.url}/api/v1/messages"
        httpx.post(url, json=body, headers=HEADERS, trust_env=False).raise_for_status()
    with terminal(home, 120, 90) as window:
        console = [str(BIN / "mitmproxy"), "-n", "-r", str(flows), "-s", SCRIPT, "--view-filter", "~m POST"]
        window.command(console)
        window.wait_for(r"POST .*/v1/messages")
        window.keys("Enter")
        window.wait_for(rf"Messages request to {CLAUDE}")
        assert SAID in window.screen
        window.keys("Tab")
        window.wait_for(r"Assistant\s+nice to meet you")
