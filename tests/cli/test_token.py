import re
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from ccproxy.cli.token import generate_token
from ccproxy.settings import load

LINE = re.compile(r"SECURITY__AUTH_TOKEN=([A-Za-z0-9_-]{43})\n")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(generate_token)
    return CliRunner().invoke(app, arguments)


def token_of(result: Result) -> str:
    assert result.exit_code == 0
    found = LINE.fullmatch(result.stdout)
    assert found
    return found[1]


def test_each_token_is_new_and_is_a_setting(home: Path) -> None:
    result = run()
    token = token_of(result)
    assert token != token_of(run())
    assert list(home.iterdir()) == []
    (home / ".env").write_text(result.stdout)
    given = load(environ={}, cwd=home).settings.security.auth_token
    assert given is not None
    assert given.get_secret_value() == token


def test_save(home: Path) -> None:
    file = home / "ccproxy.toml"
    file.write_text("# mine\n[security]\nallowed_hosts = ['a.example']\n")
    result = run("--save")
    saved = tomllib.loads(file.read_text())["security"]
    assert saved == {"auth_token": token_of(result), "allowed_hosts": ["a.example"]}
    assert file.read_text().startswith("# mine\n")
    assert result.stderr == f"Saved security.auth_token in {file}\n"


def test_save_opens_the_way_beyond_loopback(home: Path) -> None:
    (home / "x.toml").write_text("[server]\nhost = '0.0.0.0'\n")
    token_of(run("--save", "--config", "x.toml"))
    assert load(config=Path("x.toml"), environ={}, cwd=home).settings.server.host == "0.0.0.0"


def test_a_file_that_cannot_be_changed(home: Path) -> None:
    (home / "ccproxy.toml").write_text("[server")
    result = run("--save")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "broken TOML" in result.stderr
