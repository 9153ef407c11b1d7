"""Server-sent events: an incremental reader, and a writer (WHATWG HTML, section 9.2, read 2026-11-22)."""

from collections.abc import Iterator
from dataclasses import dataclass

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event: `name` is the `event` field, empty when the event had none."""

    name: str
    data: str


class Reader:
    """Feed it bytes cut anywhere; it gives whole events.

    Lines end with LF, CR or CRLF, a BOM at the start is skipped, several `data` lines are joined with LF, an
    event without data is dropped, and what stands after the last blank line is never an event.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._at_start = True
        self._after_cr = False
        self._name = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        if not chunk:
            return
        if self._after_cr:
            # this LF is the second half of a CRLF whose CR has ended the line already
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        buffer = self._rest + chunk
        if self._at_start:
            if len(buffer) < len(_BOM) and _BOM.startswith(buffer):
                self._rest = buffer
                return
            buffer = buffer.removeprefix(_BOM)
            self._at_start = False
        self._after_cr = buffer.endswith(b"\r")
        end = max(buffer.rfind(b"\n"), buffer.rfind(b"\r")) + 1
        self._rest = buffer[end:]
        for line in buffer[:end].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")[:-1]:
            if event := self._take(line.decode("utf-8", "replace")):
                yield event

    def _take(self, line: str) -> ServerSentEvent | None:
        if not line:
            name, data = self._name, self._data
            self._name, self._data = "", []
            return ServerSentEvent(name, "\n".join(data)) if data else None
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        return None


def written(name: str, data: str) -> bytes:
    """An event as it goes over the wire; `name` is empty for one without."""
    lines = "".join(f"data: {line}\n" for line in data.split("\n"))
    return (f"event: {name}\n{lines}\n" if name else f"{lines}\n").encode()
