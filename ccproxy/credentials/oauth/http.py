"""Asking an authorisation server. What is sent and what comes back is never logged and never in an error."""

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from ccproxy.conversation.parts import JsonObject
from ccproxy.credentials.oauth.tokens import TokenError
from ccproxy.settings.kinds import is_loopback
from ccproxy.version import ccproxy_version

SECONDS = 30.0
"""How long a whole question may take; the user, or a request, waits for it."""

MOST = 2**20
"""Bytes of an answer that are read; tokens take a few thousand."""

DEAD_LOGIN = frozenset(
    {
        "invalid_grant",
        "invalid_refresh_token",
        "token_expired",
        "refresh_token_expired",
        "refresh_token_invalidated",
        "refresh_token_reused",
        "refresh_token_revoked",
    }
)
"""Codes after which only a new login helps (RFC 6749, Codex CLI, OpenAI's pages on errors; 2026-11-22)."""

OUR_FAULT = frozenset({"invalid_client", "unauthorized_client"})
"""Codes that blame the client and not the login, which may therefore still be good."""


async def post_json(
    url: str, fields: Mapping[str, str], *, headers: Mapping[str, str] | None = None, seconds: float = SECONDS
) -> JsonObject:
    """The JSON object that answers a JSON body. Raises TokenError."""
    return await _ask("POST", url, seconds, headers, json=dict(fields))


async def post_form(url: str, fields: Mapping[str, str], *, seconds: float = SECONDS) -> JsonObject:
    """The JSON object that answers a form. Raises TokenError."""
    return await _ask("POST", url, seconds, None, data=dict(fields))


async def get_json(
    url: str, *, headers: Mapping[str, str] | None = None, seconds: float = SECONDS
) -> JsonObject:
    """The JSON object at a URL. Raises TokenError."""
    return await _ask("GET", url, seconds, headers)


async def _ask(
    method: str, url: str, seconds: float, headers: Mapping[str, str] | None, **body: Any
) -> JsonObject:
    host = urlsplit(url).hostname or ""
    # Errors are made outside of the except clauses: httpx's own hold the request with all its secrets.
    try:
        async with asyncio.timeout(seconds):
            status, reply_headers, content = await _send(method, url, host, headers, body)
    except TimeoutError:
        code, message = "timeout", f"{host} did not answer within {seconds:g} seconds: try again later."
    except httpx.HTTPError as error:
        code = "unreachable"
        message = f"{host} cannot be reached ({type(error).__name__}): check the network, then try again."
    except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:
        # httpx reads proxies and certificates from the environment before it sends anything
        code = "unreachable"
        message = (
            f"No connection to {host} can be made ({type(error).__name__}): check HTTPS_PROXY, ALL_PROXY and "
            "SSL_CERT_FILE."
        )
    else:
        answer = _json_object(content)
        if 200 <= status < 300 and answer is not None:
            return answer
        raise refused(host, status, reply_headers, answer, grant=method == "POST")
    raise TokenError(message, code=code)


async def _send(
    method: str, url: str, host: str, headers: Mapping[str, str] | None, body: Mapping[str, Any]
) -> tuple[int, httpx.Headers, bytes]:
    """Redirects are not followed: what is sent is for this host only. A proxy is not for loopback."""
    sent = {"accept": "application/json", "user-agent": f"ccproxy/{ccproxy_version()}", **(headers or {})}
    async with (
        httpx.AsyncClient(trust_env=not is_loopback(host), timeout=None) as client,  # noqa: S113 - _ask has one
        client.stream(method, url, headers=sent, **body) as reply,
    ):
        content = b""
        async for piece in reply.aiter_bytes():
            content += piece
            if len(content) > MOST:
                break
    return reply.status_code, reply.headers, content


def refused(
    host: str,
    status: int,
    headers: Mapping[str, str],
    answer: Mapping[str, Any] | None,
    *,
    grant: bool = True,
) -> TokenError:
    """The error for an answer that is none; `answer` is None when it is no JSON object either.

    Without `grant` the request had no refresh token or code to lose: the login may be good all the same.
    """
    said = _code(answer) if answer is not None else None
    code = said or f"http_{status}"
    if answer is None and 200 <= status < 400:
        code = "bad_answer"
    detail = f"HTTP {status}, {said}" if said else f"HTTP {status}"
    retry_after = _retry_after(headers.get("retry-after"))
    if status == 429:
        when = "later" if retry_after is None else f"in {retry_after:g} seconds"
        return TokenError(
            f"{host} gets too many requests for tokens ({detail}): try again {when}.",
            code=code,
            retry_after=retry_after,
            status=status,
        )
    dead = said in DEAD_LOGIN or (status == 401 and bool(answer) and said not in OUR_FAULT)
    if grant and dead and 400 <= status < 500:
        return TokenError(
            f"{host} does not accept this login any more ({detail}): log in again.",
            code=code,
            terminal=True,
            status=status,
        )
    if answer is None:
        text = (
            f"{host} answered with something that is no answer of a login server ({detail}): try again later."
        )
    elif said in OUR_FAULT:
        text = f"{host} does not accept ccproxy's client id ({detail}): look for a newer version."
    elif status >= 500:
        text = f"{host} has a problem of its own ({detail}): try again later."
    else:
        text = f"{host} refused the request ({detail}): try again later, or log in again."
    return TokenError(text, code=code, retry_after=retry_after, status=status)


def _code(answer: Mapping[str, Any]) -> str | None:
    """The error's name: `error` (RFC 6749), `error.code` (OpenAI) or `error.type` (Anthropic).

    Names only: a description could repeat a token.
    """
    error = answer.get("error")
    names = [error.get("code"), error.get("type")] if isinstance(error, dict) else [error, answer.get("code")]
    return next((n for n in names if isinstance(n, str) and re.fullmatch(r"[A-Za-z][\w.-]{0,63}", n)), None)


def _json_object(content: bytes) -> JsonObject | None:
    """An empty body says nothing, and that is all a revocation has to say (RFC 7009, section 2.2)."""
    if not content:
        return {}
    if len(content) > MOST:
        return None
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _retry_after(value: str | None) -> float | None:
    """Seconds from now; the header holds a number of them or a date (RFC 9110, section 10.2.3)."""
    if not value:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", value.strip()):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        left = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return max(left, 0.0)
