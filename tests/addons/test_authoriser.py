import pytest
from mitmproxy import http
from mitmproxy.test import tflow

from ccproxy.addons.authoriser import Authoriser, add_beta, clients_own
from ccproxy.addons.exchanges import begin
from ccproxy.backends.backend import Backend
from ccproxy.backends.target import Target
from ccproxy.credentials.credential import CredentialError, Secret, TryLater
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


class Credential:
    """A credential of ours in a given mood."""

    def __init__(self, outcome: Secret | Exception) -> None:
        self.outcome = outcome
        self.started = False

    async def secret(self) -> Secret | None:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def start(self) -> None:
        self.started = True


def authoriser(credential: Credential) -> Authoriser:
    backend = Backend("api", Target("https", "h", 443, ""), ("anthropic",), credential, ())  # type: ignore[arg-type]
    return Authoriser({"api": backend}, ("x", "y"))


@pytest.mark.parametrize(
    ("problem", "code", "status"),
    [
        (CredentialError("none"), "no_credential", 401),
        (CredentialError("old", expired=True), "credential_expired", 401),
        (TryLater("busy"), "credential_not_renewed", 503),
    ],
)
async def test_why_there_is_no_credential(problem: Exception, code: str, status: int) -> None:
    flow, exchange = tflow.tflow(), Exchange("reverse", "POST", "/", "anthropic")
    exchange.policy, exchange.backend = "attach", "api"
    begin(flow, exchange)
    await authoriser(Credential(problem)).request(flow)
    assert flow.response
    assert (flow.response.headers["x-ccproxy-error"], flow.response.status_code) == (code, status)
    assert not exchange.cleared


def test_logins_are_kept_fresh_from_the_start() -> None:
    credential = Credential(Secret(()))
    authoriser(credential).running()
    assert credential.started
