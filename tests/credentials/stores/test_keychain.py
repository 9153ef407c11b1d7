"""A program in the place of the one that reads the keychain of macOS."""

import shutil
import sys
from pathlib import Path

import pytest

from ccproxy.credentials.credential import CredentialError
from ccproxy.credentials.oauth.tokens import Tokens
from ccproxy.credentials.stores import keychain
from ccproxy.credentials.stores.keychain import KeychainStore
from ccproxy.credentials.stores.login import Login

FOUND = '{"claudeAiOauth":{"accessToken":"a","refreshToken":"r","subscriptionType":"max"}}'


def program(folder: Path, output: str, code: int = 0) -> str:
    """Answers and notes how it was called."""
    path = folder / "security"
    path.write_text(f"#!/bin/sh\necho \"$@\" >> '{folder}/calls'\necho '{output}'\nexit {code}\n")
    path.chmod(0o755)
    return str(path)


async def test_an_answer_is_kept_for_a_while(tmp_path: Path) -> None:
    now = 0.0
    store = KeychainStore(program(tmp_path, FOUND), "somebody", clock=lambda: now)
    assert await store.read() == await store.read() == Login("a", None, plan="max")
    calls = tmp_path / "calls"
    asked = "find-generic-password -s Claude Code-credentials -a somebody -w\n"
    assert calls.read_text() == asked
    now = keychain.KEPT_SECONDS
    await store.read()
    assert calls.read_text() == asked * 2


@pytest.mark.parametrize(("output", "code"), [("", 44), ("no json", 0), ("[]", 0), ("{}", 0)])
async def test_no_login(tmp_path: Path, output: str, code: int) -> None:
    assert await KeychainStore(program(tmp_path, output, code), "somebody").read() is None


async def test_no_program(tmp_path: Path) -> None:
    assert await KeychainStore(str(tmp_path / "none"), "somebody").read() is None


async def test_a_question_to_the_user_that_nobody_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keychain, "READ_SECONDS", 0.1)
    path = tmp_path / "security"
    path.write_text("#!/bin/sh\nexec sleep 30\n")
    path.chmod(0o755)
    assert await KeychainStore(str(path), "somebody").read() is None


async def test_it_is_not_ours_to_change() -> None:
    store = KeychainStore("security", "somebody")
    with pytest.raises(CredentialError, match="belongs to Claude Code"):
        await store.write(Tokens("a", None, None, None, (), None, {}))
    with pytest.raises(CredentialError, match="belongs to Claude Code"):
        await store.clear()


def test_only_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(sys, "platform", "linux")
    assert keychain.find() is None
    monkeypatch.setattr(sys, "platform", "darwin")
    assert keychain.find() == "/usr/bin/security"
