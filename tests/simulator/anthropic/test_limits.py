from datetime import UTC, datetime

import httpx

from ccproxy.simulator.anthropic import limits

OAUTH = {
    "authorization": "Bearer sk-ant-oat01-x",
    "anthropic-beta": "oauth-2025-04-20",
    "anthropic-version": "2023-06-01",
}
BODY = {"model": "claude-opus-5-5", "max_tokens": 50, "messages": [{"role": "user", "content": "hello"}]}


def clock() -> float:
    return 1_800_000_000.5


def test_a_key_has_limits_per_minute() -> None:
    found = limits.headers("key", clock=clock)
    assert found["anthropic-ratelimit-requests-limit"] == "4000"
    assert int(found["anthropic-ratelimit-input-tokens-remaining"]) > 0
    reset = datetime.fromisoformat(found["anthropic-ratelimit-tokens-reset"])
    assert 0 < reset.timestamp() - clock() <= 60
    assert limits.headers("key", limited=True, clock=clock)["anthropic-ratelimit-tokens-remaining"] == "0"


def test_a_subscription_has_windows() -> None:
    found = limits.headers("oauth", clock=clock)
    start = "anthropic-ratelimit-unified"
    assert (found[f"{start}-status"], found[f"{start}-representative-claim"]) == ("allowed", "five_hour")
    assert 0 < int(found[f"{start}-5h-reset"]) - clock() <= 5 * 3600
    assert 0 < int(found[f"{start}-7d-reset"]) - clock() <= 7 * 86400
    assert float(found[f"{start}-5h-utilization"]) == 0.42
    limited = limits.headers("oauth", limited=True, clock=clock)
    assert (limited[f"{start}-5h-status"], limited[f"{start}-7d-status"]) == ("rejected", "allowed")


def test_the_usage_endpoint_tells_the_same() -> None:
    found, headers = limits.windows(clock), limits.headers("oauth", clock=clock)
    assert found["five_hour"]["utilization"] == 42
    reset = datetime.fromtimestamp(int(headers["anthropic-ratelimit-unified-5h-reset"]), UTC)
    assert datetime.fromisoformat(found["five_hour"]["resets_at"]) == reset


async def test_the_credential_decides_which_ones_come(http: httpx.AsyncClient, url: str) -> None:
    with_key = await http.post("/v1/messages", json=BODY)
    async with httpx.AsyncClient(base_url=url, headers=OAUTH) as subscriber:
        with_token = await subscriber.post("/v1/messages", json=BODY)
    for answer, has, lacks in (
        (with_key, "requests-limit", "unified-status"),
        (with_token, "unified-status", "requests-limit"),
    ):
        assert f"anthropic-ratelimit-{has}" in answer.headers
        assert f"anthropic-ratelimit-{lacks}" not in answer.headers
        assert answer.headers["anthropic-organization-id"] == limits.ORGANIZATION


async def test_a_429_says_which_window_is_full(url: str) -> None:
    body = {**BODY, "messages": [{"role": "user", "content": "sim:error 429 rate_limit_error 30"}]}
    async with httpx.AsyncClient(base_url=url, headers=OAUTH) as subscriber:
        answer = await subscriber.post("/v1/messages", json=body)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "30"
    assert answer.headers["anthropic-ratelimit-unified-5h-status"] == "rejected"
