"""The chain: every stage, in the order in which a request meets them."""

import logging
import secrets
from typing import Any

from mitmproxy import ctx

from ccproxy.addons.authoriser import Authoriser
from ccproxy.addons.drain import Drain
from ccproxy.addons.gate import Gate
from ccproxy.addons.listeners import Listeners
from ccproxy.addons.recorder import Recorder
from ccproxy.addons.responder import Responder
from ccproxy.addons.rewriter import Rewriter
from ccproxy.addons.router import Router
from ccproxy.backends.backend import backends
from ccproxy.local.app import SECRET_HEADER, make_app
from ccproxy.local.server import LocalServer
from ccproxy.reasoning import ReasoningStore
from ccproxy.settings import Settings, SettingsError, load


def chain_for_script() -> list[Any]:
    """The chain with the user's settings. If these are wrong the tool stops: alone it is an open proxy."""
    try:
        return make_chain(load().settings)
    except SettingsError as problem:
        logging.getLogger(__name__).error("%s", problem)
        # at its start the tool exits with 1 because of this log entry; this is for a later reload
        ctx.master.event_loop.call_later(0.5, ctx.master.shutdown)
        return []


def make_chain(settings: Settings) -> list[Any]:
    """The addons that make mitmproxy our proxy."""
    upstreams = backends(settings)
    local = LocalServer()
    secret = secrets.token_urlsafe(32)
    reasoning = ReasoningStore()
    own = [local.target, *(backend.target for backend in upstreams.values())]
    gate, recorder = Gate(settings, own), Recorder()
    return [
        Listeners(settings, local, lambda: make_app(upstreams, secret)),
        gate,
        Router(settings, upstreams, local.target),
        Rewriter(settings, upstreams, reasoning),
        Authoriser(upstreams, (SECRET_HEADER, secret)),
        Responder(reasoning),
        recorder,
        Drain(gate, recorder, settings.server.drain_seconds),
    ]
