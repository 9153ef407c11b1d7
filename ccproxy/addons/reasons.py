"""Why no connection to an upstream came about: from the texts that mitmproxy gives to errors of ours."""

from ccproxy import failures
from ccproxy.failures import Failure

TLS_FAILED = "TLS: "
"""Marks why a connection failed although the upstream had accepted it."""


def connect_failure(host: str, message: str) -> Failure:
    """Why no connection came about, from the text that mitmproxy gives."""
    if message.startswith(TLS_FAILED):
        return failures.upstream_tls(host, message.removeprefix(TLS_FAILED).removesuffix("."))
    lower = message.lower()
    if "cancelled" in lower or "closed by command" in lower:
        return failures.upstream_unreachable(host, "no answer in time")
    if "errno 111" in lower or "refused" in lower:
        return failures.upstream_unreachable(host, "connection refused")
    if "name or service" in lower or "nodename" in lower or "getaddrinfo" in lower:
        return failures.upstream_unreachable(host, "the name cannot be resolved")
    return failures.upstream_unreachable(host, message.removesuffix("."))
