"""The routing table of the reverse listener, as data.

A path names a backend and a client format; `find` turns a method and a path into a `Route`.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, get_args
from urllib.parse import unquote

from ccproxy.formats import FormatName

BackendName = Literal["api", "sdk", "codex", "openai"]
Operation = Literal["messages", "count_tokens", "chat", "responses", "models", "other", "utility"]

BACKENDS: tuple[BackendName, ...] = get_args(BackendName)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes: `path` is what stands below the backend's base URL; `label` is for people.

    `session` is the id of a persistent session that the path names.
    """

    backend: BackendName | None
    format: FormatName
    operation: Operation
    path: str
    label: str
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    `{rest}` and `{id}` in the pattern fill the same in the path, `{s}` is a session id.
    """

    methods: str
    pattern: str
    backend: BackendName | None
    format: FormatName
    operation: Operation
    path: str
    what: str


CALLBACK_PATHS = ("/oauth/callback", "/callback", "/auth/callback")
"""Where a login that this server has begun ends: ours, Claude's and Codex's name for it."""

PERMISSION_CHECK = "/mcp/permission/check"
PERMISSION_STREAM = "/permissions/stream"
RESPOND = "/permissions/{id}/respond"

USAGE, METRICS = "/usage", "/metrics"

LOGS_QUERY, LOGS_ANALYTICS, LOGS_STATUS = "/logs/query", "/logs/analytics", "/logs/status"
LOGS_STREAM, LOGS_SQL = "/logs/stream", "/logs/sql"

WAITING = frozenset(("/mcp", PERMISSION_CHECK, PERMISSION_STREAM, LOGS_STREAM))
"""Routes whose answers may wait for a person or for what happens, and have no end that anybody knows."""

CODEX_RESPONSES = "ChatGPT plan, Responses"
CODEX_MODELS = "the ChatGPT plan's models"
CODEX_REST = "the rest of the ChatGPT plan's API"
SESSION_TOO = "the same in a persistent session"
SDK_MODELS = "the models that Claude Code offers"
LOGIN = "begins a login"
CALLBACK = "finishes a login that this server has begun"

TABLE: tuple[Row, ...] = (
    Row("POST", "/api/v1/messages", "api", "anthropic", "messages", "/v1/messages", "Claude, Messages"),
    Row(
        "POST",
        "/api/v1/messages/count_tokens",
        "api",
        "anthropic",
        "count_tokens",
        "/v1/messages/count_tokens",
        "Claude, token count",
    ),
    Row("POST", "/api/v1/chat/completions", "api", "chat", "chat", "", "Claude, Chat Completions"),
    Row("POST", "/api/v1/responses", "api", "responses", "responses", "", "Claude, Responses"),
    Row("GET", "/api/v1/models{rest}", "api", "anthropic", "models", "/v1/models{rest}", "Claude's models"),
    Row("GET", "/api/models{rest}", "api", "anthropic", "models", "/v1/models{rest}", "Claude's models"),
    Row("*", "/api/v1/{rest}", "api", "anthropic", "other", "/v1/{rest}", "the rest of Claude's API"),
    Row("POST", "/sdk/v1/messages", "sdk", "anthropic", "messages", "/v1/messages", "Claude Code, Messages"),
    Row("POST", "/sdk/v1/chat/completions", "sdk", "chat", "chat", "", "Claude Code, Chat Completions"),
    Row("POST", "/sdk/v1/responses", "sdk", "responses", "responses", "", "Claude Code, Responses"),
    Row("GET", "/sdk/v1/models{rest}", "sdk", "anthropic", "models", "/v1/models{rest}", SDK_MODELS),
    Row("GET", "/sdk/models{rest}", "sdk", "anthropic", "models", "/v1/models{rest}", SDK_MODELS),
    Row("POST", "/sdk/{s}/v1/messages", "sdk", "anthropic", "messages", "/v1/messages", SESSION_TOO),
    Row("POST", "/sdk/{s}/v1/chat/completions", "sdk", "chat", "chat", "", SESSION_TOO),
    Row("POST", "/sdk/{s}/v1/responses", "sdk", "responses", "responses", "", SESSION_TOO),
    Row("POST", "/openai/v1/messages", "openai", "anthropic", "messages", "", "OpenAI, Messages"),
    Row(
        "POST",
        "/openai/v1/chat/completions",
        "openai",
        "chat",
        "chat",
        "/chat/completions",
        "OpenAI, Chat Completions",
    ),
    Row(
        "POST", "/openai/v1/responses", "openai", "responses", "responses", "/responses", "OpenAI, Responses"
    ),
    Row("GET", "/openai/v1/models{rest}", "openai", "chat", "models", "/models{rest}", "OpenAI's models"),
    Row("GET", "/openai/models{rest}", "openai", "chat", "models", "/models{rest}", "OpenAI's models"),
    Row("*", "/openai/v1/{rest}", "openai", "chat", "other", "/{rest}", "the rest of OpenAI's API"),
    Row("POST", "/codex/v1/messages", "codex", "anthropic", "messages", "", "ChatGPT plan, Messages"),
    Row("POST", "/codex/chat/completions", "codex", "chat", "chat", "", "ChatGPT plan, Chat Completions"),
    Row("POST", "/codex/v1/chat/completions", "codex", "chat", "chat", "", "ChatGPT plan, Chat Completions"),
    Row("POST", "/codex/responses", "codex", "responses", "responses", "/responses", CODEX_RESPONSES),
    Row("POST", "/codex/v1/responses", "codex", "responses", "responses", "/responses", CODEX_RESPONSES),
    Row("GET", "/codex/v1/models{rest}", "codex", "responses", "models", "/models{rest}", CODEX_MODELS),
    Row("GET", "/codex/models{rest}", "codex", "responses", "models", "/models{rest}", CODEX_MODELS),
    Row("POST", "/codex/responses/compact", "codex", "responses", "other", "/responses/compact", CODEX_REST),
    Row("*", "/codex/v1/{rest}", "codex", "responses", "other", "/{rest}", CODEX_REST),
    Row("POST", "/codex/{s}/v1/messages", "codex", "anthropic", "messages", "", SESSION_TOO),
    Row("POST", "/codex/{s}/chat/completions", "codex", "chat", "chat", "", SESSION_TOO),
    Row("POST", "/codex/{s}/v1/chat/completions", "codex", "chat", "chat", "", SESSION_TOO),
    Row("POST", "/codex/{s}/responses", "codex", "responses", "responses", "/responses", SESSION_TOO),
    Row("POST", "/codex/{s}/v1/responses", "codex", "responses", "responses", "/responses", SESSION_TOO),
    Row("GET HEAD", "/", None, "utility", "utility", "/", "version and routes"),
    Row("GET HEAD", "/health", None, "utility", "utility", "/health", "health of every part"),
    Row("GET HEAD", "/health/live", None, "utility", "utility", "/health/live", "the process runs"),
    Row("GET HEAD", "/health/ready", None, "utility", "utility", "/health/ready", "a backend can be used"),
    Row("GET", "/quota", None, "utility", "utility", "/quota", "how much of each plan is used, as last seen"),
    Row("GET", USAGE, None, "utility", "utility", USAGE, "tokens and cost of what this server has carried"),
    Row("GET", METRICS, None, "utility", "utility", METRICS, "metrics for Prometheus"),
    Row("GET", LOGS_QUERY, None, "utility", "utility", LOGS_QUERY, "rows of the access log"),
    Row("GET", LOGS_ANALYTICS, None, "utility", "utility", LOGS_ANALYTICS, "figures from the access log"),
    Row("GET", LOGS_STREAM, None, "utility", "utility", LOGS_STREAM, "rows of the access log, as they come"),
    Row("GET POST", LOGS_SQL, None, "utility", "utility", LOGS_SQL, "SELECT on the access log, in SQL"),
    Row("GET", LOGS_STATUS, None, "utility", "utility", LOGS_STATUS, "state of the access log"),
    Row("GET", "/codex/status", None, "utility", "utility", "/codex/status", "ChatGPT plan: ready or not"),
    Row("GET", "/api/status", None, "utility", "utility", "/api/status", "Claude: ready or not, and why"),
    Row(
        "GET", "/openai/status", None, "utility", "utility", "/openai/status", "OpenAI: ready or not, and why"
    ),
    Row(
        "GET", "/sdk/status", None, "utility", "utility", "/sdk/status", "Claude Code: ready or not, and why"
    ),
    Row("GET POST DELETE", "/mcp", None, "utility", "utility", "/mcp", "MCP server for permissions"),
    Row("POST", PERMISSION_CHECK, None, "utility", "utility", PERMISSION_CHECK, "asks for one permission"),
    Row("GET", "/permissions", None, "utility", "utility", "/permissions", "what has been asked"),
    Row("GET", PERMISSION_STREAM, None, "utility", "utility", PERMISSION_STREAM, "the same, as it happens"),
    Row("GET", "/permissions/{id}", None, "utility", "utility", "/permissions/{id}", "one permission"),
    Row("POST", RESPOND, None, "utility", "utility", RESPOND, "allows or denies it"),
    Row("POST", "/oauth/login/claude", None, "utility", "utility", "/oauth/login/claude", LOGIN),
    Row("POST", "/oauth/login/openai", None, "utility", "utility", "/oauth/login/openai", LOGIN),
    *(Row("GET", path, None, "utility", "utility", "/oauth/callback", CALLBACK) for path in CALLBACK_PATHS),
)

SESSION = r"[A-Za-z0-9._-]{1,128}"
"""What an id in a path looks like."""

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
"""What is passed on at all; TRACE would send a credential back."""

ALIASES: tuple[tuple[str, str], ...] = (("/claude/sdk/", "/sdk/"), ("/claude/", "/api/"))
"""Prefixes that stand for others; `/v1/` stands for the default backend's."""


