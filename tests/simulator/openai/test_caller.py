import httpx
import pytest

from ccproxy.simulator.oauth.control import plain_grant
from ccproxy.simulator.oauth.store import Grant
from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.state import Simulator

BODY = {"model": "gpt-5", "input": "hi", "stream": True, "store": False}


async def status(http: httpx.AsyncClient, authorization: str) -> tuple[int, str | None, str]:
    answer = await http.post("/responses", json=BODY, headers={"authorization": authorization})
    if answer.status_code == 200:
        return 200, None, ""
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["type"]


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        ("Bearer sk-anything", (200, None, "")),
        ("", (401, None, "invalid_request_error")),
        ("Bearer", (401, None, "invalid_request_error")),
        ("Basic abc", (401, None, "invalid_request_error")),
        ("Bearer sk-invalid-key", (401, "invalid_api_key", "invalid_request_error")),
        ("Bearer sk-quota", (429, "insufficient_quota", "insufficient_quota")),
    ],
)
async def test_keys(
    http: httpx.AsyncClient, authorization: str, expected: tuple[int, str | None, str]
) -> None:
    assert await status(http, authorization) == expected


async def test_a_key_in_another_header_is_none(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, headers={"x-api-key": "sk-test"}) as client:
        answer = await client.post("/responses", json=BODY)

    assert answer.status_code == 401


async def test_a_plan_token_lives_and_dies(sim: Simulator, http: httpx.AsyncClient) -> None:
    token = sim.tokens.issue(plain_grant("siwc")).access_token
    assert (await status(http, f"Bearer {token}"))[0] == 200

    sim.tokens.expire_all()
    assert (await status(http, f"Bearer {token}"))[:2] == (401, "token_expired")
    sim.tokens.revoke_all()
    assert (await status(http, f"Bearer {token}"))[:2] == (401, "token_invalidated")


async def test_an_identity_alone_pays_for_nothing(sim: Simulator, http: httpx.AsyncClient) -> None:
    grant = Grant("siwc", "oaiapp_x", "openid profile", "https://auth.openai.com")
    token = sim.tokens.issue(grant).access_token

    assert (await status(http, f"Bearer {token}"))[:2] == (403, "chatpass_v2_scope_not_authorized")


@pytest.mark.parametrize("provider", ["codex", "anthropic"])
async def test_other_logins_are_no_keys(sim: Simulator, http: httpx.AsyncClient, provider: str) -> None:
    token = sim.tokens.issue(plain_grant(provider)).access_token  # type: ignore[arg-type]

    assert (await status(http, f"Bearer {token}"))[0] == 401


def test_an_error_is_json() -> None:
    assert b'"message": "No."' in ApiError(400, "No.").body
