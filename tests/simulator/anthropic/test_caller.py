import httpx
import pytest

from ccproxy.simulator.oauth.control import plain_grant
from ccproxy.simulator.state import Simulator

BODY = {"model": "claude-opus-5-5", "max_tokens": 50, "messages": [{"role": "user", "content": "hello"}]}
OAUTH = {"authorization": "Bearer sk-ant-oat01-x", "anthropic-beta": "oauth-2025-04-20"}


async def send(url: str, headers: dict[str, str] | list[tuple[str, str]]) -> tuple[int, str, str]:
    """Status, error type and message."""
    async with httpx.AsyncClient(base_url=url) as client:
        answer = await client.post("/v1/messages", json=BODY, headers=headers)
    error = answer.json().get("error", {})
    return answer.status_code, error.get("type", ""), error.get("message", "")


def with_version(headers: dict[str, str], version: str = "2023-06-01") -> dict[str, str]:
    return {"anthropic-version": version, **headers}


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "sk-ant-api03-x"},
        {"x-api-key": "dummy"},
        {"authorization": "Bearer sk-ant-api03-x"},
        {"authorization": "bearer dummy"},
        OAUTH,
    ],
)
@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
async def test_one_credential_is_enough(url: str, headers: dict[str, str], version: str) -> None:
    assert (await send(url, with_version(headers, version)))[0] == 200


@pytest.mark.parametrize(
    ("headers", "status", "kind", "message"),
    [
        ({}, 401, "authentication_error", "x-api-key header is required"),
        ({"x-api-key": ""}, 401, "authentication_error", "invalid x-api-key"),
        ({"x-api-key": "sk-ant-invalid"}, 401, "authentication_error", "invalid x-api-key"),
        ({"x-api-key": "sk-ant-expired"}, 401, "authentication_error", "invalid x-api-key"),
        ({"x-api-key": "sk-ant-revoked"}, 403, "permission_error", "disabled"),
        ({"x-api-key": "sk-ant-oat01-x"}, 401, "authentication_error", "invalid x-api-key"),
        ({"authorization": "Bearer invalid"}, 401, "authentication_error", "Invalid bearer token"),
        ({"authorization": "Bearer"}, 401, "authentication_error", "Invalid bearer token"),
        ({"authorization": "Basic eDp5"}, 401, "authentication_error", "authorization"),
        ({"authorization": "Bearer sk-ant-ort01-x"}, 401, "authentication_error", "Invalid bearer token"),
        ({"authorization": "Bearer sk-ant-oat01-x"}, 401, "authentication_error", "currently not supported"),
        (
            {**OAUTH, "anthropic-beta": "claude-code-20250219,not-oauth-2025-04-20x"},
            401,
            "authentication_error",
            "currently not supported",
        ),
        (
            {**OAUTH, "authorization": "Bearer sk-ant-oat01-expired"},
            401,
            "authentication_error",
            "has expired",
        ),
        ({**OAUTH, "authorization": "Bearer sk-ant-oat01-invalid"}, 401, "authentication_error", "Invalid"),
        ({**OAUTH, "authorization": "Bearer sk-ant-oat01-revoked"}, 403, "permission_error", "revoked"),
        ({**OAUTH, "x-api-key": "sk-ant-x"}, 400, "invalid_request_error", "either"),
        ({"authorization": "Bearer a", "x-api-key": "a"}, 400, "invalid_request_error", "either"),
    ],
)
async def test_a_credential_is_refused(
    url: str, headers: dict[str, str], status: int, kind: str, message: str
) -> None:
    answer = await send(url, with_version(headers))
    assert answer[:2] == (status, kind)
    assert message in answer[2]


async def test_a_credential_that_comes_twice_is_refused(url: str) -> None:
    twice = [("x-api-key", "a"), ("x-api-key", "a"), ("anthropic-version", "2023-06-01")]
    assert (await send(url, twice))[0] == 400


async def test_a_token_of_the_simulator_is_judged_by_its_state(url: str, sim: Simulator) -> None:
    token = sim.tokens.issue(plain_grant("anthropic")).access_token
    headers = with_version({**OAUTH, "authorization": f"Bearer {token}"})
    assert (await send(url, headers))[0] == 200
    sim.tokens.expire_all()
    assert "has expired" in (await send(url, headers))[2]
    sim.tokens.revoke_all()
    assert (await send(url, headers))[:2] == (403, "permission_error")


async def test_the_version_is_needed_and_known(url: str) -> None:
    assert (await send(url, {"x-api-key": "a"}))[2] == "anthropic-version: header is required"
    status, _, message = await send(url, with_version({"x-api-key": "a"}, "2024-01-01"))
    assert (status, message) == (400, 'anthropic-version: "2024-01-01" is not a valid version')


async def test_beta_flags_may_come_in_several_lines(url: str) -> None:
    headers = [
        ("authorization", "Bearer sk-ant-oat01-x"),
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "claude-code-20250219, interleaved-thinking-2025-05-14"),
        ("anthropic-beta", "oauth-2025-04-20,"),
    ]
    assert (await send(url, headers))[0] == 200


async def test_an_unknown_beta_flag_is_refused(url: str) -> None:
    flags = "claude-code-20250219,made-up-2026-01-01"
    status, _, message = await send(url, with_version({"x-api-key": "a", "anthropic-beta": flags}))
    assert status == 400
    assert "`made-up-2026-01-01` for the `anthropic-beta` header" in message
    assert "claude-code" not in message
