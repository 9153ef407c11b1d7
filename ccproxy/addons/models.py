"""Lists of models: asked for so that they can be read, and put into the shape that the client reads."""

import contextlib
from urllib.parse import unquote

from mitmproxy import http

from ccproxy import failures
from ccproxy.addons.exchanges import lower, refuse
from ccproxy.backends.backend import Backend
from ccproxy.codex.rules import client_version
from ccproxy.codex.who import is_codex
from ccproxy.exchange import Exchange
from ccproxy.formats import models

ANTHROPIC_VERSION = "2023-06-01"
"""What we ask for on behalf of clients that do not know of versions."""


def models_path(headers: http.Headers, exchange: Exchange, backend: Backend, path: str) -> str:
    """Where to ask a backend for its models; `path` is where this client would ask it."""
    if backend.name == "codex":
        return path if is_codex(lower(headers)) else plan_path(headers, exchange, path)
    if exchange.client_format in backend.formats:
        return path
    exchange.reshaped = True
    headers["accept-encoding"] = "identity"
    if exchange.client_format == "anthropic":
        return path
    headers["anthropic-version"] = ANTHROPIC_VERSION
    # OpenAI's lists have no pages
    return path if "?" in path else f"{path}?limit=1000"


def plan_path(headers: http.Headers, exchange: Exchange, path: str) -> str:
    """The ChatGPT plan has a list and no page for each model: the one wanted is picked out of it."""
    exchange.reshaped = True
    exchange.model_requested = unquote(path.partition("?")[0].removeprefix("/models").strip("/")) or None
    headers["accept-encoding"] = "identity"
    return f"/models?client_version={client_version()}"


def reshape(flow: http.HTTPFlow, response: http.Response, exchange: Exchange) -> None:
    """Put the list into the client's shape; one that we cannot read stays as it is."""
    change = models.to_anthropic if exchange.client_format == "anthropic" else models.to_openai
    body, wanted = response.raw_content or b"", exchange.model_requested
    with contextlib.suppress(ValueError):
        found = models.pick(body, wanted) if exchange.backend == "codex" and wanted else body
        if found is None:
            refuse(flow, exchange, failures.unknown_model(wanted or ""))
        else:
            response.content = change(found)
