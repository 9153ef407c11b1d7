import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.settings import Problem, SettingsError, load
from ccproxy.settings.errors import dotted, shown, unknown_key

HUSH = "sk-ant-hush"


def problems(toml: str, tmp_path: Path, **environ: str) -> list[str]:
    """What is said about a file, without its path, and about an environment."""
    file = tmp_path / "ccproxy.toml"
    file.write_text(toml)
    with pytest.raises(SettingsError) as caught:
        load(environ=environ, cwd=tmp_path)
    return [line.removeprefix(f"{file}: ") for line in str(caught.value).splitlines()]


PORT = "is not a whole number from 0 to 65535"
PAUSE = "is not a number above 0 up to 604800"
RULE = "a table with match, target, and if need be backend, effort"
SERVER = "host, port, proxy_port, web, log_level, body_limit, drain_seconds"
WRONG = [
    ("server.port = 'abc'", f"server.port: 'abc' {PORT}"),
    ("server.port = 70000", f"server.port: 70000 {PORT}"),
    ("server.port = true", f"server.port: true {PORT}"),
    ("server.port = 1.5", f"server.port: 1.5 {PORT}"),
    ("server.port = []", f"server.port: a list {PORT}"),
    ("server.port = {a = 1}", f"server.port: a table {PORT}"),
    ("server.port = 2020-01-01", f"server.port: a date {PORT}"),
    (f"server.port = 0x{'f' * 5000}", f"server.port: this huge number {PORT}"),
    ("server.web = 1", "server.web: 1 is not true or false"),
    ("server.log_level = 'loud'", "server.log_level: 'loud' is not debug, info, warning or error"),
    ("retries.keepalive_seconds = 0", f"retries.keepalive_seconds: 0 {PAUSE}"),
    ("retries.keepalive_seconds = nan", f"retries.keepalive_seconds: nan {PAUSE}"),
    ("permissions.allow = 'Read'", "permissions.allow: 'Read' is not a list of texts"),
    ("permissions.allow = ['Read', 3]", "permissions.allow[1]: 3 is not text"),
    ("permissions.allow = ['']", "permissions.allow[0]: must not be empty"),
    (
        "intercept.hosts = {'a.example' = 'x'}",
        "intercept.hosts.\"a.example\": 'x' is not observe, credentials, api, sdk, codex or openai",
    ),
    ("claude.pool = 3", "claude.pool: is a table, not a value; its keys are: enabled, size, max_uses"),
    ("server.prot = 1", f"server.prot: unknown key; did you mean port? [server] has: {SERVER}"),
    ("models.rules = [{match = 'a'}]", f"models.rules[0].target: is missing: an entry is {RULE}"),
    (
        "models.rules = [{match = 'a', target = 'b', tier = 1}]",
        f"models.rules[0].tier: unknown key: an entry is {RULE}",
    ),
    ("models.rules = [3]", f"models.rules[0]: 3 is not {RULE}"),
    (
        "openai.base_url = 'http://example.com'",
        "openai.base_url: plain http is allowed to loopback addresses only "
        "(127.0.0.1, ::1, localhost): use https",
    ),
    (
        "server.host = '0.0.0.0'",
        "server.host: '0.0.0.0' is open to other machines: "
        "set security.auth_token (ccproxy generate-token --save), or bind to 127.0.0.1",
    ),
]


@pytest.mark.parametrize(("toml", "said"), WRONG, ids=[said[:30] for _, said in WRONG])
def test_one_line_says_what_is_wrong_and_what_is_allowed(toml: str, said: str, tmp_path: Path) -> None:
    assert problems(toml, tmp_path) == [said]


def test_the_example_of_the_docs(tmp_path: Path) -> None:
    assert problems("", tmp_path, SERVER__PORT="abc") == [
        "environment SERVER__PORT: server.port: 'abc' is not a whole number from 0 to 65535"
    ]


