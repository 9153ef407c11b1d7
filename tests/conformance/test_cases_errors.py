"""Cases 31, 35 and 36: errors as they are, headers and fields that belong together, bodies of any size.

Cases 32 to 34 are in test_cases_retries.py.
"""

from typing import Any

import httpx
import pytest

from ccproxy.conversation.parts import JsonObject
from tests.conformance.translating import CLAUDE, GPT
from tests.conftest import Proxies
from tests.support.processes import Proxy, Simulator

HEADERS = {"anthropic-version": "2023-06-01", "content-type": "application/json"}
KEPT = ("retry-after", "request-id", "anthropic-ratelimit-requests-remaining", "content-type")


def asking(marker: str, **more: Any) -> JsonObject:
    return {"model": CLAUDE, "max_tokens": 50, "messages": [{"role": "user", "content": marker}], **more}


@pytest.mark.parametrize(
    "marker",
    [
        "sim:error 529 overloaded_error 7",
        "sim:error 429 rate_limit_error 9",
        "sim:error 400",
        "sim:error 401",
        "sim:error 500",
    ],
)
def test_case_31_an_error_of_the_same_format_is_the_providers(
    served: Proxy, simulator: Simulator, marker: str
) -> None:
    """Status, body and the headers that clients act on are the provider's own, byte for byte."""
    answers = []
    for url, headers in ((simulator.url, {**HEADERS, "x-api-key": "k"}), (f"{served.url}/api", HEADERS)):
        simulator.reset()
        answers.append(httpx.post(f"{url}/v1/messages", json=asking(marker), headers=headers))
    direct, ours = answers
    assert (ours.status_code, ours.content) == (direct.status_code, direct.content)
    for name in KEPT:
        assert ours.headers.get(name) == direct.headers.get(name)
    assert "x-ccproxy-error" not in ours.headers


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["chat/completions", "responses"])
@pytest.mark.parametrize(
    ("marker", "status", "kind", "code"),
    [
        ("sim:error 529 overloaded_error 7", 503, "server_error", "server_is_overloaded"),
        ("sim:error 429 rate_limit_error 7", 429, "rate_limit_error", "rate_limit_exceeded"),
    ],
)
def test_case_31_an_error_of_another_format_is_mapped(
    served: Proxy, path: str, marker: str, status: int, kind: str, code: str, *, stream: bool
) -> None:
    """Its status and code are those that the client knows, and it hears when to come back."""
    body: JsonObject = {"model": CLAUDE, "stream": stream}
    body["input" if path == "responses" else "messages"] = [{"role": "user", "content": marker}]
    answer = httpx.post(f"{served.url}/api/v1/{path}", json=body, trust_env=False)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"]) == (status, kind, code)
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["request-id"].startswith("req_")
    assert ("anthropic-ratelimit-requests-limit" in answer.headers) == (status == 429)


@pytest.mark.parametrize(
    ("theirs", "status", "kind"),
    [(500, 500, "api_error"), (503, 529, "overloaded_error"), (429, 429, "rate_limit_error")],
)
def test_case_31_an_openai_error_for_a_messages_client(
    served: Proxy, theirs: int, status: int, kind: str
) -> None:
    """The other way round: an error of the Messages API; that a server is overloaded has its own status."""
    body = {**asking(f"sim:error {theirs}"), "model": GPT}
    answer = httpx.post(f"{served.url}/openai/v1/messages", json=body, headers=HEADERS)
    assert answer.status_code == status
    assert answer.json()["type"] == "error"
    assert answer.json()["error"]["type"] == kind
    assert answer.json()["error"]["message"]


EDITING = {"edits": [{"type": "clear_tool_uses_20250919"}]}
BETA = {"anthropic-beta": "context-management-2025-06-27"}


def test_case_35_a_beta_field_travels_with_its_header(served: Proxy, simulator: Simulator) -> None:
    """A field that Claude takes only with a beta flag arrives together with the client's header."""
    simulator.clear()
    body = asking("hello", context_management=EDITING)
    answer = httpx.post(f"{served.url}/api/v1/messages", json=body, headers={**HEADERS, **BETA})
    assert answer.status_code == 200, answer.text
    [entry] = simulator.requests()
    headers: Any = entry["headers"]
    assert dict(headers)["anthropic-beta"] == BETA["anthropic-beta"]
    assert entry["body_json"] == body


def test_case_35_where_it_means_nothing_both_go(served: Proxy, simulator: Simulator) -> None:
    """OpenAI gets neither the field nor the header, and the client is not told of what has no effect."""
    simulator.clear()
    body = {**asking("hello", context_management=EDITING), "model": GPT}
    answer = httpx.post(f"{served.url}/openai/v1/messages", json=body, headers={**HEADERS, **BETA})
    assert answer.status_code == 200, answer.text
    assert "context_management" not in answer.headers.get("x-ccproxy-warnings", "")
    [entry] = simulator.requests()
    headers: Any = entry["headers"]
    assert not [name for name, _ in headers if name.startswith("anthropic-")]
    written: Any = entry["body_json"]
    assert "context_management" not in written


@pytest.mark.parametrize("path", ["/api/v1/messages", "/api/v1/chat/completions"])
def test_case_36_a_large_body_passes(served: Proxy, simulator: Simulator, path: str) -> None:
    """Pictures and long histories make bodies far above the usual limits of web frameworks."""
    simulator.clear()
    body = asking("x" * 6_000_000 + " sim:text fine")
    answer = httpx.post(f"{served.url}{path}", json=body, headers=HEADERS, timeout=30)
    assert answer.status_code == 200, answer.text[:500]
    assert "fine" in answer.text
    simulator.clear()


@pytest.mark.parametrize("path", ["/api/v1/messages", "/api/v1/chat/completions", "/api/v1/responses"])
def test_case_36_our_own_limit_says_its_name(proxies: Proxies, path: str) -> None:
    """A body above `server.body_limit` is refused in the client's format, and the log says so."""
    proxy = proxies.get("serve", {"SERVER__BODY_LIMIT": "10k"})
    answer = httpx.post(f"{proxy.url}{path}", json=asking("x" * 20_000), headers=HEADERS)
    assert answer.status_code == 413
    error = answer.json()["error"]
    assert "server.body_limit" in error["message"]
    assert error["type"] == ("request_too_large" if path.endswith("messages") else "invalid_request_error")
    assert answer.json().get("type") == ("error" if path.endswith("messages") else None)
    proxy.process.wait_for(f"POST {path} -> 413 body_too_large", 5)
