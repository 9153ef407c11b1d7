"""Cases 17 to 19, 21, 37, 38, 40 and 41 on the backend of ChatGPT plans, which is stricter than the API."""

import base64
import gzip
import json
from typing import Any

import httpx
import pytest
import zstandard

from ccproxy.conversation.parts import JsonObject, Wire
from tests.conformance.test_cases_codex import ASKED, PACK, SCHEMA
from tests.conformance.translating import CLAUDE, GPT, PARAMETERS, hello, tool
from tests.support.processes import Proxy, Simulator

PATHS: dict[Wire, str] = {
    "anthropic": "/codex/v1/messages",
    "chat": "/codex/v1/chat/completions",
    "responses": "/codex/v1/responses",
}
ENCRYPTED = "reasoning.encrypted_content"
THINK = {"role": "user", "content": "sim:thinking"}
GO_ON = {"role": "user", "content": "sim:text and then?"}


@pytest.fixture(autouse=True)
def nothing_sent_yet(simulator: Simulator) -> None:
    simulator.clear()


def post(proxy: Proxy, path: str, body: JsonObject, **headers: str) -> httpx.Response:
    return httpx.post(proxy.url + path, json=body, headers=headers, trust_env=False, timeout=20)


def ask(proxy: Proxy, wire: Wire, body: JsonObject) -> httpx.Response:
    """A request to the plan that has to be answered."""
    limit = {"max_tokens": 4000} if wire == "anthropic" else {}
    answer = post(proxy, PATHS[wire], {"model": GPT, **limit, **body})
    assert answer.status_code == 200, answer.text
    return answer


def warned(answer: httpx.Response) -> list[str]:
    found = answer.headers.get("x-ccproxy-warnings")
    return found.split(",") if found else []


def last_sent(simulator: Simulator) -> JsonObject:
    body = simulator.requests()[-1]["body_json"]
    assert isinstance(body, dict)
    return body


def thought(proxy: Proxy) -> list[Any]:
    """A reasoning item of the plan's, and the message that it led to."""
    output: list[Any] = ask(proxy, "responses", {"input": [THINK], "store": False}).json()["output"]
    assert [item["type"] for item in output] == ["reasoning", "message"]
    assert output[0]["encrypted_content"]
    return output


def kinds(body: JsonObject) -> list[str]:
    return [item.get("type", "message") for item in body["input"]]


# --- cases 17 to 19


def test_case_17_reasoning_goes_back_in_the_one_form_that_is_taken(
    served: Proxy, simulator: Simulator
) -> None:
    """With a summary, without plain text, without an id that nobody keeps."""
    reasoning, message = thought(served)
    sealed = reasoning["encrypted_content"]
    plain = [{"type": "reasoning_text", "text": "secret"}]
    bare = {"type": "reasoning", "encrypted_content": sealed, "content": plain, "status": "completed"}
    for replayed in (reasoning, {**bare, "id": "rs_" + "x" * 200}, bare):
        answer = ask(served, "responses", {"input": [THINK, replayed, message, GO_ON], "store": False})
        assert warned(answer) == []
        item = last_sent(simulator)["input"][1]
        assert (item["type"], item["encrypted_content"]) == ("reasoning", sealed)
        assert isinstance(item["summary"], list)
        assert not {"id", "status", "content"} & set(item)


def test_case_17_reasoning_that_nobody_can_read_is_left_out(served: Proxy, simulator: Simulator) -> None:
    reasoning, message = thought(served)
    reasoning = {name: value for name, value in reasoning.items() if name != "encrypted_content"}
    answer = ask(served, "responses", {"input": [THINK, reasoning, message, GO_ON], "store": False})
    assert warned(answer) == ["input.1"]
    body = last_sent(simulator)
    assert kinds(body) == ["message"] * 3
    # by its id the backend would ask for the reasoning
    assert "id" not in body["input"][1]


