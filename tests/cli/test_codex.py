import asyncio
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ccproxy.cli.codex import app
from ccproxy.codex.instructions import Cache, Instructions, default_cache
from tests.support.clients import program
from tests.support.fake_codex import fake_codex, hanging_codex, is_running, new_style
from tests.support.processes import BIN

TEXT = "Never shown.\n" * 10


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a `bin` that is on PATH."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["capture", *arguments])


def test_capture_keeps_it_for_the_proxy(folder: Path) -> None:
    codex = fake_codex(folder / "bin", new_style(TEXT))
    result = run()
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split(None, 1) for line in result.stdout.replace("cli version", "version").splitlines()] == [
        ["version", "9.8.7"],
        ["model", "gpt-default"],
        ["characters", str(len(TEXT))],
        ["place", "developer message"],
        ["program", str(codex)],
        ["cache", str(folder / ".cache/ccproxy/codex-instructions")],
    ]
    assert Cache(default_cache()).read("9.8.7", "gpt-default") == TEXT


def test_what_was_captured_is_what_the_proxy_uses(folder: Path) -> None:
    fake_codex(folder / "bin", new_style(TEXT))
    command = [str(BIN / "ccproxy"), "codex", "capture", "--json", "--model", "gpt-x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    report = json.loads(done.stdout)
    assert (report["model"], report["characters"], report["cli_version"]) == ("gpt-x", len(TEXT), "9.8.7")
    assert "Never" not in done.stdout + done.stderr
    fake_codex(folder / "bin", "sys.exit(3)")
    assert asyncio.run(Instructions("captured").text("gpt-x")) == TEXT


@pytest.mark.parametrize(
    ("code", "version", "message"),
    [
        ("sys.exit(3)", "1.0.0", "ended with exit code 3"),
        ("", "hello", "prints no version"),
        ("time.sleep(60)", "1.0.0", "no request within 1 seconds"),
    ],
)
def test_failures(folder: Path, code: str, version: str, message: str) -> None:
    fake_codex(folder / "bin", code, version)
    result = run("--timeout", "1", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not default_cache().exists()


def test_no_cli(folder: Path) -> None:
    result = run()
    assert (result.exit_code, result.stdout) == (1, "")
    assert "not on PATH: install it" in result.stderr


def test_a_model_that_is_none(folder: Path) -> None:
    fake_codex(folder / "bin", new_style(TEXT))
    assert "check its spelling" in run("--model", "no such").stderr


def test_a_cache_that_cannot_be_written(folder: Path) -> None:
    fake_codex(folder / "bin", new_style(TEXT))
    (folder / ".cache").touch()
    result = run()
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot be kept on disk: " in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_cli_too(folder: Path, number: signal.Signals) -> None:
    _, pids = hanging_codex(folder / "bin")
    command = [str(BIN / "ccproxy"), "codex", "capture"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 20
        while not (pids.exists() and pids.read_text()) and time.monotonic() < deadline:
            time.sleep(0.02)
        both = [int(pid) for pid in pids.read_text().split()]
        assert all(is_running(pid) for pid in both)
        process.send_signal(number)
        output, errors = process.communicate(timeout=20)
    assert process.returncode in (1, 130)
    assert output == ""
    assert "Traceback" not in errors
    assert not any(is_running(pid) for pid in both)


@pytest.mark.slow
def test_the_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program("codex")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    report = json.loads(run("--json").stdout)
    assert report["characters"] > 3000
    [file] = default_cache(os.environ).iterdir()
    assert len(json.loads(file.read_text())["text"]) == report["characters"]
