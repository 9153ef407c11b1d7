import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ccproxy.cli.root import app
from ccproxy.settings import Settings, load
from tests.support.processes import BIN


def ccproxy(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "ccproxy", *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def test_version() -> None:
    assert ccproxy("--version").stdout.startswith("ccproxy ")


def test_help_names_every_command() -> None:
    text = ccproxy("--help").stdout
    for name in ("serve", "demo", "simulator", "config", "generate-token", "addon-path"):
        assert name in text


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["serve", "--port", "70000"], ["--port=70000"]])
def test_options_without_a_command_are_those_of_serve(arguments: list[str]) -> None:
    done = ccproxy(*arguments)
    assert done.returncode == 1
    assert "--port: server.port: 70000 is not a whole number from 0 to 65535" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_command() -> None:
    done = ccproxy("nonsense")
    assert done.returncode == 2
    assert "nonsense" in done.stderr


def test_serve_offers_every_option_of_the_contract() -> None:
    text = ccproxy("serve", "--help").stdout
    for option in (
        *("--host", "--port", "--proxy-port", "--config", "--auth-token", "--web", "--log-level"),
        *("--claude-code-options-cwd", "--claude-code-options-permission-mode"),
        *("--claude-sdk-message-mode", "--sdk-enable-pool", "--sdk-pool-size"),
    ):
        assert option in text


def test_the_options_for_claude_code_reach_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reached: list[Settings] = []
    monkeypatch.setattr(
        "ccproxy.cli.serve.run", lambda given, config: reached.append(load(given, environ={}).settings)
    )
    options = [
        *("--claude-code-options-cwd", str(tmp_path), "--claude-code-options-permission-mode", "plan"),
        *("--claude-sdk-message-mode", "ignore", "--sdk-enable-pool", "--sdk-pool-size", "5"),
    ]
    assert CliRunner().invoke(app, ["serve", *options]).exit_code == 0
    (claude,) = [settings.claude for settings in reached]
    assert (claude.options.cwd, claude.options.permission_mode) == (tmp_path, "plan")
    assert (claude.sdk_message_mode, claude.pool.enabled, claude.pool.size) == ("ignore", True, 5)
