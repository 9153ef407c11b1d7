"""What `ccproxy record` and `ccproxy replay` want of a proxy."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ccproxy.records.cassette import CassetteError, read

_MISS = re.compile(r"^\S+ WARNING (No recording for .*(?:\n  .*)*)", re.MULTILINE)
"""What a replay logs when it has no answer."""

_LOST = re.compile(r"^\S+ ERROR (Not recorded: .*)", re.MULTILINE)
"""What a recording logs when it cannot write."""


@dataclass(frozen=True)
class Tape:
    """A cassette in a proxy; `in_time` plays answers in the time that they took."""

    does: Literal["record", "replay"]
    path: str
    in_time: bool = False


def settings_for_tape(tape: Tape | None) -> dict[str, object]:
    """Settings that a cassette needs: it holds HTTP only, and an error that it plays is not tried again."""
    if tape is None:
        return {}
    sockets: dict[str, object] = {"codex.websocket": "off"}
    return sockets if tape.does == "record" else {**sockets, "retries.attempts": 0}


def outcome(tape: Tape, log: Path | None) -> str:
    """What became of it, for people: how much is in the cassette and what not, or what was asked in vain."""
    told = log.read_text(errors="replace") if log else ""
    if tape.does == "record":
        lost = _LOST.findall(told)
        try:
            count = len(read(Path(tape.path)))
            said = f"{tape.path} holds {count} {'exchange' if count == 1 else 'exchanges'}"
        except CassetteError as problem:
            said = str(problem).rstrip(".")
        more = [f"{len(lost)} not recorded. The first: {lost[0]}"] if lost else []
        return "; ".join([f"ccproxy: {said}", *more])
    misses = _MISS.findall(told)
    line = f"ccproxy: {len(misses)} {'request' if len(misses) == 1 else 'requests'} without an answer"
    # a client that is told of an error often asks again in another way
    return f"{line} in {tape.path}" + (f". The first: {misses[0]}" if misses else "")
