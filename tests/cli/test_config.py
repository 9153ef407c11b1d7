import json
import subprocess
import sys
import tomllib
from pathlib import Path
from stat import S_IMODE

import pytest
from typer.testing import CliRunner, Result

from ccproxy.cli.config import app
from ccproxy.settings.layout import LEAVES


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home that is also the current directory, and an environment without settings."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_show_is_toml_with_secrets_masked(home: Path) -> None:
    (home / "ccproxy.toml").write_text("[server]\nport = 9\n[claude]\napi_key = 'sk-hush'\n")
    result = run("show")
    assert result.exit_code == 0
    assert "sk-hush" not in result.output
    shown = tomllib.loads(result.output)
    assert shown["server"]["port"] == 9
    assert shown["claude"]["api_key"] == "********"


def test_show_sources(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "ccproxy.toml").write_text("[server]\nport = 9\n")
    (home / ".env").write_text("SERVER__WEB=true\n")
    monkeypatch.setenv("SERVER__LOG_LEVEL", "debug")
    lines = [" ".join(line.split()) for line in run("show", "--sources").output.splitlines()]
    assert f"port = 9 # {home / 'ccproxy.toml'}" in lines
    assert "web = true # .env" in lines
    assert 'log_level = "debug" # environment SERVER__LOG_LEVEL' in lines
    assert 'host = "127.0.0.1" # default' in lines


def test_show_json(home: Path) -> None:
    (home / "x.toml").write_text("[server]\nport = 9\n[security]\nauth_token = 'hush'\n")
    shown = json.loads(run("show", "--json", "--config", "x.toml").output)
    assert (shown["server"]["port"], shown["security"]["auth_token"]) == (9, "********")
    assert shown["claude"]["api_key"] is None
    both = json.loads(run("show", "--json", "--sources", "--config", "x.toml").output)
    assert both["settings"] == shown
    assert both["sources"]["server.port"] == str(home / "x.toml")
    assert both["sources"].keys() == LEAVES.keys()


def test_show_what_is_wrong(home: Path) -> None:
    (home / "ccproxy.toml").write_text("[server]\nport = 'abc'\nprot = 1\n")
    result = run("show")
    assert (result.exit_code, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 2
    assert "Traceback" not in result.stderr
    assert (
        run("show", "--config", "nope.toml").stderr
        == f"{home / 'nope.toml'}: cannot be read: No such file or directory\n"
    )


def test_schema() -> None:
    schema = json.loads(run("schema").output)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Server"]["properties"]["port"]["description"].startswith("Port of the reverse")


def test_init_writes_a_private_file_once(home: Path) -> None:
    file = home / ".config/ccproxy/config.toml"
    result = run("init")
    assert (result.exit_code, result.output) == (0, f"Wrote {file}\n")
    assert S_IMODE(file.stat().st_mode) == 0o600
    assert "#port = 8000" in file.read_text()
    file.write_text("[server]\nport = 9\n")
    result = run("init")
    assert (result.exit_code, result.stderr) == (1, f"{file}: exists already; replace it with --force\n")
    assert file.read_text() == "[server]\nport = 9\n"
    assert run("init", "--force").exit_code == 0
    assert "#port = 8000" in file.read_text()
    assert run("show").exit_code == 0


def test_init_elsewhere(home: Path) -> None:
    assert run("init", "--path", "a/x.toml").exit_code == 0
    assert (home / "a/x.toml").is_file()
    (home / "file").touch()
    result = run("init", "--path", "file/x.toml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr in ("file/x.toml: Not a directory\n", "file/x.toml: File exists\n")


def test_set_changes_the_file_in_use(home: Path) -> None:
    (home / "ccproxy.toml").write_text("# mine\n[server]\nport = 9 # why\n")
    result = run("set", "server.port", "10")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"Saved server.port in {home / 'ccproxy.toml'}\n"
    assert (home / "ccproxy.toml").read_text() == "# mine\n[server]\nport = 10 # why\n"


def test_set_makes_the_users_file_when_there_is_none(home: Path) -> None:
    assert run("set", "intercept.hosts.api.openai.com", "sdk").exit_code == 0
    assert json.loads(run("show", "--json").output)["intercept"]["hosts"]["api.openai.com"] == "sdk"
    assert S_IMODE((home / ".config/ccproxy/config.toml").stat().st_mode) == 0o600


def test_set_in_a_file_of_your_own(home: Path) -> None:
    assert run("set", "server.port", "10", "--config", "x.toml").exit_code == 0
    assert (home / "x.toml").read_text() == "[server]\nport = 10\n"


def test_set_refuses_what_would_be_wrong(home: Path) -> None:
    (home / "ccproxy.toml").write_text("[server]\nport = 9\n")
    result = run("set", "server.port", "abc")
    assert result.exit_code == 1
    assert result.stderr == "config set: server.port: 'abc' is not a whole number from 0 to 65535\n"
    result = run("set", "claude.api_key", "sk hush")
    assert result.exit_code == 1
    assert "hush" not in result.stderr
    assert (home / "ccproxy.toml").read_text() == "[server]\nport = 9\n"


def test_codex_switch(home: Path) -> None:
    (home / "ccproxy.toml").write_text("[codex] # c\ncredentials = 'siwc'\n")
    assert run("codex", "--disable").exit_code == 0
    assert (home / "ccproxy.toml").read_text() == "[codex] # c\nenabled = false\ncredentials = 'siwc'\n"
    assert run("codex", "--enable").exit_code == 0
    assert tomllib.loads((home / "ccproxy.toml").read_text())["codex"]["enabled"] is True
    assert run("codex").exit_code == 2


def test_in_a_process_of_its_own(home: Path) -> None:
    script = "from ccproxy.cli.config import app; app()"
    environ = {"HOME": str(home), "PATH": "/usr/bin:/bin", "SERVER__PORT": "abc"}
    done = subprocess.run(
        [sys.executable, "-c", script, "show"],
        env=environ,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr == "environment SERVER__PORT: server.port: 'abc' is not a whole number from 0 to 65535\n"
    )
