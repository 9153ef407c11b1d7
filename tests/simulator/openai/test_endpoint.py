import gzip
import json
from typing import Any

import httpx


def asks(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


async def test_headers(http: httpx.AsyncClient) -> None:
    answer = await http.post("/chat/completions", json={"model": "gpt-4o", "messages": asks("hi")})
    refused = await http.post("/chat/completions", json={"model": "gpt-4o"})

    for one in (answer, refused):
        assert one.headers["x-request-id"].startswith("req_")
        assert one.headers["x-ratelimit-remaining-requests"] == "9999"
        assert one.headers["openai-processing-ms"]
    assert answer.headers["x-request-id"] != refused.headers["x-request-id"]


async def test_compressed_bodies_are_read(http: httpx.AsyncClient) -> None:
    body = json.dumps({"model": "gpt-4o", "messages": asks("hi")}).encode()
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    good = await http.post("/chat/completions", content=gzip.compress(body), headers=headers)
    bad = await http.post("/chat/completions", content=body, headers=headers)
    unknown = await http.post("/chat/completions", content=body, headers=headers | {"content-encoding": "x"})

    assert (good.status_code, bad.status_code, unknown.status_code) == (200, 400, 415)


async def test_only_json_is_read(http: httpx.AsyncClient) -> None:
    answer = await http.post("/chat/completions", content=b"{}", headers={"content-type": "text/plain"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unsupported_content_type")
