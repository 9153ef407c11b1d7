import gzip

import pytest

from ccproxy import client_side
from ccproxy.client_side import ClientSide


def test_pieces_with_their_times() -> None:
    side = ClientSide("/v1/messages", b"{}")
    for piece in (b"one", b"", b"two"):
        side.hear(piece)
    assert [piece for _, piece in side.heard] == [b"one", b"two"]
    assert side.answer == b"onetwo"
    assert 0 <= side.heard[0][0] <= side.heard[1][0] < 1


def test_without_its_compression() -> None:
    side, packed = ClientSide("/", b""), gzip.compress(b"one two")
    side.expect("gzip")
    for at in range(len(packed)):
        side.hear(packed[at : at + 1])
    assert side.answer == b"one two"
    assert not side.cut


@pytest.mark.parametrize("encoding", ["gzip", "unheard-of"])
def test_what_cannot_be_unpacked(encoding: str) -> None:
    side = ClientSide("/", b"")
    side.expect(encoding)
    side.hear(b"plain")
    side.hear(gzip.compress(b"more"))
    assert (side.answer, side.cut) == (b"", True)


def test_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_side, "LONGEST", 5)
    side = ClientSide("/", b"")
    for piece in (b"1234", b"56", b"7"):
        side.hear(piece)
    assert (side.answer, side.cut) == (b"1234", True)
