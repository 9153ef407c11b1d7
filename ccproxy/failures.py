"""The errors that are our own: what went wrong, in words that say what to do next.

An upstream's error is never turned into one of these on the same format: it passes as it is.
How a Failure looks on the wire is each client format's business (`ccproxy.formats`).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """One error of ours.

    `code` is stable and goes into `x-ccproxy-error`; `type` is an error type of the Messages API, from which
    the other formats derive theirs; `retry_after` is in seconds.
    """

    code: str
    status: int
    type: str
    message: str
    retry_after: int | None = None
    param: str | None = None


def invalid_json(detail: str) -> Failure:
    return Failure(
        "invalid_json", 400, "invalid_request_error", f"The request body is not a JSON object: {detail}."
    )


def invalid_request(path: str, message: str) -> Failure:
    text = f"{path}: {message}" if path else message
    return Failure("invalid_request", 400, "invalid_request_error", text, param=path or None)


def invalid_http(detail: str) -> Failure:
    return Failure("invalid_http", 400, "invalid_request_error", f"The request is not valid HTTP: {detail}.")


def unauthorized() -> Failure:
    return Failure(
        "unauthorized",
        401,
        "authentication_error",
        "This proxy asks for its token (security.auth_token): send 'Authorization: Bearer' or 'x-api-key'.",
    )


def proxy_unauthorized() -> Failure:
    return Failure(
        "unauthorized",
        407,
        "authentication_error",
        "This proxy asks for its own token: put it into the proxy address, http://ccproxy:TOKEN@HOST:PORT.",
    )


def stranger() -> Failure:
    return Failure(
        "stranger",
        403,
        "permission_error",
        "Only this machine may use the proxy; set security.auth_token to let others in.",
    )


def no_credential(message: str) -> Failure:
    return Failure("no_credential", 401, "authentication_error", message)


def credential_expired(message: str) -> Failure:
    return Failure("credential_expired", 401, "authentication_error", message)


def login_failed(message: str) -> Failure:
    return Failure("login_failed", 400, "invalid_request_error", message)


def credential_not_renewed(message: str) -> Failure:
    return Failure("credential_not_renewed", 503, "api_error", message, retry_after=5)


def host_not_allowed(host: str) -> Failure:
    return Failure(
        "host_not_allowed",
        403,
        "permission_error",
        f"The Host {host!r} is not one of this proxy's names: add it to security.allowed_hosts.",
    )


def origin_not_allowed(origin: str) -> Failure:
    return Failure(
        "origin_not_allowed",
        403,
        "permission_error",
        f"A web page of {origin!r} may not use this proxy: add it to security.allowed_origins.",
    )


def cross_site() -> Failure:
    return Failure(
        "cross_site",
        403,
        "permission_error",
        "A web page of another site may not use this proxy: add its origin to security.allowed_origins.",
    )


def target_not_allowed(target: str) -> Failure:
    return Failure(
        "target_not_allowed",
        403,
        "permission_error",
        f"A client on another machine may not reach {target} through this proxy.",
    )


def unknown_route(method: str, path: str) -> Failure:
    return Failure(
        "unknown_route", 404, "not_found_error", f"No route {method} {path}. GET / lists the routes."
    )


def unknown_model(model: str) -> Failure:
    message = f"There is no model {model}: GET the list to see which there are."
    return Failure("unknown_model", 404, "not_found_error", message)


def not_available(what: str) -> Failure:
    return Failure("not_available", 501, "invalid_request_error", f"This version cannot do that yet: {what}.")


def body_too_large(limit: int) -> Failure:
    return Failure(
        "body_too_large",
        413,
        "request_too_large",
        f"The request body is larger than {limit} bytes: send less, or raise server.body_limit.",
    )


def unsupported_encoding(encoding: str) -> Failure:
    return Failure(
        "unsupported_encoding",
        415,
        "invalid_request_error",
        f"A body in the encoding {encoding!r} cannot be read here: send it plain, or as gzip or zstd.",
    )


def broken_encoding(encoding: str) -> Failure:
    return Failure(
        "broken_encoding",
        400,
        "invalid_request_error",
        f"The request body is not what its content-encoding says ({encoding}): send it again, or plain.",
    )


def no_websocket(path: str) -> Failure:
    return Failure(
        "no_websocket",
        426,
        "invalid_request_error",
        f"There is no WebSocket at {path}: send the request over HTTP, with stream.",
    )


def response_forgotten(message: str) -> Failure:
    return Failure(
        "previous_response_not_found", 400, "invalid_request_error", message, param="previous_response_id"
    )


def session_forgotten(session: str) -> Failure:
    return Failure(
        "session_forgotten",
        400,
        "invalid_request_error",
        f"Session '{session}' is not in memory any more: this proxy has been restarted or has forgotten it. "
        "Send the whole conversation, or take another session id.",
    )


def session_busy(session: str, seconds: float) -> Failure:
    return Failure(
        "session_busy",
        409,
        "conflict_error",
        f"Session {session!r} has been busy with another request for {seconds:g} s "
        "(claude.sessions.wait_seconds). Wait for that one's answer, or take another session id.",
    )


def claude_unavailable(message: str) -> Failure:
    return Failure("claude_unavailable", 503, "api_error", message)


def internal_error() -> Failure:
    return Failure(
        "internal_error", 500, "api_error", "The proxy failed on this request; its log says more. Try again."
    )


def client_timeout(seconds: float) -> Failure:
    return Failure(
        "client_timeout",
        408,
        "invalid_request_error",
        f"The request's body stopped for {seconds:g} s (retries.idle_timeout_seconds). Send it again.",
    )


def upstream_unreachable(host: str, detail: str) -> Failure:
    return Failure("upstream_unreachable", 502, "api_error", f"Cannot reach {host}: {detail}.")


def upstream_tls(host: str, detail: str) -> Failure:
    return Failure("upstream_tls", 502, "api_error", f"No secure connection to {host}: {detail}.")


def upstream_closed(host: str) -> Failure:
    return Failure(
        "upstream_closed", 502, "api_error", f"{host} closed the connection before it answered. Try again."
    )


def upstream_cut(host: str) -> Failure:
    return Failure(
        "upstream_cut", 502, "api_error", f"{host} broke off in the middle of its answer. Try again."
    )


def upstream_invalid(host: str) -> Failure:
    return Failure("upstream_invalid", 502, "api_error", f"{host} answered with something that is not HTTP.")


def upstream_timeout(host: str, seconds: float) -> Failure:
    return Failure(
        "upstream_timeout",
        504,
        "timeout_error",
        f"{host} was silent for {seconds:g} s (retries.idle_timeout_seconds). Try again.",
    )


def shutting_down() -> Failure:
    return Failure(
        "shutting_down", 503, "api_error", "The proxy is stopping and takes no new requests.", retry_after=1
    )


def no_recording(nearest: str) -> Failure:
    # a status that Codex does not try again, and with which Claude Code shows the message
    return Failure(
        "no_recording", 400, "invalid_request_error", f"The cassette has no answer to this request. {nearest}"
    )


def offline(request: str) -> Failure:
    return Failure(
        "offline",
        404,
        "not_found_error",
        f"A replay asks no provider, and the cassette has no answer to {request}.",
    )


def killed() -> Failure:
    """403, because after 400 or 422 Claude Code 2.1.330 asks five times more, with ever fewer features."""
    return Failure(
        "killed", 403, "permission_error", "Somebody who watches this proxy has ended the request."
    )
