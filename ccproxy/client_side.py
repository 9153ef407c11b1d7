"""The side of an exchange that its flow does not hold once something was changed: the client's."""

import time
from dataclasses import dataclass, field

from ccproxy.formats.decompress import Decode, UnknownEncodingError, decoder

LONGEST = 8 * 2**20
"""Bytes of an answer that are kept."""


@dataclass(slots=True)
class ClientSide:
    """What a client said and heard, without compression; kept only where somebody wants to know.

    `said` is the body of its request, `path` where it went, with the query. `heard` is the answer's body,
    each piece with its seconds since the request came; signs of life are no part of it. `upstream` is what
    the upstream answered, where a whole answer was put into another form. `cut`: not all was kept.
    """

    path: str
    said: bytes
    began: float = field(default_factory=time.monotonic)
    heard: list[tuple[float, bytes]] = field(default_factory=list)
    upstream: bytes | None = None
    cut: bool = False
    length: int = 0
    decode: Decode = field(default=lambda data: data, repr=False)

    def expect(self, encoding: str) -> None:
        """The pieces that follow come in this content-encoding."""
        try:
            self.decode = decoder(encoding)
        except UnknownEncodingError:
            self.cut = True

    def hear(self, piece: bytes) -> None:
        """Keep a piece of the answer that goes out now."""
        if self.cut:
            return
        try:
            plain = self.decode(piece)
        except ValueError:
            self.cut = True
            return
        self.length += len(plain)
        self.cut = self.length > LONGEST
        if plain and not self.cut:
            self.heard.append((time.monotonic() - self.began, plain))

    @property
    def answer(self) -> bytes:
        """The body of the answer, in one piece."""
        return b"".join(piece for _, piece in self.heard)
