import json
from datetime import datetime
from pathlib import Path

from tests.support.canaries import plant_logins
from tests.support.logging_in import auth, own_logins
from tests.support.processes import Simulator

HOUR = 3600.0


def test_what_is_used_and_what_else_is_there(home: Path, login_server: Simulator) -> None:
    plant_logins(home, login_server, HOUR)
    own_logins(home, login_server)
    done = auth(home, login_server, "status")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[-1] for line in lines[1:4]] == ["use", "unused", "use"]
    assert lines[1].split()[:3] == ["Claude", "Claude", "Code"]
    assert "pro" in lines[3]
    told = json.loads(auth(home, login_server, "status", "--json").stdout)
    logins = told["claude"]["logins"]
    assert [(one["source"], one["in_use"]) for one in logins] == [
        ("Claude Code", True),
        ("ccproxy's own login", False),
    ]
    assert all(datetime.fromisoformat(one["expires_at"]).tzinfo for one in logins)
    with_key = json.loads(auth(home, login_server, "status", "--json", CLAUDE__API_KEY="sk-ant-x").stdout)
    assert with_key["claude"]["kind"] == "api_key"
    assert not any(one["in_use"] for one in with_key["claude"]["logins"])


def test_a_setup_token(home: Path, login_server: Simulator) -> None:
    token = {"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-x"}
    line = auth(home, login_server, "status", **token).stdout.splitlines()[1]
    assert line.split() == ["Claude", "CLAUDE_CODE_OAUTH_TOKEN", "token", "in", "use"]
    done = auth(home, login_server, "refresh", "claude", **token)
    assert done.returncode == 1
    assert "where it comes from" in done.stderr
    assert "unset CLAUDE_CODE_OAUTH_TOKEN" in auth(home, login_server, "logout", **token).stderr
