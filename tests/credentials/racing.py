"""A process that uses one login together with others. Started by test_races.py.

rounds PROVIDER FILE TOKEN_URL
dying FILE TOKEN_URL

Each line on stdin is a number, answered by one line: of requests to make at once, or of the step of a
renewal at which a child is killed.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from ccproxy.credentials.claude import ClaudeCredential
from ccproxy.credentials.codex import CodexCredential
from ccproxy.credentials.credential import CredentialError
from ccproxy.settings import load


def credential(provider: str, path: str, token_url: str) -> ClaudeCredential | CodexCredential:
    home = Path(path).parent
    environ = {"HOME": str(home)}
    key = "credentials_path" if provider == "claude" else "auth_path"
    given = {f"{provider}.{key}": path, f"{provider}.token_url": token_url}
    settings = load(given, environ=environ, cwd=home).settings
    return (ClaudeCredential if provider == "claude" else CodexCredential)(settings, environ)


async def rounds(provider: str, path: str, token_url: str) -> None:
    found = credential(provider, path, token_url)

    async def request() -> dict[str, Any]:
        try:
            secret = await found.secret()
        except CredentialError as problem:
            return {"error": str(problem)}
        return {"token": secret and secret.bearer}

    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await asyncio.gather(*(request() for _ in range(int(line))))), flush=True)
    await found.stop()


def dying(path: str, token_url: str) -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            die_at(int(line), Path(path).parent)
            asyncio.run(credential("claude", path, token_url).secret())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else f"ended {status}", flush=True)


def die_at(step: int, folder: Path) -> None:
    """SIGKILL before the step-th thing that is done, from the connection on, to a file in `folder`."""
    steps = -1

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal steps
        in_folder = any(str(folder) in str(argument) for argument in arguments[:2])
        if event == "socket.connect" or (steps >= 0 and in_folder):
            steps += 1
            if steps == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


if __name__ == "__main__":
    mode, *rest = sys.argv[1:]
    if mode == "rounds":
        asyncio.run(rounds(*rest))
    else:
        dying(*rest)
