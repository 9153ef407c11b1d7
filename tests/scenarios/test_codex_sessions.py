"""Conversations that the ChatGPT plan's backend does not keep, and that go on all the same."""

import itertools
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Proxies, upstream_settings
from tests.support.chatgpt import write_login
from tests.support.processes import Proxy, Simulator, running_proxy

GPT = "gpt-5.5"
WIRES = ("responses", "chat", "anthropic")
PATHS = {"responses": "/responses", "chat": "/v1/chat/completions", "anthropic": "/v1/messages"}
PARAMETERS = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
CALL = 'sim:tool add {"a": 2}'
TURN_STATE = "x-codex-turn-state"


@pytest.fixture(autouse=True)
def nothing_sent_yet(simulator: Simulator) -> None:
    simulator.clear()


@contextmanager
def started_at(home: Path, simulator: Simulator, **more: str) -> Iterator[Proxy]:
    """A proxy of its own, which can be started a second time in the same home."""
    settings = {**upstream_settings(simulator), "CODEX__AUTH_PATH": str(write_login(home / "auth.json"))}
    with running_proxy(home, {**settings, **more}, proxy_listener=False) as proxy:
        yield proxy


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def ask(
    proxy: Proxy,
    wire: str,
    said: list[Any],
    session: str | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> httpx.Response:
    """A request in a client's format, in the session of its path when there is one."""
    body = {"model": GPT, "input" if wire == "responses" else "messages": said, **more}
    if wire == "anthropic":
        body["max_tokens"] = 999
    path = f"/codex/{session}" if session else "/codex"
    url = proxy.url + path + PATHS[wire]
    return httpx.post(url, json=body, headers=dict(headers or {}), trust_env=False, timeout=20)


def answered(answer: httpx.Response) -> httpx.Response:
    assert answer.status_code == 200, answer.text
    return answer


def sent(simulator: Simulator) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """The bodies and headers that reached the backend."""
    found: list[tuple[dict[str, Any], dict[str, str]]] = []
    for entry in simulator.requests():
        headers: Any = entry["headers"]
        body: Any = entry["body_json"]
        found.append((body, {name.lower(): value for name, value in headers}))
    return found


def told(body: dict[str, Any]) -> list[str]:
    """The texts of the input, or the types of what has none."""
    found = []
    for item in body["input"]:
        content = item.get("content")
        if isinstance(content, list):
            content = "".join(part["text"] for part in content)
        found.append(content if item.get("type", "message") == "message" else item["type"])
    return found


def error_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, our code, and the text."""
    return answer.status_code, answer.headers["x-ccproxy-error"], answer.json()["error"]["message"]


# --- who goes on


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("wire", WIRES)
def test_by_the_session_of_the_path(served: Proxy, simulator: Simulator, wire: str, *, stream: bool) -> None:
    """Each turn says only what is new, and the backend hears everything, the old part byte for byte."""
    session = f"by-path-{wire}-{stream}"
    for text in ("sim:text one", "sim:text two", "sim:text three"):
        answered(ask(served, wire, [user(text)], session, stream=stream))
    bodies = sent(simulator)
    assert [told(body) for body, _ in bodies] == [
        ["sim:text one"],
        ["sim:text one", "one", "sim:text two"],
        ["sim:text one", "one", "sim:text two", "two", "sim:text three"],
    ]
    for (before, _), (after, _) in itertools.pairwise(bodies):
        assert json.dumps(after["input"][: len(before["input"])]) == json.dumps(before["input"])
    assert {body["prompt_cache_key"] for body, _ in bodies} == {session}
    assert {headers["session-id"] for _, headers in bodies} == {session}


@pytest.mark.parametrize("header", ["session-id", "session_id"])
@pytest.mark.parametrize("wire", WIRES)
def test_by_a_header(served: Proxy, simulator: Simulator, wire: str, header: str) -> None:
    session = f"by-{header}-{wire}"
    for text in ("sim:text one", "sim:text two"):
        answered(ask(served, wire, [user(text)], headers={header: session}))
    (_, first), (body, second) = sent(simulator)
    assert told(body) == ["sim:text one", "one", "sim:text two"]
    assert first["session-id"] == second["session-id"] == body["prompt_cache_key"] == session
    assert "session_id" not in second


@pytest.mark.parametrize("stream", [False, True])
def test_by_previous_response_id(served: Proxy, simulator: Simulator, *, stream: bool) -> None:
    """Also from a response before the last: each way on is a conversation of its own."""

    def id_of(answer: httpx.Response) -> str:
        if not stream:
            return str(answer.json()["id"])
        last = answered(answer).text.strip().splitlines()[-1]
        return str(json.loads(last.removeprefix("data: "))["response"]["id"])

    asked: Any = {"stream": stream}
    first = id_of(ask(served, "responses", [user("sim:text one")], **asked))
    second = id_of(ask(served, "responses", [user("sim:text two")], previous_response_id=first, **asked))
    answered(ask(served, "responses", [user("sim:text three")], previous_response_id=second, **asked))
    answered(ask(served, "responses", [user("sim:text other")], previous_response_id=first, **asked))
    bodies = sent(simulator)
    assert [told(body) for body, _ in bodies][2:] == [
        ["sim:text one", "one", "sim:text two", "two", "sim:text three"],
        ["sim:text one", "one", "sim:text other"],
    ]
    assert not [body for body, _ in bodies if "previous_response_id" in body]
    assert len({body["prompt_cache_key"] for body, _ in bodies}) == 1
    assert {headers["session-id"] for _, headers in bodies} == {bodies[0][0]["prompt_cache_key"]}


def test_what_the_client_does_not_want_kept_is_not(served: Proxy, simulator: Simulator) -> None:
    first = answered(ask(served, "responses", [user("sim:text one")], store=False)).json()["id"]
    answer = ask(served, "responses", [user("sim:text two")], previous_response_id=first)
    assert error_of(answer)[:2] == (400, "previous_response_not_found")
    assert len(sent(simulator)) == 1


@pytest.mark.parametrize("wire", WIRES)
def test_a_client_that_sends_everything_is_not_doubled(
    served: Proxy, simulator: Simulator, wire: str
) -> None:
    history = [user("sim:text one")]
    for text in ("one", "two", "three"):
        answered(ask(served, wire, history, f"whole-{wire}"))
        history += [assistant(text), user(f"sim:text {'two' if text == 'one' else 'three'}")]
    last, _ = sent(simulator)[-1]
    assert told(last) == ["sim:text one", "one", "sim:text two", "two", "sim:text three"]


@pytest.mark.parametrize("wire", ["chat", "anthropic"])
def test_what_a_client_says_with_every_turn_is_said_once(
    served: Proxy, simulator: Simulator, wire: str
) -> None:
    """Its system prompt is no part of what is kept."""
    for text in ("sim:text one", "sim:text two"):
        if wire == "chat":
            answered(ask(served, wire, [{"role": "system", "content": "Be kind."}, user(text)], "kind-chat"))
        else:
            answered(ask(served, wire, [user(text)], "kind-anthropic", system="Be kind."))
    body, _ = sent(simulator)[-1]
    assert told(body) == ["sim:text one", "one", "sim:text two"]
    assert body["instructions"] == "Be kind."


@pytest.mark.parametrize("wire", WIRES)
def test_without_a_session_nothing_is_continued(served: Proxy, simulator: Simulator, wire: str) -> None:
    for _ in range(3):
        answered(ask(served, wire, [user("sim:text one")]))
    bodies = sent(simulator)
    assert [told(body) for body, _ in bodies] == [["sim:text one"]] * 3
    assert len({headers["session-id"] for _, headers in bodies}) == 3
    assert all(body["prompt_cache_key"] == headers["session-id"] for body, headers in bodies)


def test_sessions_never_mix(served: Proxy, simulator: Simulator) -> None:
    """Eight of them at once, in all three formats."""

    def talk(number: int) -> None:
        for turn in range(3):
            said = [user(f"sim:text s{number} t{turn}")]
            answered(ask(served, WIRES[number % 3], said, f"mix-{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(talk, range(8)))
    bodies = sent(simulator)
    assert len(bodies) == 24
    for body, headers in bodies:
        number = headers["session-id"].removeprefix("mix-")
        assert all(f"s{number} " in text for text in told(body))
    assert sorted(len(body["input"]) for body, _ in bodies) == [1] * 8 + [3] * 8 + [5] * 8


def test_a_cache_key_is_no_session(served: Proxy, simulator: Simulator) -> None:
    """An application may use one for all that it does, and somebody else the same word for a session."""
    asked: Any = {"prompt_cache_key": "same-word"}
    for text in ("sim:text one", "sim:text two"):
        answered(ask(served, "responses", [user(text)], **asked))
    answered(ask(served, "responses", [user("sim:text three")], "same-word"))
    bodies = sent(simulator)
    assert [told(body) for body, _ in bodies] == [["sim:text one"], ["sim:text two"], ["sim:text three"]]
    assert {body["prompt_cache_key"] for body, _ in bodies} == {"same-word"}


def test_a_first_turn_that_fails_can_be_tried_again(served: Proxy, simulator: Simulator) -> None:
    """Nothing was said in that session yet, so nothing has been forgotten."""
    asked = [user("sim:once error 404")]
    assert ask(served, "chat", asked, "tried-again").status_code == 404
    answered(ask(served, "chat", asked, "tried-again"))
    assert len(sent(simulator)) == 2


# --- turns


def test_the_turn_state_is_of_one_turn(served: Proxy, simulator: Simulator) -> None:
    """The first answer of a turn names it, the requests with what a tool gave say it back."""
    tools: Any = [{"type": "function", "name": "add", "parameters": PARAMETERS, "strict": False}]
    asked: Any = {"tools": tools}
    first = answered(ask(served, "responses", [user(CALL)], **asked)).json()
    output = {"type": "function_call_output", "call_id": first["output"][-1]["call_id"], "output": "4"}
    second = answered(ask(served, "responses", [output], previous_response_id=first["id"], **asked)).json()
    answered(ask(served, "responses", [user("hello")], previous_response_id=second["id"], **asked))
    one, two, three = sent(simulator)
    assert TURN_STATE not in one[1]
    assert two[1][TURN_STATE].startswith("ts_")
    assert TURN_STATE not in three[1]
    assert told(two[0]) == [CALL, "function_call", "function_call_output"]


@pytest.mark.parametrize("stream", [False, True])
def test_the_turn_state_for_a_messages_client(served: Proxy, simulator: Simulator, *, stream: bool) -> None:
    """It sends its whole history, and says something of its own behind the result."""
    tools: Any = [{"name": "add", "input_schema": PARAMETERS}]
    asked: Any = {"tools": tools, "stream": stream}
    session = f"turn-{stream}"
    answered(ask(served, "anthropic", [user(CALL)], session, **asked))
    (body, _), *_ = sent(simulator)
    use = {"type": "tool_use", "id": "call_1", "name": "add", "input": {"a": 2}}
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": "4"}
    history = [user(CALL), {"role": "assistant", "content": [use]}]
    history += [{"role": "user", "content": [result, {"type": "text", "text": "(a reminder)"}]}]
    answered(ask(served, "anthropic", history, session, **asked))
    answered(ask(served, "anthropic", [*history, assistant("4"), user("hello")], session, **asked))
    states = [headers.get(TURN_STATE) for _, headers in sent(simulator)]
    assert states[0] is states[2] is None
    assert states[1]
    assert body["tools"]


# --- what is gone


@pytest.mark.parametrize("wire", WIRES)
def test_a_restart(home: Path, simulator: Simulator, wire: str) -> None:
    """Whoever relies on what was said before is told; whoever says it all again is answered."""
    with started_at(home, simulator) as proxy:
        reply = answered(ask(proxy, wire, [user("sim:text one")], "mine")).json()
    with started_at(home, simulator) as proxy:
        answer = ask(proxy, wire, [user("sim:text two")], "mine")
        status, code, text = error_of(answer)
        assert (status, code) == (400, "session_forgotten")
        assert "'mine'" in text
        assert "Send the whole conversation" in text
        by_header = ask(proxy, wire, [user("sim:text two")], headers={"session-id": "mine"})
        assert error_of(by_header)[:2] == (400, "session_forgotten")
        if wire == "responses":
            answer = ask(proxy, wire, [user("sim:text two")], previous_response_id=reply["id"])
            status, code, text = error_of(answer)
            assert (status, code) == (400, "previous_response_not_found")
            assert answer.json()["error"]["param"] == "previous_response_id"
            assert "Send the whole conversation" in text
        whole = [user("sim:text one"), assistant("one"), user("sim:text two")]
        answered(ask(proxy, wire, whole, "mine"))
        answered(ask(proxy, wire, [user("sim:text three")], "mine"))
        answered(ask(proxy, wire, [user("sim:text one")], "another"))
    texts = [told(body) for body, _ in sent(simulator)]
    assert texts == [
        ["sim:text one"],
        ["sim:text one", "one", "sim:text two"],
        ["sim:text one", "one", "sim:text two", "two", "sim:text three"],
        ["sim:text one"],
    ]


@pytest.mark.parametrize("limit", [{"CODEX__SESSIONS__MAX": "1"}, {"CODEX__SESSIONS__MEMORY": "1500"}])
def test_a_limit_that_is_reached(proxies: Proxies, simulator: Simulator, limit: dict[str, str]) -> None:
    """The conversation that was not used for longest is gone as after a restart."""
    proxy = proxies.get("serve", limit)
    names = [f"{name}-{limit.popitem()[1]}" if limit else name for name in ("old", "new")]
    first = answered(ask(proxy, "responses", [user("sim:text one")], names[0])).json()["id"]
    answered(ask(proxy, "responses", [user(f"sim:text {'word ' * 20}")], names[1]))
    answer = ask(proxy, "responses", [user("sim:text two")], names[0])
    assert error_of(answer)[:2] == (400, "session_forgotten")
    answer = ask(proxy, "responses", [user("sim:text two")], previous_response_id=first)
    assert error_of(answer)[:2] == (400, "previous_response_not_found")
    answered(ask(proxy, "responses", [user("sim:text three")], names[1]))
    assert len(sent(simulator)) == 3


@pytest.mark.parametrize("wire", WIRES)
def test_a_name_that_nobody_knows_begins_a_conversation(
    served: Proxy, simulator: Simulator, wire: str
) -> None:
    answered(ask(served, wire, [user("hello")], f"unheard-of-{wire}"))
    answer = ask(served, "responses", [user("hello")], previous_response_id="resp_unheard_of")
    assert error_of(answer)[:2] == (400, "previous_response_not_found")
    assert len(sent(simulator)) == 1


# --- instructions

PROMPT = "You are a careful agent.\n\n  Two spaces, an ümlaut, and no newline at the end."


@pytest.fixture
def instructed(proxies: Proxies, tmp_path_factory: pytest.TempPathFactory) -> Proxy:
    """A proxy with instructions from a file, which is the same for every test."""
    file = tmp_path_factory.getbasetemp() / "instructions.md"
    file.write_text(PROMPT, encoding="utf-8")
    return proxies.get("serve", {"CODEX__INSTRUCTIONS": str(file)})


@pytest.mark.parametrize("wire", WIRES)
def test_instructions_of_a_file(instructed: Proxy, simulator: Simulator, wire: str) -> None:
    """In front of the client's own, once, and the same bytes in each turn."""
    own: Any = {"responses": {"instructions": "Be kind."}, "anthropic": {"system": "Be kind."}}.get(wire, {})
    system = [{"role": "system", "content": "Be kind."}] if wire == "chat" else []
    for text in ("sim:text one", "sim:text two"):
        answered(ask(instructed, wire, [*system, user(text)], f"told-{wire}", **own))
    answered(ask(instructed, wire, [user("sim:text one")]))
    with_own, again, without = (body["instructions"] for body, _ in sent(simulator))
    assert with_own == again == f"{PROMPT}\n\nBe kind."
    assert without == PROMPT


def test_instructions_that_the_client_has_already(instructed: Proxy, simulator: Simulator) -> None:
    answered(ask(instructed, "responses", [user("hello")], instructions=PROMPT + " And kind."))
    assert [body["instructions"] for body, _ in sent(simulator)] == [PROMPT + " And kind."]


@pytest.mark.parametrize(
    "codex", [{"originator": "codex_cli_rs"}, {"user-agent": "codex_cli_rs/0.169.0 (Linux 6; x86_64) tty"}]
)
def test_codex_itself_is_left_alone(instructed: Proxy, simulator: Simulator, codex: dict[str, str]) -> None:
    """Not one byte of its body, and none of its headers but the account."""
    body = {
        "model": GPT,
        "instructions": "Mine.",
        "input": [user("sim:text one")],
        "stream": True,
        "store": False,
    }
    content = json.dumps(body, indent=1).encode()
    headers = {
        "originator": "codex_exec",
        **codex,
        "session-id": "of-codex",
        "content-type": "application/json",
    }
    for _ in range(2):
        url = f"{instructed.url}/codex/responses"
        answer = httpx.post(url, content=content, headers=headers, trust_env=False, timeout=20)
        assert "event: codex.rate_limits" in answered(answer).text
    for sent_body, sent_headers in sent(simulator):
        assert sent_body == body
        assert sent_headers["originator"] == headers["originator"]
        assert sent_headers["session-id"] == "of-codex"
    raw = {str(entry["body"]) for entry in simulator.requests()}
    assert len(raw) == 1


# --- what is lost, and what is in the wrong place


@pytest.mark.parametrize(
    ("wire", "more", "field"),
    [
        ("chat", {"max_completion_tokens": 99}, "max_completion_tokens"),
        ("chat", {"temperature": 0.5}, "temperature"),
        ("anthropic", {"top_k": 5}, "top_k"),
        ("anthropic", {}, "max_tokens"),
        ("responses", {"max_output_tokens": 99}, "max_output_tokens"),
        ("responses", {"metadata": {"a": "b"}}, "metadata"),
    ],
)
def test_losses_that_are_refused(
    proxies: Proxies, simulator: Simulator, wire: str, more: dict[str, Any], field: str
) -> None:
    """By the name that the client itself has for it."""
    proxy = proxies.get("serve", {"TRANSLATION__LOSSES": "reject"})
    status, code, text = error_of(ask(proxy, wire, [user("hello")], **more))
    assert (status, code) == (400, "translation_loss")
    assert text.startswith(f"{field}: ")
    assert sent(simulator) == []


@pytest.mark.parametrize("stream", [False, True])
def test_messages_on_the_path_of_responses(served: Proxy, simulator: Simulator, *, stream: bool) -> None:
    """A body of Chat Completions is understood there too, and answered as Responses."""
    body = {"model": GPT, "stream": stream, "max_tokens": 99}
    body["messages"] = [{"role": "system", "content": "Be kind."}, user("sim:text one")]
    answer = httpx.post(f"{served.url}/codex/responses", json=body, trust_env=False, timeout=20)
    assert answered(answer).headers["x-ccproxy-warnings"] == "max_completion_tokens"
    if stream:
        assert "event: response.completed" in answer.text
    else:
        assert answer.json()["output"][-1]["content"][0]["text"] == "one"
    [(sent_body, _)] = sent(simulator)
    assert sent_body["instructions"] == "Be kind."
    assert told(sent_body) == ["sim:text one"]
    assert "messages" not in sent_body


def test_messages_on_the_path_of_responses_go_on(served: Proxy, simulator: Simulator) -> None:
    body: dict[str, Any] = {"model": GPT, "messages": [user("sim:text one")]}
    url = f"{served.url}/codex/responses"
    first = answered(httpx.post(url, json=body, trust_env=False, timeout=20)).json()["id"]
    body = {"model": GPT, "messages": [user("sim:text two")], "previous_response_id": first}
    answered(httpx.post(url, json=body, trust_env=False, timeout=20))
    assert told(sent(simulator)[-1][0]) == ["sim:text one", "one", "sim:text two"]
