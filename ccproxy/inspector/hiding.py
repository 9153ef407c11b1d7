"""Texts without secrets, for what leaves the tool: everything else in them stays as it was written.

Credentials are known by the names of their fields, and keys by their shape. What was said in a conversation,
and what a tool is called with, may be about anything, so there only the shape of a key counts.
"""

import json
import re
from collections.abc import Hashable, Iterator, Sequence
from itertools import accumulate, pairwise

from ccproxy.inspector.layout import CREDENTIALS, HIDDEN
from ccproxy.inspector.spans import Path, Span, replaced, spans
from ccproxy.redact import KEY, START, sealed_key, without_keys

SHORTEST = 8
"""Letters of a proxy's token that is hidden; a shorter one is a word that stands for other things, too."""

_AT_LOGIN = ("code", "key", "token")
"""Names of credentials in an address, a form or the request of a login; elsewhere they say other things."""

_ANYWHERE = "|".join(sorted(CREDENTIALS)).replace("_", "[-_]?")
_NAME = re.compile(rf"(?i)(?:{_ANYWHERE})")

_PAIR = re.compile(rf"(?i)((?:^|[?&#])(?:{_ANYWHERE}|{'|'.join(_AT_LOGIN)})=)[^&#\s]+")
"""A credential in an address, or in a form (URL standard, application/x-www-form-urlencoded)."""

_FIELD = re.compile(rf'(?i)("(?:{_ANYWHERE})"\s*:\s*")(?:[^"\\]|\\.)*')
"""A credential in JSON that cannot be read."""

_HEADER = re.compile(r"(?i)api-?key|secret|authorization|cookie|[-_]token$")
"""Names of headers that hold credentials; `…-tokens-remaining` is none of them."""

_SAID = frozenset(
    ("messages", "input", "content", "content_block", "delta", "item", "output", "choices", "logprobs")
)
"""Fields of requests, answers and events below which everything belongs to a conversation."""

_BEGINNINGS = ('"message_start"', '"response.created"')
"""Events with which an answer begins; a socket has many of them."""


def is_secret_header(name: str) -> bool:
    """Whether a header is a credential by its name."""
    return bool(_HEADER.search(name))


def plain_url(url: str) -> str:
    """An address without the credentials in its query and its fragment."""
    return _PAIR.sub(rf"\1{HIDDEN}", url)


def without_credentials(text: str) -> str:
    """A request without credentials by their names, such as those for the MCP servers of others."""
    try:
        found = list(spans(text))
    except ValueError:
        return without_keys(_plain(text))
    login = _is_login(found)
    return replaced(text, [(one, f'"{HIDDEN}"') for one in found if _is_credential(one, text, login=login)])


def without_secrets(body: bytes) -> bytes:
    """A request, an answer or a stream without credentials, and without keys inside its texts."""
    (clean,) = pieces_without_secrets([body.decode("utf-8", "surrogateescape")])
    return clean.encode("utf-8", "surrogateescape")


def pieces_without_secrets(pieces: Sequence[str], token: str | None = None) -> list[str]:
    """The same for bodies, for the events of a stream, or for the frames of a socket: as many as came.

    A key may have come in parts. What stands for it is where it began, and the other parts are empty.
    `token` is hidden as well.
    """
    secrets = _Secrets(token)
    taken = [[secrets.take(line) for line in _lines(piece)] for piece in pieces]
    secrets.join()
    return ["\n".join(line.text() for line in lines) for lines in taken]


class _Line:
    """JSON, with what is to stand in the place of its literals, or any other text."""

    def __init__(self, before: str, data: str) -> None:
        self.before = before
        self.data = data
        self.changes: dict[Span, str] = {}

    def text(self) -> str:
        return self.before + replaced(self.data, sorted(self.changes.items(), key=lambda one: one[0].start))


