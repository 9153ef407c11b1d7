from datetime import datetime
from typing import Any

import httpx
import jwt
import pytest

from tests.simulator.oauth.person import SIWC_QUERY, VERIFIER, Person, landed

AUTHORIZE = "/api/accounts/authorize"
TOKEN = "/api/accounts/oauth/token"
RESOURCE = "https://api.openai.com/v1"
PLAN_SCOPE = "chatgpt.tokens.use.direct"


async def exchange(person: Person, *, choice: str = "Allow", **changed: str) -> httpx.Response:
    answer = landed(await person.consent(SIWC_QUERY, choice=choice, path=AUTHORIZE))
    body = {
        "grant_type": "authorization_code",
        "client_id": answer["client_id"],
        "code": answer["code"],
        "code_verifier": VERIFIER,
        "redirect_uri": SIWC_QUERY["redirect_uri"],
        "resource": RESOURCE,
    } | changed
    return await person.web.post(TOKEN, data=body)


def refresh_body(tokens: dict[str, Any]) -> dict[str, str]:
    client_id = jwt.decode(tokens["access_token"], options={"verify_signature": False})["client_id"]
    return {
        "grant_type": "refresh_token",
        "client_id": client_id,
        "refresh_token": tokens["refresh_token"],
        "resource": RESOURCE,
    }


async def test_discovery_leads_to_endpoints_that_exist(person: Person) -> None:
    found = (await person.web.get("/.well-known/openid-configuration")).json()

    assert found["issuer"] == str(person.web.base_url).rstrip("/")
    assert (await person.web.get(found["authorization_endpoint"], params=SIWC_QUERY)).status_code == 200
    assert (await person.web.post(found["token_endpoint"], data={})).status_code == 400
    assert (await person.web.post(found["revocation_endpoint"], data={"token": "x"})).status_code == 200
    assert (await person.web.get(found["jwks_uri"])).json()["keys"]


async def test_a_code_becomes_tokens_of_the_issued_client(person: Person) -> None:
    body = (await exchange(person)).json()
    base = str(person.web.base_url).rstrip("/")
    jwks = (await person.web.get("/.well-known/jwks.json")).json()
    identity = jwt.decode(
        body["id_token"],
        jwt.PyJWKSet.from_dict(jwks)["simulator"],
        algorithms=["RS256"],
        audience=refresh_body(body)["client_id"],
        issuer=base,
    )

    assert identity["nonce"] == "nonce-1"
    assert identity["sub"]
    assert body["expires_in"] == 3600
    assert PLAN_SCOPE in body["scope"].split()
    assert "earliest_refresh_at" not in body


async def test_plan_usage_can_be_declined(person: Person) -> None:
    body = (await exchange(person, choice="Allow without plan usage")).json()

    assert PLAN_SCOPE not in body["scope"].split()
    assert "openid" in body["scope"].split()


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_id": "dynamic_agent_client"}, 401, "invalid_client"),
        ({"client_id": "oaiapp_other"}, 401, "invalid_client"),
        ({"resource": "https://api.openai.com"}, 400, "invalid_target"),
        ({"resource": ""}, 400, "invalid_request"),
        ({"code_verifier": VERIFIER[::-1]}, 400, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:1/auth/callback"}, 400, "invalid_grant"),
    ],
)
async def test_an_exchange_is_refused(
    person: Person, changed: dict[str, str], status: int, error: str
) -> None:
    answer = await exchange(person, **changed)

    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_json_is_refused(person: Person) -> None:
    assert (await person.web.post(TOKEN, json={"grant_type": "refresh_token"})).status_code == 400


async def test_refreshing_rotates(person: Person) -> None:
    first = (await exchange(person)).json()
    second = await person.web.post(TOKEN, data=refresh_body(first))
    reused = await person.web.post(TOKEN, data=refresh_body(first))

    assert second.status_code == 200
    assert second.json()["refresh_token"] != first["refresh_token"]
    assert (reused.status_code, reused.json()["error"]) == (400, "refresh_token_reused")


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ({"revoke_all": True}, "refresh_token_invalidated"),
        ({"refresh_expires_in": 0}, "refresh_token_expired"),
    ],
)
async def test_a_dead_refresh_token_says_why(person: Person, order: dict[str, Any], error: str) -> None:
    if "refresh_expires_in" in order:
        await person.control(**order)
    body = refresh_body((await exchange(person)).json())
    await person.control(**order)
    answer = await person.web.post(TOKEN, data=body)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_the_earliest_refresh_is_named_when_asked_for(person: Person) -> None:
    await person.control(earliest_refresh_in=600)
    body = (await exchange(person)).json()
    issued_at = jwt.decode(body["access_token"], options={"verify_signature": False})["iat"]

    earliest = datetime.fromisoformat(body["earliest_refresh_at"])
    assert 600 <= earliest.timestamp() - issued_at < 601
