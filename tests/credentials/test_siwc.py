"""The login of Sign in with ChatGPT, as far as requests need it; the flows are elsewhere."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccproxy.credentials.codex import CodexCredential
from ccproxy.credentials.credential import CredentialError
from ccproxy.credentials.siwc import SiwcCredential
from ccproxy.settings import Settings, load
from tests.support.chatgpt import write_login

PLAN = "chatgpt.tokens.use.direct"


def sign_in(folder: Path, *scopes: str, seconds: float = 3600) -> dict[str, str]:
    """The environment of somebody who has signed in."""
    ends = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    path = folder / "ccproxy" / "siwc.json"
    path.parent.mkdir(parents=True)
    content = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": ends, "scopes": list(scopes)}
    path.write_text(json.dumps({"ext_agent_host_id": "urn:uuid:1", "client_id": "oaiapp_1", **content}))
    return {"XDG_DATA_HOME": str(folder), "HOME": str(folder)}


def settings(folder: Path, **given: object) -> Settings:
    options = {"codex.auth_path": str(folder / "auth.json")}
    return load(
        options | {f"codex.{key}": value for key, value in given.items()}, environ={}, cwd=folder
    ).settings


async def test_the_token_alone(tmp_path: Path) -> None:
    credential = SiwcCredential(settings(tmp_path), sign_in(tmp_path, "openid", PLAN))
    secret = await credential.secret()
    assert secret.headers == (("authorization", "Bearer at-1"),)
    status = await credential.status()
    assert (status.kind, status.source, status.state) == ("siwc", "Sign in with ChatGPT", "valid")


@pytest.mark.parametrize("signed_in", [False, True])
async def test_what_is_missing(tmp_path: Path, signed_in: bool) -> None:
    """Nobody has signed in, or without letting us use the plan."""
    environ = sign_in(tmp_path, "openid") if signed_in else {"HOME": str(tmp_path)}
    credential = SiwcCredential(settings(tmp_path), environ)
    with pytest.raises(CredentialError, match="login-openai --siwc"):
        await credential.secret()
    assert not (await credential.status()).usable


@pytest.mark.parametrize(
    ("mode", "codex_login", "way"),
    [("auto", False, "siwc"), ("auto", True, "plan"), ("siwc", True, "siwc"), ("codex", False, "plan")],
)
async def test_which_way_a_request_goes(tmp_path: Path, mode: str, codex_login: bool, way: str) -> None:
    environ = sign_in(tmp_path, PLAN)
    if codex_login:
        write_login(tmp_path / "auth.json")
    credential = CodexCredential(settings(tmp_path, credentials=mode), environ)
    assert await credential.way() == way
    if codex_login or way == "siwc":
        secret = await credential.secret()
        assert secret
        assert len(secret.headers) == (1 if way == "siwc" else 2)
        assert (await credential.status()).kind == ("siwc" if way == "siwc" else "chatgpt")
