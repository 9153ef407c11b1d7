"""What mitmweb keeps stays within its limits, and what it shows of flows whose bodies are gone."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.conftest import upstream_settings
from tests.support.processes import BIN, ROOT, Proxy, Simulator, free_port, started, wait_until_ready

CLAUDE, GPT = "claude-opus-4-8", "gpt-5.5"
LONG = "Read all of this. " * 6000
"""About 100 kB, as agents' prompts are."""

HEADERS = {"anthropic-version": "2023-06-01"}


class Web:
    """`ccproxy serve --web`, and the API of its page."""

    def __init__(self, proxy: Proxy, page: httpx.Client) -> None:
        self.proxy = proxy
        self.page = page

    def ask(self, number: int, path: str = "/api/v1/messages") -> None:
        content = f"{LONG} {number}"
        body = {"model": CLAUDE, "max_tokens": 99, "messages": [{"role": "user", "content": content}]}
        answer = httpx.post(
            f"{self.proxy.url}{path}", json=body, headers=HEADERS, trust_env=False, timeout=20
        )
        answer.raise_for_status()

    def flows(self, method: str = "POST") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.get("/flows").raise_for_status().json()
        return [flow for flow in found if flow["request"]["method"] == method]

    def kept(self) -> dict[str, Any]:
        checks = httpx.get(f"{self.proxy.url}/health", trust_env=False).json()["checks"]
        (found,) = checks["inspector:kept"]
        return dict(found)

    def wait_until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 8
        while not true():
            assert time.monotonic() < deadline, self.flows()
            time.sleep(0.05)


OWN = [str(BIN / "ccproxy"), "serve", "--web"]


@contextmanager
def web(home: Path, simulator: Simulator, command: Sequence[str] = OWN, **settings: str) -> Iterator[Web]:
    port = free_port()
    environment = {**upstream_settings(simulator), "SERVER__PORT": str(port), "SERVER__PROXY_PORT": "0"}
    with started(command, home, environment | settings | {"PYTHONUNBUFFERED": "1"}) as process:
        wait_until_ready(process, port)
        address, token = process.wait_for(r"(http://127\.0\.0\.1:\d+)/\?token=(\S+)").groups()
        # what its forms send along: the same value twice
        login = {"authorization": f"Bearer {token}", "cookie": "_mitmproxy_xsrf=c0", "x-xsrftoken": "c0"}
        with httpx.Client(base_url=address, headers=login, trust_env=False, timeout=20) as page:
            yield Web(Proxy(process, port, 0), page)


def test_bodies_go_and_the_list_stays(home: Path, simulator: Simulator) -> None:
    with web(home, simulator, INSPECTOR__MAX_BYTES="1m") as mitmweb:
        for number in range(16):
            mitmweb.ask(number, "/api/v1/chat/completions" if number % 2 else "/api/v1/messages")
        kept = mitmweb.kept()
        assert kept["observedUnit"] == "bytes"
        assert 500_000 < kept["observedValue"] < 1_200_000
        assert kept["flows"] >= 16
        flows = mitmweb.flows()
        assert len(flows) == 16
        dropped = [flow for flow in flows if flow["request"]["contentLength"] is None]
        assert dropped == flows[: len(dropped)]
        assert 5 < len(dropped) <= kept["dropped"]
        for flow in dropped:
            assert re.fullmatch(rf"{CLAUDE}, .*, body dropped \(inspector\.max_bytes\)", flow["comment"])
        assert "dropped" not in flows[-1]["comment"]
        for flow, shown in ((flows[0], "Content is missing."), (flows[-1], f"Messages request to {CLAUDE}")):
            assert shown in mitmweb.page.get(f"/flows/{flow['id']}/request/content/auto").json()["text"]
        # the rest of the page's buttons
        assert mitmweb.page.get("/flows/dump").raise_for_status().content
        mitmweb.page.delete(f"/flows/{flows[0]['id']}").raise_for_status()
        assert len(mitmweb.flows()) == 15
        mitmweb.page.post("/clear").raise_for_status()
        assert mitmweb.flows() == []
        assert mitmweb.kept()["observedValue"] < 100_000


@pytest.mark.parametrize("program", ["serve", "mitmweb"])
def test_old_flows_leave_the_list(home: Path, simulator: Simulator, program: str) -> None:
    stock = [str(BIN / "mitmweb"), "--listen-port", "0", "-s", str(ROOT / "addons" / "ccproxy.py")]
    options = ["--set", "web_open_browser=false", "--set", f"web_port={free_port()}"]
    command = OWN if program == "serve" else [*stock, *options]
    with web(home, simulator, command, INSPECTOR__MAX_AGE_SECONDS="1") as mitmweb:
        mitmweb.ask(1)
        (flow,) = mitmweb.flows()
        assert mitmweb.kept()["observedValue"] > len(LONG)
        mitmweb.wait_until(lambda: mitmweb.flows() == [])
        assert mitmweb.page.get(f"/flows/{flow['id']}/request/content/auto").status_code == 404
        assert mitmweb.kept()["observedValue"] < len(LONG)


def test_streams_that_clients_leave_are_old_one_day(home: Path, simulator: Simulator) -> None:
    body = {"model": CLAUDE, "max_tokens": 999, "stream": True}
    asked = body | {"messages": [{"role": "user", "content": "sim:silence"}]}
    with web(home, simulator, INSPECTOR__MAX_AGE_SECONDS="1") as mitmweb:
        url = f"{mitmweb.proxy.url}/api/v1/messages"
        with httpx.stream("POST", url, json=asked, headers=HEADERS, trust_env=False) as answer:
            pieces = answer.iter_raw()
            assert next(pieces)
            time.sleep(1.3)
            assert len(mitmweb.flows()) == 1
        mitmweb.wait_until(lambda: mitmweb.flows() == [])


def test_a_socket_that_stays_open_keeps_its_newest_turn(home: Path, simulator: Simulator) -> None:
    with web(home, simulator, INSPECTOR__MAX_BYTES="1m") as mitmweb:
        client = openai.OpenAI(api_key="unused", base_url=f"{mitmweb.proxy.url}/openai/v1")
        with client, client.responses.connect() as connection:
            for number in range(12):
                asked: Any = {"type": "response.create", "model": GPT, "input": f"{LONG} {number}"}
                connection.send(asked)
                assert any(event.type == "response.completed" for event in connection)
            (flow,) = (flow for flow in mitmweb.flows("GET") if "websocket" in flow)
            frames = mitmweb.page.get(f"/flows/{flow['id']}/messages/content/auto").json()
            asked_for = [re.search(r"(\d+)\s*$", frame["text"]) for frame in frames if frame["from_client"]]
            numbers = [int(found[1]) for found in asked_for if found]
            assert numbers == list(range(12))[-len(numbers) :]
            assert 0 < len(numbers) < 10
            assert frames[0]["from_client"]
            assert "\nAssistant\n" in frames[-1]["text"]
            assert mitmweb.kept()["observedValue"] < 1_200_000


def test_a_program_that_keeps_no_flows_has_nothing_to_say_of_them(served: Proxy) -> None:
    checks = httpx.get(f"{served.url}/health", trust_env=False).json()["checks"]
    assert "inspector:kept" not in checks
