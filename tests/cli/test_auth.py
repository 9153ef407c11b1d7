import json
from pathlib import Path

from tests.support.logging_in import CLAUDE_CODE, OWN, auth
from tests.support.processes import Simulator


def test_nothing_is_there(home: Path, login_server: Simulator) -> None:
    done = auth(home, login_server, "status")
    assert (done.returncode, done.stderr) == (0, "")
    assert "'ccproxy auth login'" in done.stdout.replace("\n", " ")
    assert max(map(len, done.stdout.splitlines())) <= 80
    told = json.loads(auth(home, login_server, "status", "--json").stdout)
    assert {name: (one["state"], one["usable"], one["logins"]) for name, one in told.items()} == {
        "claude": ("missing", False, []),
        "codex": ("missing", False, []),
        "openai": ("missing", False, []),
    }
    for command, words in {"info": "auth login", "refresh": "auth login-openai"}.items():
        done = auth(home, login_server, command)
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr
    assert not list(home.iterdir()), "asking has left something"


def test_files_that_cannot_be_read_are_one_line(home: Path, login_server: Simulator) -> None:
    (home / ".claude").mkdir()
    (home / CLAUDE_CODE).write_text("{broken")
    done = auth(home, login_server, "status")
    assert done.returncode == 0
    assert "not a JSON object" in done.stdout
    (home / OWN).mkdir(parents=True)
    (home / OWN / "codex.json").write_text("[")
    done = auth(home, login_server, "logout", "openai")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert (home / OWN / "codex.json").read_text() == "["
