"""Processes of the real `claude` that wait for requests (`claude.pool`)."""

import json
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.conftest import Proxies, upstream_settings
from tests.support.processes import Proxy, Simulator, running_proxy
from tests.support.sdk import MODEL, ask, left_behind, processes_of, said, sdk_settings, text_of, until
from tests.support.sockets import port_of

pytestmark = pytest.mark.slow

SIZE = 2
WEATHER = {"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {}}}}


def pool_settings(**more: str) -> dict[str, str]:
    return sdk_settings(CLAUDE__POOL__ENABLED="true", CLAUDE__POOL__SIZE=str(SIZE), **more)


def status(proxy: Proxy) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{proxy.url}/sdk/status", trust_env=False).json()
    return found


def waiting(proxy: Proxy) -> set[int]:
    """The ids of all processes, once the pool is full."""
    until(lambda: (pool := status(proxy)["pool"]) and (pool["ready"], pool["starting"]) == (SIZE, 0))
    return pids(proxy)


def pids(proxy: Proxy) -> set[int]:
    return {process.pid for process in processes_of(proxy)}


def asks(process: psutil.Process, port: int) -> bool:
    """Whether it is connected there."""
    return any(one.raddr and one.raddr.port == port for one in process.net_connections())


def upstream(simulator: Simulator) -> Any:
    return simulator.requests()[-1]["body_json"]


@pytest.fixture
def pooled(proxies: Proxies, simulator: Simulator) -> Proxy:
    proxy = proxies.get(settings=pool_settings(CLAUDE__SESSIONS__MAX="2"))
    waiting(proxy)
    simulator.clear()
    return proxy


def test_its_life(simulator: Simulator, tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    settings = upstream_settings(simulator) | pool_settings(TMPDIR=str(folder))
    simulator.clear()
    with running_proxy(tmp_path, settings) as proxy:
        first = waiting(proxy)
        assert len(first) == SIZE
        assert status(proxy)["sessions"]["live"] == 0
        # they wait without a word to the API
        assert [entry for entry in simulator.requests() if entry["method"] == "POST"] == []

        body = {"model": MODEL, "max_tokens": 9, "stream": True, "messages": [said("sim:slow 100 0.1")]}
        url = f"{proxy.url}/sdk/v1/messages"
        with httpx.stream("POST", url, json=body, timeout=60, trust_env=False) as answer:
            # kept: an iterator that goes away takes the connection with it
            pieces = answer.iter_raw()
            next(pieces)
            port = port_of(simulator.url)
            [own] = until(lambda: [process for process in processes_of(proxy) if asks(process, port)])
            assert own.pid in first
        assert status(proxy)["sessions"]["live"] == 1
        second = waiting(proxy)
        assert first < second
        assert len(second) == SIZE + 1
        marker = f"ccproxy-{proxy.process.child.pid}-"
        assert {process.pid for process in left_behind(marker)} >= second
        assert list(folder.iterdir())

        assert proxy.process.stop() == 0
        assert left_behind(marker) == []
        assert [pid for pid in second if psutil.pid_exists(pid)] == []
        assert list(folder.iterdir()) == []


class TestWhatARequestSays:
    """A process that has waited knew nothing of it when it started."""

    def test_model_and_effort(self, pooled: Proxy, simulator: Simulator) -> None:
        for model, effort in (("claude-sonnet-4-6", "low"), ("claude-opus-4-8", "high")):
            waiting(pooled)
            answer = ask(pooled, f"sim:text {effort}", model=model, output_config={"effort": effort})
            assert text_of(answer) == effort
            assert answer.json()["model"] == model
            body = upstream(simulator)
            assert (body["model"], body["output_config"]["effort"]) == (model, effort)

    def test_system_prompt(self, pooled: Proxy, simulator: Simulator) -> None:
        assert text_of(ask(pooled, "sim:text ok", system="ALWAYS-SAY-OKAPI")) == "ok"
        assert upstream(simulator)["system"][-1]["text"].endswith("ALWAYS-SAY-OKAPI")
        waiting(pooled)
        assert text_of(ask(pooled, "sim:text none")) == "none"
        assert "OKAPI" not in json.dumps(upstream(simulator))

    def test_tools_of_the_client(self, pooled: Proxy, simulator: Simulator) -> None:
        prompt = said('sim:tool mcp__client__get_weather {"city": "Rome"}')
        first = ask(pooled, prompt, tools=[WEATHER])
        assert first.json()["stop_reason"] == "tool_use"
        [call] = [block for block in first.json()["content"] if block["type"] == "tool_use"]
        history = [prompt, {"role": "assistant", "content": first.json()["content"]}]
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": "sunny"}
        final = ask(pooled, *history, {"role": "user", "content": [result]}, tools=[WEATHER])
        assert text_of(final) == "Tool result: sunny"
        waiting(pooled)
        assert text_of(ask(pooled, "sim:text without tools")) == "without tools"
        assert "get_weather" not in [tool["name"] for tool in upstream(simulator)["tools"]]
        assert "mcp__client__get_weather" not in json.dumps(upstream(simulator)["tools"])


def test_one_that_is_killed_while_it_waits_is_replaced(simulator: Simulator, tmp_path: Path) -> None:
    with running_proxy(tmp_path, upstream_settings(simulator) | pool_settings()) as proxy:
        before = waiting(proxy)
        killed = psutil.Process(min(before))
        killed.kill()
        until(lambda: killed.pid not in pids(proxy))
        after = until(lambda: (found := waiting(proxy)) - before and found)
        assert after
        assert len(after) == SIZE
        assert after & before == before - {killed.pid}


def test_all_of_them_killed_just_before_a_request(pooled: Proxy) -> None:
    waiting(pooled)
    for process in processes_of(pooled):
        process.kill()
    until(lambda: not pids(pooled))
    assert text_of(ask(pooled, "sim:text all the same")) == "all the same"


def test_one_that_is_used_up_is_replaced(proxies: Proxies, simulator: Simulator) -> None:
    proxy = proxies.get(settings=pool_settings(CLAUDE__POOL__MAX_USES="2"))
    path = "/sdk/long/v1/messages"
    before = waiting(proxy)
    assert text_of(ask(proxy, "sim:text remember-the-okapi", path=path)) == "remember-the-okapi"
    assert text_of(ask(proxy, "sim:text two", path=path)) == "two"
    until(lambda: len(before & pids(proxy)) == SIZE - 1)
    assert text_of(ask(proxy, "sim:text three", path=path)) == "three"
    assert "remember-the-okapi" in json.dumps(upstream(simulator)["messages"])
