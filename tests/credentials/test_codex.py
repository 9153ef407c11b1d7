import json
import time
from pathlib import Path
from typing import Any

import pytest

from ccproxy.credentials.codex import CodexCredential
from ccproxy.credentials.credential import CredentialError
from ccproxy.settings import load
from ccproxy.simulator.app import create_app
from ccproxy.simulator.oauth.control import plain_grant
from ccproxy.simulator.oauth.providers import ACCOUNT
from ccproxy.simulator.server import running
from ccproxy.simulator.state import Simulator
from tests.credentials.stores.test_codex_cli import account, file, token

PAST, FUTURE = 1, 4102444800


def credential(tmp_path: Path, content: dict[str, Any] | None = None, **given: object) -> CodexCredential:
    path = tmp_path / ".codex" / "auth.json"
    if content is not None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    options = {f"codex.{key}": value for key, value in given.items()}
    return CodexCredential(load(options, environ={}, cwd=tmp_path).settings, {"HOME": str(tmp_path)})


async def test_the_login_of_the_codex_cli(tmp_path: Path) -> None:
    access = token(exp=FUTURE)
    found = credential(tmp_path, file(access_token=access, id_token=token(**account("acc-1"))))
    secret = await found.secret()
    assert secret is not None
    assert secret.headers == (("authorization", f"Bearer {access}"), ("chatgpt-account-id", "acc-1"))
    status = await found.status()
    assert (status.kind, status.source, status.state) == ("chatgpt", "Codex CLI", "valid")
    assert status.expires_at is not None


async def test_our_own_login_and_another_file(tmp_path: Path) -> None:
    own = tmp_path / ".local" / "share" / "ccproxy" / "codex.json"
    own.parent.mkdir(parents=True)
    own.write_text(json.dumps(file(access_token=token(exp=FUTURE), account_id="own")))
    # a CLI that has only a key is passed by
    secret = await credential(tmp_path, {"OPENAI_API_KEY": "sk-1"}).secret()
    assert secret is not None
    assert secret.headers[1] == ("chatgpt-account-id", "own")
    other = tmp_path / "other.json"
    other.write_text(json.dumps(file(access_token=token(exp=FUTURE), account_id="other")))
    secret = await credential(tmp_path, auth_path=str(other)).secret()
    assert secret is not None
    assert secret.headers[1] == ("chatgpt-account-id", "other")


@pytest.mark.parametrize(
    ("content", "hint", "state"),
    [
        (None, "There is no ChatGPT login", "missing"),
        ({"OPENAI_API_KEY": "sk-1"}, "API key", "missing"),
        (file(access_token=token(exp=FUTURE)), "names no ChatGPT account", "missing"),
        (file(access_token=token(exp=PAST), account_id="a"), "has expired", "expired"),
    ],
)
async def test_what_is_wrong_and_what_to_do(
    tmp_path: Path, content: dict[str, Any] | None, hint: str, state: str
) -> None:
    found = credential(tmp_path, content)
    with pytest.raises(CredentialError, match=rf"{hint}.*ccproxy auth login-openai.*codex login") as caught:
        await found.secret()
    assert caught.value.expired == (state == "expired")
    status = await found.status()
    assert (status.state, status.usable) == (state, False)
    assert hint in status.hint


async def test_a_login_is_renewed_and_once_more_after_a_refusal(tmp_path: Path) -> None:
    sim = Simulator()
    async with running(create_app(sim)) as url:
        sim.tokens.knobs.expires_in = 0
        issued = sim.tokens.issue(plain_grant("codex", url))
        sim.tokens.knobs.expires_in = None
        tokens = {"access_token": issued.access_token, "refresh_token": issued.refresh_token}
        found = credential(tmp_path, file(**tokens), token_url=f"{url}/oauth/token")
        assert (await found.status()).state == "renewable"
        found.start()
        secret = await found.secret()
        assert secret is not None
        assert secret.headers[1] == ("chatgpt-account-id", ACCOUNT.account_id)
        other = await found.rejected(secret)
        assert other is not None
        assert other.headers[1] == secret.headers[1]
        assert sim.tokens.state(other.bearer or "") == "valid"
        assert await found.rejected(other) is None
        await found.stop()
    content = json.loads((tmp_path / ".codex" / "auth.json").read_text())
    assert content["tokens"]["access_token"] == other.bearer
    assert content["last_refresh"].startswith(time.strftime("%Y", time.gmtime()))


@pytest.mark.parametrize(("mode", "state"), [("off", "off"), ("client", "client")])
async def test_modes_that_look_at_no_file(tmp_path: Path, mode: str, state: str) -> None:
    found = credential(tmp_path, file(access_token=token(), account_id="a"), credentials=mode)
    assert (await found.status()).state == state
    if mode == "client":
        assert await found.secret() is None
    else:
        with pytest.raises(CredentialError):
            await found.secret()
