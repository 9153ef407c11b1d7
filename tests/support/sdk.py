"""The real Claude Code behind `/sdk`, on the simulator."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil

from ccproxy.agent.guard import VARIABLE
from tests.support.clients import QUIET, program
from tests.support.processes import Proxy, Simulator

MODEL = "claude-opus-4-8"


def sdk_settings(**more: str) -> dict[str, str]:
    """Settings of a proxy that runs Claude Code, quietly. Skips where there is none."""
    return {**QUIET, "CLAUDE__CLI_PATH": program("claude"), **more}


def bash(command: str) -> str:
    """A prompt on which the simulator calls the tool."""
    return f"sim:tool Bash {json.dumps({'command': command, 'description': 'a test'})}"


def said(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def ask(
    proxy: Proxy,
    *messages: str | Mapping[str, Any],
    path: str = "/sdk/v1/messages",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> httpx.Response:
    """A request without the SDKs' own conveniences; `more` are further keys of its body."""
    turns = [said(message) if isinstance(message, str) else message for message in messages]
    body = {"model": MODEL, "max_tokens": 1000, "messages": turns, **more}
    return httpx.post(f"{proxy.url}{path}", json=body, headers=headers, trust_env=False, timeout=60)


def text_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return "".join(block.get("text", "") for block in answer.json()["content"])


def turns_upstream(simulator: Simulator) -> list[list[dict[str, Any]]]:
    """The messages of each request that Claude Code has sent, oldest first."""
    bodies: list[Any] = [entry["body_json"] for entry in simulator.requests()]
    return [body["messages"] for body in bodies if isinstance(body, dict)]


def permissions(proxy: Proxy, headers: Mapping[str, str] | None = None, **query: str) -> list[dict[str, Any]]:
    """What has been asked for; `query` may be a status."""
    answer = httpx.get(f"{proxy.url}/permissions", params=query, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["permissions"]
    return found


def processes_of(proxy: Proxy) -> list[psutil.Process]:
    """The Claude Code processes that a proxy has started."""
    below = psutil.Process(proxy.process.child.pid).children(recursive=True)
    return [process for process in below if is_claude(process)]


def is_claude(process: psutil.Process) -> bool:
    try:
        return process.name() == "claude" or "claude" in Path(process.exe()).name
    except psutil.Error:
        return False


def left_behind(marker: str) -> list[psutil.Process]:
    """Processes that still carry a worker's marker that begins so."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(VARIABLE, "").startswith(marker) and process.status() != "zombie":
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def until[T](look: Callable[[], T], seconds: float = 20) -> T:
    """What it finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.05)
    return found
