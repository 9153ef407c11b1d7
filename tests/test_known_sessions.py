import asyncio
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ccproxy import known_sessions
from ccproxy.known_sessions import MOST, KnownSessions, default_path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ccproxy" / "sessions.json"


def clock_at(seconds: float) -> Callable[[], float]:
    return lambda: seconds


async def touched(path: Path, *names: str, now: float = 1000) -> KnownSessions:
    known = KnownSessions(path, 60, clock_at(now))
    for name in names:
        await known.touch(name)
    await known.save()
    return known


def test_where_the_file_lies() -> None:
    below = Path("ccproxy") / "sessions.json"
    assert default_path({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == Path("/s") / below
    assert default_path({"XDG_STATE_HOME": "relative", "HOME": "/h"}) == Path("/h/.local/state") / below
    assert default_path({"HOME": "/h"}) == Path("/h/.local/state") / below


def stored(path: Path) -> dict[str, float]:
    found: dict[str, float] = json.loads(path.read_bytes())
    return found


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


async def test_known_after_a_restart(path: Path) -> None:
    known = await touched(path, "mine")
    assert await known.knows("mine")
    assert not await known.knows("other")

    again = KnownSessions(path, 60, clock_at(1001))
    assert await again.knows("mine")
    assert not await again.knows("other")


def test_names_stay_secret_and_only_the_owner_reads(path: Path) -> None:
    asyncio.run(touched(path, "a-telling-name"))

    assert b"telling" not in path.read_bytes()
    assert [len(key) for key in json.loads(path.read_bytes())] == [64]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert os.listdir(path.parent) == [path.name]


async def test_idle_ones_are_dropped(path: Path) -> None:
    await touched(path, "old", now=1000)
    later = await touched(path, "new", now=1061)

    assert not await later.knows("old")
    assert await later.knows("new")
    assert len(stored(path)) == 1


async def test_so_many_and_no_more(path: Path) -> None:
    known = await touched(path, "first", now=999)
    put(path, json.dumps({f"{n:064}": 1000 for n in range(MOST)}).encode())
    await known.touch("second")
    await known.save()

    assert len(stored(path)) == MOST
    assert len(known._used) == MOST


async def test_two_proxies_share_the_file(path: Path) -> None:
    one, two = await touched(path, "one"), await touched(path, "two")
    await one.touch("one again")
    await one.save()

    assert await one.knows("two")
    assert not await two.knows("one again")
    fresh = KnownSessions(path, 60, clock_at(1000))
    assert [await fresh.knows(name) for name in ("one", "two", "one again")] == [True] * 3


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": "b"}', b"\xff", b"[" * 100_000])
async def test_a_broken_file_is_as_good_as_none(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    put(path, content)
    known = await touched(path, "mine")

    assert await known.knows("mine")
    assert await KnownSessions(path, 60, clock_at(1000)).knows("mine")
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_an_unwritable_place_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    known = await touched(tmp_path / "file" / "sessions.json", "one")
    await known.touch("two")
    await known.save()

    assert await known.knows("one")
    assert len(caplog.records) == 1
    assert str(tmp_path) not in caplog.text


async def test_it_is_written_by_itself_and_not_for_every_use(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []
    replace = known_sessions._replace

    def counting(path: Path, content: bytes) -> None:
        assert threading.current_thread() is not threading.main_thread()
        written.append(content)
        replace(path, content)

    monkeypatch.setattr(known_sessions, "_replace", counting)
    monkeypatch.setattr(known_sessions, "PAUSE", 0.1)
    known = KnownSessions(path, 60)
    deadline = time.monotonic() + 0.35
    touches = 0
    while time.monotonic() < deadline:
        await known.touch(f"session {touches}")
        touches += 1
        await asyncio.sleep(0.002)
    await asyncio.sleep(0.15)

    assert 2 <= len(written) <= 5
    assert len(stored(path)) == touches
