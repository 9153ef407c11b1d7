import gzip
import zlib

import brotli
import pytest
import zstandard

from ccproxy.formats.decompress import TooLargeError, UnknownEncodingError, decoder, whole

TEXT = "data: grüße\n\n".encode() * 500


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("GZIP ", gzip.compress(TEXT, mtime=0)),
        ("deflate", zlib.compress(TEXT)),
        ("br", brotli.compress(TEXT)),
        ("zstd", zstandard.compress(TEXT)),
    ],
)
def test_byte_by_byte_is_the_whole(encoding: str, packed: bytes) -> None:
    decode = decoder(encoding)
    assert b"".join(decode(packed[i : i + 1]) for i in range(len(packed))) == TEXT


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_broken_data_is_a_value_error(encoding: str) -> None:
    decode = decoder(encoding)
    with pytest.raises(ValueError):
        decode(b"this is not compressed at all" * 3)


def test_unknown_encoding() -> None:
    with pytest.raises(UnknownEncodingError):
        decoder("compress")


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("", TEXT), ("gzip", gzip.compress(TEXT, mtime=0)), ("zstd", zstandard.compress(TEXT))],
)
def test_a_whole_body(encoding: str, packed: bytes) -> None:
    assert whole(packed, encoding, len(TEXT)) == TEXT


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("gzip", gzip.compress(bytes(50_000_000))), ("zstd", zstandard.compress(bytes(50_000_000)))],
    ids=["gzip", "zstd"],
)
def test_a_small_body_that_grows_without_end(encoding: str, packed: bytes) -> None:
    with pytest.raises(TooLargeError):
        whole(packed, encoding, 1_000_000)


@pytest.mark.parametrize("encoding", ["br", "compress", "gzip, zstd"])
def test_an_encoding_that_is_not_undone(encoding: str) -> None:
    with pytest.raises(UnknownEncodingError):
        whole(brotli.compress(TEXT), encoding, 1_000_000)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_broken_whole_body(encoding: str) -> None:
    with pytest.raises(ValueError):
        whole(b"this is not compressed at all", encoding, 1_000_000)
