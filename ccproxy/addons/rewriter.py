"""The rewriter: puts a request into the upstream's format, or only another model into it, or does nothing."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from mitmproxy import http

from ccproxy import failures
from ccproxy.addons.exchanges import drop, exchange_of, refuse
from ccproxy.addons.models import ANTHROPIC_VERSION
from ccproxy.addons.router import point_at
from ccproxy.backends.backend import Backend
from ccproxy.backends.models import Choice, ModelRules
from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import Wire
from ccproxy.exchange import Exchange
from ccproxy.failures import Failure
from ccproxy.formats import decompress
from ccproxy.reasoning import ReasoningStore
from ccproxy.rename import changed_request
from ccproxy.routes import BackendName
from ccproxy.settings import Settings
from ccproxy.translation import parse, translate

PATHS: dict[Wire, str] = {"anthropic": "/v1/messages", "chat": "/chat/completions", "responses": "/responses"}
"""Where a format's requests go, below the base URL of a backend that speaks it."""

FOREIGN: dict[Wire, tuple[str, ...]] = {
    "anthropic": ("openai-", "x-stainless-"),
    "chat": ("anthropic-", "x-claude-code-", "x-stainless-", "x-app"),
    "responses": ("anthropic-", "x-claude-code-", "x-stainless-", "x-app"),
}
"""Headers that mean nothing to an upstream of this format."""

LONGEST_WARNING = 1000
"""Characters of the header that lists losses."""


class Rewriter:
    """Model rules and translation; between the router, who knows the body, and the authoriser."""

    name = "ccproxy_rewriter"

    def __init__(
        self, settings: Settings, backends: Mapping[BackendName, Backend], reasoning: ReasoningStore
    ) -> None:
        self.rules = ModelRules(settings)
        self.body_limit = settings.server.body_limit
        self.losses = settings.translation.losses
        self.shown = settings.translation.reasoning
        self.backends = backends
        self.reasoning = reasoning

    def request(self, flow: http.HTTPFlow) -> None:
        exchange = exchange_of(flow)
        if exchange is None or flow.response or exchange.policy != "attach" or exchange.wire is None:
            return
        try:
            self.rewrite(flow, exchange, exchange.wire)
        except RequestError as problem:
            refuse(flow, exchange, failures.invalid_request(problem.path, str(problem)))

    def rewrite(self, flow: http.HTTPFlow, exchange: Exchange, wire: Wire) -> None:
        choice = self.rules.choose(exchange.model_requested or "")
        name = choice.backend or exchange.backend
        backend = self.backends.get(name) if name else None
        if backend is None:
            refuse(flow, exchange, failures.not_available(f"models.rules, backend {name!r}"))
            return
        target = backend.wire_for(wire)
        changed = choice.model != (exchange.model_requested or "")
        if exchange.unreadable and (target != wire or changed or choice.effort):
            refuse(flow, exchange, exchange.unreadable)
        elif target != wire:
            self.translate(flow, exchange, wire, target)
        elif changed or choice.effort:
            self.rename(flow, exchange, wire, choice)
        if flow.response or (backend.name == exchange.backend and target == wire):
            return
        exchange.backend = backend.name
        point_at(flow.request, exchange, backend.target, PATHS[target])

    def rename(self, flow: http.HTTPFlow, exchange: Exchange, wire: Wire, choice: Choice) -> None:
        """The same format, another model: the client's name comes back in the answer."""
        flow.request.content = changed_request(parse(body_of(flow.request, self.body_limit)), wire, choice)
        flow.request.headers["accept-encoding"] = "identity"
        if choice.model != exchange.model_requested:
            exchange.renamed, exchange.model_sent = True, choice.model

    def translate(self, flow: http.HTTPFlow, exchange: Exchange, wire: Wire, target: Wire) -> None:
        translation = translate(
            body_of(flow.request, self.body_limit),
            wire,
            target,
            self.rules.choose,
            exchange.id.removeprefix("ccp_"),
            int(time.time()),
            self.shown,
            self.reasoning.restore if wire == "chat" else lambda request: request,
        )
        if not note_losses(flow, exchange, translation.losses, self.losses):
            return
        exchange.translation = translation
        exchange.upstream_format = exchange.peek = target
        exchange.model_sent = translation.model
        # first the headers: mitmproxy compresses a body for a content-encoding that is still there
        set_headers(flow.request.headers, target)
        flow.request.content = translation.body


def body_of(request: http.Request, limit: int) -> bytes:
    """The body without its compression; the router has seen that it can be undone."""
    encoding = request.headers.get("content-encoding", "")
    return decompress.whole(request.raw_content or b"", encoding, limit)


def set_headers(headers: http.Headers, target: Wire) -> None:
    """Headers of the upstream's kind in the place of the client's."""
    drop(headers, lambda name: name.startswith(FOREIGN[target]) or name == "content-encoding")
    headers["content-type"] = "application/json"
    headers["accept-encoding"] = "identity"
    if target == "anthropic":
        headers["anthropic-version"] = ANTHROPIC_VERSION


def note_losses(flow: http.HTTPFlow, exchange: Exchange, losses: Iterable[Loss], mode: str) -> bool:
    """Do with further losses what `translation.losses` says; False when the request is refused for one."""
    exchange.losses = (*exchange.losses, *losses)
    if exchange.losses and mode == "reject":
        refuse(flow, exchange, loss_refused(exchange.losses[0]))
        return False
    exchange.warnings = warnings(exchange.losses) if mode == "warn" else ""
    return True


def loss_refused(loss: Loss) -> Failure:
    """What `translation.losses = "reject"` says."""
    return replace(
        failures.invalid_request(loss.path, f"This cannot be translated without a loss ({loss.why})."),
        code="translation_loss",
    )


def warnings(losses: Iterable[Loss]) -> str:
    """The losses, for the header that lists them."""
    labels = dict.fromkeys(loss.label for loss in losses)
    text = ",".join(label.encode("ascii", "replace").decode() for label in labels)
    return text if len(text) <= LONGEST_WARNING else text[: LONGEST_WARNING - 3] + "..."
