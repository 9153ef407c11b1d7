"""A ChatGPT plan by Sign in with ChatGPT: the public API, which takes less than its key does."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import upstream_settings
from tests.support.processes import Proxy, Simulator, running_proxy

HELLO = [{"role": "user", "content": "hello"}]
MODEL = "gpt-5.5"


@pytest.fixture(scope="module")
def proxy(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Somebody who has signed in, and has no Codex login."""
    home = tmp_path_factory.mktemp("siwc")
    issued = httpx.post(f"{simulator.url}/_simulator/oauth", json={"issue": "siwc"}).json()["issued"]
    path = home / ".local/share/ccproxy/siwc.json"
    path.parent.mkdir(parents=True)
    content = {"access_token": issued["access_token"], "refresh_token": issued["refresh_token"]}
    content |= {"scopes": issued["scope"].split(), "ext_agent_host_id": "urn:uuid:1", "client_id": "oaiapp_1"}
    path.write_text(json.dumps(content))
    given = {
        **upstream_settings(simulator),
        "CODEX__AUTH_PATH": str(home / "none.json"),
        "OPENAI__API_KEY": "",
    }
    with running_proxy(home, given, "serve") as proxy:
        yield proxy


def ask(proxy: Proxy, path: str, **body: Any) -> Any:
    answer = httpx.post(f"{proxy.url}{path}", json={"model": MODEL, **body}, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_format(proxy: Proxy, simulator: Simulator) -> None:
    simulator.clear()
    reply = ask(proxy, "/codex/v1/responses", input="hello", temperature=0.5, user="me")
    assert reply["output"][0]["content"][0]["text"] == "hello"
    chat = ask(proxy, "/codex/v1/chat/completions", messages=HELLO, max_tokens=10)
    assert chat["choices"][0]["message"]["content"] == "hello"
    message = ask(proxy, "/codex/v1/messages", messages=HELLO, max_tokens=10)
    assert message["content"][0]["text"] == "hello"
    for request in simulator.requests():
        names = {name for name, _ in request["headers"]}  # type: ignore[attr-defined]
        assert request["path"] == "/openai/v1/responses"
        assert not names & {"chatgpt-account-id", "originator", "session-id", "x-codex-turn-state"}


def test_a_session_goes_on(proxy: Proxy) -> None:
    first = ask(proxy, "/codex/mine/responses", input="my name is Bob")
    second = ask(proxy, "/codex/mine/responses", input="what is it?")
    assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"]


def test_models_and_status(proxy: Proxy) -> None:
    models = httpx.get(f"{proxy.url}/codex/v1/models", trust_env=False).json()
    assert MODEL in [model["id"] for model in models["data"]]
    status = httpx.get(f"{proxy.url}/codex/status", trust_env=False).json()
    assert (status["ready"], status["credential"]["kind"]) == (True, "siwc")