def find(method: str, path: str, default_backend: BackendName) -> Route | None:
    """The route of a request; `path` may carry a query, which goes on as it is."""
    bare, mark, query = path.partition("?")
    route = _find(method, bare, default_backend)
    if route is None or not mark:
        return route
    return replace(route, path=f"{route.path}?{query}")


def guess_format(path: str, *, anthropic_headers: bool) -> FormatName:
    """The format a client most likely speaks, for errors on paths that lead nowhere."""
    if "/chat/completions" in path:
        return "chat"
    if "/responses" in path:
        return "responses"
    if anthropic_headers or "/messages" in path or path.startswith(("/api/", "/claude/", "/sdk/")):
        return "anthropic"
    if path.startswith(("/openai/", "/codex/", "/v1/")):
        return "chat"
    return "utility"


@lru_cache(maxsize=1024)
def _find(method: str, path: str, default_backend: BackendName) -> Route | None:
    path = _without_alias(path, default_backend)
    if method not in METHODS or ".." in unquote(path).split("/"):
        return None
    for row, pattern in _COMPILED:
        if (row.methods == "*" or method in row.methods.split()) and (match := pattern.fullmatch(path)):
            found = match.groupdict()
            filled = row.path.format(rest=found.get("rest") or "", id=found.get("id"))
            return Route(row.backend, row.format, row.operation, filled, row.pattern, found.get("s"))
    return None


def _without_alias(path: str, default_backend: BackendName) -> str:
    if path.startswith("/v1/"):
        return f"/{default_backend}{path}"
    for alias, prefix in ALIASES:
        if path.startswith(alias):
            return prefix + path.removeprefix(alias)
    return path


def _compile(pattern: str) -> re.Pattern[str]:
    # a `{rest}` that follows a slash is a path, one that follows a word is a further segment or nothing
    literal = re.escape(pattern)
    literal = literal.replace(r"/\{rest\}", r"/(?P<rest>.+)")
    literal = literal.replace(r"\{s\}", f"(?P<s>{SESSION})").replace(r"\{id\}", f"(?P<id>{SESSION})")
    return re.compile(literal.replace(r"\{rest\}", r"(?P<rest>(/[^/]+)?)"))


_COMPILED = tuple((row, _compile(row.pattern)) for row in TABLE)
