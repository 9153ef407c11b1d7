"""The chain: every stage, in the order in which a request meets them."""

import asyncio
import logging
import secrets
from typing import Any

from mitmproxy import ctx

from ccproxy.addons.access_logger import AccessLogger
from ccproxy.addons.agent_fitter import AgentFitter
from ccproxy.addons.agent_host import AgentHost
from ccproxy.addons.authoriser import Authoriser
from ccproxy.addons.client_sides import ClientSides
from ccproxy.addons.drain import Drain
from ccproxy.addons.fitter import Fitter
from ccproxy.addons.forgetter import Forgetting
from ccproxy.addons.gate import Gate
from ccproxy.addons.inspector import Inspector
from ccproxy.addons.listeners import Listeners
from ccproxy.addons.metering import metering
from ccproxy.addons.quota import Quotas
from ccproxy.addons.recorder import Recorder
from ccproxy.addons.responder import Responder
from ccproxy.addons.rewriter import Rewriter
from ccproxy.addons.router import Router
from ccproxy.addons.sockets import Sockets
from ccproxy.agent.backend import sdk_backend
from ccproxy.agent.on_demand import OnDemand
from ccproxy.backends.backend import backends
from ccproxy.codex.instructions import Instructions
from ccproxy.codex.memory import Memory
from ccproxy.codex.sessions import Sessions
from ccproxy.known_sessions import KnownSessions, default_path
from ccproxy.local.app import SECRET_HEADER, make_app
from ccproxy.local.log_stream import log_stream_route
from ccproxy.local.logins import login_routes
from ccproxy.local.logs import log_routes
from ccproxy.local.metrics import metric_routes
from ccproxy.local.permissions import permission_routes
from ccproxy.local.server import LocalServer
from ccproxy.local.usage import Usage
from ccproxy.quota.windows import Quota
from ccproxy.reasoning import ReasoningStore
from ccproxy.settings import Settings, SettingsError, load

logger = logging.getLogger(__name__)

NAMES_KEPT = 30 * 86_400.0
"""Seconds for which it is known that a session was used: longer than what was said in it."""


def chain_for_script() -> list[Any]:
    """The chain with the user's settings. If these are wrong the tool stops: alone it is an open proxy."""
    try:
        return make_chain(load().settings)
    except SettingsError as problem:
        logger.error("%s", problem)
        # at its start the tool exits with 1 because of this log entry; this is for a later reload
        ctx.master.event_loop.call_later(0.5, ctx.master.shutdown)
        return []


def make_chain(settings: Settings) -> list[Any]:
    """The addons that make mitmproxy our proxy."""
    upstreams = backends(settings)
    codex = upstreams.get("codex")
    local = LocalServer(settings.server.body_limit)
    secret = secrets.token_urlsafe(32)
    reasoning = ReasoningStore()
    quota = Quota()
    instructions = Instructions(settings.codex.instructions)
    kept = settings.codex.sessions
    known_agents = KnownSessions(default_path().with_name("claude-sessions.json"), NAMES_KEPT)
    agent = OnDemand(settings, local.target, known_agents)
    upstreams["sdk"] = sdk_backend(settings, local.target, (SECRET_HEADER, secret))
    memory = Memory(kept.memory, kept.idle_seconds, kept.max)
    known = KnownSessions(None, max(kept.idle_seconds, NAMES_KEPT))
    own = [local.target, *(backend.target for backend in upstreams.values())]

    async def put_away() -> None:
        """What must not be lost or left: sessions, their processes, and a login that is being renewed."""
        access.feed.end()
        credentials = [backend.credential.stop() for backend in upstreams.values()]
        for problem in await asyncio.gather(
            agent.close(), known.save(), *credentials, return_exceptions=True
        ):
            if isinstance(problem, Exception):
                logger.error("Not everything was put away.", exc_info=problem)

    forgetting = Forgetting(settings.inspector)
    access = AccessLogger(settings.observability)
    gate, recorder, quotas = Gate(settings, own), Recorder(access.keep), Quotas(quota)
    metrics = metering(settings.observability, recorder, quota, agent.status, forgetting, access)
    return [
        Listeners(
            settings,
            local,
            lambda: make_app(
                upstreams,
                secret,
                Usage(quota, upstreams, settings),
                instructions,
                agent.status,
                [
                    *agent.routes(),
                    *permission_routes(agent.permissions),
                    *login_routes(settings),
                    *log_routes(access.log),
                    log_stream_route(access.feed if access.log else None),
                    *metric_routes(metrics.page if metrics else None),
                ],
                forgetting.kept,
                access.status,
            ),
        ),
        AgentHost(agent, at_once=settings.claude.pool.enabled),
        gate,
        Router(settings, upstreams, local.target),
        ClientSides(settings.server.body_limit),
        Rewriter(settings, upstreams, reasoning),
        Fitter(settings, instructions, Sessions(memory, known), codex.credential if codex else None),
        AgentFitter(settings),
        Authoriser(upstreams, (SECRET_HEADER, secret)),
        Responder(reasoning),
        quotas,
        recorder,
        access,
        Sockets(recorder, quotas),
        Inspector(),
        forgetting,
        Drain(gate, recorder, settings.server.drain_seconds, put_away),
    ]
