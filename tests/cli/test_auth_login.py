import json
import shutil
import socket
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ccproxy.cli.auth_login import open_browser
from tests.support.logging_in import CODEX_PORTS, auth, decided, logging_in
from tests.support.processes import Simulator

OWN = ".local/share/ccproxy"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def codex_ports() -> Iterator[None]:
    with CODEX_PORTS:
        yield


def turn(login_server: Simulator, **knobs: object) -> None:
    httpx.post(f"{login_server.url}/_simulator/oauth", json=knobs, trust_env=False).raise_for_status()


def stored(home: Path, name: str) -> dict[str, object]:
    path = home / OWN / name
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    found: dict[str, object] = json.loads(path.read_text())
    return found


def test_claude_without_a_terminal_and_without_a_browser(home: Path, login_server: Simulator) -> None:
    with logging_in(home, login_server, "login", "--json") as login:
        page = httpx.get(decided(login.url), trust_env=False)
        assert "has come through" in page.text
        code, out, err = login.end()
    assert code == 0
    told = json.loads(out)
    assert (told["provider"], told["source"], told["in_use"]) == ("claude", "ccproxy's own login", True)
    assert (told["account"], told["plan"]) == ("user@example.com", "max")
    assert "user:inference" in told["scopes"]
    policy, _, rest = err.partition("\n")
    assert policy.count(". ") == 1
    assert rest.startswith("Read https://code.claude.com/")
    assert err.index("https://code.claude.com/") < err.index(login.url)
    assert "claudeAiOauth" in stored(home, "claude.json")
    assert not (home / ".claude").exists()


def test_chatgpt_as_the_codex_cli_does(home: Path, login_server: Simulator, codex_ports: None) -> None:
    with logging_in(home, login_server, "login-openai", "--no-browser") as login:
        httpx.get(decided(login.url), trust_env=False).raise_for_status()
        code, out, err = login.end()
    assert code == 0
    assert out.startswith("Logged in as user@example.com (pro, valid until ")
    assert "https://developers.openai.com/siwc" in err
    assert stored(home, "codex.json")["auth_mode"] == "chatgpt"
    assert not (home / ".codex").exists()


def test_sign_in_with_chatgpt(home: Path, login_server: Simulator) -> None:
    with logging_in(home, login_server, "login-openai", "--siwc", "--json") as login:
        httpx.get(decided(login.url), trust_env=False).raise_for_status()
        code, out, _ = login.end()
    assert code == 0
    assert json.loads(out)["source"] == "Sign in with ChatGPT"
    first = stored(home, "siwc.json")
    with logging_in(home, login_server, "login-openai", "--siwc") as login:
        httpx.get(decided(login.url, "identity"), trust_env=False)
        code, _, err = login.end()
    assert code == 0
    assert "did not allow plan usage" in err
    again = stored(home, "siwc.json")
    for key in ("client_id", "ext_agent_host_id", "sub"):
        assert again[key] == first[key]


def test_a_device_code(home: Path, login_server: Simulator) -> None:
    turn(login_server, device_interval=0.2)
    with logging_in(home, login_server, "login-openai", "--device", "--no-browser") as login:
        typed = login.wait_for(r"type the code (\S+)")
        form = {"user_code": typed, "decision": "allow"}
        httpx.post(f"{login_server.url}/codex/device", data=form, trust_env=False).raise_for_status()
        code, out, _ = login.end()
    assert code == 0
    assert "user@example.com" in out


def test_device_codes_may_be_switched_off(home: Path, login_server: Simulator) -> None:
    turn(login_server, device_login=False)
    try:
        done = auth(home, login_server, "login-openai", "--device", "--no-browser")
    finally:
        turn(login_server, device_login=True)
    assert done.returncode == 1
    assert "security settings of ChatGPT" in done.stderr


@pytest.mark.parametrize("what", ["code", "address"])
def test_pasting(home: Path, login_server: Simulator, what: str) -> None:
    with logging_in(home, login_server, "login", "--manual") as login:
        landing = httpx.URL(decided(login.url))
        pasted = f"{landing.params['code']}#{landing.params['state']}" if what == "code" else str(landing)
        code, out, _ = login.end(f"  {pasted}\n")
    assert code == 0
    assert out.startswith("Logged in as user@example.com (max, ")


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("", "Nothing was pasted"),
        ("half-a-code\n", "all of it"),
        ("code#of-another-login\n", "another login"),
        ("http://localhost/callback?error=access_denied&state=x\n", "refused"),
    ],
)
def test_pasting_what_is_wrong(home: Path, login_server: Simulator, pasted: str, words: str) -> None:
    with logging_in(home, login_server, "login", "--manual") as login:
        assert login.url
        code, out, err = login.end(pasted)
    assert (code, out) == (1, "")
    assert words in err
    assert not (home / OWN).exists()


