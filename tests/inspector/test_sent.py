"""What may be told of a request."""

import pytest

from ccproxy.inspector.sent import Credential, sent

ANTHROPIC = "https://api.anthropic.com/v1/messages"


def test_only_headers_that_mean_something_are_told() -> None:
    headers = [
        ("Content-Type", "application/json"),
        ("anthropic-beta", "a,b"),
        ("x-api-key", "hush"),
        ("cookie", "hush"),
        ("x-goog-api-key", "hush"),
        ("user-agent", "x"),
        ("openai-organization", "sk-hush01234567"),
    ]
    request = sent("POST", f"{ANTHROPIC}?key=hush", headers, b"{}")
    assert [name for name, _ in request.headers] == ["Content-Type", "anthropic-beta", "openai-organization"]
    assert "hush0" not in str(request.headers)
    assert "hush" not in request.url


@pytest.mark.parametrize(
    ("url", "headers", "expected"),
    [
        (ANTHROPIC, [], [Credential("x-api-key", "ANTHROPIC_API_KEY")]),
        (
            ANTHROPIC,
            [("anthropic-beta", "oauth-2025-04-20")],
            [Credential("authorization", "ANTHROPIC_AUTH_TOKEN", "Bearer ")],
        ),
        (
            "https://api.anthropic.com/v1/models",
            [("anthropic-version", "2023-06-01")],
            [Credential("x-api-key", "ANTHROPIC_API_KEY")],
        ),
        (
            "https://api.openai.com/v1/responses",
            [],
            [Credential("authorization", "OPENAI_API_KEY", "Bearer ")],
        ),
        (
            "https://chatgpt.com/backend-api/codex/responses",
            [],
            [
                Credential("authorization", "OPENAI_API_KEY", "Bearer "),
                Credential("chatgpt-account-id", "CHATGPT_ACCOUNT_ID"),
            ],
        ),
        (
            "https://api.openai.com/v1/files",
            [],
            [Credential("authorization", "OPENAI_API_KEY", "Bearer ")],
        ),
        ("https://api.anthropic.com/v1/files", [], [Credential("x-api-key", "ANTHROPIC_API_KEY")]),
        ("http://127.0.0.1:8399/plainhost", [("accept", "*/*")], []),
        ("http://ccproxy.invalid/api/", [], []),
        ("https://elsewhere.example/backend-api/x?host=api.openai.com", [], []),
    ],
)
def test_what_an_upstream_asks_for(
    url: str, headers: list[tuple[str, str]], expected: list[Credential]
) -> None:
    assert sent("POST", url, headers, b"{}").credentials() == expected


def test_a_body_that_is_no_text() -> None:
    with pytest.raises(ValueError):
        sent("POST", ANTHROPIC, [], b"\xff")
