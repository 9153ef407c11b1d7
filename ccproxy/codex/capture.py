"""Runs the Codex CLI once against a server of ours and takes the prompt out of what it sends.

The CLI is in a home of its own with a login that is none, and the only address it can reach is that server:
no setting, hook or MCP server of the user is read, and nothing leaves the machine. What makes it do so stands
in its config.toml, not in options: there, old and new versions pass over what they do not know.
"""

import asyncio
import base64
import json
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ccproxy.codex.capture_server import capture_server
from ccproxy.codex.cli import VERSION_SECONDS, CaptureError, private_home, running, version_of
from ccproxy.codex.prompt_of import Place, prompt_of
from ccproxy.conversation.parts import JsonObject

__all__ = ["CaptureError", "Captured", "capture"]

EXIT_SECONDS = 2.0
"""How long the CLI may go on once it has sent its request."""
_MODEL = re.compile(r"[A-Za-z0-9][\w.:/-]{0,127}", re.ASCII)
_ACCOUNT = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Captured:
    """A prompt: the CLI's version, the model that was asked for or else the CLI's default, where it stood."""

    cli_version: str
    model: str
    place: Place
    text: str


async def capture(binary: Path, model: str | None = None, limit: float = 30) -> Captured:
    """The prompt that this CLI sends for a model (None: its default), within `limit` seconds.

    Raises CaptureError.
    """
    if model is not None and not _MODEL.fullmatch(model):
        raise CaptureError("The Codex CLI cannot be asked about a model of this name: check its spelling.")
    version = await version_of(binary, min(limit, VERSION_SECONDS))
    try:
        async with asyncio.timeout(limit):
            body = await _request(binary, model)
    except TimeoutError:
        raise CaptureError(
            f"The Codex CLI {version} sent no request within {limit:g} seconds: "
            "try `ccproxy codex capture` with a longer --timeout, or update the CLI."
        ) from None
    except OSError as error:
        raise CaptureError(f"The Codex CLI {version} cannot be run here: {error.strerror}.") from error
    prompt, sent = prompt_of(body), body.get("model")
    if prompt is None or not isinstance(sent, str):
        raise CaptureError(
            f"The Codex CLI {version} sends no prompt where this version of ccproxy looks for it: "
            "get a newer ccproxy, or set codex.instructions to none or a file."
        )
    return Captured(version, model or sent, prompt.place, prompt.text)


async def _request(binary: Path, model: str | None) -> JsonObject:
    """The body of the first request that the CLI sends."""
    token = _jwt(secrets.token_urlsafe(16))
    chosen = [] if model is None else [f"--model={model}"]
    async with private_home() as home, capture_server(token) as server:
        await asyncio.to_thread(_furnish, home / ".codex", server.url, token)
        arguments = ["exec", "--skip-git-repo-check", *chosen, "hello"]
        async with running(binary, *arguments, home=home) as process:
            ended = asyncio.create_task(process.wait())
            try:
                return await _first(server.request, ended)
            finally:
                ended.cancel()


async def _first(request: asyncio.Future[JsonObject], ended: asyncio.Task[int]) -> JsonObject:
    waiting: list[asyncio.Future[Any]] = [request, ended]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if not request.done():
        raise CaptureError(
            f"The Codex CLI ended with exit code {ended.result()} before it sent a request: "
            "run `codex exec hello` in a terminal to see why, or update it."
        )
    # it gets the time to read the answer and to end on its own
    await asyncio.wait([ended], timeout=EXIT_SECONDS)
    return request.result()


def _furnish(folder: Path, url: str, token: str) -> None:
    """Writes the two files that the CLI reads.

    `project_root_markers` and `project_doc_max_bytes` keep it from looking into the folders above its own.
    """
    (folder / "config.toml").write_text(f"""\
model_provider = "capture"
chatgpt_base_url = "{url}/backend-api/"
cli_auth_credentials_store = "file"
project_root_markers = []
project_doc_max_bytes = 0

[model_providers.capture]
name = "capture"
base_url = "{url}/backend-api/codex"
wire_api = "responses"
requires_openai_auth = true
request_max_retries = 0
stream_max_retries = 0

[analytics]
enabled = false

[features]
apps = false
plugins = false
remote_plugin = false
""")
    tokens = {"id_token": token, "access_token": token, "refresh_token": "none", "account_id": _ACCOUNT}
    login = {
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": None,
        "tokens": tokens,
        "last_refresh": datetime.now(UTC).isoformat(),
    }
    (folder / "auth.json").write_text(json.dumps(login))


def _jwt(name: str) -> str:
    """An unsigned token with the claims that the CLI reads; nobody takes it but the one that made it."""
    claims = {
        "jti": name,
        "exp": int((datetime.now(UTC) + timedelta(days=1)).timestamp()),
        "email": "nobody@example.invalid",
        "https://api.openai.com/auth": {"chatgpt_account_id": _ACCOUNT, "chatgpt_plan_type": "pro"},
    }
    parts = (json.dumps({"alg": "none"}).encode(), json.dumps(claims).encode(), b"unsigned")
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
