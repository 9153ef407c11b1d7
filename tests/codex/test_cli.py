import asyncio
import os
import time
from pathlib import Path

import pytest

from ccproxy.codex.cli import CaptureError, find, fingerprint, private_home, running, version_of
from tests.support.clients import program
from tests.support.fake_codex import fake_codex, hanging_codex, is_running, lines, until, written

SHOWS = """\
import stat
seen = {"environment": dict(os.environ), "cwd": os.getcwd(), "files": os.listdir("."), "pid": os.getpid()}
mode = stat.S_IMODE(os.stat(os.environ["HOME"]).st_mode)
seen |= {"session": os.getsid(0), "mode": mode, "stdin": sys.stdin.read()}
with open(LOG, "a") as file:
    file.write(json.dumps(seen) + "\\n")
"""


def test_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    codex = fake_codex(tmp_path / "bin", "")
    monkeypatch.setenv("PATH", f"{tmp_path}:{tmp_path / 'bin'}")
    assert find() == codex
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CaptureError, match=r"not on PATH: install it .*, or set codex\.instructions"):
        find()


def test_what_is_found_can_be_run_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    codex = fake_codex(tmp_path / "bin", "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "bin")
    assert find() == codex


def test_an_update_changes_the_fingerprint(tmp_path: Path) -> None:
    codex, link = fake_codex(tmp_path / "a", ""), tmp_path / "codex"
    link.symlink_to(codex)
    before = fingerprint(link)
    assert fingerprint(link) == before == fingerprint(codex)
    os.utime(codex, ns=(1, 1))
    touched = fingerprint(link)
    link.unlink()
    link.symlink_to(fake_codex(tmp_path / "b", ""))
    assert len({before, touched, fingerprint(link)}) == 3
    link.unlink()
    with pytest.raises(CaptureError):
        fingerprint(link)


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("codex-cli 0.169.0", "0.169.0"),
        ("1.2.3-beta.4\n9.9.9", "1.2.3-beta.4"),
        ("codex v0.45.0 (x)", "0.45.0"),
    ],
)
async def test_version(tmp_path: Path, printed: str, version: str) -> None:
    assert await version_of(fake_codex(tmp_path, "", printed)) == version


@pytest.mark.parametrize("printed", ["", "codex", "x" * 100_000])
async def test_no_version(tmp_path: Path, printed: str) -> None:
    with pytest.raises(CaptureError, match="prints no version: install"):
        await version_of(fake_codex(tmp_path, "", printed))


async def test_what_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "codex").write_bytes(b"\x7fELF")
    (tmp_path / "codex").chmod(0o755)
    for missing in (tmp_path / "codex", tmp_path / "nothing"):
        with pytest.raises(CaptureError, match="cannot be run here: ") as caught:
            await version_of(missing)
        assert str(tmp_path) not in str(caught.value)


async def test_a_version_that_never_comes(tmp_path: Path) -> None:
    code = "#!/bin/sh\nsleep 60 &\necho $$ > PIDS; echo $! >> PIDS\nwait\n"
    codex = tmp_path / "codex"
    codex.write_text(code.replace("PIDS", str(tmp_path / "pids")))
    codex.chmod(0o755)
    started = time.monotonic()
    with pytest.raises(CaptureError, match=r"did not answer within 0\.5 seconds"):
        await version_of(codex, 0.5)
    assert time.monotonic() - started < 2
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2
    assert not any(is_running(pid) for pid in pids)


async def test_it_sees_nothing_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CODEX_HOME", "OPENAI_API_KEY", "NODE_OPTIONS", "https_proxy", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, "the user's")
    codex = fake_codex(tmp_path / "bin", SHOWS, LOG=str(tmp_path / "log"))
    async with private_home() as home, running(codex, "exec", home=home) as process:
        assert await process.wait() == 0
    assert not home.exists()
    [seen] = lines(tmp_path / "log")
    environment = seen["environment"]
    environment.pop("LC_CTYPE", None)  # Python's own
    assert environment == {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "CODEX_HOME": str(home / ".codex"),
        "TMPDIR": str(home / "tmp"),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1,localhost",
    }
    assert (Path(seen["cwd"]), seen["files"]) == ((home / "work").resolve(), [])
    assert (seen["mode"], seen["stdin"]) == (0o700, "")
    assert seen["session"] == seen["pid"]


@pytest.mark.parametrize("how", ["left", "cancelled"])
async def test_nobody_survives(tmp_path: Path, how: str) -> None:
    codex, pids = hanging_codex(tmp_path)
    homes = []

    async def run() -> None:
        async with private_home() as home, running(codex, "exec", home=home) as process:
            homes.append(home)
            await written(pids)
            if how == "cancelled":
                await process.wait()

    task = asyncio.create_task(run())
    both = [int(pid) for pid in (await written(pids)).split()]
    if how == "cancelled":
        await asyncio.sleep(0.05)
        assert all(is_running(pid) for pid in both)
        task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled() == (how == "cancelled")
    # the kernel takes its time with a kill on a busy machine
    await until(lambda: not any(is_running(pid) for pid in both))
    assert not homes[0].exists()


@pytest.mark.slow
async def test_the_real_one() -> None:
    version = await version_of(Path(program("codex")))
    assert version.split(".")[0].isdigit()
