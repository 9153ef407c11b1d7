from typing import Any

import httpx
import jwt
import pytest

from ccproxy.simulator.oauth.claims import AUTH_CLAIM, PROFILE_CLAIM
from tests.simulator.oauth.person import CODEX_CLIENT, CODEX_QUERY, VERIFIER, Person

TOKEN = "/oauth/token"


async def exchange(person: Person, **changed: Any) -> httpx.Response:
    body = {
        "grant_type": "authorization_code",
        "code": (await person.allowed(CODEX_QUERY))["code"],
        "redirect_uri": CODEX_QUERY["redirect_uri"],
        "client_id": CODEX_CLIENT,
        "code_verifier": VERIFIER,
    } | changed
    return await person.web.post(TOKEN, data=body)


def refresh_body(token: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": token, "client_id": CODEX_CLIENT}


async def test_a_code_becomes_three_tokens(person: Person) -> None:
    body = (await exchange(person)).json()
    base = str(person.web.base_url).rstrip("/")
    jwks = (await person.web.get("/.well-known/jwks.json")).json()
    key = jwt.PyJWKSet.from_dict(jwks)["simulator"]

    access = jwt.decode(
        body["access_token"], key, algorithms=["RS256"], audience="https://api.openai.com/v1", issuer=base
    )
    identity = jwt.decode(body["id_token"], key, algorithms=["RS256"], audience=CODEX_CLIENT, issuer=base)

    assert access[AUTH_CLAIM] == identity[AUTH_CLAIM]
    assert access[AUTH_CLAIM]["chatgpt_account_id"]
    assert access[AUTH_CLAIM]["chatgpt_plan_type"] == "pro"
    assert access["exp"] - access["iat"] == body["expires_in"]
    assert access["scp"] == CODEX_QUERY["scope"].split()
    assert identity["email"] == access[PROFILE_CLAIM]["email"]
    assert identity["email_verified"] is True
    assert body["refresh_token"].startswith("rt_")


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"code_verifier": VERIFIER[::-1]}, 400, "invalid_grant"),
        ({"redirect_uri": "http://localhost:1457/auth/callback"}, 400, "invalid_grant"),
        ({"code": ""}, 400, "invalid_request"),
        ({"client_id": "somebody-else"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_an_exchange_is_refused(
    person: Person, changed: dict[str, Any], status: int, code: str
) -> None:
    answer = await exchange(person, **changed)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_refreshing_rotates_and_takes_json_and_forms(person: Person) -> None:
    first = (await exchange(person)).json()
    second = (await person.web.post(TOKEN, json=refresh_body(first["refresh_token"]))).json()
    third = await person.web.post(TOKEN, data=refresh_body(second["refresh_token"]))
    reused = await person.web.post(TOKEN, json=refresh_body(first["refresh_token"]))

    assert third.status_code == 200
    assert len({first["access_token"], second["access_token"], third.json()["access_token"]}) == 3
    assert (reused.status_code, reused.json()["error"]["code"]) == (401, "refresh_token_reused")


async def test_an_expired_refresh_token(person: Person) -> None:
    await person.control(refresh_expires_in=0)
    first = (await exchange(person)).json()
    answer = await person.web.post(TOKEN, json=refresh_body(first["refresh_token"]))

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "refresh_token_expired")


async def test_a_refresh_token_nobody_gave(person: Person) -> None:
    answer = await person.web.post(TOKEN, json=refresh_body("rt_made_up"))

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_grant")


async def test_revoking_a_refresh_token(person: Person) -> None:
    first = (await exchange(person)).json()
    token = {"token": first["refresh_token"], "token_type_hint": "refresh_token", "client_id": CODEX_CLIENT}
    revoked = await person.web.post("/oauth/revoke", json=token)
    answer = await person.web.post(TOKEN, json=refresh_body(first["refresh_token"]))

    assert revoked.status_code == 200
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "refresh_token_invalidated")
    assert person.sim.tokens.state(first["access_token"]) == "valid"


async def test_revoking_what_nobody_knows_is_no_error(person: Person) -> None:
    assert (await person.web.post("/oauth/revoke", data={"token": "rt_made_up"})).status_code == 200
    assert (await person.web.post("/oauth/revoke", data={})).status_code == 400


async def test_a_codex_token_cannot_be_refreshed_as_anthropic_s(person: Person) -> None:
    first = (await exchange(person)).json()
    body = {
        "grant_type": "refresh_token",
        "refresh_token": first["refresh_token"],
        "client_id": "9d1c250a-e61b-44d9-88ed-5944d1962f5e",
    }

    assert (await person.web.post("/v1/oauth/token", json=body)).json()["error"] == "invalid_grant"
    assert (await person.web.post(TOKEN, json=refresh_body(first["refresh_token"]))).status_code == 200
