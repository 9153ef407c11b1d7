import asyncio
import os
import sys

import pytest

from ccproxy.cli.permission_stdin import typed_lines


class Stdin:
    def __init__(self, number: int) -> None:
        self._number = number

    def fileno(self) -> int:
        return self._number


async def test_lines_come_whole_however_they_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    of, to = os.pipe()
    monkeypatch.setattr(sys, "stdin", Stdin(of))
    typed = typed_lines()
    for chunk in (b"one\ntw", b"o\r\n", "é".encode()[:1], "é".encode()[1:], b"\n\xff\n\nlast"):
        os.write(to, chunk)
        await asyncio.sleep(0.01)
    os.close(to)
    got = [await asyncio.wait_for(typed.get(), 5) for _ in range(7)]
    assert got == ["one", "two", "é", "\ufffd", "", "last", None]
    os.close(of)


async def test_a_closed_stdin_is_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    of, to = os.pipe()
    os.close(of)
    os.close(to)
    monkeypatch.setattr(sys, "stdin", Stdin(of))
    assert await asyncio.wait_for(typed_lines().get(), 5) is None


async def test_a_terminal_that_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    monkeypatch.setattr(sys, "stdin", Stdin(theirs))
    typed = typed_lines()
    os.write(ours, b"a\n")
    assert await asyncio.wait_for(typed.get(), 5) == "a"
    os.close(ours)
    assert await asyncio.wait_for(typed.get(), 5) is None
    os.close(theirs)
