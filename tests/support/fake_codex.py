"""Programs that behave like one kind of Codex CLI or another, and how to see whether a process is gone."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# as the CLI does, it finds everything in CODEX_HOME and takes the model as an option
_PRELUDE = """\
import json, os, pathlib, subprocess, sys, time, tomllib, urllib.request

home = pathlib.Path(os.environ["CODEX_HOME"])

def ask(body, **more):
    settings = tomllib.loads((home / "config.toml").read_text())
    provider = settings["model_providers"][settings["model_provider"]]
    token = json.loads((home / "auth.json").read_text())["tokens"]["access_token"]
    models = [word.partition("=")[2] for word in sys.argv if word.startswith("--model=")]
    body = {"model": (models or ["gpt-default"])[0], "stream": True, **body}
    headers = {"authorization": "Bearer " + token, "content-type": "application/json"}
    request = urllib.request.Request(provider["base_url"] + "/responses", json.dumps(body).encode(), headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(request, timeout=10).read()

"""

HANGS = """\
child = subprocess.Popen(["sleep", "60"])
pathlib.Path(PIDS + ".new").write_text(f"{os.getpid()} {child.pid}")
os.rename(PIDS + ".new", PIDS)
time.sleep(60)
"""


def message(role: str, *texts: str) -> dict[str, Any]:
    """A message of `input`."""
    parts = [{"type": "input_text", "text": text} for text in texts]
    return {"type": "message", "role": role, "content": parts}


def old_style(text: str) -> str:
    """Sends its prompt as `instructions`."""
    return f"ask({{'instructions': {text!r}, 'input': [{message('user', 'hello')!r}]}})\n"


def new_style(text: str) -> str:
    """Sends its prompt as a developer message, among others."""
    items = [
        {"type": "additional_tools", "role": "developer", "tools": []},
        message("developer", text),
        message("developer", "<permissions instructions>none</permissions instructions>"),
        message("user", "hello"),
    ]
    return f"ask({{'input': {items!r}}})\n"


def fake_codex(folder: Path, code: str, version: str = "codex-cli 9.8.7", **names: object) -> Path:
    """An executable `codex` in this folder that prints a version, or runs `code`, which sees these names."""
    folder.mkdir(parents=True, exist_ok=True)
    given = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    asked = f"if '--version' in sys.argv:\n    print({version!r})\n    sys.exit()\n"
    program = folder / "codex"
    draft = folder / "codex.new"
    draft.write_text(f"#!{sys.executable} -IS\n{_PRELUDE}{given}{asked}{code}")
    draft.chmod(0o755)
    draft.replace(program)
    return program


def hanging_codex(folder: Path) -> tuple[Path, Path]:
    """One that starts a child and then does nothing; and the file it writes both process ids to."""
    pids = folder / "pids"
    return fake_codex(folder, HANGS, PIDS=str(pids)), pids


def is_running(pid: int) -> bool:
    """Whether there is such a process that is not dead already."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # gone in between, or a system without /proc, which has reaped its dead
        return not Path("/proc/self").exists()
    return state != "Z"


async def until(condition: Callable[[], object]) -> None:
    """Waits for it, ten seconds at most."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


async def written(file: Path) -> str:
    """The content of a file, once there is one."""
    await until(file.exists)
    return await asyncio.to_thread(file.read_text)


def lines(file: Path) -> list[Any]:
    """What a fake has written, a JSON value a line."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
