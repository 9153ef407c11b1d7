"""Changing a file that is not ours."""

import asyncio
import json
import os
import time
from pathlib import Path

import pytest

from ccproxy.conversation.parts import JsonObject
from ccproxy.credentials import json_file
from ccproxy.credentials.json_file import FileProblem, JsonFile, in_thread


def add_ours(content: JsonObject) -> bool:
    content["ours"] = {"token": "t"}
    return True


async def update(path: Path) -> JsonObject:
    file = JsonFile(path, "The file")
    async with file.lock():
        return await in_thread(lambda: file.update(add_ours))


async def test_what_we_create_is_private(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "f.json"
    assert await JsonFile(path, "The file").read() is None
    assert await update(path) == {"ours": {"token": "t"}}
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert await JsonFile(path, "The file").read() == {"ours": {"token": "t"}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"z":1,"ours":null,"é":["\\ud800"]}', '{"z":1,"ours":{"token":"t"},"\\u00e9":["\\ud800"]}'),
        ('{\n    "z": 1%(zeros)s\n}\n', '{\n  "z": 1%(zeros)s,\n  "ours": {\n    "token": "t"\n  }\n}\n'),
    ],
)
async def test_every_other_key_stays_in_its_place(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "f.json"
    large = {"zeros": "0" * 30}
    path.write_text(before % large, encoding="utf-8")
    os.chmod(tmp_path, 0o755)
    await update(path)
    assert path.read_text() == after % large
    assert os.stat(tmp_path).st_mode & 0o777 == 0o755
    assert sorted(os.listdir(tmp_path)) == ["f.json", "f.json.lock"]


async def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "target" / "f.json", tmp_path / "link.json"
    target.parent.mkdir()
    target.write_text("{}")
    link.symlink_to(target)
    await update(link)
    assert link.is_symlink()
    assert json.loads(target.read_text()) == {"ours": {"token": "t"}}
    assert sorted(os.listdir(target.parent)) == ["f.json", "f.json.lock"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a":1}x', "[" * 100_000, "\udcff", '{"a":NaN}'])
async def test_what_is_broken_is_said_and_left_alone(
    tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_file, "READ_PAUSE", 0.0)
    path = tmp_path / "f.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(FileProblem, match=r"The file .*JSON") as caught:
        await update(path)
    assert str(tmp_path) not in str(caught.value)
    assert path.read_bytes() == content.encode("utf-8", "surrogateescape")


async def test_a_file_that_is_just_being_written_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f.json"
    path.write_text('{"half')
    monkeypatch.setattr(time, "sleep", lambda seconds: path.write_text('{"half":1}'))
    assert await JsonFile(path, "The file").read() == {"half": 1}


async def test_who_does_not_know_the_lock_loses_nothing(tmp_path: Path) -> None:
    path, turns = tmp_path / "f.json", []
    path.write_text('{"a":1}')

    def change(content: JsonObject) -> bool:
        turns.append(dict(content))
        if len(turns) == 1:
            path.write_text('{"a":2,"theirs":3}')
        content["ours"] = 4
        return True

    file = JsonFile(path, "The file")
    assert await in_thread(lambda: file.update(change)) == {"a": 2, "theirs": 3, "ours": 4}
    assert json.loads(path.read_text()) == {"a": 2, "theirs": 3, "ours": 4}
    assert turns == [{"a": 1}, {"a": 2, "theirs": 3}]


async def test_a_change_may_leave_the_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text('{"a":  1}')
    assert JsonFile(path, "The file").update(lambda content: False) == {"a": 1}
    assert path.read_text() == '{"a":  1}'


async def test_one_holder_at_a_time(tmp_path: Path) -> None:
    inside = most = 0

    async def hold() -> None:
        nonlocal inside, most
        async with JsonFile(tmp_path / "f.json", "The file").lock():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.01)
            inside -= 1

    await asyncio.gather(*(hold() for _ in range(8)))
    assert most == 1


async def test_who_is_cancelled_while_waiting_leaves_the_lock_free(tmp_path: Path) -> None:
    file = JsonFile(tmp_path / "f.json", "The file")

    async def hold() -> None:
        async with file.lock():
            await asyncio.sleep(60)

    holder, waiter = asyncio.create_task(hold()), asyncio.create_task(hold())
    for task in (holder, waiter):
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])
    async with asyncio.timeout(5), file.lock():
        pass


async def test_a_lock_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "LOCK_SECONDS", 0.05)
    async with JsonFile(tmp_path / "f.json", "The file").lock():
        with pytest.raises(FileProblem, match="locked by another process"):
            async with JsonFile(tmp_path / "f.json", "The file").lock():
                pass


async def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "no-folder").write_text("")
    with pytest.raises(FileProblem, match="The file cannot be locked"):
        async with JsonFile(tmp_path / "no-folder" / "f.json", "The file").lock():
            pass
    (tmp_path / "f.json").mkdir()
    with pytest.raises(FileProblem, match="The file cannot be read"):
        await JsonFile(tmp_path / "f.json", "The file").read()


async def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f.json"
    path.write_text('{"a":1}')

    def full(number: int) -> None:
        raise OSError(28, "No space left on device", "f.json.new")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileProblem, match=r"The file cannot be written \(No space left on device\)"):
        await update(path)
    assert path.read_text() == '{"a":1}'
    assert sorted(os.listdir(tmp_path)) == ["f.json", "f.json.lock"]


async def test_a_cancellation_waits_for_the_thread() -> None:
    done = []

    def work() -> None:
        time.sleep(0.1)
        done.append(True)

    task = asyncio.create_task(in_thread(work))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [True]
