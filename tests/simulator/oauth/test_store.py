import pytest

from ccproxy.simulator.oauth.control import plain_grant
from ccproxy.simulator.oauth.store import CODE_SECONDS, GrantRefused, TokenStore, challenge_of

# The example pair of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

NOW = 1_800_000_000.0


@pytest.fixture
def store() -> TokenStore:
    return TokenStore(clock=lambda: NOW)


def exchange(store: TokenStore, code: str) -> None:
    grant = plain_grant("anthropic")
    store.exchange(code, client_id=grant.client_id, redirect_uri="r", verifier=VERIFIER)


def test_the_challenge_of_the_rfc() -> None:
    assert challenge_of(VERIFIER) == CHALLENGE


def test_a_failed_exchange_spends_the_code(store: TokenStore) -> None:
    grant = plain_grant("anthropic")
    code = store.new_code(grant, redirect_uri="r", challenge=CHALLENGE)
    with pytest.raises(GrantRefused) as first:
        store.exchange(code, client_id=grant.client_id, redirect_uri="other", verifier=VERIFIER)
    with pytest.raises(GrantRefused) as second:
        exchange(store, code)

    assert (first.value.reason, second.value.reason) == ("redirect_uri", "used")


def test_a_code_lasts_ten_minutes(store: TokenStore) -> None:
    late = store.new_code(plain_grant("anthropic"), redirect_uri="r", challenge=CHALLENGE)
    soon = store.new_code(plain_grant("anthropic"), redirect_uri="r", challenge=CHALLENGE)
    store.clock = lambda: NOW + CODE_SECONDS - 1
    exchange(store, soon)
    store.clock = lambda: NOW + CODE_SECONDS
    with pytest.raises(GrantRefused) as raised:
        exchange(store, late)

    assert raised.value.reason == "expired"


def test_access_tokens_end_by_their_time(store: TokenStore) -> None:
    token = store.issue(plain_grant("anthropic")).access_token
    assert store.state(token) == "valid"

    store.clock = lambda: NOW + 8 * 3600
    assert store.state(token) == "expired"
    assert store.state("sk-ant-oat01-made-up") == "unknown"


def test_two_stores_issue_the_same_tokens_in_the_same_order() -> None:
    first, second = (TokenStore(clock=lambda: NOW) for _ in range(2))
    tokens = [
        [store.issue(plain_grant("anthropic")).access_token for _ in range(2)] for store in (first, second)
    ]

    assert tokens[0] == tokens[1]
    assert tokens[0][0] != tokens[0][1]
