"""The authoriser: puts exactly one credential on a request that goes upstream."""

from collections.abc import Mapping

from mitmproxy import http

from ccproxy import failures
from ccproxy.addons.exchanges import exchange_of, refuse
from ccproxy.backends.backend import Backend
from ccproxy.credentials.credential import CredentialError, Secret, TryLater
from ccproxy.exchange import Exchange, Headers
from ccproxy.routes import BackendName


class Authoriser:
    """Asks the backend's credential; what the client sent towards us is replaced by it."""

    name = "ccproxy_authoriser"

    def __init__(self, backends: Mapping[BackendName, Backend], local: tuple[str, str]) -> None:
        self.backends = backends
        self.local = local

    def running(self) -> None:
        for backend in self.backends.values():
            backend.credential.start()

    async def request(self, flow: http.HTTPFlow) -> None:
        exchange = exchange_of(flow)
        if exchange is None or flow.response or exchange.policy != "attach":
            return
        if exchange.backend is None:
            exchange.attached, exchange.cleared = [self.local, *exchange.bridge], True
            return
        try:
            secret = await self.backends[exchange.backend].credential.secret()
        except TryLater as problem:
            refuse(flow, exchange, failures.credential_not_renewed(str(problem)))
            return
        except CredentialError as problem:
            failure = failures.credential_expired if problem.expired else failures.no_credential
            refuse(flow, exchange, failure(str(problem)))
            return
        if secret is None:
            exchange.attached = clients_own(exchange)
            if not exchange.attached:
                refuse(flow, exchange, failures.no_credential(CLIENT_SENT_NONE))
                return
        else:
            attach(flow, exchange, secret)
        exchange.cleared = True

    async def ccproxy_rejected(self, flow: http.HTTPFlow) -> None:
        """The upstream said 401: attach something better than what it rejected, if there is any."""
        exchange = exchange_of(flow)
        if exchange is None or exchange.backend is None or exchange.secret is None:
            return
        rejected, exchange.secret = exchange.secret, None
        try:
            secret = await self.backends[exchange.backend].credential.rejected(rejected)
        except CredentialError:
            # the upstream's own words go to the client
            return
        if secret:
            attach(flow, exchange, secret)


def attach(flow: http.HTTPFlow, exchange: Exchange, secret: Secret) -> None:
    """Let a credential of ours go upstream; its headers are put on at the wire."""
    exchange.secret, exchange.attached = secret, list(secret.headers)
    if secret.beta:
        add_beta(flow.request.headers, secret.beta)


CLIENT_SENT_NONE = (
    "The client sent no credential to pass on: give it an API key, or let the proxy attach one "
    '(claude.credentials or codex.credentials other than "client").'
)


def clients_own(exchange: Exchange) -> Headers:
    """The one credential that the client itself has sent, with the account that it belongs to."""
    account = [header for header in exchange.received if header[0].lower() == "chatgpt-account-id"]
    for wanted in ("authorization", "x-api-key"):
        for header in exchange.received:
            if header[0].lower() == wanted:
                return [header, *account[:1]]
    return []


def add_beta(headers: http.Headers, flag: str) -> None:
    """Add a beta flag unless it is there; whatever the client sent stays as it is."""
    lines = headers.get_all("anthropic-beta")
    if any(flag == given.strip() for line in lines for given in line.split(",")):
        return
    if lines:
        headers.set_all("anthropic-beta", [*lines[:-1], f"{lines[-1]},{flag}"])
    else:
        headers["anthropic-beta"] = flag
