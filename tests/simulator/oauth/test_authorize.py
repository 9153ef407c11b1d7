import pytest

from tests.simulator.oauth.person import ANTHROPIC_QUERY, CODEX_QUERY, PKCE, SIWC_QUERY, Person, landed

SIWC_PATH = "/api/accounts/authorize"


async def test_allowing_brings_code_and_state_to_the_redirect_address(person: Person) -> None:
    redirect = await person.consent(ANTHROPIC_QUERY)

    assert redirect.headers["location"].startswith("http://localhost:54545/callback?code=")
    assert landed(redirect)["state"] == "state-1"


async def test_denying_brings_an_error(person: Person) -> None:
    answer = landed(await person.consent(CODEX_QUERY, choice="Deny"))

    assert answer["error"] == "access_denied"
    assert answer["state"] == "state-1"
    assert "code" not in answer


@pytest.mark.parametrize("host", ["console.anthropic.com", "platform.claude.com"])
async def test_the_manual_redirect_shows_code_and_state_on_a_page(person: Person, host: str) -> None:
    redirect = await person.consent(ANTHROPIC_QUERY | {"redirect_uri": f"https://{host}/oauth/code/callback"})
    page = await person.web.get(redirect.headers["location"])

    assert f"{landed(redirect)['code']}#state-1" in page.text


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        (ANTHROPIC_QUERY, {"client_id": "somebody-else"}),
        (ANTHROPIC_QUERY, {"redirect_uri": "http://localhost:54545/auth/callback"}),
        (ANTHROPIC_QUERY, {"redirect_uri": "https://example.com/callback"}),
        (ANTHROPIC_QUERY, {"response_type": "token"}),
        (ANTHROPIC_QUERY, {"code_challenge_method": "plain"}),
        (ANTHROPIC_QUERY, {"code_challenge": "short"}),
        (ANTHROPIC_QUERY, {"state": ""}),
        (ANTHROPIC_QUERY, {"scope": "user:profile user:everything"}),
        (CODEX_QUERY, {"redirect_uri": "http://localhost:1456/auth/callback"}),
        (CODEX_QUERY, {"redirect_uri": "http://127.0.0.1:1455/auth/callback"}),
        (CODEX_QUERY, {"scope": ""}),
    ],
)
async def test_a_wrong_link_is_refused_on_a_page(
    person: Person, query: dict[str, str], wrong: dict[str, str]
) -> None:
    asked = await person.web.get("/oauth/authorize", params=query | wrong)
    decided = await person.web.get("/oauth/authorize/decision", params=query | wrong | {"decision": "allow"})

    assert (asked.status_code, decided.status_code) == (400, 400)


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "oaiapp_of_somebody_else"},
        {"redirect_uri": "http://localhost:43210/auth/callback"},
        {"resource": "https://api.openai.com"},
        {"nonce": ""},
        {"ext_agent_host_id": "my-laptop"},
        {"agent_name_hint": ""},
        {"scope": "openid chatgpt.everything"},
    ],
)
async def test_a_wrong_siwc_link_is_refused_on_a_page(person: Person, wrong: dict[str, str]) -> None:
    assert (await person.web.get(SIWC_PATH, params=SIWC_QUERY | wrong)).status_code == 400


async def test_a_new_installation_is_given_its_own_client_id(person: Person) -> None:
    first = landed(await person.consent(SIWC_QUERY, path=SIWC_PATH))
    assert first["client_id"].startswith("oaiapp_")

    later = SIWC_QUERY | {"client_id": first["client_id"]}
    del later["agent_name_hint"]
    assert "client_id" not in landed(await person.consent(later, path=SIWC_PATH))

    other_host = later | {"ext_agent_host_id": "urn:uuid:99999999-2222-4333-8444-555555555555"}
    assert (await person.web.get(SIWC_PATH, params=other_host)).status_code == 400


async def test_a_link_in_hostile_words_stays_text(person: Person) -> None:
    page = await person.web.get("/oauth/authorize", params=PKCE | {"client_id": "<script>alert(1)</script>"})

    assert page.status_code == 400
    assert "<script>" not in page.text
