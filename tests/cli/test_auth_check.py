import json
import time
from pathlib import Path

from tests.support.canaries import plant_logins
from tests.support.logging_in import CLAUDE_CODE, auth, own_logins, read
from tests.support.processes import Simulator


def test_validate(home: Path, login_server: Simulator) -> None:
    done = auth(home, login_server, "validate", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["usable"] is False
    key = {"OPENAI__API_KEY": "sk-x"}
    assert auth(home, login_server, "validate", **key).returncode == 0
    assert auth(home, login_server, "validate", "openai", **key).returncode == 0
    assert auth(home, login_server, "validate", "claude", **key).returncode == 1
    assert auth(home, login_server, "validate", "google").returncode == 2


def test_validate_renews_what_has_ended(home: Path, login_server: Simulator) -> None:
    plant_logins(home, login_server, seconds=-5)
    before = read(home, CLAUDE_CODE)["claudeAiOauth"]
    told = json.loads(auth(home, login_server, "status", "--json").stdout)["claude"]
    assert (told["state"], told["usable"], told["expires_at"]) == ("renewable", True, None)
    assert "at next request" in auth(home, login_server, "status").stdout
    done = auth(home, login_server, "validate", "claude")
    assert done.returncode == 0, done.stdout
    after = read(home, CLAUDE_CODE)["claudeAiOauth"]
    assert after["accessToken"] != before["accessToken"]
    assert after["expiresAt"] > time.time() * 1000


def test_info(home: Path, login_server: Simulator) -> None:
    own_logins(home, login_server)
    told = json.loads(auth(home, login_server, "info", "--json").stdout)
    assert (told["account"], told["plan"], told["state"]) == ("user@example.com", "max", "valid")
    assert "user:profile" in told["scopes"]
    online = json.loads(
        auth(home, login_server, "info", "--online", "--json", CLAUDE__BASE_URL=login_server.url).stdout
    )
    assert online["organization"]
    shown = auth(home, login_server, "info").stdout
    assert "\naccount " in shown
    assert "user@example.com" in shown
    assert json.loads(auth(home, login_server, "info", "openai", "--json").stdout)["plan"] == "pro"
    assert auth(home, login_server, "info", "openai", "--online").returncode == 2
    done = auth(home, login_server, "info", "openai", CODEX__CREDENTIALS="off")
    assert done.returncode == 0, "a login that is not used can be asked about"