def test_consent_denied(home: Path, login_server: Simulator) -> None:
    with logging_in(home, login_server, "login") as login:
        assert httpx.get(decided(login.url, "deny"), trust_env=False).status_code == 400
        code, out, err = login.end()
    assert (code, out) == (1, "")
    assert "access_denied" in err
    assert not (home / OWN).exists()


def test_nobody_comes(home: Path, login_server: Simulator) -> None:
    done = auth(home, login_server, "login", "--timeout", "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "begin again" in done.stderr


def test_both_ports_of_codex_are_taken(home: Path, login_server: Simulator, codex_ports: None) -> None:
    holders = [socket.create_server(("127.0.0.1", port)) for port in (1455, 1457)]
    try:
        done = auth(home, login_server, "login-openai", "--timeout", "5")
    finally:
        for holder in holders:
            holder.close()
    assert done.returncode == 1
    assert "Ports 1455 and 1457 are in use" in done.stderr


def test_the_login_server_is_down(home: Path, login_server: Simulator) -> None:
    with logging_in(home, login_server, "login", "--manual") as login:
        landing = decided(login.url)
        turn(login_server, token_endpoint="down")
        try:
            code, _, err = login.end(f"{landing}\n")
        finally:
            turn(login_server, token_endpoint="ok")
    assert code == 1
    assert "Traceback" not in err
    assert not (home / OWN).exists()


@pytest.mark.parametrize("manual", [(), ("--manual",)])
def test_ctrl_c(home: Path, login_server: Simulator, manual: tuple[str, ...]) -> None:
    with logging_in(home, login_server, "login", *manual) as login:
        assert login.url
        code, out, err = login.interrupt()
    assert (code, out) == (1, "")
    assert err.endswith("Stopped.\n")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [("login", "--nonsense"), ("login-openai", "--device", "--siwc"), ("login", "--timeout", "0")],
)
def test_usage(home: Path, login_server: Simulator, arguments: tuple[str, ...]) -> None:
    assert auth(home, login_server, *arguments).returncode == 2


def test_a_credential_that_goes_first_is_named(home: Path, login_server: Simulator) -> None:
    environment = {"CLAUDE__API_KEY": "sk-ant-api03-x"}
    with logging_in(home, login_server, "login", environment=environment) as login:
        httpx.get(decided(login.url), trust_env=False)
        code, _, err = login.end()
    assert code == 0
    assert "another credential, which goes first: claude.api_key" in err


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_real_browser(home: Path, login_server: Simulator) -> None:
    """What a login opens, with somebody in front of it who says yes at once."""
    seen = home / "seen.html"
    browser = home / "browser"
    flags = "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run"
    browser.write_text(
        "#!/bin/sh\n"
        'page=$(printf %s "$1" | sed "s#/authorize?#/authorize/decision?#")\n'
        f'exec {CHROMIUM} {flags} --user-data-dir="{home}/profile" --dump-dom '
        f'"$page&decision=allow" >{seen}\n'
    )
    browser.chmod(0o755)
    with logging_in(home, login_server, "login", environment={"BROWSER": f"{browser} %s"}) as login:
        assert "Your browser opens" in login.wait_for(r"(Your browser opens.*)")
        code, out, err = login.end()
    assert code == 0, err
    assert "user@example.com" in out
    wait_until_written(seen, "has come through")


def wait_until_written(path: Path, words: str) -> None:
    done = threading.Event()
    for _ in range(100):
        if path.exists() and words in path.read_text():
            return
        done.wait(0.1)
    raise AssertionError(path.read_text())


def test_no_browser_takes_over_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Python finds without a desktop are programs such as w3m."""
    monkeypatch.delenv("BROWSER", raising=False)
    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("w3m"))
    assert open_browser("http://127.0.0.1:9/") is False

    def none() -> None:
        raise webbrowser.Error("none")

    monkeypatch.setattr(webbrowser, "get", none)
    assert open_browser("http://127.0.0.1:9/") is False
