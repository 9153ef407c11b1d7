import json
from pathlib import Path

import httpx

from tests.support.canaries import plant_logins, write
from tests.support.logging_in import CLAUDE_CODE, OWN, auth, own_logins, read, tokens_alive
from tests.support.processes import Simulator

HOUR = 3600.0


def test_refresh_keeps_the_file_of_the_other_program(home: Path, login_server: Simulator) -> None:
    plant_logins(home, login_server, HOUR)
    path = home / CLAUDE_CODE
    before = read(home, CLAUDE_CODE)
    write(path, before | {"mcpOAuth": {"kept": 1}})
    done = auth(home, login_server, "refresh", "claude")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Renewed the login of Claude Code, valid until ")
    after = read(home, CLAUDE_CODE)
    assert after["mcpOAuth"] == {"kept": 1}
    assert after["claudeAiOauth"]["accessToken"] != before["claudeAiOauth"]["accessToken"]
    told = json.loads(auth(home, login_server, "refresh", "--json").stdout)
    assert [one["source"] for one in told["renewed"]] == ["Claude Code", "Codex CLI"]
    assert told["failed"] == []


def test_refresh_that_fails_says_why_and_keeps_the_login(home: Path, login_server: Simulator) -> None:
    plant_logins(home, login_server, HOUR)
    before = read(home, CLAUDE_CODE)
    knobs = f"{login_server.url}/_simulator/oauth"
    httpx.post(knobs, json={"token_endpoint": "down"}, trust_env=False)
    try:
        done = auth(home, login_server, "refresh", "claude")
    finally:
        httpx.post(knobs, json={"token_endpoint": "ok"}, trust_env=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "could not be renewed" in done.stderr
    assert read(home, CLAUDE_CODE) == before
    httpx.post(knobs, json={"revoke_all": True}, trust_env=False)
    done = auth(home, login_server, "refresh", "claude", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["renewed"] == []
    assert "ccproxy auth login" in done.stderr


def test_logout_removes_our_own_login_and_no_other(home: Path, login_server: Simulator) -> None:
    plant_logins(home, login_server, HOUR)
    own_logins(home, login_server)
    others = [(home / name).read_bytes() for name in (CLAUDE_CODE, ".codex/auth.json")]
    alive = tokens_alive(login_server)
    done = auth(home, login_server, "logout")
    assert done.returncode == 0
    assert "Logged out of Claude" in done.stdout
    assert "Logged out of ChatGPT." in done.stdout
    assert "Claude Code is still logged in" in done.stderr
    assert "'codex logout'" in done.stderr
    assert tokens_alive(login_server) == alive - 1, "OpenAI was told; with Claude there is nobody to tell"
    assert others == [(home / name).read_bytes() for name in (CLAUDE_CODE, ".codex/auth.json")]
    told = json.loads(auth(home, login_server, "status", "--json").stdout)
    assert [one["source"] for one in told["claude"]["logins"]] == ["Claude Code"]
    again = json.loads(auth(home, login_server, "logout", "claude", "--json").stdout)
    assert again["removed"] == []
    assert [one["source"] for one in again["kept"]] == ["Claude Code"]


def test_logout_where_the_provider_cannot_be_told(home: Path, login_server: Simulator) -> None:
    own_logins(home, login_server)
    nowhere = {"CODEX__OAUTH__REVOKE_URL": "http://127.0.0.1:9/revoke"}
    done = auth(home, login_server, "logout", "openai", **nowhere)
    assert done.returncode == 0
    assert "was not told" in done.stdout
    assert "tokens" not in read(home, f"{OWN}/codex.json")
    assert "claudeAiOauth" in read(home, f"{OWN}/claude.json")
