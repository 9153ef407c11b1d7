import gzip
import json
from typing import Any

import httpx
import pytest
import zstandard
from openai import AsyncOpenAI

from ccproxy.simulator.ledger import Entry
from ccproxy.simulator.state import Simulator
from tests.simulator.codex.conftest import message

EXEC = {"type": "custom", "name": "exec", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}}
FUNCTIONS = {"type": "namespace", "name": "functions", "description": "d", "tools": [EXEC]}
VIEW = {"type": "function", "name": "view_image", "parameters": {"type": "object", "properties": {}}}


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line[6:]) for line in answer.text.split("\n") if line.startswith("data: ")]


async def say(http: httpx.AsyncClient, body: dict[str, Any], text: str, **more: Any) -> httpx.Response:
    return await http.post("/codex/responses", json=body | {"input": [message(text)]} | more)


async def test_a_stream(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await say(http, body, "hello")
    limits, created, *_, last = events(answer)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert limits["type"] == "codex.rate_limits"
    assert limits["rate_limits"]["secondary"]["window_minutes"] == 10080
    assert (created["type"], created["sequence_number"]) == ("response.created", 0)
    assert last["type"] == "response.completed"
    assert last["response"]["output"] == []
    assert last["response"]["usage"]["output_tokens"] == 2


async def test_the_output_is_in_the_items(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    found = events(await say(http, body, "sim:thinking done", include=["reasoning.encrypted_content"]))
    items = [event["item"] for event in found if event["type"] == "response.output_item.done"]

    assert [item["type"] for item in items] == ["reasoning", "message"]
    assert items[0]["encrypted_content"]
    plain = events(await say(http, body, "sim:thinking done"))
    thought = next(event["item"] for event in plain if event["type"] == "response.output_item.done")
    assert "encrypted_content" not in thought


async def test_headers(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    first = await say(http, body, "hello")
    state = first.headers["x-codex-turn-state"]
    second = await http.post("/codex/responses", json=body, headers={"x-codex-turn-state": state})

    assert first.headers["x-codex-primary-used-percent"] == "12.5"
    assert first.headers["x-codex-secondary-window-minutes"] == "10080"
    assert int(first.headers["x-codex-primary-reset-at"]) > 1_700_000_000
    assert first.headers["x-codex-bengalfox-limit-name"]
    assert first.headers["openai-model"] == "gpt-6.1-sol"
    assert first.headers["x-request-id"] == first.headers["x-oai-request-id"]
    assert "x-codex-turn-state" not in second.headers


async def test_the_sdk_reads_it(base: str, headers: dict[str, str], body: dict[str, Any]) -> None:
    """Its plain stream does; its stream helper wants `response.created` to be the very first event."""
    token = headers.pop("authorization").removeprefix("Bearer ")
    url = f"{base}/backend-api/codex"
    async with AsyncOpenAI(base_url=url, api_key=token, default_headers=headers, max_retries=0) as sdk:
        stream = await sdk.responses.create(**body)
        texts = [event.text async for event in stream if event.type == "response.output_text.done"]

    assert texts == ["hello"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"foo": 1}, 400, "unknown_parameter"),
        ({"reasoning": {"effort": "extreme"}}, 400, "invalid_value"),
        (
            {"input": [{"type": "function_call_output", "call_id": "c" * 65, "output": ""}]},
            400,
            "string_above_max_length",
        ),
        ({"tools": [VIEW | {"name": "x" * 65}]}, 400, "string_above_max_length"),
        (
            {"input": [{"type": "reasoning", "summary": [], "encrypted_content": "x"}]},
            400,
            "invalid_encrypted_content",
        ),
    ],
)
async def test_the_rules_of_the_public_api_hold_too(
    http: httpx.AsyncClient, body: dict[str, Any], change: dict[str, Any], status: int, code: str
) -> None:
    answer = await http.post("/codex/responses", json=body | change)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_refused_parameter(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await http.post("/codex/responses", json=body | {"max_output_tokens": 5})

    assert (answer.status_code, answer.json()) == (
        400,
        {"detail": "Unsupported parameter: max_output_tokens"},
    )


async def test_models_of_other_plans(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await http.post("/codex/responses", json=body | {"model": "gpt-4o"})

    assert answer.status_code == 404
    assert "'gpt-4o' model is not supported" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("tools", "items", "call"),
    [
        (
            [VIEW, {"type": "function", "name": "shell", "parameters": {"type": "object"}}],
            [],
            {"command": ["bash", "-lc", "echo hello from the simulator"]},
        ),
        (
            [VIEW, {"type": "function", "name": "exec_command", "parameters": {"type": "object"}}],
            [],
            {"cmd": "echo hello from the simulator"},
        ),
        ([], [{"type": "additional_tools", "role": "developer", "tools": [FUNCTIONS]}], None),
    ],
)
async def test_the_shell_is_called_first(
    http: httpx.AsyncClient,
    body: dict[str, Any],
    tools: list[Any],
    items: list[Any],
    call: dict[str, Any] | None,
) -> None:
    asked = body | {"tools": tools, "input": [*items, message("sim:tool")]}
    found = events(await http.post("/codex/responses", json=asked))
    item = next(event["item"] for event in found if event["type"] == "response.output_item.done")

    if call is None:
        assert (item["type"], item["name"], item["namespace"]) == ("custom_tool_call", "exec", "functions")
        assert "tools.exec_command" in item["input"]
    else:
        assert json.loads(item["arguments"]) == call


async def test_compressed_bodies(sim: Simulator, http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    kind = {"content-type": "application/json"}
    packed = {"zstd": zstandard.compress(raw), "gzip": gzip.compress(raw)}
    for coding, content in packed.items():
        headers = kind | {"content-encoding": coding}
        answer = await http.post("/codex/responses", content=content, headers=headers)
        assert answer.status_code == 200

    entries: list[Entry] = list(sim.ledger)
    assert [entry.body_json for entry in entries] == [body, body]


@pytest.mark.parametrize(
    ("marker", "status", "kind"),
    [
        ("error 429 usage_limit", 429, "usage_limit_reached"),
        ("error 429 usage_not_included", 429, "usage_not_included"),
        ("error 429", 429, "requests"),
        ("error 503", 503, "server_error"),
    ],
)
async def test_errors(
    http: httpx.AsyncClient, body: dict[str, Any], marker: str, status: int, kind: str
) -> None:
    answer = await say(http, body, f"sim:{marker}")

    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)


async def test_a_used_up_plan_says_when_it_is_over(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await say(http, body, "sim:error 429 usage_limit 120")
    error = answer.json()["error"]

    assert error["resets_in_seconds"] == 120
    assert error["plan_type"] == "pro"
    assert answer.headers["x-codex-primary-used-percent"] == "100"
    assert answer.headers["x-codex-primary-reset-at"] == str(error["resets_at"])


async def test_other_forms_of_errors(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    bare = await say(http, body, "sim:error 400")
    blocked = await say(http, body, "sim:error 403 blocked")
    token = await say(http, body, "sim:error 401 token_revoked")
    busy = await say(http, body, "sim:error 400 capacity")

    assert bare.json() == {"detail": "Bad request"}
    assert blocked.headers["content-type"].startswith("text/html")
    assert token.json()["error"]["code"] == "token_revoked"
    assert "at capacity" in busy.json()["error"]["message"]


async def test_an_error_inside_a_200(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    found = events(await say(http, body, "sim:error200 2"))

    assert [event["type"] for event in found] == ["codex.rate_limits", "response.created", "response.failed"]
    assert found[-1]["sequence_number"] == 1


async def test_the_catalogue(http: httpx.AsyncClient) -> None:
    newest = await http.get("/codex/models", params={"client_version": "0.169.0"})
    oldest = await http.get("/codex/models", params={"client_version": "0.45.0"})
    again = await http.get(
        "/codex/models",
        params={"client_version": "0.169.0"},
        headers={"if-none-match": newest.headers["etag"]},
    )

    listed = [model["slug"] for model in newest.json()["models"] if model["visibility"] == "list"]
    assert listed == ["gpt-6.1-sol", "gpt-6-astra", "gpt-5.5"]
    assert [model["slug"] for model in oldest.json()["models"]] == ["gpt-5-codex", "gpt-5"]
    assert again.status_code == 304
    assert (await http.get("/codex/models")).status_code == 400


async def test_compaction(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    asked = {"model": "gpt-6.1-sol", "instructions": "", "input": [message("remember the blue house")]}
    compacted = await http.post("/codex/responses/compact", json=asked)
    output = compacted.json()["output"]

    assert [item["type"] for item in output] == ["compaction"]
    onward = await http.post("/codex/responses", json=body | {"input": [*output, message("go on")]})
    assert events(onward)[-1]["type"] == "response.completed"
    refused = await http.post("/codex/responses/compact", json=asked | {"stream": True})
    assert refused.json() == {"detail": "Unsupported parameter: stream"}


async def test_the_siblings(base: str, http: httpx.AsyncClient) -> None:
    usage = (await http.get("/wham/usage")).json()
    assert usage["plan_type"] == "pro"
    assert usage["rate_limit"]["primary_window"]["limit_window_seconds"] == 18000

    accounts = (await http.get("/wham/accounts/check")).json()
    assert accounts["accounts"][0]["workspace_backend_origin"] == "https://chatgpt.com"
    await http.post(f"{base}/_simulator/codex", json={"workspace_backend_origin": "https://127.0.0.1:9"})
    accounts = (await http.get("/wham/accounts/check")).json()
    assert accounts["accounts"][0]["workspace_backend_origin"] == "https://127.0.0.1:9"
    assert accounts["account_ordering"] == [accounts["accounts"][0]["id"]]

    nowhere = await http.get("/wham/settings/user")
    assert (nowhere.status_code, nowhere.json()) == (404, {"detail": "Not Found"})


async def test_the_same_request_gets_the_same_bytes_after_a_reset(
    sim: Simulator, http: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    sim.tokens.clock = lambda: 1_800_000_000.0
    first = await say(http, body, "sim:thinking done")
    clock = sim.tokens.clock
    sim.reset()
    sim.tokens.clock = clock
    second = await say(http, body, "sim:thinking done")

    assert first.content == second.content
