"""Lines from stdin, beside the event loop: from a terminal, a pipe or a file."""

import asyncio
import codecs
import os
import sys
import threading
from collections.abc import Callable

_CHUNK = 65536


def typed_lines() -> "asyncio.Queue[str | None]":
    """Whole lines without their ends, as they come; None at the end of stdin."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def put(line: str | None) -> None:
        try:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        except RuntimeError:
            # the loop has ended before stdin has
            return

    # not a pool's thread, and no `sys.stdin.readline`: both would hold up the end of the program
    threading.Thread(target=_read, args=(sys.stdin.fileno(), put), daemon=True).start()
    return lines


def _read(number: int, put: Callable[[str | None], None]) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    while True:
        try:
            chunk = os.read(number, _CHUNK)
        except OSError:
            # the terminal has gone
            chunk = b""
        *whole, rest = (rest + decoder.decode(chunk, not chunk)).split("\n")
        for line in whole:
            put(line.removesuffix("\r"))
        if not chunk:
            break
    if rest:
        put(rest)
    put(None)
