from pathlib import Path

import pytest

from ccproxy.agent.launch import arguments, environment, options
from ccproxy.settings import Settings
from ccproxy.settings.sources import load

MARKED = {
    "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "CLAUDE_CODE_TMPDIR": "/t",
    "CCPROXY_WORKER": "mark",
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
}


def settings(**given: object) -> Settings:
    """With these keys, `__` for a dot."""
    return load({name.replace("__", "."): value for name, value in given.items()}, environ={}).settings


def environ(given: Settings, **user: str) -> dict[str, str]:
    return environment(given, user, Path("/t"), "mark")


def test_the_least() -> None:
    assert arguments(Path("/bin/claude"), options(Settings())) == [
        *("/bin/claude", "--output-format", "stream-json", "--verbose", "--input-format", "stream-json"),
        *("--permission-prompt-tool", "mcp__ccproxy__check", "--allowedTools", "mcp__client"),
        *("--include-partial-messages", "--no-session-persistence"),
    ]


def test_every_option_and_nothing_secret() -> None:
    given = settings(
        claude__options__cwd="/work space",
        claude__options__permission_mode="dontAsk",
        claude__options__model="opus",
        claude__options__allowed_tools=["Read", "Bash(git status:*)"],
        claude__options__disallowed_tools=["WebSearch", "Task"],
        claude__options__append_system_prompt="secret text",
        claude__options__max_turns=7,
        claude__options__add_dirs=["/a", "/b"],
        claude__options__mcp_servers={
            "mine": {"type": "http", "url": "https://a.example", "headers": {"k": "v"}}
        },
        claude__options__env={"TOKEN": "secret"},
    )
    chosen = options(given)
    assert isinstance(chosen.mcp_servers, dict)
    assert (chosen.append_system_prompt, list(chosen.mcp_servers)) == ("secret text", ["mine"])
    command = arguments(Path("claude"), chosen)
    for flag, value in {
        "--permission-mode": "dontAsk",
        "--model": "opus",
        "--max-turns": "7",
        "--allowedTools": "Read,Bash(git status:*),mcp__client",
        "--disallowedTools": "WebSearch,Task",
    }.items():
        assert command[command.index(flag) + 1] == value
    assert [command[place + 1] for place, word in enumerate(command) if word == "--add-dir"] == ["/a", "/b"]
    assert not any(
        word in " ".join(command) for word in ("secret", "a.example", "mcp-config", "append-system")
    )


def test_the_environment_is_the_users_without_our_settings() -> None:
    ours = {
        "SECURITY__AUTH_TOKEN": "s",
        "claude__api_key": "s",
        "OPENAI__API_KEY": "s",
        "CLAUDECODE": "1",
        "INTERCEPT__HOSTS": "{}",
    }
    assert environ(Settings(), PATH="/bin", NODE__X="1", **ours) == {"PATH": "/bin", "NODE__X": "1", **MARKED}


def test_every_table_of_the_settings_is_ours() -> None:
    variables = {f"{table.upper()}__X": "secret" for table in Settings.model_fields}
    assert environ(Settings(), **variables) == MARKED


def test_the_users_options_win() -> None:
    env = {"CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "0", "NO_PROXY": "*", "ANTHROPIC_API_KEY": "k", "X": ""}
    got = environ(settings(claude__options__env=env, claude__options__cwd="/w"), PWD="/old", X="1")
    assert got == {**MARKED, **env, "PWD": "/w"}
    assert environ(settings(claude__options__env={"CCPROXY_WORKER": "x"}))["CCPROXY_WORKER"] == "mark"


@pytest.mark.parametrize(
    ("credentials", "login"),
    [
        ("auto", {"ANTHROPIC_API_KEY": "ours"}),
        ("api_key", {"ANTHROPIC_API_KEY": "ours"}),
        ("oauth", {"ANTHROPIC_API_KEY": ""}),
        ("client", {"ANTHROPIC_API_KEY": "user", "ANTHROPIC_AUTH_TOKEN": "user"}),
        ("off", {"ANTHROPIC_API_KEY": "user", "ANTHROPIC_AUTH_TOKEN": "user"}),
    ],
)
def test_which_login(credentials: str, login: dict[str, str]) -> None:
    given = settings(claude__credentials=credentials, claude__api_key="ours")
    user = {"ANTHROPIC_API_KEY": "user", "ANTHROPIC_AUTH_TOKEN": "user", "CLAUDE_CODE_OAUTH_TOKEN": "o"}
    assert environ(given, **user) == {**MARKED, "CLAUDE_CODE_OAUTH_TOKEN": "o", **login}


def test_without_a_key_of_ours_the_users_own_is_used() -> None:
    assert environ(Settings(), ANTHROPIC_API_KEY="user") == {**MARKED, "ANTHROPIC_API_KEY": "user"}


def test_the_address_is_that_of_the_settings() -> None:
    """A variable that points at this proxy must not make a worker ask for another worker."""
    user = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:8000/sdk", "ANTHROPIC_API_KEY": "for-us"}
    assert environ(Settings(), **user) == MARKED
    elsewhere = settings(claude__base_url="https://gateway.example/x")
    assert environ(elsewhere, **user) == {**MARKED, "ANTHROPIC_BASE_URL": "https://gateway.example/x"}


def test_a_key_goes_only_to_the_address_it_belongs_to() -> None:
    elsewhere = settings(claude__base_url="https://gateway.example")
    at = {"ANTHROPIC_BASE_URL": "https://gateway.example"}
    assert environ(elsewhere, ANTHROPIC_API_KEY="user") == {**MARKED, **at}
    same = {"ANTHROPIC_BASE_URL": "https://gateway.example/", "ANTHROPIC_API_KEY": "user"}
    assert environ(elsewhere, **same) == {**MARKED, **same, **at}


def test_our_own_listeners_are_no_proxy() -> None:
    given = settings(server__port=8001, server__proxy_port=9001)
    user = {
        "HTTPS_PROXY": "http://127.0.0.1:9001",
        "http_proxy": "localhost:9001",
        "ALL_PROXY": "http://u:p@[::1]:8001",
        "HTTP_PROXY": "http://proxy.example:9001",
        "https_proxy": "http://127.0.0.1:3128",
        "all_proxy": "http://[bad",
    }
    left = set(environ(given, **user)) - set(MARKED)
    assert left == {"HTTP_PROXY", "https_proxy", "all_proxy"}


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"NO_PROXY": "a.example, localhost"}, "a.example,localhost,127.0.0.1"),
        ({"no_proxy": "a.example"}, "a.example,127.0.0.1,localhost"),
        ({"NO_PROXY": ""}, "127.0.0.1,localhost"),
    ],
)
def test_loopback_is_reached_directly(user: dict[str, str], expected: str) -> None:
    got = environ(Settings(), **user)
    assert (got["NO_PROXY"], got["no_proxy"]) == (expected, expected)
