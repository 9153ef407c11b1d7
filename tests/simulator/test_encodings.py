import gzip
import zlib

import brotli
import pytest
import zstandard

from ccproxy.simulator.encodings import DecodedTooLarge, InvalidEncoding, UnsupportedEncoding, decode

TEXT = b'{"hello": "world"}' * 20
PACKED = {
    "gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "br": brotli.compress(TEXT),
    "zstd": zstandard.ZstdCompressor().compress(TEXT),
}


@pytest.mark.parametrize("coding", PACKED)
def test_a_coding_is_undone(coding: str) -> None:
    assert decode(PACKED[coding], coding.upper(), 1000) == TEXT


def test_no_coding() -> None:
    assert decode(TEXT, None, 1000) == decode(TEXT, "identity", 1000) == TEXT


def test_codings_are_undone_last_first() -> None:
    assert decode(zstandard.ZstdCompressor().compress(gzip.compress(TEXT)), "gzip, zstd", 1000) == TEXT


def test_an_unknown_coding() -> None:
    with pytest.raises(UnsupportedEncoding):
        decode(TEXT, "compress", 1000)


@pytest.mark.parametrize("coding", PACKED)
def test_a_body_that_is_something_else(coding: str) -> None:
    with pytest.raises(InvalidEncoding):
        decode(b"not compressed at all", coding, 1000)


@pytest.mark.parametrize("coding", PACKED)
def test_a_body_that_ends_too_early(coding: str) -> None:
    with pytest.raises(InvalidEncoding):
        decode(PACKED[coding][:-6], coding, 1000)


@pytest.mark.parametrize("coding", PACKED)
def test_a_bomb_is_not_unpacked(coding: str) -> None:
    with pytest.raises(DecodedTooLarge):
        decode(PACKED[coding], coding, len(TEXT) - 1)
