from datetime import UTC, datetime
from pathlib import Path

import pytest

from ccproxy.credentials.credential import CredentialError
from ccproxy.credentials.fixed import Fixed
from ccproxy.credentials.stores.claude_code import ClaudeCodeStore
from ccproxy.credentials.stores.claude_env import VARIABLE, ClaudeEnvStore
from tests.credentials.stores.test_file_store import tokens


async def test_a_login_that_is_only_read() -> None:
    environ: dict[str, str] = {}
    fixed = Fixed(ClaudeEnvStore(environ), "Do this.")
    assert await fixed.fresh() is None
    assert await fixed.status() == (None, "missing", "")
    environ[VARIABLE] = "t1"
    login = await fixed.fresh()
    assert login
    assert login.access_token == "t1"
    assert await fixed.status() == (login, "valid", "")
    assert await fixed.rejected("t1") is None
    environ[VARIABLE] = "t2"
    other = await fixed.rejected("t1")
    assert other
    assert other.access_token == "t2"


async def test_an_expired_one_is_not_renewed(tmp_path: Path) -> None:
    store = ClaudeCodeStore(tmp_path / "c.json")
    login = await store.write(tokens("1", ends=datetime(2020, 1, 1, tzinfo=UTC)))
    fixed = Fixed(store, "Do this.")
    with pytest.raises(CredentialError, match=r"has expired\. Do this\.") as caught:
        await fixed.fresh()
    assert caught.value.expired
    assert await fixed.status() == (login, "expired", str(caught.value))
    assert await fixed.rejected("another") is None


async def test_a_broken_place(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("[]")
    login, state, hint = await Fixed(ClaudeCodeStore(tmp_path / "c.json"), "Do this.").status()
    assert (login, state) == (None, "missing")
    assert "not a JSON object" in hint