def test_all_problems_at_once_each_with_its_source(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SERVER__WEB=maybe\nCODEX__NOPE=1\n")
    said = problems("[server]\nport = 'abc'\n[nope]\n", tmp_path, RETRIES__ATTEMPTS="many")
    assert sorted(line.split(": ")[0] for line in said) == [
        ".env",
        ".env",
        "environment RETRIES__ATTEMPTS",
        "nope",
        "server.port",
    ]


def test_the_host_is_not_blamed_while_the_token_may_be_misspelt(tmp_path: Path) -> None:
    (line,) = problems("server.host = '0.0.0.0'\nsecurity.auth_tokn = 'x'", tmp_path)
    assert "did you mean auth_token?" in line


def test_no_terms_of_the_library(tmp_path: Path) -> None:
    toml = (
        "a = 1\nserver = {port = 'x', web = 3, host = 3}\nclaude.options = {env = 3, mcp_servers = {a = 1}}"
    )
    said = "\n".join(problems(toml, tmp_path)).lower()
    for term in ("pydantic", "http://", "https://", "input", "validation", "valid ", "type="):
        assert term not in said


SECRETS = [
    "security.auth_token",
    "claude.api_key",
    "openai.api_key",
    "claude.options.env",
    "claude.options.mcp_servers",
]


@pytest.mark.parametrize("key", SECRETS)
@pytest.mark.parametrize(
    "toml",
    [
        f"'{HUSH} {HUSH}'",
        f"['{HUSH}']",
        f"{{a = ['{HUSH}', 2020-01-01]}}",
        f"{{a = {{b = 07:00:00, c = '{HUSH}'}}}}",
    ],
)
def test_secrets_in_a_file_are_not_repeated(key: str, toml: str, tmp_path: Path) -> None:
    assert HUSH not in "\n".join(problems(f"{key} = {toml}", tmp_path))


@pytest.mark.parametrize("key", SECRETS)
@pytest.mark.parametrize(
    "text", [f"{HUSH} {HUSH}\n", f'{{"A": "{HUSH}"', f'{{"A": ["{HUSH}", null], "B": 1}}', f"[{HUSH}"]
)
def test_secrets_in_a_variable_are_not_repeated(key: str, text: str, tmp_path: Path) -> None:
    name = key.replace(".", "__").upper()
    said = "\n".join(problems("server.port = 'x'", tmp_path, **{name: text}))
    assert HUSH not in said


def test_a_misplaced_secret_is_not_repeated(tmp_path: Path) -> None:
    toml = f"token = '{HUSH}'\nsecurity = '{HUSH}'\nserver.auth_token = '{HUSH}'\nclaude.base_url = 'https://{HUSH}@a'"
    assert HUSH not in "\n".join(problems(toml, tmp_path))


def test_the_exception_carries_no_other_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"claude.api_key": f"{HUSH} x"}, environ={}, cwd=tmp_path)
    assert caught.value.__context__ is None


def test_unknown_key_in_another_table() -> None:
    assert unknown_key("", "port").startswith(
        "unknown key; did you mean server.port? The tables are: server, "
    )
    assert unknown_key("server", "auth_token").startswith(
        "unknown key; did you mean security.auth_token? [server] has"
    )
    assert unknown_key("openai", "zzz") == "unknown key. [openai] has: base_url, api_key"


def test_problem_without_a_key() -> None:
    assert str(Problem("a.toml:1:2", "", "broken")) == "a.toml:1:2: broken"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\x1b[31m", "'a\\x1b[31m'"),
        ("word " * 20, f"'{('word ' * 20)[:57]}...'"),
        (1 << 65, "this huge number"),
        ({}, "a table"),
        (None, "nothing"),
        (datetime.time(7), "a time"),
    ],
)
def test_shown(value: object, text: str) -> None:
    assert shown(value) == text


@given(st.lists(st.text(), min_size=1))
def test_dotted_is_one_printable_line(parts: list[str]) -> None:
    text = dotted(parts)
    assert text.isascii()
    assert text.isprintable()
