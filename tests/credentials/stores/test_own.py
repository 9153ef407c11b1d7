import json
from pathlib import Path

from ccproxy.credentials.oauth.tokens import Tokens
from ccproxy.credentials.stores.login import Login
from ccproxy.credentials.stores.own import OwnClaudeStore, OwnCodexStore


async def test_our_own_login_for_claude(tmp_path: Path) -> None:
    store = OwnClaudeStore({"XDG_DATA_HOME": str(tmp_path)})
    who = {"account_id": "u-1", "email": "someone@example.com", "plan": "max"}
    login = await store.write(Tokens("a", "r", None, None, ("s",), None, who))
    assert login == await store.read() == Login("a", "r", None, "someone@example.com", "max", ("s",))
    path = tmp_path / "ccproxy" / "claude.json"
    assert path.parent.stat().st_mode & 0o777 == 0o700
    content = json.loads(path.read_text())
    assert content["claudeAiOauth"]["accessToken"] == "a"

    store.put(content, Tokens("a2", None, None, None, (), None, {"plan": "pro"}), renewal=True)
    assert content["account"] == who | {"plan": "pro"}
    store.put(content, Tokens("a3", "r3", None, None, (), None, {"account_id": "u-2"}), renewal=False)
    assert content["account"] == {"account_id": "u-2"}
    assert store.parse(content) == Login("a3", "r3", None, "u-2")
    store.remove(content)
    assert content == {}


async def test_our_own_codex_login(tmp_path: Path) -> None:
    store = OwnCodexStore({"HOME": str(tmp_path)})
    assert await store.read() is None
    await store.write(Tokens("a", "r", None, None, (), None, {"account_id": "acc"}))
    assert await store.read() == Login("a", "r", None, "acc")
    assert (tmp_path / ".local" / "share" / "ccproxy" / "codex.json").exists()