def test_case_18_claudes_reasoning_stays_behind_when_the_model_changes(
    served: Proxy, simulator: Simulator
) -> None:
    """A conversation that began on Claude goes on at the plan, and the other way round."""
    asked: Any = {"reasoning": {"effort": "high"}, "include": [ENCRYPTED], "store": False}
    first = post(served, "/api/v1/responses", {"model": CLAUDE, "input": [THINK], **asked}).json()
    assert first["output"][0]["encrypted_content"]
    history = [THINK, *first["output"], GO_ON]
    answer = ask(served, "responses", {"input": history, **asked})
    assert warned(answer) == ["input.1"]
    assert kinds(last_sent(simulator)) == ["message"] * 3
    history = [THINK, *thought(served), GO_ON]
    back = post(served, "/api/v1/responses", {"model": CLAUDE, "input": history, **asked})
    assert back.status_code == 200, back.text
    assert [part["type"] for part in last_sent(simulator)["messages"][1]["content"]] == ["text"]


def test_case_18_a_messages_client_changes_the_model(served: Proxy, simulator: Simulator) -> None:
    """Its thinking block is signed by Claude: that is no encrypted content of OpenAI's."""
    signed = {"type": "thinking", "thinking": "Hmm.", "signature": "c2lnbmVkIGJ5IGNsYXVkZQ=="}
    spoken = {"role": "assistant", "content": [signed, {"type": "text", "text": "So."}]}
    ask(served, "anthropic", {"messages": [THINK, spoken, GO_ON]})
    body = last_sent(simulator)
    assert kinds(body) == ["message"] * 3
    assert "c2lnbmVk" not in json.dumps(body)


def test_case_18_no_status_on_what_goes_back(served: Proxy, simulator: Simulator) -> None:
    ask(served, "responses", {"input": [THINK, *thought(served), GO_ON], "store": False})
    assert not [item for item in last_sent(simulator)["input"] if "status" in item]


def test_case_19_reasoning_without_what_it_led_to(served: Proxy, simulator: Simulator) -> None:
    """A turn that was interrupted: nothing followed on the thought, so it goes too."""
    reasoning, message = thought(served)
    answer = ask(served, "responses", {"input": [THINK, reasoning, GO_ON], "store": False})
    assert warned(answer) == ["input.1"]
    assert kinds(last_sent(simulator)) == ["message"] * 2
    ask(served, "responses", {"input": [THINK, reasoning, message, GO_ON], "store": False})
    assert kinds(last_sent(simulator)) == ["message", "reasoning", "message", "message"]


@pytest.mark.parametrize("how", ["session", "previous_response_id"])
def test_case_19_reasoning_of_a_kept_conversation(served: Proxy, simulator: Simulator, how: str) -> None:
    """What we say again for the client keeps the reasoning in front of its item."""
    path = "/codex/case-19/responses" if how == "session" else "/codex/responses"
    first = post(served, path, {"model": GPT, "input": [THINK]}).json()
    more = {"previous_response_id": first["id"]} if how == "previous_response_id" else {}
    answer = post(served, path, {"model": GPT, "input": [GO_ON], **more})
    assert answer.status_code == 200, answer.text
    assert kinds(last_sent(simulator)) == ["message", "reasoning", "message", "message"]


# --- case 21


@pytest.mark.parametrize("header", ["x-claude-code-session-id", "session_id", "session-id"])
def test_case_21_the_cache_key_comes_from_the_clients_session(
    served: Proxy, simulator: Simulator, header: str
) -> None:
    """And with it the second turn begins with the bytes of the first."""
    said: list[Any] = [{"role": "user", "content": "sim:text one"}]
    given = {"model": GPT, "max_tokens": 99, "system": "Be kind.", "tools": [tool("anthropic")]}
    headers = {header: "case-21-" + header}
    for _ in range(2):
        answer = post(served, PATHS["anthropic"], {**given, "messages": said}, **headers)
        said += [{"role": "assistant", "content": answer.json()["content"]}, GO_ON]
    first, second = (dict(entry["body_json"]) for entry in simulator.requests())  # type: ignore[call-overload]
    before, after = first.pop("input"), second.pop("input")
    assert len(after) == 3
    assert json.dumps(after[:1]) == json.dumps(before)
    assert json.dumps(first) == json.dumps(second)
    assert first["prompt_cache_key"] == headers[header]


