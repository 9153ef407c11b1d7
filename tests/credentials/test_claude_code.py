import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccproxy.credentials.claude_code import ClaudeCodeFile, default_path


def write(path: Path, token: str, expires: datetime | None) -> None:
    oauth = {"accessToken": token, "refreshToken": "r", "expiresAt": expires and expires.timestamp() * 1000}
    path.write_text(json.dumps({"claudeAiOauth": oauth, "mcpOAuth": {"x": 1}}))


async def test_a_login_is_read_with_its_end(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    write(path, "t1", end)
    login = await ClaudeCodeFile(path).login()
    assert login is not None
    assert (login.access_token, login.expires_at, login.expired()) == ("t1", end, False)
    assert "t1" not in repr(login)


async def test_a_rotated_token_is_seen_and_a_removed_file_too(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    file = ClaudeCodeFile(path)
    assert await file.login() is None
    write(path, "t1", None)
    assert (login := await file.login()) is not None
    assert login.access_token == "t1"
    write(path, "t2-longer", datetime.now(UTC) - timedelta(seconds=1))
    assert (login := await file.login()) is not None
    assert login.access_token == "t2-longer"
    assert login.expired()
    path.unlink()
    assert await file.login() is None


async def test_reading_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    write(path, "t", None)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    await ClaudeCodeFile(path).login()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"claudeAiOauth":{}}', '{"claudeAiOauth":{"accessToken":""}}']
)
async def test_what_is_no_login(tmp_path: Path, content: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(content)
    assert await ClaudeCodeFile(path).login() is None


def test_where_claude_code_keeps_it(tmp_path: Path) -> None:
    assert default_path({"CLAUDE_CONFIG_DIR": str(tmp_path)}) == tmp_path / ".credentials.json"
    assert default_path({}) == Path.home() / ".claude" / ".credentials.json"
