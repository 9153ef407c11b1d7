import asyncio
import json
import logging
import os
from pathlib import Path
from stat import S_IMODE

import pytest

from ccproxy.codex import instructions as module
from ccproxy.codex.capture import Captured
from ccproxy.codex.instructions import CHECK_SECONDS, RETRY_SECONDS, Cache, Instructions, default_cache
from tests.support.fake_codex import fake_codex, hanging_codex, is_running, new_style, written

COUNTS = "with open(LOG, 'a') as file:\n    file.write('run ')\n"
CODE = COUNTS + new_style("Be brief.\n")


class World:
    """A machine with its own PATH, cache and clock."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.cache, self.log, self.now = folder / "bin", folder / "cache", folder / "log", 1000.0
        self.bin.mkdir()

    def install(self, code: str = CODE, version: str = "1.0.0") -> None:
        fake_codex(self.bin, code, version, LOG=str(self.log))

    def instructions(self) -> Instructions:
        return Instructions("captured", self.cache, clock=lambda: self.now)

    @property
    def runs(self) -> int:
        return len(self.log.read_text().split()) if self.log.exists() else 0


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    monkeypatch.setenv("PATH", f"{made.bin}:/usr/bin:/bin")
    return made


async def test_none() -> None:
    instructions = Instructions("none")
    assert await instructions.text("gpt-x") == ""
    assert instructions.status() == {
        **{"mode": "none", "state": "off", "reason": None},
        **{"cli_version": None, "models": []},
    }


async def test_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "mine.md"
    file.write_bytes("Bé brief.\r\n".encode())
    instructions = Instructions(file)
    assert instructions.status()["state"] == "file"
    assert [await instructions.text(model) for model in ("a", "b")] == ["Bé brief.\r\n"] * 2
    file.write_text("Be kind, please.")
    assert await instructions.text("a") == "Be kind, please."
    assert instructions.status() == {
        **{"mode": "file", "state": "file", "reason": None},
        **{"cli_version": None, "models": []},
    }
    assert not caplog.records


async def test_a_file_that_cannot_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "mine.md"
    instructions = Instructions(file)
    for _ in range(2):
        assert await instructions.text("a") == ""
    assert instructions.status()["state"] == "failed"
    assert "cannot be read: No such file or directory." in str(instructions.status()["reason"])
    assert len(caplog.records) == 1
    file.write_bytes(b"\xff\xfe")
    assert await instructions.text("a") == ""
    assert "not UTF-8" in str(instructions.status()["reason"])
    assert str(tmp_path) not in str(instructions.status()) + caplog.text
    file.write_text("Be brief.")
    assert await instructions.text("a") == "Be brief."
    assert instructions.status()["state"] == "file"


async def test_captured_once_for_all_who_wait(world: World) -> None:
    world.install()
    instructions = world.instructions()
    assert instructions.status()["state"] == "not captured yet"
    texts = await asyncio.gather(*(instructions.text("gpt-x") for _ in range(20)))
    assert texts == ["Be brief.\n"] * 20
    assert await instructions.text("gpt-x") == "Be brief.\n"
    assert world.runs == 1
    assert instructions.status() == {
        **{"mode": "captured", "state": "captured", "reason": None},
        **{"cli_version": "1.0.0", "models": ["gpt-x"]},
    }


async def test_model_by_model(world: World) -> None:
    world.install(COUNTS + "ask({'instructions': 'Be ' + sys.argv[3]})")
    instructions = world.instructions()
    texts = await asyncio.gather(*(instructions.text(model) for model in ("a", "b", "a")))
    assert texts == ["Be --model=a", "Be --model=b", "Be --model=a"]
    assert world.runs == 2
    assert instructions.status()["models"] == ["a", "b"]


async def test_kept_on_disk_for_the_next_start(world: World) -> None:
    world.install()
    await world.instructions().text("gpt-x")
    [file] = world.cache.iterdir()
    assert S_IMODE(file.stat().st_mode) == 0o600
    assert await world.instructions().text("gpt-x") == "Be brief.\n"
    assert world.runs == 1
    # another program's slip is no reason to fail
    file.write_text("{}")
    assert await world.instructions().text("gpt-x") == "Be brief.\n"
    assert world.runs == 2
    assert json.loads(file.read_text())["text"] == "Be brief.\n"


async def test_a_cache_that_cannot_be_written(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.install()
    world.cache.write_text("no folder")
    instructions = world.instructions()
    for _ in range(2):
        assert await instructions.text("gpt-x") == "Be brief.\n"
    assert world.runs == 1
    [record] = caplog.records
    assert "cannot be kept on disk" in record.getMessage()
    assert str(world.cache) not in record.getMessage()


async def test_captured_anew_when_the_cli_is_updated(world: World) -> None:
    world.install()
    instructions = world.instructions()
    await instructions.text("gpt-x")
    world.install(COUNTS + new_style("Be kind.\n"), "2.0.0")
    assert await instructions.text("gpt-x") == "Be brief.\n"
    world.now += CHECK_SECONDS
    assert instructions.status()["models"] == ["gpt-x"]
    assert await instructions.text("gpt-x") == "Be kind.\n"
    assert (world.runs, instructions.status()["cli_version"]) == (2, "2.0.0")
    # back to the version before: its texts are still there
    world.install()
    world.now += CHECK_SECONDS
    assert await instructions.text("gpt-x") == "Be brief.\n"
    assert world.runs == 2


async def test_the_version_is_asked_only_when_the_program_has_changed(world: World) -> None:
    asked = world.log.with_name("asked")
    count = f"open({str(asked)!r}, 'a').write('x')\n"
    fake = fake_codex(world.bin, CODE, "1.0.0", LOG=str(world.log))
    fake.write_text(fake.read_text().replace("if '--version'", count + "if '--version'"))
    instructions = world.instructions()
    await instructions.text("gpt-x")
    before = asked.read_text()
    for _ in range(3):
        world.now += CHECK_SECONDS
        await instructions.text("gpt-x")
    assert asked.read_text() == before
    os.utime(fake, ns=(1, 1))
    world.now += CHECK_SECONDS
    await instructions.text("gpt-x")
    assert asked.read_text() == before + "x"


async def test_a_failure_is_remembered_and_said_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.install(COUNTS + "sys.exit(3)")
    instructions = world.instructions()
    for _ in range(3):
        assert await instructions.text("gpt-x") == ""
    assert world.runs == 1
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    status = instructions.status()
    assert (status["state"], status["models"], status["cli_version"]) == ("failed", [], "1.0.0")
    assert "exit code 3" in str(status["reason"])
    assert str(world.bin) not in str(status) + caplog.text
    world.now += RETRY_SECONDS
    assert instructions.status()["state"] == "not captured yet"
    assert await instructions.text("gpt-x") == ""
    assert world.runs == 2


async def test_a_failure_ends_with_an_update(world: World) -> None:
    world.install(COUNTS + "sys.exit(3)")
    instructions = world.instructions()
    await instructions.text("gpt-x")
    world.install(version="1.0.1")
    world.now += CHECK_SECONDS
    assert await instructions.text("gpt-x") == "Be brief.\n"
    assert (instructions.status()["state"], instructions.status()["reason"]) == ("captured", None)


async def test_a_failure_ends_when_somebody_else_has_captured(world: World) -> None:
    world.install(COUNTS + "sys.exit(3)")
    instructions = world.instructions()
    await instructions.text("gpt-x")
    Cache(world.cache).write(Captured("1.0.0", "gpt-x", "instructions", "Be kind.\n"))
    assert await instructions.text("gpt-x") == "Be kind.\n"
    assert (instructions.status()["state"], instructions.status()["reason"]) == ("captured", None)


async def test_one_model_fails_another_does_not(world: World) -> None:
    world.install("ask({'instructions': 'Be brief.'}) if '--model=good' in sys.argv else sys.exit(3)")
    instructions = world.instructions()
    assert [await instructions.text(model) for model in ("bad", "good", "not one")] == ["", "Be brief.", ""]
    status = instructions.status()
    assert (status["state"], status["models"]) == ("captured", ["good"])
    assert "exit code 3" in str(status["reason"])


async def test_no_cli(world: World, caplog: pytest.LogCaptureFixture) -> None:
    instructions = world.instructions()
    assert [await instructions.text(model) for model in ("a", "b")] == ["", ""]
    status = instructions.status()
    assert (status["state"], status["cli_version"]) == ("failed", None)
    assert "not on PATH" in str(status["reason"])
    assert len(caplog.records) == 1
    world.install()
    world.now += CHECK_SECONDS
    assert await instructions.text("a") == "Be brief.\n"
    assert instructions.status()["state"] == "captured"


async def test_a_cli_without_a_version(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.install(version="hello")
    instructions = world.instructions()
    for _ in range(2):
        assert await instructions.text("a") == ""
        world.now += CHECK_SECONDS
    assert "prints no version" in str(instructions.status()["reason"])
    assert len(caplog.records) == 1
    assert world.runs == 0


async def test_one_who_leaves_does_not_take_it_from_the_others(world: World) -> None:
    world.install("time.sleep(0.3)\n" + CODE)
    instructions = world.instructions()
    first, second = (asyncio.create_task(instructions.text("gpt-x")) for _ in range(2))
    await asyncio.sleep(0.1)
    first.cancel()
    assert await second == "Be brief.\n"
    assert world.runs == 1
    assert first.cancelled()


def test_the_end_of_the_loop_ends_the_cli(world: World) -> None:
    _, pids = hanging_codex(world.bin)

    async def serve_a_moment() -> list[int]:
        task = asyncio.create_task(world.instructions().text("gpt-x"))
        both = [int(pid) for pid in (await written(pids)).split()]
        assert not task.done()
        return both

    both = asyncio.run(serve_a_moment())
    assert len(both) == 2
    assert not any(is_running(pid) for pid in both)


def test_the_cache_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MODELS", 3)
    cache = Cache(tmp_path)
    for number in range(5):
        cache.write(Captured("1.0.0", f"m{number}", "instructions", f"{number}"))
        for file in tmp_path.iterdir():
            os.utime(file, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns - 10**9))
    assert [cache.read("1.0.0", f"m{number}") for number in range(5)] == [None, None, "2", "3", "4"]
    assert cache.read("1.0.1", "m4") is None


def test_where_the_cache_is() -> None:
    usual = Path("/h/.cache/ccproxy/codex-instructions")
    assert default_cache({"HOME": "/h"}) == usual
    assert default_cache({"HOME": "/h", "XDG_CACHE_HOME": "c"}) == usual
    assert default_cache({"HOME": "/h", "XDG_CACHE_HOME": "/c"}) == Path("/c/ccproxy/codex-instructions")