# --- case 37

NOT_TAKEN: dict[Wire, JsonObject] = {
    "responses": {
        "max_output_tokens": 99,
        "temperature": 0.5,
        "top_p": 0.5,
        "truncation": "auto",
        "user": "me",
        "metadata": {"a": "b"},
        "safety_identifier": "me",
        "prompt_cache_retention": "24h",
        "service_tier": "flex",
        "background": True,
    },
    "chat": {"max_completion_tokens": 99, "temperature": 0.5, "service_tier": "flex"},
    "anthropic": {"max_tokens": 4000, "temperature": 0.5},
}


@pytest.mark.parametrize("wire", NOT_TAKEN)
def test_case_37_what_the_backend_refuses_is_stripped_and_reported(
    served: Proxy, simulator: Simulator, wire: Wire
) -> None:
    """By this backend's rules, and by the names that the client has for it."""
    answer = ask(served, wire, {**hello(wire), **NOT_TAKEN[wire]})
    assert set(warned(answer)) == set(NOT_TAKEN[wire])
    assert not {"max_output_tokens", *NOT_TAKEN[wire]} & set(last_sent(simulator))


def test_case_37_the_public_api_still_gets_it(served: Proxy, simulator: Simulator) -> None:
    body = {"model": GPT, **hello("responses"), "max_output_tokens": 99, "metadata": {"a": "b"}}
    assert post(served, "/openai/v1/responses", body).status_code == 200
    assert last_sent(simulator) == body


def test_case_37_what_asks_for_nothing_goes_without_a_word(served: Proxy, simulator: Simulator) -> None:
    idle = {"temperature": 1, "top_p": 1, "truncation": "disabled", "metadata": {}, "background": False}
    answer = ask(served, "responses", {**hello("responses"), **idle})
    assert warned(answer) == []
    assert not set(idle) & set(last_sent(simulator))


def test_case_37_a_system_message_is_the_developers(served: Proxy, simulator: Simulator) -> None:
    said = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello"}]
    ask(served, "responses", {"input": said})
    assert [item["role"] for item in last_sent(simulator)["input"]] == ["developer", "user"]


# --- case 38

CODEX = {"originator": "codex_cli_rs", "content-type": "application/json"}


def packed(proxy: Proxy, content: bytes, encoding: str, **headers: str) -> httpx.Response:
    given = {"content-type": "application/json", "content-encoding": encoding, **headers}
    return httpx.post(f"{proxy.url}/codex/responses", content=content, headers=given, trust_env=False)


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_case_38_a_compressed_body_is_made_to_fit(served: Proxy, simulator: Simulator, encoding: str) -> None:
    body = json.dumps({"model": GPT, "input": "hello", "temperature": 0.5}).encode()
    answer = packed(served, PACK[encoding](body), encoding)
    assert answer.status_code == 200, answer.text
    assert warned(answer) == ["temperature"]
    headers: Any = simulator.requests()[-1]["headers"]
    assert "content-encoding" not in dict(headers)
    assert "temperature" not in last_sent(simulator)


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_case_38_codexs_own_body_passes_as_it_is(served: Proxy, simulator: Simulator, encoding: str) -> None:
    body = {"model": GPT, "instructions": "", "input": [], "stream": True, "store": False}
    content = PACK[encoding](json.dumps({**body, **hello("responses")}).encode())
    answer = packed(served, content, encoding, **CODEX)
    assert answer.status_code == 200, answer.text
    assert "event: response.completed" in answer.text
    [entry] = simulator.requests()
    assert base64.b64decode(str(entry["body"])) == content


@pytest.mark.parametrize("encoding", ["zstd", "gzip", "snappy"])
def test_case_38_codexs_broken_body_is_the_backends_to_refuse(
    served: Proxy, simulator: Simulator, encoding: str
) -> None:
    """That we cannot look into it fails nothing."""
    answer = packed(served, b"not what it says", encoding, **CODEX)
    assert "x-ccproxy-error" not in answer.headers
    [entry] = simulator.requests()
    assert base64.b64decode(str(entry["body"])) == b"not what it says"


