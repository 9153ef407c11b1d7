"""A recorded request, asked elsewhere."""

import json
from pathlib import Path
from typing import Any

import pytest

from ccproxy.cli.replay_against import AgainstError, chosen, recorded_backend, target
from ccproxy.records.cassette import Recorded
from tests.conftest import Proxies, upstream_settings
from tests.support.processes import Simulator
from tests.support.sockets import port_of
from tests.support.tapes import cassette_with, ccproxy, replaying

ASKED: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "sim:text today"}],
    "stream": True,
}
ANSWER: dict[str, Any] = {
    "type": "message",
    "model": "claude-opus-4-8",
    "content": [{"type": "text", "text": "yesterday"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 7, "output_tokens": 2},
}
MODELS = Recorded("models", "/api/v1/models", 200, [(0.0, "{}")])
ONE = Recorded("messages", "https://api.anthropic.com/v1/messages", 200, [(1.25, json.dumps(ANSWER))], ASKED)
OTHER = Recorded("chat", "/openai/v1/chat/completions", 200, [(0.0, "{}")], {"model": "gpt-5.5"})


@pytest.fixture
def cassette(home: Path) -> Path:
    return cassette_with(home, ONE)


@pytest.mark.parametrize(
    ("against", "path", "expected"),
    [
        ("sdk", "/api/v1/messages", ("sdk", "")),
        ("codex/gpt-5.5", "/api/v1/messages", ("codex", "gpt-5.5")),
        ("openai/org/model", "/api/v1/messages", ("openai", "org/model")),
        ("claude-sonnet-5-5", "/sdk/v1/messages", ("sdk", "claude-sonnet-5-5")),
        ("claude-sonnet-5-5", "/openai/v1/responses", ("api", "claude-sonnet-5-5")),
        ("gpt-5.5", "https://chatgpt.com/backend-api/codex/responses", ("codex", "gpt-5.5")),
        ("gpt-5.5", "https://api.anthropic.com/v1/messages", ("openai", "gpt-5.5")),
    ],
)
def test_where_it_is_asked(against: str, path: str, expected: tuple[str, str]) -> None:
    assert target(against, path) == expected


@pytest.mark.parametrize("against", ["", "azure/gpt-5.5", "/gpt-5.5"])
def test_what_names_no_place(against: str) -> None:
    with pytest.raises(AgainstError, match="backends: api, sdk, codex, openai"):
        target(against, "/api/v1/messages")


@pytest.mark.parametrize(
    ("path", "backend"),
    [("/claude/v1/messages", None), ("/v1/messages", None), ("/codex/s/responses", "codex")],
)
def test_a_path_need_not_say_its_backend(path: str, backend: str | None) -> None:
    assert recorded_backend(path) == backend


def test_the_last_request_or_the_one_by_its_number() -> None:
    tape = [MODELS, ONE, OTHER, MODELS]
    assert chosen(tape, "api", None).number == 3
    found = chosen(tape, "api/claude-haiku-4-5", 2)
    assert (found.number, found.path, found.body["model"]) == (2, "/api/v1/messages", "claude-haiku-4-5")
    assert chosen(tape, "api", 2).body == ASKED
    for number in (1, 5):
        with pytest.raises(AgainstError, match=r"there are: 2, 3\."):
            chosen(tape, "api", number)
    with pytest.raises(AgainstError, match="none"):
        chosen([MODELS], "api", None)


def test_both_answers_beside_each_other(home: Path, cassette: Path, simulator: Simulator) -> None:
    """With a proxy of its own, translated, on 80 columns."""
    simulator.clear()
    settings = upstream_settings(simulator)
    done = ccproxy(home, "replay", str(cassette), "--against", "openai/gpt-5.5", environment=settings)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("│ ").split("│") for line in done.stdout.splitlines() if "│" in line]
    found = {name.strip(): (one.strip(), two.strip()) for name, one, two in rows}
    assert found["answer"] == ("yesterday", "today")
    assert found["model"] == ("claude-opus-4-8", "gpt-5.5")
    assert found["ended"] == ("end_turn", "end_turn")
    assert found["tokens in"][0] == "7"
    assert found["tokens out"][1].isdigit()
    assert found["first byte"][0] == "1.25 s"
    assert max(map(len, done.stdout.splitlines())) <= 80
    (asked,) = simulator.requests()
    assert asked["path"] == "/openai/v1/responses"


def test_as_json_with_the_proxy_that_runs(home: Path, cassette: Path, proxies: Proxies) -> None:
    running = proxies.get()
    environment = {"SERVER__PORT": str(port_of(running.url))}
    done = ccproxy(
        home, "replay", str(cassette), "--against", "claude-sonnet-5-5", "--json", environment=environment
    )
    found = json.loads(done.stdout)
    assert done.returncode == 0, found
    assert found["request"] == 1
    assert (found["recorded"]["text"], found["now"]["text"]) == ("yesterday", "today")
    assert found["now"]["model"] == "claude-sonnet-5-5"
    assert found["now"]["first_byte"] <= found["now"]["took"]


def test_a_replay_that_runs_is_not_asked(home: Path, cassette: Path, simulator: Simulator) -> None:
    with replaying(home, cassette) as replay:
        environment = {**upstream_settings(simulator), "SERVER__PORT": str(port_of(replay.url))}
        done = ccproxy(home, "replay", str(cassette), "--against", "api", "--json", environment=environment)
    assert json.loads(done.stdout)["now"]["text"] == "today", done.stderr


def test_an_error_is_an_answer_too(home: Path, cassette: Path, simulator: Simulator) -> None:
    settings = upstream_settings(simulator)
    done = ccproxy(home, "replay", str(cassette), "--against", "openai", environment=settings)
    assert done.returncode == 1
    assert "claude-opus-4-8" in done.stdout
    assert "404" in done.stdout or "400" in done.stdout
