from typing import Any

import httpx
import pytest

from tests.simulator.oauth.person import ANTHROPIC_CLIENT, ANTHROPIC_QUERY, VERIFIER, Person

TOKEN = "/v1/oauth/token"


async def exchange(person: Person, **changed: Any) -> httpx.Response:
    code = (await person.allowed(ANTHROPIC_QUERY))["code"]
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": ANTHROPIC_QUERY["redirect_uri"],
        "client_id": ANTHROPIC_CLIENT,
        "code_verifier": VERIFIER,
        "state": "state-1",
    } | changed
    return await person.web.post(TOKEN, json={key: value for key, value in body.items() if value is not None})


async def refresh(person: Person, token: str, **more: Any) -> httpx.Response:
    body = {"grant_type": "refresh_token", "refresh_token": token, "client_id": ANTHROPIC_CLIENT} | more
    return await person.web.post(TOKEN, json=body)


async def test_a_code_becomes_tokens(person: Person) -> None:
    answer = await exchange(person)

    assert answer.status_code == 200
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["access_token"].startswith("sk-ant-oat01-")
    assert body["refresh_token"].startswith("sk-ant-ort01-")
    assert body["expires_in"] == 8 * 3600
    assert body["scope"] == ANTHROPIC_QUERY["scope"]
    assert body["account"]["email_address"]
    assert body["organization"]["uuid"]
    assert person.sim.tokens.state(body["access_token"]) == "valid"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_verifier": VERIFIER[::-1]}, "invalid_grant"),
        ({"redirect_uri": "http://localhost:1/callback"}, "invalid_grant"),
        ({"state": "another"}, "invalid_grant"),
        ({"code": "ac_never_given"}, "invalid_grant"),
        ({"state": None}, "invalid_request"),
        ({"code_verifier": None}, "invalid_request"),
        ({"client_id": "somebody-else"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_an_exchange_is_refused(person: Person, changed: dict[str, Any], error: str) -> None:
    answer = await exchange(person, **changed)

    assert answer.status_code == 400
    assert answer.json()["error"] == error


async def test_a_code_works_once(person: Person) -> None:
    code = (await person.allowed(ANTHROPIC_QUERY))["code"]

    assert (await exchange(person, code=code)).status_code == 200
    again = await exchange(person, code=code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


async def test_a_form_is_refused(person: Person) -> None:
    answer = await person.web.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": "x"})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_refreshing_rotates(person: Person) -> None:
    first = (await exchange(person)).json()
    second = (await refresh(person, first["refresh_token"])).json()
    reused = await refresh(person, first["refresh_token"])
    third = await refresh(person, second["refresh_token"])

    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")
    assert third.status_code == 200


async def test_a_narrower_scope_is_for_the_access_token_alone(person: Person) -> None:
    first = (await exchange(person)).json()
    narrow = (await refresh(person, first["refresh_token"], scope="user:inference")).json()
    wide = (await refresh(person, narrow["refresh_token"])).json()

    assert narrow["scope"] == "user:inference"
    assert wide["scope"] == ANTHROPIC_QUERY["scope"]


async def test_an_expired_refresh_token(person: Person) -> None:
    await person.control(refresh_expires_in=0)
    first = (await exchange(person)).json()
    answer = await refresh(person, first["refresh_token"])

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert "expired" in answer.json()["error_description"]