@pytest.mark.parametrize(
    ("encoding", "content", "status", "code"),
    [
        ("zstd", b"not zstd at all", 400, "broken_encoding"),
        ("gzip", gzip.compress(b"not JSON", mtime=0), 400, "invalid_json"),
        ("snappy", b"x", 415, "unsupported_encoding"),
        ("zstd", zstandard.compress(bytes(200_000_000)), 413, "body_too_large"),
    ],
    ids=["broken", "no JSON", "unknown", "a bomb"],
)
def test_case_38_others_are_told_what_is_wrong(
    served: Proxy, simulator: Simulator, encoding: str, content: bytes, status: int, code: str
) -> None:
    answer = packed(served, content, encoding)
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (status, code)
    assert answer.json()["error"]["code"] == code
    assert simulator.requests() == []


# --- case 40


@pytest.mark.parametrize("wire", ASKED)
def test_case_40_a_schema_for_the_answer_arrives(served: Proxy, simulator: Simulator, wire: Wire) -> None:
    answer = ask(served, wire, {**hello(wire), **ASKED[wire]})
    form = last_sent(simulator)["text"]["format"]
    assert form["type"] == "json_schema"
    assert form["schema"]["properties"] == SCHEMA["properties"]
    assert form.get("strict") is not True
    reply = answer.json()
    text = {
        "anthropic": lambda: reply["content"][0]["text"],
        "chat": lambda: reply["choices"][0]["message"]["content"],
        "responses": lambda: reply["output"][-1]["content"][0]["text"],
    }[wire]()
    assert json.loads(text)["at"] == {}


# --- case 41


@pytest.mark.parametrize(
    ("wire", "search"),
    [
        ("anthropic", {"type": "web_search_20250305", "name": "web_search"}),
        ("responses", {"type": "web_search"}),
        ("responses", {"type": "web_search_preview"}),
        ("responses", {"type": "web_search_preview_2025_03_11"}),
    ],
)
def test_case_41_web_search_under_the_name_that_the_plan_has(
    served: Proxy, simulator: Simulator, wire: Wire, search: JsonObject
) -> None:
    answer = ask(served, wire, {**hello(wire), "tools": [search, tool(wire)]})
    assert [given["type"] for given in last_sent(simulator)["tools"]] == ["web_search", "function"]
    assert "tools.0" not in warned(answer)


def test_case_41_a_chat_client_is_told(served: Proxy, simulator: Simulator) -> None:
    answer = ask(served, "chat", {**hello("chat"), "web_search_options": {}})
    assert warned(answer) == ["web_search_options"]
    assert "tools" not in last_sent(simulator)


def test_case_41_what_the_plan_does_not_run_is_left_out_or_refused(
    served: Proxy, simulator: Simulator
) -> None:
    """Left out with a warning where it was only offered, refused where it has to be called."""
    missing = {"type": "file_search", "vector_store_ids": ["vs_1"]}
    body = {**hello("responses"), "tools": [missing, tool("responses")]}
    assert warned(ask(served, "responses", body)) == ["tools.0"]
    assert [given["type"] for given in last_sent(simulator)["tools"]] == ["function"]
    answer = post(served, PATHS["responses"], {"model": GPT, **body, "tool_choice": {"type": "file_search"}})
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (400, "invalid_request")
    assert answer.json()["error"]["param"] == "tool_choice"
    assert len(simulator.requests()) == 1


@pytest.mark.parametrize("wire", ["chat", "responses"])
def test_case_41_no_tool_without_a_schema(served: Proxy, simulator: Simulator, wire: Wire) -> None:
    bare: JsonObject = {"type": "function", "name": "now"}
    tools = [bare if wire == "responses" else {"type": "function", "function": {"name": "now"}}]
    ask(served, wire, {**hello(wire), "tools": tools})
    [given] = last_sent(simulator)["tools"]
    assert given["parameters"]["type"] == "object"
    assert given["parameters"]["properties"] == {} != PARAMETERS
