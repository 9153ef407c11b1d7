"""Answers from a cassette in place of the providers: nothing that is meant for one leaves the machine."""

import logging
import secrets
from collections.abc import Sequence
from typing import Any

from mitmproxy import http

from ccproxy import failures
from ccproxy.addons.client_sides import OF_A_CONVERSATION
from ccproxy.addons.drain import Drain
from ccproxy.addons.exchanges import exchange_of, refuse
from ccproxy.addons.gate import Gate
from ccproxy.addons.listeners import Listeners
from ccproxy.addons.recorder import Recorder
from ccproxy.addons.recording import is_models, said, where
from ccproxy.addons.responder import Responder
from ccproxy.addons.rewriter import body_of
from ccproxy.addons.router import Router, point_at
from ccproxy.agent.backend import sdk_backend
from ccproxy.backends.backend import backends
from ccproxy.backends.target import Target
from ccproxy.codex.instructions import Instructions
from ccproxy.exchange import Exchange
from ccproxy.local.app import SECRET_HEADER, make_app
from ccproxy.local.playback import PLAY, playback_route
from ccproxy.local.server import LocalServer
from ccproxy.local.usage import Usage
from ccproxy.quota.windows import Quota
from ccproxy.reasoning import ReasoningStore
from ccproxy.records.cassette import Recorded
from ccproxy.records.matching import Tape, told
from ccproxy.records.stand_ins import ACCOUNTS, NO_CODEX_MODELS, accounts, model_list
from ccproxy.settings import Settings

logger = logging.getLogger(__name__)


def make_replay_chain(settings: Settings, recorded: Sequence[Recorded], *, in_time: bool) -> list[Any]:
    """The chain of a replay: no stage of it has a credential, and none asks a provider."""
    local = LocalServer(settings.server.body_limit)
    secret = (SECRET_HEADER, secrets.token_urlsafe(32))
    upstreams = backends(settings)
    upstreams["sdk"] = sdk_backend(settings, local.target, secret)
    own = [local.target, *(backend.target for backend in upstreams.values())]
    usage, instructions = Usage(Quota(), {}, settings), Instructions("none")
    token = settings.security.auth_token
    replaying = Replaying(
        Tape(recorded),
        local.target,
        secret,
        settings.server.body_limit,
        token.get_secret_value() if token else None,
    )
    gate, recorder = Gate(settings, own), Recorder()

    async def nothing() -> None:
        """Nothing has to be put away."""

    return [
        Listeners(
            settings,
            local,
            lambda: make_app(
                {}, secret[1], usage, instructions, more=[playback_route(recorded, in_time=in_time)]
            ),
        ),
        gate,
        Router(settings, upstreams, local.target),
        replaying,
        Responder(ReasoningStore()),
        recorder,
        Drain(gate, recorder, settings.server.drain_seconds, nothing),
    ]


class Replaying:
    """After the router, in the place of all that changes and authorises requests."""

    name = "ccproxy_replaying"

    def __init__(
        self, tape: Tape, local: Target, secret: tuple[str, str], body_limit: int, token: str | None
    ) -> None:
        self.tape = tape
        self.local = local
        self.secret = secret
        self.body_limit = body_limit
        self.token = token

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """What is meant for a provider goes no further, and is read as a whole."""
        exchange = exchange_of(flow)
        if exchange is None or not exchange.admitted or flow.response or is_elsewhere(exchange):
            return
        if is_ours(exchange):
            exchange.attached, exchange.cleared = [self.secret], True
            return
        exchange.policy, exchange.attached, exchange.cleared = "attach", [], False
        # what was recorded has its client's shape already
        exchange.reshaped, exchange.patient, flow.request.stream = False, True, False

    def request(self, flow: http.HTTPFlow) -> None:
        exchange = exchange_of(flow)
        if exchange is None or flow.response or is_elsewhere(exchange) or is_ours(exchange):
            return
        if exchange.operation in OF_A_CONVERSATION:
            self.look_up(flow, exchange)
        elif is_models(exchange) and (number := self.tape.find("models", where(exchange), None)):
            self.play(flow, exchange, number)
        elif (body := self.stand_in(exchange)) is not None:
            flow.response = http.Response.make(200, body, {"content-type": "application/json"})
        else:
            refuse(flow, exchange, failures.offline(f"{exchange.method} {where(exchange)}"))

    def look_up(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        """Play what was recorded for this request, or say what is nearest to it."""
        if exchange.unreadable:
            refuse(flow, exchange, exchange.unreadable)
            return
        request = said(body_of(flow.request, self.body_limit), self.token) or {}
        operation = exchange.operation
        if number := self.tape.find(operation, where(exchange), request):
            self.play(flow, exchange, number)
        elif operation == "count_tokens":
            # a guess would pass for the provider's word
            refuse(flow, exchange, failures.offline(f"{exchange.method} {where(exchange)}"))
        else:
            nearest = self.tape.nearest(operation, where(exchange), request)
            shown = told(nearest, None).replace("\n", "\n  ")
            logger.warning("No recording for %s %s:\n  %s", exchange.method, where(exchange), shown)
            refuse(flow, exchange, failures.no_recording(told(nearest)))

    def play(self, flow: http.HTTPFlow, exchange: Exchange, number: int) -> None:
        """Let the local app answer."""
        point_at(flow.request, exchange, self.local, f"{PLAY}/{number}")
        exchange.attached, exchange.cleared = [self.secret], True

    def stand_in(self, exchange: Exchange) -> bytes | None:
        """What clients want to know first, and the cassette does not say."""
        if exchange.method == "GET" and exchange.path.endswith(ACCOUNTS):
            return accounts(exchange.received_value("chatgpt-account-id") or "")
        if not is_models(exchange):
            return None
        if "/codex/" in exchange.path:
            return NO_CODEX_MODELS
        names = ((one.request or {}).get("model") for one in self.tape.recorded)
        asked = exchange.client_format == "anthropic"
        return model_list((name for name in names if isinstance(name, str)), anthropic=asked)


def is_ours(exchange: Exchange) -> bool:
    """A route that we answer ourselves, as ever."""
    return exchange.door == "reverse" and exchange.backend is None


def is_elsewhere(exchange: Exchange) -> bool:
    """Plain HTTP to a host that is no provider's."""
    return exchange.policy == "relay"
