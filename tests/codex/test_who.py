import pytest

from ccproxy.codex.who import is_codex, session_from


@pytest.mark.parametrize(
    "headers",
    [
        {"originator": "codex_cli_rs"},
        {"originator": "codex-tui", "user-agent": "something else"},
        {"originator": "codex_vscode"},
        {"originator": "Codex Desktop"},
        {"user-agent": "codex_cli_rs/0.45.0 (Debian 12.0.0; x86_64) xterm"},
        {"user-agent": "codex_exec/0.169.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.169.0)"},
    ],
)
def test_codex(headers: dict[str, str]) -> None:
    assert is_codex(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"originator": "opencode", "user-agent": "opencode/1.2.3"},
        {"originator": ""},
        {"originator": "not-codex"},
        {"user-agent": "OpenAI/Python 3.54.0"},
        {"user-agent": "my-codex/1.0"},
        {"user-agent": "codex"},
        {"user-agent": "claude-cli/2.1.0 (external, cli)"},
    ],
)
def test_not_codex(headers: dict[str, str]) -> None:
    assert not is_codex(headers)


@pytest.mark.parametrize(
    ("headers", "key", "session"),
    [
        ({}, None, None),
        ({"session-id": "a-1"}, None, "a-1"),
        ({"session_id": "b_2"}, None, "b_2"),
        ({"conversation_id": "c.3"}, None, "c.3"),
        ({"x-claude-code-session-id": "D4"}, None, "D4"),
        ({"session_id": "old", "session-id": "new"}, "k", "new"),
        ({"session-id": "not this one", "session_id": "this"}, None, "this"),
        ({"session-id": ""}, "k", "k"),
        ({}, "k", "k"),
        ({}, 7, None),
        ({}, "two words", None),
        ({"session-id": "s" * 128}, None, "s" * 128),
        ({"session-id": "s" * 129}, None, None),
        ({"session-id": "a/b"}, None, None),
        ({"session-id": "ü"}, None, None),
        ({"session-id": "a\nb"}, None, None),
    ],
)
def test_session(headers: dict[str, str], key: object, session: str | None) -> None:
    assert session_from(headers, {"prompt_cache_key": key}) == session
