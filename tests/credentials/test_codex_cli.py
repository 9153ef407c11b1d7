import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from ccproxy.credentials.codex_cli import (
    AUTH_CLAIM,
    ApiKeyLogin,
    ChatGPTLogin,
    CodexFile,
    claims,
    default_path,
    parse,
)


def token(**given: Any) -> str:
    return jwt.encode({"sub": "user-1", **given}, "k" * 32, algorithm="HS256")


def account(account_id: str, plan: str = "plus") -> dict[str, Any]:
    return {AUTH_CLAIM: {"chatgpt_account_id": account_id, "chatgpt_plan_type": plan}}


def file(**tokens: Any) -> bytes:
    return json.dumps({"OPENAI_API_KEY": None, "tokens": tokens, "last_refresh": "2026-01-01"}).encode()


def test_a_login_with_its_account_plan_and_end() -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    access = token(exp=end.timestamp(), **account("acc-access", "pro"))
    login = parse(file(access_token=access, id_token=token(**account("acc-id")), account_id="acc-file"))
    assert login == ChatGPTLogin(access, "acc-file", "plus", end)
    assert access not in repr(login)
    assert not login.expired()
    assert login.expired(end)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ({"id_token": token(**account("acc-id"))}, "acc-id"),
        ({"id_token": "no jwt"}, "acc-access"),
        ({"account_id": ""}, "acc-access"),
    ],
)
def test_where_the_account_is_looked_for(tokens: dict[str, Any], expected: str) -> None:
    login = parse(file(access_token=token(**account("acc-access")), **tokens))
    assert isinstance(login, ChatGPTLogin)
    assert login.account_id == expected


def test_the_user_is_no_account() -> None:
    login = parse(file(access_token=token(exp="soon")))
    assert isinstance(login, ChatGPTLogin)
    assert (login.account_id, login.plan, login.expires_at) == ("", None, None)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"tokens":{}}', b'{"tokens":{"access_token":1}}'])
def test_what_is_no_login(content: bytes) -> None:
    assert parse(content) is None


def test_a_login_with_an_api_key() -> None:
    assert parse(b'{"OPENAI_API_KEY":"sk-1","tokens":null}') == ApiKeyLogin()


def test_claims_of_what_is_no_token() -> None:
    assert [claims(given) for given in (None, 1, "", "a.b.c")] == [{}, {}, {}, {}]


async def test_a_renewed_login_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "auth.json"
    assert await CodexFile(path).login() is None
    path.write_bytes(file(access_token="one"))
    found = CodexFile(path)
    assert isinstance(login := await found.login(), ChatGPTLogin)
    assert login.access_token == "one"
    path.write_bytes(file(access_token="another"))
    assert isinstance(login := await found.login(), ChatGPTLogin)
    assert login.access_token == "another"


def test_where_the_codex_cli_keeps_it(tmp_path: Path) -> None:
    assert default_path({"CODEX_HOME": str(tmp_path)}) == tmp_path / "auth.json"
    assert default_path({}) == Path.home() / ".codex" / "auth.json"
