import base64
import json
from typing import Any

import httpx
import jwt
import pytest

from ccproxy.simulator.oauth.claims import AUTH_CLAIM
from ccproxy.simulator.oauth.control import plain_grant
from ccproxy.simulator.state import Simulator

ACCOUNT = "11111111-1111-4111-8111-111111111111"


def dummy(**claims: Any) -> str:
    """An unsigned token, as tests of clients use them."""
    auth = {AUTH_CLAIM: {"chatgpt_account_id": ACCOUNT, "chatgpt_plan_type": "plus"}}
    return jwt.encode(auth | claims, key="", algorithm="none")


async def ask(http: httpx.AsyncClient, body: dict[str, Any], **changed: str | None) -> httpx.Response:
    headers = {name.replace("_", "-"): value for name, value in changed.items() if value is not None}
    request = http.build_request("POST", "/codex/responses", json=body, headers=headers)
    for name in (name.replace("_", "-") for name, value in changed.items() if value is None):
        del request.headers[name]
    return await http.send(request)


async def test_a_login_may_ask(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await ask(http, body)).status_code == 200


async def test_an_unsigned_token_will_do(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    token = f"Bearer {dummy(exp=4_000_000_000)}"

    assert (await ask(http, body, authorization=token, chatgpt_account_id=ACCOUNT)).status_code == 200
    other = await ask(http, body, authorization=token)
    assert (other.status_code, other.json()) == (403, {"detail": "The token does not belong to this account"})


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"authorization": None}, 401),
        ({"authorization": "Bearer sk-not-a-jwt"}, 401),
        ({"authorization": "Bearer " + jwt.encode({"sub": "x"}, key="", algorithm="none")}, 401),
        ({"chatgpt_account_id": None}, 403),
        ({"chatgpt_account_id": "another"}, 403),
        ({"originator": None}, 400),
    ],
)
async def test_who_may_not(
    http: httpx.AsyncClient, body: dict[str, Any], changed: dict[str, str | None], status: int
) -> None:
    answer = await ask(http, body, **changed)

    assert answer.status_code == status
    assert isinstance(answer.json()["detail"], str)


async def test_ended_tokens_say_why(sim: Simulator, http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    over = await ask(http, body, authorization=f"Bearer {dummy(exp=1)}", chatgpt_account_id=ACCOUNT)
    sim.tokens.expire_all()
    expired = await ask(http, body)
    sim.tokens.revoke_all()
    revoked = await ask(http, body)

    codes = [answer.json()["error"]["code"] for answer in (over, expired, revoked)]
    assert codes == ["token_expired", "token_expired", "token_invalidated"]
    assert {answer.status_code for answer in (over, expired, revoked)} == {401}
    assert revoked.headers["x-openai-authorization-error"] == "token_invalidated"
    assert (
        json.loads(base64.b64decode(revoked.headers["x-error-json"]))["error"]["code"] == "token_invalidated"
    )


async def test_tokens_of_another_kind(sim: Simulator, http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    token = sim.tokens.issue(plain_grant("siwc")).access_token

    assert (await ask(http, body, authorization=f"Bearer {token}")).status_code == 401
