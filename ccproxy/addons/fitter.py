"""The fitter: makes a request one that the ChatGPT plan's backend takes, and keeps what that one forgets."""

from collections.abc import Callable

import msgspec
from mitmproxy import http

from ccproxy import failures
from ccproxy.addons.exchanges import drop, exchange_of, lower, refuse
from ccproxy.addons.rewriter import PATHS, body_of, note_losses
from ccproxy.addons.router import point_at
from ccproxy.backends.models import facts
from ccproxy.backends.target import Target
from ccproxy.codex.fit import fit, names_of
from ccproxy.codex.instructions import Instructions
from ccproxy.codex.memory import Forgotten
from ccproxy.codex.rules import rules
from ccproxy.codex.sessions import Asked, Keep, SessionForgotten, Sessions
from ccproxy.codex.who import is_codex
from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.credentials.codex import CodexCredential, Way
from ccproxy.credentials.credential import CredentialSource
from ccproxy.exchange import Exchange
from ccproxy.formats import chat, responses
from ccproxy.settings import Settings
from ccproxy.translation import parse
from ccproxy.version import ccproxy_version

TURN_STATE = "x-codex-turn-state"
"""Leads the requests of one turn to one place: the answer to its first names it, the others say it back."""

OF_A_SESSION = ("session_id", "conversation_id", "thread-id")
"""Older and other names for what goes up as `session-id` (Codex CLI, read 2026-11-22)."""

PLANS_OWN = ("originator", "session-id", "version")
"""What only the Codex CLI's backend understands, besides `x-codex-*`."""

CLAUDE_CODE_SESSION = "x-claude-code-session-id"


class Fitter:
    """Between the rewriter, which has put the request into the Responses format, and the authoriser.

    A client that is Codex itself knows what its backend wants: nothing of its requests is changed.
    """

    name = "ccproxy_fitter"

    def __init__(
        self,
        settings: Settings,
        instructions: Instructions,
        sessions: Sessions,
        credential: CredentialSource | None,
    ) -> None:
        self.body_limit = settings.server.body_limit
        self.losses = settings.translation.losses
        self.instructions = instructions
        self.sessions = sessions
        self.credential = credential if isinstance(credential, CodexCredential) else None
        self.public = Target.parse(settings.openai.base_url)

    async def request(self, flow: http.HTTPFlow) -> None:
        exchange = exchange_of(flow)
        if exchange is None or flow.response or exchange.policy != "attach":
            return
        if exchange.backend != "codex":
            return
        bare = exchange.path.partition("?")[0]
        if bare.endswith("/messages/count_tokens"):
            # this backend does not count, and a guess would pass for its word
            refuse(flow, exchange, failures.unknown_route(exchange.method, bare))
        if flow.response or not (exchange.wire or exchange.reshaped):
            return
        way = await self.credential.way() if self.credential else "plan"
        if way == "siwc":
            # the same plan at OpenAI's public address, where nothing of the Codex CLI's is known
            point_at(flow.request, exchange, self.public, PATHS["responses"] if exchange.wire else "/models")
        if exchange.wire is None:
            return
        headers = lower(flow.request.headers)
        if exchange.session_id:
            # a translation has taken it off with all that belongs to Claude Code
            headers[CLAUDE_CODE_SESSION] = exchange.session_id
        if exchange.wire == "responses" and way == "plan" and is_codex(headers):
            return
        if exchange.unreadable:
            refuse(flow, exchange, exchange.unreadable)
            return
        try:
            await self.fit(flow, exchange, headers, way)
        except RequestError as problem:
            refuse(flow, exchange, failures.invalid_request(problem.path, str(problem)))
        except Forgotten as problem:
            refuse(flow, exchange, failures.response_forgotten(str(problem)))
        except SessionForgotten as problem:
            refuse(flow, exchange, problem.failure)

    async def fit(self, flow: http.HTTPFlow, exchange: Exchange, headers: dict[str, str], way: Way) -> None:
        """Rewrite the request. Raises RequestError, Forgotten and SessionForgotten."""
        body = parse(body_of(flow.request, self.body_limit))
        losses: tuple[Loss, ...] = ()
        names = names_of(exchange.wire or "responses")
        if exchange.translation is None and "messages" in body and "input" not in body:
            body, losses = from_messages(body)
            names = names_of("chat")
        stored = exchange.wire == "responses" and body.get("store") is not False
        asked = await self.sessions.begin(body, headers, exchange.session, stored=stored)
        fitted = fit(
            {**body, "input": asked.items},
            rules(way),
            instructions=await self.instructions.text(str(body.get("model") or "")),
            session=asked.session,
            names=names,
        )
        if not note_losses(flow, exchange, (*losses, *fitted.losses), self.losses):
            return
        set_headers(flow.request.headers, asked, str(fitted.body.get("prompt_cache_key") or asked.session))
        if way == "siwc":
            drop_codex_headers(flow.request.headers)
        flow.request.content = msgspec.json.encode(fitted.body)
        exchange.fitted, exchange.peek = True, "responses"
        if asked.keep:
            exchange.said = with_turn_state(flow, asked.keep)


def from_messages(body: JsonObject) -> tuple[JsonObject, tuple[Loss, ...]]:
    """A Chat Completions body that came on a Responses path, as a Responses body.

    Its client reads Responses, so it may go on as a client of Responses does.
    """
    own = {name: body.get(name) for name in ("stream", "store", "previous_response_id")}
    decoded = chat.decode_request({name: value for name, value in body.items() if name not in own})
    encoded = responses.encode_request(decoded.request, facts(decoded.request.model))
    return {**encoded.body, **own}, (*decoded.losses, *encoded.losses)


def set_headers(headers: http.Headers, asked: Asked, session: str) -> None:
    """Who asks, under our own name, and for which conversation: the same that the cache key names."""
    for name in ("content-encoding", *OF_A_SESSION):
        headers.pop(name, None)
    headers["content-type"] = "application/json"
    headers["accept"] = "text/event-stream"
    headers["accept-encoding"] = "identity"
    headers["originator"] = "ccproxy"
    headers["user-agent"] = f"ccproxy/{ccproxy_version()}"
    headers["session-id"] = session
    if asked.turn_state:
        headers[TURN_STATE] = asked.turn_state


def drop_codex_headers(headers: http.Headers) -> None:
    """Take off what only the Codex CLI's backend understands."""
    drop(headers, lambda name: name in PLANS_OWN or name.startswith("x-codex-"))


def with_turn_state(flow: http.HTTPFlow, keep: Keep) -> Callable[[JsonObject], None]:
    """What takes the answer, once it is whole."""
    return lambda response: keep(response, flow.response.headers.get(TURN_STATE) if flow.response else None)
