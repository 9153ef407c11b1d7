import json
from pathlib import Path

import pytest

from ccproxy.cli.run_wiring import ANY_KEY, CLIENTS, by_base_url, client_of, through_proxy
from ccproxy.routes import find

URL = "http://127.0.0.1:8000"
PROXY = "http://127.0.0.1:8080"
TOKEN = "a/b:c@d"


def test_through_the_proxy() -> None:
    before = {"HOME": "/h", "NO_PROXY": "intern", "HTTPS_PROXY": "http://other", "HTTP_PROXY": "http://other"}
    assert through_proxy(PROXY, None, Path("/ca.pem"), Path("/bundle.pem"), before) == {
        "HOME": "/h",
        "HTTP_PROXY": "http://other",
        "HTTPS_PROXY": PROXY,
        "https_proxy": PROXY,
        "NODE_USE_ENV_PROXY": "1",
        "NODE_EXTRA_CA_CERTS": "/ca.pem",
        "SSL_CERT_FILE": "/bundle.pem",
        "REQUESTS_CA_BUNDLE": "/bundle.pem",
        "CURL_CA_BUNDLE": "/bundle.pem",
        "NO_PROXY": "intern,127.0.0.1,localhost",
        "no_proxy": "intern,127.0.0.1,localhost",
    }


def test_the_token_is_the_proxys_password() -> None:
    found = through_proxy(PROXY, TOKEN, Path("/ca.pem"), Path("/bundle.pem"), {})
    assert found["HTTPS_PROXY"] == found["https_proxy"] == "http://ccproxy:a%2Fb%3Ac%40d@127.0.0.1:8080"


def wired(program: str, token: str | None = None, any_key: bool = True, **environ: str) -> dict[str, str]:
    return by_base_url([program], URL, token, environ, any_key=any_key)[1]


def test_claude() -> None:
    assert wired("claude") == {
        "ANTHROPIC_BASE_URL": f"{URL}/api",
        "ANTHROPIC_AUTH_TOKEN": ANY_KEY,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
    own = wired("claude", CLAUDE_CODE_OAUTH_TOKEN="own")
    assert own["CLAUDE_CODE_OAUTH_TOKEN"] == "own"
    assert "ANTHROPIC_AUTH_TOKEN" not in own
    assert "ANTHROPIC_AUTH_TOKEN" not in wired("claude", any_key=False)
    with_token = wired("claude", TOKEN, ANTHROPIC_API_KEY="own", CLAUDE_CODE_OAUTH_TOKEN="own")
    assert with_token["ANTHROPIC_AUTH_TOKEN"] == TOKEN
    assert "own" not in with_token.values()


def test_codex_gets_a_provider_before_its_own_arguments() -> None:
    command, environ = by_base_url(["/opt/bin/codex", "exec", "hi"], URL, TOKEN, {}, any_key=True)
    assert command[0] == "/opt/bin/codex"
    assert command[1:3] == ["-c", 'model_provider="ccproxy"']
    assert f'base_url="{URL}/codex/v1"' in command[4]
    assert command[5:] == ["exec", "hi"]
    assert environ["OPENAI_API_KEY"] == TOKEN


def test_opencode_gets_a_configuration() -> None:
    providers = json.loads(wired("opencode")["OPENCODE_CONFIG_CONTENT"])["provider"]
    assert providers["anthropic"]["options"]["baseURL"] == f"{URL}/api/v1"
    assert providers["openai"]["options"]["baseURL"] == f"{URL}/openai/v1"


@pytest.mark.parametrize("program", ["something", "generic", "llm", "aider"])
def test_others(program: str) -> None:
    found = wired(program, OPENAI_API_KEY="own")
    assert found["ANTHROPIC_BASE_URL"] == f"{URL}/api"
    assert f"{URL}/openai/v1" in (found.get("OPENAI_BASE_URL"), found.get("OPENAI_API_BASE"))
    assert (found["ANTHROPIC_API_KEY"], found["OPENAI_API_KEY"]) == (ANY_KEY, "own")
    assert wired(program, TOKEN, OPENAI_API_KEY="own")["OPENAI_API_KEY"] == TOKEN


def test_a_client_is_known_by_its_files_name() -> None:
    claude = client_of("claude")
    assert client_of("/usr/local/bin/claude") == client_of("claude.exe") == claude
    assert client_of("node") == client_of("generic") != claude


def test_the_addresses_lead_to_routes() -> None:
    for path, method in (("/api/v1/messages", "POST"), ("/openai/v1/responses", "POST")):
        assert find(method, path, "api")
    assert find("POST", "/codex/v1/responses", "api")


def test_every_client_says_when_it_was_read() -> None:
    import tomllib

    for entry in tomllib.loads(CLIENTS.read_text())["clients"].values():
        assert entry["read"].isoformat() >= "2026-11-22"
        assert entry["where"]
        assert set(entry) <= {"read", "where", "variables", "arguments", "keys", "others"}
