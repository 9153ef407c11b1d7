from pathlib import Path

import pytest

from ccproxy.credentials.codex import CodexCredential
from ccproxy.credentials.credential import CredentialError
from ccproxy.settings import load
from tests.credentials.test_codex_cli import account, file, token

PAST, FUTURE = 1, 4102444800


def credential(tmp_path: Path, content: bytes | None = None, **given: object) -> CodexCredential:
    path = tmp_path / "auth.json"
    if content is not None:
        path.write_bytes(content)
    options = {"codex.auth_path": str(path), **{f"codex.{key}": value for key, value in given.items()}}
    return CodexCredential(load(options, environ={}, cwd=tmp_path).settings)


async def test_the_login_of_the_codex_cli(tmp_path: Path) -> None:
    access = token(exp=FUTURE)
    found = credential(tmp_path, file(access_token=access, id_token=token(**account("acc-1"))))
    secret = await found.secret()
    assert secret is not None
    assert secret.headers == (("authorization", f"Bearer {access}"), ("chatgpt-account-id", "acc-1"))
    status = await found.status()
    assert (status.kind, status.source, status.state) == ("chatgpt", "Codex CLI", "valid")
    assert status.expires_at is not None


@pytest.mark.parametrize(
    ("content", "hint", "state"),
    [
        (None, "codex login", "missing"),
        (b'{"OPENAI_API_KEY":"sk-1"}', "API key", "missing"),
        (file(access_token=token(exp=FUTURE)), "names no ChatGPT account", "missing"),
        (file(access_token=token(exp=PAST), account_id="a"), "has expired", "expired"),
    ],
)
async def test_what_is_wrong_and_what_to_do(
    tmp_path: Path, content: bytes | None, hint: str, state: str
) -> None:
    found = credential(tmp_path, content)
    with pytest.raises(CredentialError, match=hint) as caught:
        await found.secret()
    assert caught.value.expired == (state == "expired")
    status = await found.status()
    assert (status.state, status.usable) == (state, False)
    assert hint in status.hint


@pytest.mark.parametrize(("mode", "state"), [("off", "off"), ("siwc", "off"), ("client", "client")])
async def test_modes_that_look_at_no_file(tmp_path: Path, mode: str, state: str) -> None:
    found = credential(tmp_path, file(access_token=token(), account_id="a"), credentials=mode)
    assert (await found.status()).state == state
    if mode == "client":
        assert await found.secret() is None
    else:
        with pytest.raises(CredentialError):
            await found.secret()
