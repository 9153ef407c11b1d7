import pytest

from ccproxy.routes import TABLE, find, guess_format


@pytest.mark.parametrize(
    ("method", "path", "backend", "client_format", "operation", "upstream_path"),
    [
        ("POST", "/api/v1/messages", "api", "anthropic", "messages", "/v1/messages"),
        ("POST", "/claude/v1/messages", "api", "anthropic", "messages", "/v1/messages"),
        ("POST", "/v1/messages", "api", "anthropic", "messages", "/v1/messages"),
        ("POST", "/api/v1/messages?beta=true", "api", "anthropic", "messages", "/v1/messages?beta=true"),
        (
            "POST",
            "/api/v1/messages/count_tokens",
            "api",
            "anthropic",
            "count_tokens",
            "/v1/messages/count_tokens",
        ),
        ("GET", "/api/v1/models?limit=1000", "api", "anthropic", "models", "/v1/models?limit=1000"),
        ("GET", "/api/models", "api", "anthropic", "models", "/v1/models"),
        ("GET", "/api/v1/models/claude-x", "api", "anthropic", "models", "/v1/models/claude-x"),
        (
            "POST",
            "/api/v1/messages/batches/b_1/cancel",
            "api",
            "anthropic",
            "other",
            "/v1/messages/batches/b_1/cancel",
        ),
        ("DELETE", "/api/v1/files/f_1", "api", "anthropic", "other", "/v1/files/f_1"),
        ("POST", "/openai/v1/chat/completions", "openai", "chat", "chat", "/chat/completions"),
        ("POST", "/openai/v1/responses", "openai", "responses", "responses", "/responses"),
        ("GET", "/openai/v1/models", "openai", "chat", "models", "/models"),
        ("POST", "/openai/v1/embeddings", "openai", "chat", "other", "/embeddings"),
        ("GET", "/health/live", None, "utility", "utility", "/health/live"),
        ("HEAD", "/", None, "utility", "utility", "/"),
    ],
)
def test_a_path_names_backend_and_format(
    method: str, path: str, backend: str | None, client_format: str, operation: str, upstream_path: str
) -> None:
    route = find(method, path, "api")
    assert route is not None
    assert (route.backend, route.format, route.operation, route.path) == (
        backend,
        client_format,
        operation,
        upstream_path,
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nope"),
        ("POST", "/"),
        ("POST", "/api"),
        ("GET", "/api/v1/../../secret"),
        ("GET", "/apiary/v1/messages"),
        ("POST", "/health"),
    ],
)
def test_what_is_not_in_the_table_has_no_route(method: str, path: str) -> None:
    assert find(method, path, "api") is None


def test_bare_v1_is_the_default_backend() -> None:
    route = find("POST", "/v1/chat/completions", "openai")
    assert route is not None
    assert route.backend == "openai"


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/x/chat/completions", False, "chat"),
        ("/x/responses", False, "responses"),
        ("/x", True, "anthropic"),
        ("/api/x", False, "anthropic"),
        ("/openai/x", False, "chat"),
        ("/x", False, "utility"),
    ],
)
def test_format_is_guessed_for_errors(path: str, headers: bool, expected: str) -> None:
    assert guess_format(path, anthropic_headers=headers) == expected


def test_every_row_is_reached_by_its_own_pattern() -> None:
    for row in TABLE:
        method = row.methods.split()[0].replace("*", "PATCH")
        rest = "x" if row.pattern.endswith("/{rest}") else ""
        path = row.pattern.replace("{rest}", rest).replace("{s}", "me").replace("{id}", "perm_1")
        route = find(method, path, "api")
        assert route is not None
        assert route.label == row.pattern


@pytest.mark.parametrize(
    ("path", "session", "below"),
    [
        ("/codex/responses", None, "/responses"),
        ("/codex/v1/responses", None, "/responses"),
        ("/codex/my.own-1/responses", "my.own-1", "/responses"),
        ("/codex/s/v1/responses", "s", "/responses"),
        ("/codex/s/chat/completions", "s", ""),
        ("/codex/s/v1/messages", "s", ""),
        ("/codex/responses/compact", None, "/responses/compact"),
        ("/codex/v1/alpha/search", None, "/alpha/search"),
    ],
)
def test_sessions_of_the_chatgpt_plan(path: str, session: str | None, below: str) -> None:
    route = find("POST", path, "api")
    assert route is not None
    assert (route.backend, route.session, route.path) == ("codex", session, below)


@pytest.mark.parametrize(
    ("path", "session", "below"),
    [
        ("/sdk/v1/messages?beta=true", None, "/v1/messages?beta=true"),
        ("/claude/sdk/v1/messages", None, "/v1/messages"),
        ("/sdk/my.own-1/v1/messages", "my.own-1", "/v1/messages"),
        ("/claude/sdk/s/v1/messages", "s", "/v1/messages"),
        ("/sdk/v1/chat/completions", None, ""),
        ("/sdk/s/v1/chat/completions", "s", ""),
        ("/sdk/v1/responses", None, ""),
        ("/sdk/s/v1/responses", "s", ""),
    ],
)
def test_sessions_of_claude_code(path: str, session: str | None, below: str) -> None:
    route = find("POST", path, "api")
    assert route is not None
    assert (route.backend, route.session, route.path) == ("sdk", session, below)


def test_claude_code_as_the_default() -> None:
    route = find("POST", "/v1/responses", "sdk")
    assert route is not None
    assert (route.backend, route.format) == ("sdk", "responses")
    assert find("POST", "/v1/messages/count_tokens", "sdk") is None


@pytest.mark.parametrize(
    ("method", "path", "label"),
    [
        ("GET", "/permissions", "/permissions"),
        ("GET", "/permissions/stream", "/permissions/stream"),
        ("GET", "/permissions/perm_1", "/permissions/{id}"),
        ("POST", "/permissions/perm_1/respond", "/permissions/{id}/respond"),
        ("POST", "/mcp/permission/check", "/mcp/permission/check"),
        ("DELETE", "/mcp", "/mcp"),
    ],
)
def test_permissions(method: str, path: str, label: str) -> None:
    """An id is no session."""
    route = find(method, f"{path}?x=1", "api")
    assert route is not None
    assert (route.label, route.path, route.session) == (label, f"{path}?x=1", None)
    assert find(method, "/permissions/a b", "api") is None


@pytest.mark.parametrize("session", ["a b", "x" * 129, "ä", "a/b"])
def test_what_is_no_session_id(session: str) -> None:
    assert find("POST", f"/codex/{session}/responses", "api") is None
