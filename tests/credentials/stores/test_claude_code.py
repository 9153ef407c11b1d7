import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ccproxy.credentials.oauth.tokens import Tokens
from ccproxy.credentials.stores.claude_code import ClaudeCodeStore, default_path, login_of
from ccproxy.credentials.stores.login import Login

END = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)


def file(**oauth: Any) -> dict[str, Any]:
    return {"claudeAiOauth": {"accessToken": "a", "refreshToken": "r", **oauth}, "mcpOAuth": {"x": 1}}


def test_a_login_as_claude_code_writes_it() -> None:
    oauth = {"expiresAt": END.timestamp() * 1000, "scopes": ["user:inference"], "subscriptionType": "max"}
    assert login_of(file(**oauth)) == Login("a", "r", END, None, "max", ("user:inference",))


@pytest.mark.parametrize("end", [None, "soon", 1e300, [], -1e300])
def test_an_end_that_nobody_knows(end: object) -> None:
    assert login_of(file(expiresAt=end, scopes=1, subscriptionType=2)) == Login("a", "r")


@pytest.mark.parametrize("content", [{}, {"claudeAiOauth": []}, file(accessToken=""), file(accessToken=1)])
def test_what_is_no_login(content: dict[str, Any]) -> None:
    assert login_of(content) is None


async def test_reading_changes_nothing_and_a_rotated_token_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    store = ClaudeCodeStore(path)
    assert await store.read() is None
    path.write_text(json.dumps(file()))
    assert await store.read() == Login("a", "r")
    assert os.listdir(tmp_path) == ["c.json"]
    path.write_text(json.dumps(file(accessToken="b")))
    assert await store.read() == Login("b", "r")


def test_a_renewal_changes_only_what_is_new() -> None:
    content = file(scopes=["s"], subscriptionType="max", rateLimitTier="t", expiresAt=1)
    ClaudeCodeStore(Path("x")).put(content, Tokens("a2", None, None, END, (), None, {}), renewal=True)
    oauth = {
        **{"accessToken": "a2", "refreshToken": "r", "scopes": ["s"], "subscriptionType": "max"},
        **{"rateLimitTier": "t", "expiresAt": END.timestamp() * 1000},
    }
    assert content == {"claudeAiOauth": oauth, "mcpOAuth": {"x": 1}}


def test_a_new_login_has_nothing_of_the_old_one() -> None:
    content = file(scopes=["s"], subscriptionType="max", rateLimitTier="t")
    tokens = Tokens("a2", "r2", None, None, ("one", "two"), None, {"plan": "pro"})
    ClaudeCodeStore(Path("x")).put(content, tokens, renewal=False)
    assert content["claudeAiOauth"] == {
        **{"accessToken": "a2", "refreshToken": "r2", "expiresAt": None, "scopes": ["one", "two"]},
        "subscriptionType": "pro",
    }
    assert content["mcpOAuth"] == {"x": 1}


def test_where_claude_code_keeps_it(tmp_path: Path) -> None:
    assert default_path({"CLAUDE_CONFIG_DIR": str(tmp_path)}) == tmp_path / ".credentials.json"
    assert default_path({"HOME": str(tmp_path)}) == tmp_path / ".claude" / ".credentials.json"
