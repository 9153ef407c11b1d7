"""Same format on both sides: not a byte of the body changes, and the headers that matter are all there."""

import base64
import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.processes import Proxy, Simulator

HEADERS = {
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "interleaved-thinking-2025-05-14, effort-2025-11-24",
    "x-claude-code-session-id": "s-1",
    "x-stainless-lang": "python",
    "user-agent": "a-client/1.0",
    "x-app": "cli",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "content-type": "application/json",
}
BODY = (
    b'{ "messages":[{"role":"user","content":"caf\\u00e9 \xc3\xa9 1.0e2"}],\n\t"max_tokens" : 10,'
    b' "model":"claude-opus-4-8"}\n '
)


def only(requests: list[dict[str, object]]) -> dict[str, object]:
    assert len(requests) == 1
    return requests[0]


def headers_of(entry: dict[str, object]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in entry["headers"]]  # type: ignore[attr-defined]


def test_body_query_and_headers_go_unchanged(proxy: Proxy, simulator: Simulator) -> None:
    simulator.clear()
    answer = httpx.post(
        f"{proxy.url}/api/v1/messages?beta=true", content=BODY, headers=HEADERS, trust_env=False
    )
    assert answer.status_code == 200, answer.text
    entry = only(simulator.requests())
    assert entry["path"] == "/v1/messages?beta=true"
    assert base64.b64decode(str(entry["body"])) == BODY
    sent = dict(headers_of(entry))
    assert {name: sent.get(name) for name in HEADERS} == HEADERS


def test_only_our_credential_goes_upstream(proxy: Proxy, simulator: Simulator) -> None:
    simulator.clear()
    extra = {
        "authorization": "Bearer sk-of-the-client",
        "x-api-key": "sk-of-the-client",
        "cookie": "a=1",
        "proxy-authorization": "Basic eA==",
        "x-forwarded-for": "10.0.0.1",
        "te": "trailers",
        "connection": "keep-alive",
    }
    httpx.post(
        f"{proxy.url}/api/v1/messages", content=BODY, headers={**HEADERS, **extra}, trust_env=False
    ).raise_for_status()
    sent = headers_of(only(simulator.requests()))
    names = [name for name, _ in sent]
    assert [value for name, value in sent if name == "x-api-key"] == ["sk-ant-api03-of-the-proxy"]
    for name in ("authorization", "cookie", "proxy-authorization", "x-forwarded-for", "te", "connection"):
        assert name not in names
    assert "of-the-client" not in str(sent)


def test_answers_pass_unchanged(proxy: Proxy, simulator: Simulator) -> None:
    """The same request directly and through us: status, body and the upstream's headers are the same."""
    simulator.reset()
    body = {**json.loads(BODY), "messages": [{"role": "user", "content": "sim:error 429 rate_limit_error 7"}]}
    direct = httpx.post(f"{simulator.url}/v1/messages", json=body, headers={**HEADERS, "x-api-key": "k"})
    simulator.reset()
    ours = httpx.post(f"{proxy.url}/api/v1/messages", json=body, headers=HEADERS)
    assert (ours.status_code, ours.content) == (direct.status_code, direct.content) == (429, direct.content)
    added = {"x-ccproxy-request-id"}
    assert {k: v for k, v in ours.headers.items() if k not in added | {"date"}} == {
        k: v for k, v in direct.headers.items() if k != "date"
    }
    assert ours.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    "marker", ["sim:unicode", "sim:thinking", "sim:tools 3", "sim:gzip echo", "sim:error200"]
)
def test_a_stream_passes_unchanged(proxy: Proxy, simulator: Simulator, marker: str) -> None:
    body = {
        "model": "claude-opus-4-8",
        "max_tokens": 4000,
        "stream": True,
        "thinking": {"type": "adaptive"},
        "tools": [
            {"name": "add", "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}
        ],
        "messages": [{"role": "user", "content": marker}],
    }
    streams = []
    for url in (f"{simulator.url}/v1/messages", f"{proxy.url}/api/v1/messages"):
        simulator.reset()
        with httpx.stream("POST", url, json=body, headers={**HEADERS, "x-api-key": "k"}) as answer:
            streams.append(b"".join(answer.iter_raw()))
    assert streams[0] == streams[1]
    assert len(streams[0]) > 300


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(TEXT, json_values, max_size=4), st.sampled_from(["", " ", "\n\t", "\r\n"]))
def test_any_object_arrives_as_it_was_written(
    served: Proxy, simulator: Simulator, value: dict[str, object], space: str
) -> None:
    """The upstream is the judge of what is in an object; we only carry it."""
    text = space + json.dumps(value, indent=1, ensure_ascii=len(space) % 2 == 0) + space
    simulator.clear()
    httpx.post(f"{served.url}/api/v1/messages", content=text.encode("utf-8"), headers=HEADERS)
    assert base64.b64decode(str(only(simulator.requests())["body"])) == text.encode("utf-8")
