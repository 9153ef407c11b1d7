import time

import pytest

from ccproxy.simulator.oauth.providers import ProviderName
from tests.simulator.oauth.person import ANTHROPIC_CLIENT, CODEX_CLIENT, Person

FORMS = {
    "/v1/oauth/token": {"grant_type": "refresh_token", "refresh_token": "x", "client_id": ANTHROPIC_CLIENT},
    "/oauth/token": {"grant_type": "refresh_token", "refresh_token": "x", "client_id": CODEX_CLIENT},
    "/api/accounts/oauth/token": {"grant_type": "refresh_token"},
}


async def refresh(person: Person, token: str) -> int:
    body = {"grant_type": "refresh_token", "refresh_token": token, "client_id": ANTHROPIC_CLIENT}
    return (await person.web.post("/v1/oauth/token", json=body)).status_code


@pytest.mark.parametrize("path", FORMS)
async def test_every_token_endpoint_can_be_down_or_limited(person: Person, path: str) -> None:
    await person.control(token_endpoint="down")
    assert (await person.web.post(path, json=FORMS[path])).status_code == 503

    await person.control(token_endpoint="rate_limited", retry_after_seconds=7)
    limited = await person.web.post(path, json=FORMS[path])
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")

    await person.control(token_endpoint="ok")
    assert (await person.web.post(path, json=FORMS[path])).status_code in (400, 401)


async def test_a_failing_endpoint_spends_no_refresh_token(person: Person) -> None:
    issued = (await person.control(issue="anthropic", token_endpoint="down"))["issued"]
    assert await refresh(person, issued["refresh_token"]) == 503

    await person.control(token_endpoint="ok")
    assert await refresh(person, issued["refresh_token"]) == 200


async def test_a_slow_endpoint_answers_late(person: Person) -> None:
    issued = (await person.control(issue="anthropic", token_endpoint="slow", delay_seconds=0.2))["issued"]
    begin = time.perf_counter()

    assert await refresh(person, issued["refresh_token"]) == 200
    assert time.perf_counter() - begin >= 0.2


async def test_lifetimes(person: Person) -> None:
    short = (await person.control(issue="anthropic", expires_in=5))["issued"]
    usual = (await person.control(issue="anthropic", expires_in=None))["issued"]

    assert (short["expires_in"], usual["expires_in"]) == (5, 8 * 3600)


async def test_ending_access_tokens_leaves_refresh_tokens(person: Person) -> None:
    issued = (await person.control(issue="anthropic"))["issued"]
    await person.control(expire_all=True)

    assert person.sim.tokens.state(issued["access_token"]) == "expired"
    assert await refresh(person, issued["refresh_token"]) == 200


async def test_revoking_everything(person: Person) -> None:
    issued = (await person.control(issue="anthropic"))["issued"]
    report = await person.control(revoke_all=True)

    assert report["active"] == {"access_tokens": 0, "refresh_tokens": 0}
    assert person.sim.tokens.state(issued["access_token"]) == "revoked"
    assert await refresh(person, issued["refresh_token"]) == 400


@pytest.mark.parametrize("provider", ["anthropic", "codex", "siwc"])
async def test_tokens_without_a_login(person: Person, provider: ProviderName) -> None:
    issued = (await person.control(issue=provider))["issued"]
    grant = person.sim.tokens.grant_of(issued["access_token"])

    assert grant is not None
    assert grant.provider == provider


async def test_what_happened_is_counted(person: Person) -> None:
    issued = (await person.control(issue="anthropic"))["issued"]
    for token in (issued["refresh_token"], issued["refresh_token"]):
        await refresh(person, token)
    await person.control(token_endpoint="down")
    await refresh(person, "x")

    report = (await person.web.get("/_simulator/oauth")).json()
    assert report["grants"]["anthropic"] == {
        "refresh_token": {"ok": 1, "refused": 1},
        "any": {"down": 1},
    }
    assert report["knobs"]["token_endpoint"] == "down"


async def test_an_unknown_order_changes_nothing(person: Person) -> None:
    answer = await person.web.post("/_simulator/oauth", json={"expires_in": 1, "explode": True})

    assert answer.status_code == 400
    assert person.sim.tokens.knobs.expires_in is None


async def test_a_reset_forgets_everything(person: Person) -> None:
    first = (await person.control(issue="anthropic", expires_in=5))["issued"]
    await person.web.post("/_simulator/reset")
    report = (await person.web.get("/_simulator/oauth")).json()

    assert person.sim.tokens.state(first["access_token"]) == "unknown"
    assert report["knobs"]["expires_in"] is None
    again = (await person.control(issue="anthropic"))["issued"]
    assert again["access_token"] == first["access_token"]
