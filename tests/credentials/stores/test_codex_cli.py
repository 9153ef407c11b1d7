import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from ccproxy.credentials.credential import CredentialError
from ccproxy.credentials.oauth.claims import AUTH_CLAIM
from ccproxy.credentials.oauth.tokens import Tokens
from ccproxy.credentials.stores.codex_cli import CodexCliStore, default_path
from ccproxy.credentials.stores.login import Login

STORE = CodexCliStore(Path("auth.json"))


def token(**given: Any) -> str:
    return jwt.encode({"sub": "user-1", **given}, "k" * 32, algorithm="HS256")


def account(account_id: str, plan: str = "plus") -> dict[str, Any]:
    return {AUTH_CLAIM: {"chatgpt_account_id": account_id, "chatgpt_plan_type": plan}}


def file(**tokens: Any) -> dict[str, Any]:
    return {"OPENAI_API_KEY": None, "tokens": tokens, "last_refresh": "2026-01-01", "their": 1}


def test_a_login_with_its_account_plan_and_end() -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    access = token(exp=end.timestamp(), **account("acc-access", "pro"))
    tokens = {"access_token": access, "id_token": token(**account("acc-id")), "refresh_token": "r"}
    assert STORE.parse(file(**tokens, account_id="acc-file")) == Login(access, "r", end, "acc-file", "plus")


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ({"id_token": token(**account("acc-id"))}, "acc-id"),
        ({"id_token": "no jwt"}, "acc-access"),
        ({"account_id": ""}, "acc-access"),
    ],
)
def test_where_the_account_is_looked_for(tokens: dict[str, Any], expected: str) -> None:
    login = STORE.parse(file(access_token=token(**account("acc-access")), **tokens))
    assert login
    assert login.account == expected


def test_the_user_is_no_account() -> None:
    access = token(exp="soon")
    assert STORE.parse(file(access_token=access)) == Login(access)


@pytest.mark.parametrize("content", [{}, {"tokens": {}}, {"tokens": []}, file(access_token=1)])
def test_what_is_no_login(content: dict[str, Any]) -> None:
    assert STORE.parse(content) is None


def test_a_cli_with_an_api_key() -> None:
    with pytest.raises(CredentialError, match="API key"):
        STORE.parse({"OPENAI_API_KEY": "sk-1", "tokens": None})


def test_a_renewal_changes_only_what_is_new() -> None:
    content = file(id_token="i", access_token="a", refresh_token="r", account_id="acc", more=2)
    STORE.put(content, Tokens("a2", None, None, None, (), None, {"account_id": "other"}), renewal=True)
    tokens = {"id_token": "i", "access_token": "a2", "refresh_token": "r", "account_id": "acc", "more": 2}
    assert content.pop("last_refresh").startswith(f"{datetime.now(UTC):%Y-%m-%d}")
    assert content == {"OPENAI_API_KEY": None, "tokens": tokens, "their": 1}


async def test_a_new_login_in_the_layout_of_the_cli(tmp_path: Path) -> None:
    store = CodexCliStore(tmp_path / "auth.json")
    access = token(**account("acc"))
    login = await store.write(Tokens(access, "r", "i", None, (), None, {"account_id": "acc"}))
    assert login == Login(access, "r", None, "acc", "plus")
    content = json.loads((tmp_path / "auth.json").read_text())
    assert list(content) == ["auth_mode", "OPENAI_API_KEY", "tokens", "last_refresh"]
    assert content["auth_mode"] == "chatgpt"
    tokens = {"id_token": "i", "access_token": access, "refresh_token": "r", "account_id": "acc"}
    assert content["tokens"] == tokens
    assert datetime.fromisoformat(content["last_refresh"]).tzinfo == UTC


async def test_clearing_keeps_the_api_key(tmp_path: Path) -> None:
    path = tmp_path / "auth.json"
    path.write_text(json.dumps(file(access_token="a") | {"OPENAI_API_KEY": "sk-1"}))
    await CodexCliStore(path).clear()
    assert json.loads(path.read_text()) == {"OPENAI_API_KEY": "sk-1", "their": 1}


def test_where_the_codex_cli_keeps_it(tmp_path: Path) -> None:
    assert default_path({"CODEX_HOME": str(tmp_path)}) == tmp_path / "auth.json"
    assert default_path({"HOME": str(tmp_path)}) == tmp_path / ".codex" / "auth.json"
