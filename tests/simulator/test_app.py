import base64
from collections.abc import AsyncIterator

import httpx
import pytest

from ccproxy.simulator.server import running

HEADERS = {"x-api-key": "some-key", "anthropic-version": "2023-06-01"}
REQUEST = {"model": "claude-opus-5-5", "max_tokens": 50, "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with running() as url, httpx.AsyncClient(base_url=url, headers=HEADERS) as client:
        yield client


async def test_the_ledger_is_read_and_cleared_over_http(http: httpx.AsyncClient) -> None:
    await http.post("/v1/messages?beta=true", json=REQUEST)
    await http.get("/v1/models")
    first, second = (await http.get("/_simulator/requests")).json()["requests"]
    assert (first["path"], second["path"]) == ("/v1/messages?beta=true", "/v1/models")
    assert first["body_json"] == REQUEST
    assert base64.b64decode(first["body"]).startswith(b"{")
    assert first["usage"]["output_tokens"] == 2
    assert ["x-api-key", "some-key"] in first["headers"]
    assert (first["status"], first["outcome"], first["streamed"]) == (200, "completed", False)

    assert (await http.delete("/_simulator/requests")).status_code == 204
    assert (await http.get("/_simulator/requests")).json() == {"requests": []}


async def test_health(http: httpx.AsyncClient) -> None:
    await http.get("/v1/models")
    assert (await http.get("/_simulator/health")).json() == {"status": "pass", "requests": 1}


async def test_after_a_reset_the_same_request_gets_the_same_bytes(http: httpx.AsyncClient) -> None:
    answers = []
    for _ in range(2):
        await http.post("/_simulator/reset")
        answers.append(await http.post("/v1/messages", json={**REQUEST, "stream": True}))
    assert answers[0].content == answers[1].content
    assert answers[0].headers["request-id"] == answers[1].headers["request-id"]
    again = await http.post("/v1/messages", json={**REQUEST, "stream": True})
    assert again.content != answers[0].content


async def test_an_unknown_path_is_a_404_in_the_shape_of_anthropic(http: httpx.AsyncClient) -> None:
    for path in ("/v1/nothing", "/v1/files", "/api/claude_code/settings"):
        answer = await http.get(path)
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")
