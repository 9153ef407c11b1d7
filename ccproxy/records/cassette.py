"""A cassette: what clients asked and what they were answered, in a text file that people can read.

The file is a row of JSON objects, each pretty-printed: first a head with the version, then one exchange
after the other. It only ever grows, so a crash loses nothing that was written. It holds the client's side:
whichever backend answered, the formats are those of the client.
"""

import json
import os
from codecs import getincrementaldecoder
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from ccproxy.conversation.parts import JsonObject
from ccproxy.routes import Operation
from ccproxy.version import ccproxy_version

VERSION = 1

REQUEST_HEADERS = ("user-agent", "originator", "anthropic-version", "anthropic-beta", "openai-beta")
"""The only headers of a request that are kept: no credential and no cookie is among them."""

ANSWER_HEADERS = (
    "content-type",
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
    "request-id",
    "x-request-id",
)
"""The only headers of an answer that are kept."""

Answer = list[tuple[float, str]]
"""The pieces of an answer's body, at most an event each, with their seconds since the request came."""


class CassetteError(Exception):
    """The file cannot be used; the text says why, and where in it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request and its answer.

    `path` is where the client sent it, without a query, and with `https://` and the host where it meant a
    provider's own address. `request` is the body, None where there was none.
    """

    operation: Operation
    path: str
    status: Annotated[int, msgspec.Meta(ge=200, le=599)]
    answer: Answer
    request: JsonObject | None = None
    headers: dict[str, str] = field(default_factory=dict)
    answer_headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> str:
        """The answer's body in one piece."""
        return "".join(text for _, text in self.answer)


def create(path: Path) -> None:
    """A new, empty cassette that only its owner may read. Raises CassetteError, also if the file is there."""
    head = {
        "ccproxy_cassette": VERSION,
        "ccproxy": ccproxy_version(),
        "recorded": f"{datetime.now(UTC):%Y-%m-%d}",
    }
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_pretty(head).encode())
    except FileExistsError:
        raise CassetteError(f"{path} is there already: delete it, or go on with it by --append.") from None
    except OSError as problem:
        raise CassetteError(f"{path} cannot be written: {problem.strerror}.") from None


def append(path: Path, recorded: Recorded) -> None:
    """Write one more exchange at the end, in one go. Raises OSError, also if the file is gone."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND), "wb", buffering=0) as file:
        # half a surrogate pair, legal in JSON, is no UTF-8: its escape says the same
        file.write(written(recorded).encode("utf-8", "backslashreplace"))


def written(recorded: Recorded) -> str:
    """An exchange as it stands in the file: pretty, but each piece of the answer in one line."""
    values = asdict(recorded)
    order = ("operation", "path", "headers", "request", "status", "answer_headers")
    head = _pretty({name: values[name] for name in order if values[name] not in (None, {})})
    pieces = ",\n".join(f"    {json.dumps(list(piece), ensure_ascii=False)}" for piece in recorded.answer)
    return head.removesuffix("\n}\n") + f',\n  "answer": [\n{pieces}\n  ]\n}}\n'


def read(path: Path) -> list[Recorded]:
    """Every exchange, in the order of the file. Raises CassetteError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise CassetteError(f"{path} cannot be read: {problem.strerror}.") from None
    except UnicodeDecodeError:
        raise CassetteError(f"{path} is no cassette: it is not a text in UTF-8.") from None
    objects = _objects(path, text)
    version = objects[0][1].get("ccproxy_cassette") if objects else None
    if version is None:
        raise CassetteError(
            f'{path} is no cassette: it does not begin with {{"ccproxy_cassette": {VERSION}}}.'
        )
    if version != VERSION:
        raise CassetteError(
            f"{path} is a cassette of version {version}; this ccproxy reads version {VERSION}."
        )
    return [_recorded(path, line, value) for line, value in objects[1:]]


def pieces(heard: Iterable[tuple[float, bytes]], *, events: bool) -> Answer:
    """What a client heard as text: one event a piece for a stream, the whole otherwise.

    An event came when its last byte came. Raises ValueError for what is no text.
    """
    decoder = getincrementaldecoder("utf-8")()
    found: Answer = []
    rest, last = "", 0.0
    for last, data in heard:
        rest += decoder.decode(data)
        while events and (end := _end_of_event(rest)):
            found.append((round(last, 3), rest[:end]))
            rest = rest[end:]
    decoder.decode(b"", final=True)
    return [*found, (round(last, 3), rest)] if rest else found


def _end_of_event(text: str) -> int:
    """Where the first event ends, 0 while it does not (HTML standard, server-sent events)."""
    ends = [place + len(mark) for mark in ("\n\n", "\r\n\r\n") if (place := text.find(mark)) >= 0]
    return min(ends, default=0)


def _pretty(value: JsonObject) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _objects(path: Path, text: str) -> list[tuple[int, JsonObject]]:
    """The JSON objects of the file, each with the line that it begins in."""
    decoder, found, place = json.JSONDecoder(), [], 0
    while (place := _next(text, place)) < len(text):
        line = text.count("\n", 0, place) + 1
        try:
            value, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError as problem:
            raise CassetteError(f"{path}, line {problem.lineno}: this is no JSON ({problem.msg}).") from None
        if not isinstance(value, dict):
            raise CassetteError(f"{path}, line {line}: an exchange is a JSON object.")
        found.append((line, value))
    return found


def _next(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place


def _recorded(path: Path, line: int, value: Any) -> Recorded:
    try:
        return msgspec.convert(value, Recorded)
    except msgspec.ValidationError as problem:
        raise CassetteError(f"{path}, line {line}: this is no exchange: {problem}.") from None
