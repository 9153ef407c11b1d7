from typing import Any

import httpx

from tests.simulator.oauth.person import CODEX_CLIENT, Person

START = "/api/accounts/deviceauth/usercode"
POLL = "/api/accounts/deviceauth/token"


async def begin(person: Person) -> dict[str, Any]:
    answer = await person.web.post(START, json={"client_id": CODEX_CLIENT})
    assert answer.status_code == 200, answer.text
    started: dict[str, Any] = answer.json()
    return started


async def poll(person: Person, started: dict[str, Any]) -> httpx.Response:
    wanted = ("device_auth_id", "user_code")
    return await person.web.post(POLL, json={key: started[key] for key in wanted})


async def type_code(person: Person, code: str, decision: str) -> httpx.Response:
    return await person.web.post("/codex/device", data={"user_code": code, "decision": decision})


async def test_a_login_from_the_code_to_the_tokens(person: Person) -> None:
    started = await begin(person)
    assert started["interval"] == "5"

    assert (await poll(person, started)).status_code == 403
    assert "<form" in (await person.web.get("/codex/device")).text
    await type_code(person, f" {started['user_code'].lower()} ", "allow")
    allowed = await poll(person, started)

    assert allowed.status_code == 200
    body = allowed.json()
    issuer = str(person.web.base_url).rstrip("/")
    tokens = await person.web.post(
        "/oauth/token",
        data={
            "grant_type": "authorization_code",
            "code": body["authorization_code"],
            "code_verifier": body["code_verifier"],
            "redirect_uri": f"{issuer}/deviceauth/callback",
            "client_id": CODEX_CLIENT,
        },
    )
    assert tokens.status_code == 200
    assert person.sim.tokens.state(tokens.json()["access_token"]) == "valid"
    assert (await poll(person, started)).status_code == 404


async def test_a_denied_login_stays_pending(person: Person) -> None:
    started = await begin(person)
    await type_code(person, started["user_code"], "deny")

    assert (await poll(person, started)).status_code == 403


async def test_a_wrong_code_is_not_found(person: Person) -> None:
    started = await begin(person)

    assert "not known" in (await type_code(person, "BBBB-BBBBB", "allow")).text
    assert (await poll(person, started | {"user_code": "BBBB-BBBBB"})).status_code == 404
    assert (await poll(person, started | {"device_auth_id": "deviceauth_x"})).status_code == 404


async def test_a_login_ends_after_a_quarter_of_an_hour(person: Person) -> None:
    now = 1_800_000_000.0
    person.sim.tokens.clock = lambda: now
    started = await begin(person)
    now += 15 * 60

    assert (await poll(person, started)).status_code == 404
    assert "no longer" in (await type_code(person, started["user_code"], "allow")).text


async def test_it_can_be_switched_off(person: Person) -> None:
    await person.control(device_login=False)

    assert (await person.web.post(START, json={"client_id": CODEX_CLIENT})).status_code == 404


async def test_other_clients_are_refused(person: Person) -> None:
    assert (await person.web.post(START, json={"client_id": "somebody-else"})).status_code == 401
