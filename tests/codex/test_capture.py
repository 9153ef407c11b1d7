import asyncio
import hashlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jwt
import pytest

from ccproxy.codex.capture import Captured, CaptureError, capture
from ccproxy.codex.prompt_of import Place
from tests.support.clients import program
from tests.support.fake_codex import (
    fake_codex,
    hanging_codex,
    is_running,
    lines,
    new_style,
    old_style,
    until,
    written,
)

OLD, NEW = old_style("Old and kind.\n"), new_style("New and brief.\n")
REPORTS = """\
files = {str(file.relative_to(home)): file.read_text() for file in home.rglob("*") if file.is_file()}
seen = {"arguments": sys.argv[1:], "files": files, "settings": tomllib.loads(files["config.toml"])}
pathlib.Path(LOG).write_text(json.dumps(seen) + "\\n")
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize(
    ("code", "place", "text"),
    [(OLD, "instructions", "Old and kind.\n"), (NEW, "developer message", "New and brief.\n")],
)
@pytest.mark.parametrize("model", [None, "gpt-9/x.y:z"])
async def test_capture(
    tmp_path: Path, temporary: Path, code: str, place: Place, text: str, model: str | None
) -> None:
    codex = fake_codex(tmp_path, code)
    assert await capture(codex, model) == Captured("9.8.7", model or "gpt-default", place, text)
    assert not os.listdir(temporary)


async def test_what_the_cli_is_given(tmp_path: Path, temporary: Path) -> None:
    codex = fake_codex(tmp_path, REPORTS + NEW, LOG=str(tmp_path / "log"))
    await capture(codex, "gpt-x")
    [seen] = lines(tmp_path / "log")
    assert seen["arguments"] == ["exec", "--skip-git-repo-check", "--model=gpt-x", "hello"]
    assert seen["files"].keys() == {"config.toml", "auth.json"}
    provider = seen["settings"]["model_providers"][seen["settings"]["model_provider"]]
    assert provider["base_url"].startswith("http://127.0.0.1:")
    assert provider["name"].lower() != "openai"
    login = json.loads(seen["files"]["auth.json"])
    claims = jwt.decode(login["tokens"]["access_token"], options={"verify_signature": False})
    account = claims["https://api.openai.com/auth"]["chatgpt_account_id"]
    assert (login["auth_mode"], login["tokens"]["account_id"]) == ("chatgpt", account)
    assert claims["exp"] > time.time() + 3600


@pytest.mark.parametrize("model", ["", "-c", "--model", "gpt x", "gpt\0", "gpt\nx", "x" * 200, "gpt\u00e9"])
async def test_names_that_are_no_model(tmp_path: Path, model: str) -> None:
    with pytest.raises(CaptureError, match="check its spelling"):
        await capture(tmp_path / "is not even looked at", model)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("sys.exit(3)", "ended with exit code 3 before .* run `codex exec hello`"),
        ("ask({'input': []})", r"9\.8\.7 sends no prompt where .* get a newer ccproxy"),
        ("ask({'instructions': 'x', 'model': 3})", "sends no prompt where"),
    ],
)
async def test_failures(tmp_path: Path, temporary: Path, code: str, message: str) -> None:
    with pytest.raises(CaptureError, match=message) as caught:
        await capture(fake_codex(tmp_path, code))
    assert str(tmp_path) not in str(caught.value)
    assert not os.listdir(temporary)


async def test_one_that_cannot_be_run(tmp_path: Path, temporary: Path) -> None:
    with pytest.raises(CaptureError, match="cannot be run here"):
        await capture(tmp_path / "nothing")
    assert not os.listdir(temporary)


async def test_one_that_hangs(tmp_path: Path, temporary: Path) -> None:
    codex, pids = hanging_codex(tmp_path)
    started = time.monotonic()
    with pytest.raises(CaptureError, match=r"no request within 0\.7 seconds: .*--timeout"):
        await capture(codex, limit=0.7)
    assert time.monotonic() - started < 3
    both = [int(pid) for pid in pids.read_text().split()]
    assert len(both) == 2
    assert not any(is_running(pid) for pid in both)
    assert not os.listdir(temporary)


async def test_cancellation(tmp_path: Path, temporary: Path) -> None:
    codex, pids = hanging_codex(tmp_path)
    task = asyncio.create_task(capture(codex))
    both = [int(pid) for pid in (await written(pids)).split()]
    assert all(is_running(pid) for pid in both)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not any(is_running(pid) for pid in both)
    assert not os.listdir(temporary)


async def test_one_that_does_not_end_after_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was run for is there by then."""
    monkeypatch.setattr("ccproxy.codex.capture.EXIT_SECONDS", 0.2)
    codex = fake_codex(tmp_path, OLD + "time.sleep(60)")
    started = time.monotonic()
    assert (await capture(codex)).text == "Old and kind.\n"
    assert time.monotonic() - started < 3


@pytest.mark.slow
async def test_the_real_one(temporary: Path) -> None:
    codex = Path(program("codex"))
    first, second = await capture(codex), await capture(codex)
    assert first == second
    assert len(first.text) > 3000
    assert first.model.startswith("gpt-")
    assert not first.text.lstrip().startswith("<")
    assert "environment_context" not in first.text
    assert not os.listdir(temporary)
    other = await capture(codex, "gpt-5-codex")
    assert other.model == "gpt-5-codex"
    digests = {hashlib.sha256(captured.text.encode()).digest() for captured in (first, other)}
    assert len(digests) == 2


@pytest.mark.slow
async def test_the_real_one_runs_nothing_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    codex, home = Path(program("codex")), tmp_path / "home"
    marks = {name: tmp_path / name for name in ("mcp", "notify", "hook", "bashrc")}
    touch = {name: f'touch "{path}"' for name, path in marks.items()}
    (home / ".codex").mkdir(parents=True)
    (home / ".codex/config.toml").write_text(f"""
notify = ["touch", "{marks["notify"]}"]
developer_instructions = "Speak of the user."
model = "gpt-of-the-user"
model_provider = "dead"
[model_providers.dead]
name = "dead"
base_url = "http://127.0.0.1:9/v1"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
[mcp_servers.marks]
command = "touch"
args = ["{marks["mcp"]}"]
""")
    hook = {"hooks": [{"type": "command", "command": touch["hook"]}]}
    hooks = {"hooks": {event: [hook] for event in ("SessionStart", "UserPromptSubmit", "Stop")}}
    (home / ".codex/hooks.json").write_text(json.dumps(hooks))
    for name in (".bashrc", ".bash_profile", ".profile", ".zshenv"):
        (home / name).write_text(touch["bashrc"] + "\n")
    (home / ".codex/AGENTS.md").write_text("Speak of the user.")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("CODEX_HOME", str(home / ".codex"))

    captured = await capture(codex)
    assert captured.model != "gpt-of-the-user"
    assert "Speak of the user." not in captured.text
    assert not [name for name, mark in marks.items() if mark.exists()]

    # the same home does run things where it is the user's own run
    with started_as_the_user(codex, home):
        for name in ("mcp", "hook"):
            await until(marks[name].exists)


@contextmanager
def started_as_the_user(codex: Path, home: Path) -> Iterator[None]:
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    process = subprocess.Popen(
        [codex, "exec", "--skip-git-repo-check", "--dangerously-bypass-hook-trust", "hello"],
        cwd=home,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1", **nowhere},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
