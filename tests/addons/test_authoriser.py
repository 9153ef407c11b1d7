import pytest
from mitmproxy import http

from ccproxy.addons.authoriser import add_beta, clients_own
from ccproxy.exchange import Exchange, Headers


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], ["oauth"]),
        (["a"], ["a,oauth"]),
        (["a, b"], ["a, b,oauth"]),
        (["a", "b"], ["a", "b,oauth"]),
        (["a,oauth"], ["a,oauth"]),
        (["a", " oauth ,b"], ["a", " oauth ,b"]),
        (["oauth-2"], ["oauth-2,oauth"]),
    ],
)
def test_a_beta_flag_is_added_once_and_nothing_else_moves(before: list[str], after: list[str]) -> None:
    headers = http.Headers((b"Anthropic-Beta", line.encode()) for line in before)
    add_beta(headers, "oauth")
    assert headers.get_all("anthropic-beta") == after


@pytest.mark.parametrize(
    ("received", "own"),
    [
        ([], []),
        ([("X-Api-Key", "k")], [("X-Api-Key", "k")]),
        ([("X-Api-Key", "k"), ("Authorization", "Bearer t")], [("Authorization", "Bearer t")]),
        ([("cookie", "c")], []),
    ],
)
def test_exactly_one_credential_of_the_client(received: Headers, own: Headers) -> None:
    exchange = Exchange("reverse", "POST", "/")
    exchange.received = received
    assert clients_own(exchange) == own
