"""What all stores in files do, seen at one of them."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccproxy.credentials.json_file import FileProblem, in_thread
from ccproxy.credentials.oauth.tokens import Tokens
from ccproxy.credentials.stores.claude_code import ClaudeCodeStore
from ccproxy.credentials.stores.file_store import table, text, texts
from ccproxy.credentials.stores.login import Login

SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)


def tokens(name: str, *, refresh: bool = True, ends: datetime | None = SOON) -> Tokens:
    return Tokens(f"access-{name}", f"refresh-{name}" if refresh else None, None, ends, (), None, {})


async def renew(store: ClaudeCodeStore, new: Tokens, *spent: str) -> Login | None:
    async with store.lock():
        return await in_thread(lambda: store.renew(new, spent))


async def test_a_login_is_written_read_and_cleared(tmp_path: Path) -> None:
    store = ClaudeCodeStore(tmp_path / "c.json")
    await store.clear()
    assert os.listdir(tmp_path) == []
    assert await store.read() is None
    written = await store.write(tokens("1"))
    assert written == await store.read() == Login("access-1", "refresh-1", SOON)
    await store.clear()
    assert await store.read() is None


async def test_clearing_keeps_what_is_not_ours(tmp_path: Path) -> None:
    store = ClaudeCodeStore(tmp_path / "c.json")
    (tmp_path / "c.json").write_text('{"mcpOAuth":{"x":1}}')
    await store.write(tokens("1"))
    await store.clear()
    assert json.loads((tmp_path / "c.json").read_text()) == {"mcpOAuth": {"x": 1}}


async def test_a_renewal_replaces_what_was_spent(tmp_path: Path) -> None:
    store = ClaudeCodeStore(tmp_path / "c.json")
    await store.write(tokens("1"))
    renewed = await renew(store, tokens("2", refresh=False), "refresh-1")
    assert renewed == Login("access-2", "refresh-1", SOON)


async def test_a_good_login_of_somebody_else_stays(tmp_path: Path) -> None:
    store = ClaudeCodeStore(tmp_path / "c.json")
    theirs = await store.write(tokens("theirs"))
    assert await renew(store, tokens("2"), "refresh-1") == theirs == await store.read()


async def test_an_old_login_of_somebody_else_does_not(tmp_path: Path) -> None:
    store = ClaudeCodeStore(tmp_path / "c.json")
    await store.write(tokens("theirs", ends=datetime(2020, 1, 1, tzinfo=UTC)))
    renewed = await renew(store, tokens("2"), "refresh-1")
    assert renewed
    assert renewed.access_token == "access-2"


async def test_a_logout_is_not_undone(tmp_path: Path) -> None:
    store = ClaudeCodeStore(tmp_path / "c.json")
    await store.write(tokens("1"))
    await store.clear()
    assert await renew(store, tokens("2"), "refresh-1") is None
    assert await store.read() is None


async def test_a_broken_file_is_not_overwritten_by_a_login(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("{broken")
    with pytest.raises(FileProblem, match="Claude Code is not a JSON object"):
        await ClaudeCodeStore(tmp_path / "c.json").write(tokens("1"))
    assert (tmp_path / "c.json").read_text() == "{broken"


def test_reading_what_may_be_anything() -> None:
    assert (text("a"), text(""), text(1)) == ("a", None, None)
    assert (table({"a": 1}), table([])) == ({"a": 1}, {})
    assert (texts(["a", 1]), texts("a")) == (("a",), ())