class _Secrets:
    """Hides secrets in lines; those that come in parts are known only when all lines are there."""

    def __init__(self, token: str | None) -> None:
        self.pattern = KEY
        if token and len(token) >= SHORTEST:
            own = rf"{START}(?P<token>{re.escape(token)})(?![A-Za-z0-9_])"
            self.pattern = re.compile(f"{own}|{KEY.pattern}")
        self.answer = 0
        self.blocks: dict[Hashable, list[tuple[_Line, Span, str]]] = {}

    def take(self, line: str) -> _Line:
        """A whole body, or a line of a stream of events."""
        field, colon, data = line.partition(":")
        before = "data:" if field == "data" and colon else ""
        taken = _Line(before, data if before else line)
        try:
            found = list(spans(taken.data))
        except ValueError:
            return _Line(before, self.pattern.sub(_stand_in, _plain(taken.data)))
        login = _is_login(found)
        self.answer += any(_literal(one, taken.data) in _BEGINNINGS for one in found if one.path == ("type",))
        for one in found:
            literal = _literal(one, taken.data)
            if _is_credential(one, taken.data, login=login):
                taken.changes[one] = f'"{HIDDEN}"'
            elif literal.startswith('"'):
                value = json.loads(literal)
                if (place := _block(one, found, taken.data)) is not None:
                    self.blocks.setdefault((self.answer, place), []).append((taken, one, value))
                elif (clean := self.pattern.sub(_stand_in, value)) != value:
                    taken.changes[one] = json.dumps(clean)
        return taken

    def join(self) -> None:
        """Look through each block of an answer as its client puts it together."""
        for parts in self.blocks.values():
            values = [value for _, _, value in parts]
            for (line, span, value), clean in zip(parts, self.apart(values), strict=True):
                if clean != value:
                    line.changes[span] = json.dumps(clean)

    def apart(self, values: list[str]) -> Iterator[str]:
        """The parts of one text, with what stands for a secret where it began."""
        letters = list("".join(values))
        for found in self.pattern.finditer("".join(values)):
            letters[found.start() : found.end()] = [_stand_in(found), *[""] * (len(found[0]) - 1)]
        for start, end in pairwise(accumulate(map(len, values), initial=0)):
            yield "".join(letters[start:end])


def _stand_in(found: re.Match[str]) -> str:
    return HIDDEN if found.lastgroup else sealed_key(found)


def _lines(piece: str) -> list[str]:
    """JSON as a whole, and the lines of anything else."""
    return [piece] if piece.lstrip()[:1] in ("{", "[") else piece.split("\n")


def _plain(text: str) -> str:
    """What is no JSON without credentials by their names; a form has no blanks in it."""
    if text.lstrip()[:1] in ("{", "["):
        return _FIELD.sub(rf"\1{HIDDEN}", text)
    return text if re.search(r"\s", text.strip()) else plain_url(text)


def _literal(span: Span, text: str) -> str:
    return text[span.start : span.end]


def _block(span: Span, around: Sequence[Span], text: str) -> Hashable | None:
    """Which text of an answer a value in an event is a part of; None if it stands for itself."""
    path = span.path
    if "delta" not in path and path[:1] != ("content_block",):
        return None
    # a block's own start may hold its first letters
    names = ("delta" if part == "content_block" else part for part in path if isinstance(part, str))
    numbers = (
        (one.path[-1], _literal(one, text))
        for one in around
        if str(one.path[-1]).endswith("index") and one.path[:-1] == path[: len(one.path) - 1]
    )
    return tuple(names), tuple(numbers)


def _is_login(found: Sequence[Span]) -> bool:
    """Whether it is what OAuth asks a server of tokens (RFC 6749), as JSON."""
    return any(one.path == ("grant_type",) for one in found)


def _is_credential(span: Span, text: str, *, login: bool) -> bool:
    """By its path in a request, or in an answer that repeats the request's tools; or by its name."""
    if span.path and _names_credential(span.path):
        return _literal(span, text) != "null"
    if not span.path or _SAID.intersection(span.path) or not _literal(span, text).startswith('"'):
        return False
    return bool(
        _NAME.fullmatch(str(span.path[-1])) or span.path == ("token",) or (login and span.path == ("code",))
    )


def _names_credential(path: Path) -> bool:
    match path[1:] if path[:1] == ("response",) else path:
        case ("mcp_servers" | "tools", int(), str(name), *_):
            return name in CREDENTIALS or name == "headers"
    return False
