"""The agent's fitter: tells Claude Code's API what the request's path and headers said, and what is lost."""

from mitmproxy import http

from ccproxy import failures
from ccproxy.addons.exchanges import drop_ours, exchange_of, refuse
from ccproxy.addons.rewriter import body_of, note_losses
from ccproxy.agent.asked import FORMAT, OWN_SESSION, REQUEST, SESSION
from ccproxy.agent.limits import losses
from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.request import Request
from ccproxy.exchange import Exchange
from ccproxy.formats import anthropic
from ccproxy.settings import Settings
from ccproxy.translation import parse


class AgentFitter:
    """Between the rewriter, which has put the request into the Messages format, and the authoriser."""

    name = "ccproxy_agent_fitter"

    def __init__(self, settings: Settings) -> None:
        self.body_limit = settings.server.body_limit
        self.losses = settings.translation.losses

    def request(self, flow: http.HTTPFlow) -> None:
        exchange = exchange_of(flow)
        if exchange is None or flow.response or exchange.policy != "attach" or exchange.backend != "sdk":
            return
        drop_ours(flow.request.headers)
        exchange.patient = True
        if exchange.wire is None:
            return
        if exchange.unreadable:
            refuse(flow, exchange, exchange.unreadable)
            return
        try:
            self.fit(flow, exchange)
        except RequestError as problem:
            refuse(flow, exchange, failures.invalid_request(problem.path, str(problem)))

    def fit(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        """Note what is lost, and complete the headers. Raises RequestError."""
        body = body_of(flow.request, self.body_limit)
        known = {loss.path for loss in exchange.losses}
        more = [loss for loss in losses(asked(exchange, body)) if loss.path not in known]
        if not note_losses(flow, exchange, more, self.losses):
            return
        if flow.request.headers.pop("content-encoding", None):
            flow.request.content = body
        flow.request.headers.update(told(exchange))


def asked(exchange: Exchange, body: bytes) -> Request:
    """What the client asked, in its own words. Raises RequestError."""
    if exchange.translation:
        return exchange.translation.to.request
    # what only Anthropic's servers know is left to the app, which reads the body as it is
    return anthropic.decode_request(parse(body)).request


def told(exchange: Exchange) -> dict[str, str]:
    """Headers for the app: the session of the path, the client's own, and the format that it reads."""
    own = ":".join(part for part in (exchange.session_id, exchange.agent_id) if part)
    named = {
        SESSION: exchange.session,
        OWN_SESSION: own,
        FORMAT: exchange.client_format,
        REQUEST: exchange.id,
    }
    return {name: value for name, value in named.items() if value}
